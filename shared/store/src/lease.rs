//! One listing per tenant at a time, at most one in a while, whatever rings.
//!
//! The state item of a tenant holds the lease: until when it runs, a fencing number that grows with every grant, and the
//! "ring again" flag. Every write of a run checks the fencing number in its transaction, so that a holder that was paused
//! past its lease writes nothing.

use std::{future::Future, time::Duration};

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::update_item::{UpdateItemError, UpdateItemOutput},
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use jiff::{SignedDuration, Timestamp};
use models::TenantId;

use crate::{Store, StoreError, TableRole, time::sortable};

const TABLE: TableRole = TableRole::Tenants;
pub(crate) const STATE: &str = "state";

/// How leases are given.
#[derive(Clone, Copy, Debug)]
pub struct LeaseTerms {
    /// How long a lease runs: longer than a run can take.
    pub duration: SignedDuration,
    /// The shortest time between the starts of two runs.
    pub gap: SignedDuration,
}

/// A lease that was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The tenant.
    pub tenant: TenantId,
    /// The fencing number: greater than that of every grant before.
    pub fence: u64,
    /// When the run started.
    pub started: Timestamp,
    /// Whether no run of this tenant was ever complete.
    pub baseline_pending: bool,
    /// Whether the hint of what is known can be believed: the run before was complete, and within the last day every alert
    /// was compared in full. Otherwise a run that was cut off, or a table that was restored, would stay unseen.
    pub trusts_hint: bool,
    /// Whether the run before was cut off and kept the place where the list is to be read on.
    pub resumes: bool,
    /// When the last verified fraud callback came in.
    pub last_callback: Option<Timestamp>,
    /// When the tenant was first looked at. Releases before this one did not note it.
    pub since: Option<Timestamp>,
}

/// How long the hint is believed without a full comparison.
const HINT_TRUST: SignedDuration = SignedDuration::from_hours(24);

/// What came of asking for the lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// The lease is ours.
    Granted(Grant),
    /// A run is under way. It was told to ring again when it ends.
    Held,
    /// A run has just been: come back after this long.
    TooSoon {
        /// How long to wait.
        wait: SignedDuration,
        /// Whether somebody else is already to come back then.
        rung: Rung,
    },
}

/// Whether the bell had been rung before us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rung {
    /// We are the first: it is for us to come back.
    ByUs,
    /// Somebody else comes back.
    Before,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything that Microsoft listed is written.
    Complete {
        /// Whether it read the list from its start.
        from_start: bool,
    },
    /// It was cut off, and kept the place where the next run goes on.
    Cut {
        /// Whether the hint knows of everything that it wrote.
        hint_is_whole: bool,
    },
    /// Something failed.
    Failed,
}

