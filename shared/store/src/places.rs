//! Where a run that was cut off stopped reading a tenant's list, so that the next one goes on there.

use std::future::Future;

use aws_sdk_dynamodb::{operation::put_item::PutItemError, types::AttributeValue};
use jiff::Timestamp;
use models::TenantId;
use serde::{Deserialize, Serialize};

use crate::{Grant, Store, StoreError, TableRole};

const TABLE: TableRole = TableRole::Tenants;
const PLACE: &str = "place";

/// A place in a tenant's list, as the run before kept it. What it means is for whoever reads the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptPlace {
    /// The place, as the source of alerts named it.
    pub place: String,
    /// The source that named it.
    pub source: String,
    /// How many pages lie before it.
    pub pages: usize,
    /// When it was kept.
    pub kept: Timestamp,
}

/// Keeps places, under a lease.
pub trait KeepPlaces {
    /// Keeps a place, in place of the one before. Nothing happens where the lease has passed on.
    fn keep_place(&self, grant: &Grant, place: &KeptPlace) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The place that was kept last, if it can be read.
    fn kept_place(&self, tenant: &TenantId) -> impl Future<Output = Result<Option<KeptPlace>, StoreError>> + Send;
}

impl KeepPlaces for Store {
    async fn keep_place(&self, grant: &Grant, place: &KeptPlace) -> Result<(), StoreError> {
        let unwritable = |error| StoreError::unwritable(TABLE, error);
        let place = serde_json::to_string(place).map_err(unwritable)?;
        let request = self
            .client
            .put_item()
            .table_name(&self.tables.tenants)
            .item("pk", AttributeValue::S(grant.tenant.to_string()))
            .item("sk", AttributeValue::S(PLACE.to_owned()))
            .item("fence", AttributeValue::N(grant.fence.to_string()))
            .item("place", AttributeValue::S(place))
            .condition_expression("attribute_not_exists(fence) OR fence <= :fence")
            .expression_attribute_values(":fence", AttributeValue::N(grant.fence.to_string()));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(StoreError::failed("PutItem (place)", TABLE, error)),
            },
        }
    }

    async fn kept_place(&self, tenant: &TenantId) -> Result<Option<KeptPlace>, StoreError> {
        // A query for one key takes what GetItem would, and no further permission.
        let request = self.client.query().table_name(&self.tables.tenants).consistent_read(true);
        let request = request
            .key_condition_expression("pk = :tenant AND sk = :place")
            .expression_attribute_values(":tenant", AttributeValue::S(tenant.to_string()))
            .expression_attribute_values(":place", AttributeValue::S(PLACE.to_owned()));
        let read = request.send().await.map_err(|error| StoreError::failed("Query (place)", TABLE, error))?;
        let item = read.items.unwrap_or_default().pop();
        let text = item.and_then(|item| item.get("place")?.as_s().ok().cloned());
        let place = text.map(|text| serde_json::from_str(&text)).transpose();
        place.map_err(|error| StoreError::bad_item(TABLE, PLACE, error))
    }
}
