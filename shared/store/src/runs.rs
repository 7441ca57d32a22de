//! When a tenant was last looked at, and when Microsoft last rang: for whoever asks whether all is well.

use std::future::Future;

use aws_sdk_dynamodb::{operation::update_item::UpdateItemError, types::AttributeValue};
use jiff::{SignedDuration, Timestamp};
use models::TenantId;
use serde::Deserialize;

use crate::{
    Store, StoreError, TableRole,
    lease::{STATE, settled},
    time::sortable,
};

const TABLE: TableRole = TableRole::Tenants;
/// How far the clocks of two machines may differ.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(1);

/// The last runs of a tenant. What never was is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct LastRuns {
    /// When the last run ended, whatever came of it.
    pub last_attempt: Option<Timestamp>,
    /// When the last complete run ended.
    pub last_success: Option<Timestamp>,
    /// When a run last ended in the middle of a list that the next one reads on. Releases before this one did not note it.
    pub last_cut: Option<Timestamp>,
    /// How many new alerts runs of the schedule have found in all that no callback had announced.
    #[serde(default)]
    pub unannounced: u64,
    /// When the last verified fraud callback was received.
    pub last_callback: Option<Timestamp>,
}

/// What came of a tenant's last run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastRun {
    /// It was complete, or there was none yet.
    Complete,
    /// It stopped in the middle of a list, which the next one reads on.
    Cut,
    /// It failed.
    Failed,
}

impl LastRuns {
    /// What came of the last run that ended. One that is under way has not.
    #[must_use]
    pub fn last(&self) -> LastRun {
        match self.last_attempt {
            Some(attempt) if self.last_success >= Some(attempt) => LastRun::Complete,
            Some(attempt) if self.last_cut >= Some(attempt) => LastRun::Cut,
            Some(_) => LastRun::Failed,
            None => LastRun::Complete,
        }
    }
}

/// Reads when tenants were last looked at: for whoever looks after them, not for what looks at them.
pub trait ReadLastRuns {
    /// The last runs of this tenant.
    fn last_runs(&self, tenant: &TenantId) -> impl Future<Output = Result<LastRuns, StoreError>> + Send;
}

/// Notes callbacks in a tenant's state, beside the lease.
pub trait NoteCallbacks {
    /// Notes when a verified fraud callback was received. An earlier one changes nothing.
    fn note_callback(
        &self,
        tenant: &TenantId,
        received: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Whether the last run that was begun is complete, and was begun at or after this moment.
    fn looked_since(
        &self,
        tenant: &TenantId,
        moment: Timestamp,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

impl ReadLastRuns for Store {
    async fn last_runs(&self, tenant: &TenantId) -> Result<LastRuns, StoreError> {
        let request = self.client.get_item().table_name(&self.tables.tenants).consistent_read(true);
        let request = request.key("pk", AttributeValue::S(tenant.to_string()));
        let read = request.key("sk", AttributeValue::S(STATE.into())).send().await;
        let read = read.map_err(|error| StoreError::failed("GetItem", TABLE, error))?;
        let Some(item) = read.item else { return Ok(LastRuns::default()) };
        serde_dynamo::from_item(item).map_err(|error| StoreError::bad_item(TABLE, tenant.as_str(), error))
    }
}

impl NoteCallbacks for Store {
    async fn note_callback(&self, tenant: &TenantId, received: Timestamp) -> Result<(), StoreError> {
        let request = self
            .state(tenant)
            .update_expression("SET last_callback = :received")
            .condition_expression("attribute_not_exists(last_callback) OR last_callback < :received")
            .expression_attribute_values(":received", AttributeValue::S(sortable(received)));
        match settled(request).await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(StoreError::failed("UpdateItem (callback)", TABLE, error)),
            },
        }
    }

    async fn looked_since(&self, tenant: &TenantId, moment: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        let request = self.client.query().table_name(&self.tables.tenants).consistent_read(true);
        let request = request.key_condition_expression("pk = :tenant AND sk = :state");
        let request = request.expression_attribute_values(":tenant", AttributeValue::S(tenant.to_string()));
        let request = request.expression_attribute_values(":state", AttributeValue::S(STATE.into()));
        let read = request.send().await.map_err(|error| StoreError::failed("Query (state)", TABLE, error))?;
        let Some(item) = read.items.unwrap_or_default().pop() else { return Ok(false) };
        let run: Run =
            serde_dynamo::from_item(item).map_err(|error| StoreError::bad_item(TABLE, tenant.as_str(), error))?;
        // One that began in the future is of a time before the clock was set back.
        let since = moment.as_millisecond()..=(now + CLOCK_TOLERANCE).as_millisecond();
        Ok(run.fence.is_some() && run.completed == run.fence && run.started.is_some_and(|at| since.contains(&at)))
    }
}

/// The last run that was begun.
#[derive(Deserialize)]
struct Run {
    fence: Option<u64>,
    /// The fencing number of the last complete run.
    completed: Option<u64>,
    /// When it was begun, in milliseconds since 1970.
    started: Option<i64>,
}