/// Gives and takes back the lease of a tenant.
pub trait Lease {
    /// Asks for the lease, as this holder: a name that nobody else has ever had. Asked twice, as where an answer was lost, it is granted
    /// once.
    fn acquire(
        &self,
        tenant: &TenantId,
        terms: LeaseTerms,
        holder: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<Acquired, StoreError>> + Send;

    /// Gives the lease back. However the run ended, it wrote so many new alerts that no callback had announced. Says whether somebody rang
    /// meanwhile; nothing happens if the lease has passed on.
    fn release(
        &self,
        grant: &Grant,
        outcome: Outcome,
        unannounced: usize,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// How far the clocks of two machines may differ, and how late a request may get through that was made first. What lies further
/// ahead stems from a clock that was set back.
pub(crate) const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(1);

/// How often an update of the state is sent that collides with a transaction, and the first pause.
const CONFLICTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// How often a race between taking the lease and ringing its holder is run again before giving up.
const ATTEMPTS: u32 = 4;

impl Lease for Store {
    async fn acquire(
        &self,
        tenant: &TenantId,
        terms: LeaseTerms,
        holder: &str,
        now: Timestamp,
    ) -> Result<Acquired, StoreError> {
        for _ in 0..ATTEMPTS {
            let state = match self.try_acquire(tenant, terms, holder, now).await? {
                Tried::Granted(grant) => return Ok(Acquired::Granted(grant)),
                Tried::Refused(state) => state,
            };
            // A start in the future (a clock set back) must not lock the tenant out.
            let since_start = now.as_millisecond() - state.started;
            let wait = terms.gap - SignedDuration::from_millis(since_start.max(0));
            if !self.ring(tenant, &state).await? {
                continue;
            }
            let rung = if state.ring_again { Rung::Before } else { Rung::ByUs };
            return Ok(if state.lease_until > now.as_millisecond() {
                Acquired::Held
            } else {
                Acquired::TooSoon { wait: wait.clamp(SignedDuration::from_secs(1), terms.gap), rung }
            });
        }
        Err(StoreError::Contended { action: "UpdateItem (lease)", table: TABLE, attempts: ATTEMPTS })
    }

    async fn release(
        &self,
        grant: &Grant,
        outcome: Outcome,
        unannounced: usize,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut request = self
            .state(&grant.tenant)
            .condition_expression("fence = :fence")
            .expression_attribute_values(":fence", number(grant.fence))
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":now", AttributeValue::S(sortable(now)))
            .return_values(ReturnValue::AllNew);
        let mut changes = "SET lease_until = :zero, last_attempt = :now".to_owned();
        if let Outcome::Cut { hint_is_whole } = outcome {
            changes.push_str(", cut = :fence, last_cut = :now");
            if hint_is_whole {
                changes.push_str(", hint_of = :fence");
            }
        }
        if let Outcome::Complete { from_start } = outcome {
            changes.push_str(", last_success = :now, completed = :fence");
            // Whoever read the end of a list alone knows nothing new of what came before it.
            let hint_is_whole = from_start || grant.trusts_hint;
            changes.push_str(if hint_is_whole { ", hint_of = :fence" } else { ", hint_of = :zero" });
            if !grant.trusts_hint && from_start {
                changes.push_str(", compared = :started");
                request = request.expression_attribute_values(":started", number(grant.started.as_millisecond()));
            }
        }
        if unannounced > 0 {
            changes.push_str(" ADD unannounced :unannounced");
            let unannounced = i128::try_from(unannounced).unwrap_or(i128::MAX);
            request = request.expression_attribute_values(":unannounced", number(unannounced));
        }
        match settled(request.update_expression(changes)).await {
            Ok(output) => Ok(StateItem::of(&output)?.ring_again),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(StoreError::failed("UpdateItem (lease)", TABLE, error)),
            },
        }
    }
}

pub(crate) type Update = aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;

/// Sends an update of the state; while a transaction of a run holds the item, it is sent again. The SDK does not do so.
pub(crate) async fn settled(request: Update) -> Result<UpdateItemOutput, SdkError<UpdateItemError>> {
    while_held(|| request.clone().send()).await
}

/// The same of any request for one item.
pub(crate) async fn while_held<T, E, F>(send: impl Fn() -> F) -> Result<T, SdkError<E>>
where
    E: ProvideErrorMetadata,
    F: Future<Output = Result<T, SdkError<E>>>,
{
    let mut pause = FIRST_PAUSE;
    for _ in 1..CONFLICTS {
        match send().await {
            Err(SdkError::ServiceError(refused)) if refused.err().code() == Some("TransactionConflictException") => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            answer => return answer,
        }
    }
    send().await
}

enum Tried {
    Granted(Grant),
    Refused(StateItem),
}

impl Store {
    pub(crate) fn state(&self, tenant: &TenantId) -> Update {
        self.client
            .update_item()
            .table_name(&self.tables.tenants)
            .key("pk", AttributeValue::S(tenant.to_string()))
            .key("sk", AttributeValue::S(STATE.into()))
    }

