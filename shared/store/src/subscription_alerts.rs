//! The open alerts of a subscription: what a cancellation resolves.
//!
//! An index says which alerts there are, and each is then read itself. Unlike [`FindAlerts`](crate::FindAlerts) it goes through all of them: one that is
//! left open would call people about what is no more.

use std::{future::Future, sync::Arc};

use aws_sdk_dynamodb::types::AttributeValue;
use models::{Alert, AlertState, SubscriptionId, TenantId};

use crate::{
    Store, StoreError, TableRole,
    items::{ALERT, folded_key, key, read_alert},
    schema::ALERTS_BY_SUBSCRIPTION,
};

const TABLE: TableRole = TableRole::Alerts;
/// Most items that one request reads by their keys: DynamoDB takes no more.
const MOST_AT_ONCE: usize = 100;

/// What is open of a subscription.
#[derive(Clone, Debug, Default)]
pub struct OpenAlerts {
    /// Those that could be read, the last observed first.
    pub alerts: Vec<Arc<Alert>>,
    /// How many could not. Each is logged, and holds up none of the others.
    pub unreadable: usize,
}

/// Finds what is open of a subscription.
pub trait FindOpenAlerts {
    /// Up to `limit` alerts of a subscription that are open and can be read, those that were observed last. An index that may lag behind by moments says which there are.
    fn open_alerts_of(
        &self,
        tenant: &TenantId,
        subscription: &SubscriptionId,
        limit: usize,
    ) -> impl Future<Output = Result<OpenAlerts, StoreError>> + Send;
}

impl FindOpenAlerts for Store {
    async fn open_alerts_of(
        &self,
        tenant: &TenantId,
        subscription: &SubscriptionId,
        limit: usize,
    ) -> Result<OpenAlerts, StoreError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.tables.alerts)
            .index_name(ALERTS_BY_SUBSCRIPTION)
            .key_condition_expression("tenant_subscription = :subscription")
            .filter_expression("summary.#status <> :resolved")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":subscription", AttributeValue::S(folded_key(tenant, subscription.as_str())))
            .expression_attribute_values(":resolved", AttributeValue::S(models::Status::Resolved.to_string()))
            .projection_expression("pk")
            .scan_index_forward(false)
            .into_paginator()
            .items()
            .send();
        let mut open = OpenAlerts::default();
        loop {
            let mut some = Vec::new();
            while some.len() < MOST_AT_ONCE.min(limit - open.alerts.len())
                && let Some(item) = pages.next().await
            {
                let mut item =
                    item.map_err(|error| StoreError::failed("Query (alerts of a subscription)", TABLE, error))?;
                let partition = item.remove("pk").and_then(|key| key.as_s().ok().cloned());
                some.extend(partition.map(|partition| key(&partition, ALERT)));
            }
            if some.is_empty() {
                break;
            }
            for item in self.get_all(some).await? {
                match read_alert(item) {
                    Ok(stored) if stored.known.alert.state() == AlertState::Open => {
                        open.alerts.push(stored.known.alert);
                    }
                    // The index lags behind.
                    Ok(_) => {}
                    Err(error) => {
                        tracing::error!(tenant.id = %tenant, %error, "an alert of a subscription can't be read");
                        open.unreadable += 1;
                    }
                }
            }
        }
        open.alerts.sort_by(|one, other| (other.last_observed, &one.id).cmp(&(one.last_observed, &other.id)));
        Ok(open)
    }
}
