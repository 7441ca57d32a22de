//! What nobody asks for anew: the operations queue carries on what was left, and the sweep finds what even the queue has lost.

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use jiff::SignedDuration;
use messaging::AskForFollowUps;
use models::{Asked, FollowUp, Operation, Repeated, Tenant, TraceContext};
use runtime::Counts;
use serde::Deserialize;
use store::{Act, KeepOperations, Left, ReadTenant, ReadTenants, ReadWork, StoreError};

use crate::{Resolve, microsoft::Set, steps::Within};

/// How long the sweep leaves an operation to whoever carries it on: longer than a request may take, or a message waits at first.
const SWEPT_AFTER: SignedDuration = SignedDuration::from_mins(2);
/// Most operations that a sweep names because they get no further: where there are more, something is wrong with Microsoft, not with them.
const MOST_NAMED: usize = 10;

/// What wakes the function beside requests.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Invocation {
    /// The operations queue.
    Queue(SqsEvent),
    /// The schedule, with the input that `template.yaml` gives it.
    Schedule {
        /// Always `sweep`.
        task: ScheduleTask,
    },
}

/// The schedule's one task.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleTask {
    /// Have carried on what nobody carries on.
    Sweep,
}

/// Why a sweep did not do its part.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// Of some tenants it is not known what is left.
    #[error(
        "what is left of {failed} of {all} tenants is not known, or could not be left to the queue; the next sweep tries again"
    )]
    InPart {
        /// How many tenants failed.
        failed: usize,
        /// How many there are.
        all: usize,
    },
    /// The tenants could not be read.
    #[error("the sweep could not read the tenants")]
    Tenants(#[source] StoreError),
}