    async fn try_acquire(
        &self,
        tenant: &TenantId,
        terms: LeaseTerms,
        holder: &str,
        now: Timestamp,
    ) -> Result<Tried, StoreError> {
        let millis = now.as_millisecond();
        let duration = i64::try_from(terms.duration.as_millis()).unwrap_or(i64::MAX);
        let gap = i64::try_from(terms.gap.as_millis()).unwrap_or(i64::MAX);
        let until = millis.saturating_add(duration);
        let ahead = |moment: i64| moment.saturating_add(CLOCK_TOLERANCE.as_secs() * 1_000);
        let request = self
            .state(tenant)
            .update_expression(
                "SET lease_until = :until, started = :now, ring_again = :false, holder = :holder, \
                 since = if_not_exists(since, :now) ADD fence :one",
            )
            // A lease or a start that lies further ahead than any clock of ours writes must not lock the tenant out.
            .condition_expression(
                "attribute_not_exists(fence) OR ((lease_until <= :now OR lease_until > :until_ahead) \
                 AND (started <= :gap OR started > :now_ahead))",
            )
            .expression_attribute_values(":until", number(until))
            .expression_attribute_values(":until_ahead", number(ahead(until)))
            .expression_attribute_values(":now", number(millis))
            .expression_attribute_values(":now_ahead", number(ahead(millis)))
            .expression_attribute_values(":gap", number(millis.saturating_sub(gap)))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":holder", AttributeValue::S(holder.to_owned()))
            .expression_attribute_values(":false", AttributeValue::Bool(false))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match settled(request).await {
            Ok(output) => Ok(Tried::Granted(StateItem::of(&output)?.grant(tenant, now))),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    let item = refused.item().cloned().unwrap_or_default();
                    let state: StateItem = serde_dynamo::from_item(item)
                        .map_err(|error| StoreError::bad_item(TABLE, tenant.as_str(), error))?;
                    // Ours already: its answer was lost, and the request was sent again.
                    let is_ours = state.holder.as_deref() == Some(holder) && state.lease_until > 0;
                    Ok(if is_ours { Tried::Granted(state.grant(tenant, now)) } else { Tried::Refused(state) })
                }
                _ => Err(StoreError::failed("UpdateItem (lease)", TABLE, error)),
            },
        }
    }

    /// Sets the flag on the state that was seen. False where that state has changed since.
    async fn ring(&self, tenant: &TenantId, seen: &StateItem) -> Result<bool, StoreError> {
        let request = self
            .state(tenant)
            .update_expression("SET ring_again = :true")
            .condition_expression("fence = :fence AND lease_until = :until AND ring_again = :seen")
            .expression_attribute_values(":fence", number(seen.fence))
            .expression_attribute_values(":until", number(seen.lease_until))
            .expression_attribute_values(":seen", AttributeValue::Bool(seen.ring_again))
            .expression_attribute_values(":true", AttributeValue::Bool(true));
        match settled(request).await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(StoreError::failed("UpdateItem (ring)", TABLE, error)),
            },
        }
    }
}

#[derive(serde::Deserialize)]
struct StateItem {
    fence: u64,
    lease_until: i64,
    started: i64,
    ring_again: bool,
    baseline: Option<String>,
    /// The fencing number of the last complete run.
    completed: Option<u64>,
    /// The fencing number of the last run after which the hint knew of everything that was written: a complete one, or one that was cut
    /// off between two pages. Releases before this one wrote none.
    hint_of: Option<u64>,
    /// When the alerts were last compared in full, in milliseconds since 1970.
    compared: Option<i64>,
    /// The fencing number of the last run that was cut off and kept its place.
    cut: Option<u64>,
    last_callback: Option<Timestamp>,
    /// When the tenant was first looked at, in milliseconds since 1970.
    since: Option<i64>,
    /// Who has the lease, or had it last.
    holder: Option<String>,
}

impl StateItem {
    /// The grant that this state belongs to.
    fn grant(&self, tenant: &TenantId, now: Timestamp) -> Grant {
        Grant {
            tenant: tenant.clone(),
            fence: self.fence,
            started: now,
            baseline_pending: self.baseline.is_none(),
            trusts_hint: self.trusts_hint(now.as_millisecond()),
            resumes: self.cut.is_some_and(|run| run + 1 == self.fence),
            last_callback: self.last_callback,
            since: self.since.and_then(|millis| Timestamp::from_millisecond(millis).ok()),
        }
    }

    /// Whether the grant that this state belongs to may believe the hint.
    fn trusts_hint(&self, now: i64) -> bool {
        let recently = |compared: i64| (0..HINT_TRUST.as_secs() * 1_000).contains(&now.saturating_sub(compared));
        self.hint_of.or(self.completed).is_some_and(|run| run + 1 == self.fence) && self.compared.is_some_and(recently)
    }

    fn of(output: &UpdateItemOutput) -> Result<Self, StoreError> {
        let item = output.attributes().cloned().unwrap_or_default();
        serde_dynamo::from_item(item).map_err(|error| StoreError::bad_item(TABLE, STATE, error))
    }
}

pub(crate) fn number(value: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}
