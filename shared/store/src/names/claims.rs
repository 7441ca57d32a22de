//! Who looks after a tenant's names, and since which day: one item beside the tenant's state, which no run looks at.

use aws_sdk_dynamodb::{
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::AttributeValue,
};
use jiff::{Timestamp, civil::Date};
use models::TenantId;

use super::{TABLE, key};
use crate::{
    Store, StoreError,
    lease::{CLOCK_TOLERANCE, number},
};

const NAMES: &str = "names";

impl Store {
    pub(super) async fn try_begin_day(&self, tenant: &TenantId, day: Date) -> Result<bool, StoreError> {
        let request = self
            .of_names(tenant)
            .update_expression("SET looked_on = :day")
            .condition_expression("attribute_not_exists(looked_on) OR looked_on <> :day")
            .expression_attribute_values(":day", AttributeValue::S(day.to_string()));
        applied(request).await
    }

    pub(super) async fn try_claim(
        &self,
        tenant: &TenantId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (until, now) = (until.as_millisecond(), now.as_millisecond());
        let request = self
            .of_names(tenant)
            .update_expression("SET claimed_until = :until")
            // A claim that lies further ahead than any clock of ours writes must not lock the names up.
            .condition_expression(
                "attribute_not_exists(claimed_until) OR claimed_until <= :now OR claimed_until > :ahead",
            )
            .expression_attribute_values(":until", number(until))
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":ahead", number(until.saturating_add(CLOCK_TOLERANCE.as_secs() * 1_000)));
        applied(request).await
    }

    fn of_names(&self, tenant: &TenantId) -> UpdateItemFluentBuilder {
        let key = key(tenant.as_str(), NAMES);
        self.client.update_item().table_name(&self.tables.tenants).set_key(Some(key))
    }
}

/// Sends an update, and says whether its condition held.
async fn applied(request: UpdateItemFluentBuilder) -> Result<bool, StoreError> {
    match request.send().await {
        Ok(_) => Ok(true),
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
            _ => Err(StoreError::failed("UpdateItem (names)", TABLE, error)),
        },
    }
}