impl<S, M, Q> Resolve<S, M, Q>
where
    S: Act + KeepOperations + ReadTenant + ReadTenants + ReadWork + Sync,
    M: Set + Sync,
    Q: AskForFollowUps + Sync,
{
    /// Handles what is no request, in an invocation of this id and trace.
    ///
    /// # Errors
    ///
    /// [`SweepError`] where the sweep could not do all; what fails of the queue is reported in the response.
    pub async fn follow(
        &self,
        invocation: Invocation,
        id: &str,
        trace: Option<TraceContext>,
    ) -> Result<SqsBatchResponse, SweepError> {
        let mut response = SqsBatchResponse::default();
        match invocation {
            Invocation::Schedule { task: ScheduleTask::Sweep } => {
                let swept = self.sweep().await;
                swept.inspect_err(|error| {
                    tracing::error!(error = runtime::chain(error), "the sweep of operations failed");
                })?;
            }
            Invocation::Queue(event) => {
                let within = Within { request: id.parse().ok(), trace };
                for message in event.records {
                    if !Box::pin(self.look(&message, &within)).await {
                        let mut failure = BatchItemFailure::default();
                        failure.item_identifier = message.message_id.unwrap_or_default();
                        response.batch_item_failures.push(failure);
                    }
                }
            }
        }
        Ok(response)
    }

    /// Looks at an operation, and carries it on. False where SQS should try again.
    async fn look(&self, message: &SqsMessage, within: &Within) -> bool {
        let body = message.body.as_deref().unwrap_or_default();
        let look: FollowUp = match serde_json::from_str(body) {
            Ok(look) => look,
            Err(error) => {
                let id = message.message_id.as_deref().unwrap_or("none");
                tracing::error!(message.id = id, error = ?error.classify(), "a message of the operations queue can't be read");
                return false;
            }
        };
        let (tenant, operation) = (&look.tenant, &look.operation);
        match self.look_at(&look, within).await {
            Ok(Looked::NothingLeft) => true,
            Ok(Looked::GotFurther) => self.look_again(&look, Some(SignedDuration::ZERO)).await,
            Ok(Looked::HeldUp) => self.look_again(&look, None).await,
            Err(error) => {
                tracing::error!(tenant.id = %tenant, operation.id = %operation, error, "an operation could not be carried on");
                false
            }
        }
    }

    /// Carries an operation on, as far as the time of a look goes.
    async fn look_at(&self, look: &FollowUp, within: &Within) -> Result<Looked, String> {
        let failed = |error: StoreError| runtime::chain(&error);
        let operation = self.store.operation(&look.tenant, &look.operation).await.map_err(failed)?;
        let Some(operation) = operation.filter(is_left) else { return Ok(Looked::NothingLeft) };
        let tenant = self.store.tenant(&look.tenant).await.map_err(failed)?;
        let Some(tenant) = tenant.filter(|tenant| tenant.active) else {
            tracing::warn!(
                tenant.id = %look.tenant, operation.id = %look.operation,
                "an operation of a tenant that is not active is left as it is"
            );
            return Ok(Looked::NothingLeft);
        };
        let before = operation.left().count();
        let carried = self.carry_on(&tenant, operation, within);
        let after = match tokio::time::timeout(self.settings.request_limit, carried).await {
            Ok(carried) => Some(carried.map_err(|halt| runtime::chain(&halt))?),
            Err(_) => self.store.operation(&look.tenant, &look.operation).await.map_err(failed)?,
        };
        Ok(match after.filter(is_left) {
            None => Looked::NothingLeft,
            Some(after) if after.left().count() < before => Looked::GotFurther,
            Some(_) => Looked::HeldUp,
        })
    }

    /// Asks for the next look, `sooner` than it would be due where something says so. Where there is none, the sweep goes on.
    async fn look_again(&self, look: &FollowUp, sooner: Option<SignedDuration>) -> bool {
        let Some((next, delay)) = look.next() else { return true };
        let delay = sooner.unwrap_or(delay);
        match self.queue.ask_for_follow_ups(&[next], delay).await {
            Ok(()) => true,
            Err(error) => {
                let error = runtime::chain(&error);
                tracing::error!(
                    tenant.id = %look.tenant, operation.id = %look.operation, error,
                    "the next look at an operation can't be asked for"
                );
                false
            }
        }
    }

    async fn sweep(&self) -> Result<(), SweepError> {
        let tenants = self.store.tenants().await.map_err(SweepError::Tenants)?;
        let (mut failed, mut left, mut stuck, mut unreadable) = (0, 0, 0, 0);
        for tenant in &tenants {
            match self.sweep_of(tenant, &mut stuck).await {
                Ok(found) => {
                    left += found.left;
                    unreadable += found.unreadable;
                }
                Err(error) => {
                    failed += 1;
                    tracing::error!(tenant.id = %tenant.id, error, "what is left of a tenant's operations could not be asked for");
                }
            }
        }
        tracing::info!(tenants = tenants.len(), left, unreadable, "operations were swept");
        // Zero is a figure, too: without one nobody has looked.
        self.metrics.report(self.now(), &Counts::new().with("OperationsStuck", stuck));
        if failed == 0 { Ok(()) } else { Err(SweepError::InPart { failed, all: tenants.len() }) }
    }

    /// Asks for what is left of a tenant's, and counts what gets no further.
    async fn sweep_of(&self, tenant: &Tenant, stuck: &mut usize) -> Result<Swept, String> {
        let Tenant { id: tenant, active, .. } = tenant;
        let Left { mut operations, unreadable } =
            self.store.left(tenant).await.map_err(|error| runtime::chain(&error))?;
        let now = self.now();
        operations.retain(|operation| is_carried_on(operation, *active));
        for operation in operations.iter().filter(|operation| operation.is_stuck(now)) {
            if *stuck < MOST_NAMED {
                tracing::warn!(
                    tenant.id = %tenant, operation.id = %operation.id,
                    "an operation has got no further for a quarter of an hour"
                );
            }
            *stuck += 1;
        }
        let is_lost = |operation: &&Operation| now.duration_since(operation.changed) >= SWEPT_AFTER;
        let looks: Vec<_> =
            operations.iter().filter(is_lost).map(|it| FollowUp::once(tenant.clone(), it.id.clone())).collect();
        if !looks.is_empty() {
            let asked = self.queue.ask_for_follow_ups(&looks, SignedDuration::ZERO).await;
            asked.map_err(|error| runtime::chain(&error))?;
        }
        Ok(Swept { left: looks.len(), unreadable })
    }
}

/// What a sweep found of a tenant.
struct Swept {
    /// How many operations it left to the queue.
    left: usize,
    /// How many operations can't be read.
    unreadable: usize,
}

/// What came of a look.
enum Looked {
    /// Something is left, and it got further: more of it is likely to go.
    GotFurther,
    /// Something is left, and nothing more of it is done.
    HeldUp,
    /// Nothing is left for us to do.
    NothingLeft,
}

/// Whether an operation is one that the queue carries on. A subscription goes on costing money where its tenant is switched off, so what is wanted of it goes on,
/// too; where alerts of such a tenant are to stand can wait.
fn is_carried_on(operation: &Operation, active: bool) -> bool {
    (active && is_left(operation)) || matches!(operation.asked, Asked::Subscription { .. })
}

/// Whether something is left to do of where alerts are to stand. All else that people do to alerts is done at once.
fn is_left(operation: &Operation) -> bool {
    let is_status = matches!(operation.asked, Asked::Status { .. });
    is_status && operation.repeated_by(&operation.request) == Repeated::Unfinished
}
