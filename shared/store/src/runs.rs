//! When a tenant was last looked at: for whoever asks whether all is well.

use std::future::Future;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use models::TenantId;
use serde::Deserialize;

use crate::{Store, StoreError, TableRole, lease::STATE};

/// The last runs of a tenant. What never was is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct LastRuns {
    /// When the last run ended, whatever came of it.
    pub last_attempt: Option<Timestamp>,
    /// When the last complete run ended.
    pub last_success: Option<Timestamp>,
    /// How many new alerts runs of the schedule have found in all that no callback had announced.
    #[serde(default)]
    pub unannounced: u64,
}

/// Reads when tenants were last looked at: for operators' tools, not for functions.
pub trait ReadLastRuns {
    /// The last runs of this tenant.
    fn last_runs(&self, tenant: &TenantId) -> impl Future<Output = Result<LastRuns, StoreError>> + Send;
}

impl ReadLastRuns for Store {
    async fn last_runs(&self, tenant: &TenantId) -> Result<LastRuns, StoreError> {
        let request = self.client.get_item().table_name(&self.tables.tenants).consistent_read(true);
        let request = request.key("pk", AttributeValue::S(tenant.to_string()));
        let read = request.key("sk", AttributeValue::S(STATE.into())).send().await;
        let read = read.map_err(|error| StoreError::failed("GetItem", TableRole::Tenants, error))?;
        let Some(item) = read.item else { return Ok(LastRuns::default()) };
        serde_dynamo::from_item(item).map_err(|error| StoreError::bad_item(TableRole::Tenants, tenant.as_str(), error))
    }
}
