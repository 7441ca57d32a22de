//! `poll`: brings in every security alert of every tenant.
//!
//! Woken by the schedule it only puts one message per tenant on the reconcile queue; woken by the queue it reconciles that
//! tenant. A callback and the schedule meet in the same run, so the rarely used path is never a different path. What follows a callback
//! beside its runs is in `looks.rs`.
//!
//! | what happens | answer to SQS | then |
//! |---|---|---|
//! | the run is complete | done | |
//! | the schedule asked longer ago than its period | done, and nothing is read | the next tick has asked again |
//! | a run is under way | done | it looks again when it ends; if it dies, the next tick does |
//! | a run has just been | done | a delayed message looks again |
//! | the tenant is unknown or inactive | done | |
//! | Microsoft or the store fails, a callback rang | done | the next look after the callback, and the next tick, are the retry |
//! | the next look can't be asked for, or the event not judged | failed | SQS tries again, then dead letters; the next tick runs anyway |
//! | Microsoft or the store fails, the schedule rang | done | the next tick is the retry |
//! | the message can't be read | failed | dead letters, for people |
//! | the message is about names (`names`), whatever comes of it | done | a delayed message goes on, or tries again |

mod aside;
mod baseline;
mod config;
mod customers;
mod found;
mod looks;
mod names;
mod plan;
mod queues;
mod reconcile;
mod run;
mod settle;
mod vanished;
mod wire;

use std::pin::Pin;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use jiff::{SignedDuration, Timestamp};
use messaging::{AskForNames, QueueError, Ring};
use models::{Doorbell, NamesRequest, Queued, ReconcileCause, ReconcileRequest, TraceContext};
use partner_center::{ListAlerts, NewId, ReadCustomers};
use runtime::{Counts, Metrics, SharedClock};
use serde::Deserialize;
use store::{
    FindAlerts, KeepAside, KeepNames, KeepPlaces, KeepSignals, KeepWatches, Lease, NoteCallbacks, ReadAlerts,
    ReadNames, ReadTenant, ReadTenants, StoreError, WriteAlerts,
};
use tracing::Instrument as _;

pub use config::{Config, VARIABLES};
pub use queues::Queues;
pub use reconcile::{ReconcileError, Reconciled, Settings};
pub use wire::{Deployed, wire, wire_with};

/// How often the schedule ticks (`template.yaml`). What it asked for longer ago has been asked for again since.
pub const PERIOD: SignedDuration = SignedDuration::from_mins(5);

/// What wakes the function.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Invocation {
    /// The reconcile queue, or the names queue: the message itself says what it is about.
    Queue(SqsEvent),
    /// The schedule, with the input that `template.yaml` gives it.
    Schedule {
        /// Always `schedule`.
        task: ScheduleTask,
    },
}

/// The schedule's one task.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleTask {
    /// Ask for a run of every tenant.
    Schedule,
}

/// Why an invocation failed as a whole.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// The runs could not all be asked for.
    #[error("the schedule could not ask for all runs")]
    Queue(#[source] QueueError),
    /// The tenants could not be read.
    #[error("the schedule could not read the tenants")]
    Tenants(#[source] StoreError),
}

/// The function: what it reads and writes with, given by `main.rs`.
pub struct Poll<S, L, Q> {
    store: S,
    source: L,
    queue: Q,
    clock: SharedClock,
    new_id: NewId,
    settings: Settings,
    metrics: Metrics,
}

impl<S, L, Q> std::fmt::Debug for Poll<S, L, Q> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Poll").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl<S, L, Q> Poll<S, L, Q> {
    /// The function with these parts. `new_id` makes names for its runs.
    pub fn new(store: S, source: L, queue: Q, clock: SharedClock, new_id: NewId, settings: Settings) -> Self {
        Self { store, source, queue, clock, new_id, settings, metrics: Metrics::none() }
    }

    pub(crate) fn report_failure(&self) {
        self.metrics.report(self.clock.now(), &Counts::new().with("RunsFailed", 1));
    }

    /// The same of a run, and whether somebody has to mend what it failed for.
    pub(crate) fn report_failed_run(&self, error: &ReconcileError) {
        let counts = Counts::new().with("RunsFailed", 1);
        let counts = if error.is_for_somebody_to_mend() { counts.with("RunsRefused", 1) } else { counts };
        self.metrics.report(self.clock.now(), &counts);
    }

    /// The function whose counts go there.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Metrics) -> Self {
        self.metrics = metrics;
        self
    }
}

impl<S, L, Q> Poll<S, L, Q>
where
    S: ReadTenants
        + ReadTenant
        + Lease
        + ReadAlerts
        + WriteAlerts
        + KeepAside
        + KeepPlaces
        + ReadNames
        + KeepNames
        + FindAlerts
        + KeepSignals
        + KeepWatches
        + NoteCallbacks
        + Sync,
    L: ListAlerts + ReadCustomers + Sync,
    Q: Ring + AskForNames + Sync,
{
    /// Handles one invocation, which has this trace.
    ///
    /// # Errors
    ///
    /// [`PollError`] where the schedule could not do its part; a failure of a run is reported for its message.
    pub async fn handle(
        &self,
        invocation: Invocation,
        trace: Option<TraceContext>,
    ) -> Result<SqsBatchResponse, PollError> {
        let mut response = SqsBatchResponse::default();
        match invocation {
            Invocation::Schedule { task: ScheduleTask::Schedule } => {
                self.ask_for_all(trace).await.inspect_err(|error| {
                    tracing::error!(error = runtime::chain(error), "no runs by schedule");
                    self.metrics.report(self.clock.now(), &Counts::new().with("TicksFailed", 1));
                })?;
            }
            Invocation::Queue(event) => {
                for message in event.records {
                    if !self.handle_message(&message, trace).await {
                        let mut failure = BatchItemFailure::default();
                        failure.item_identifier = message.message_id.unwrap_or_default();
                        response.batch_item_failures.push(failure);
                    }
                }
            }
        }
        Ok(response)
    }

    async fn ask_for_all(&self, trace: Option<TraceContext>) -> Result<(), PollError> {
        let tenants = self.store.tenants().await.map_err(PollError::Tenants)?;
        let active = tenants.iter().filter(|tenant| tenant.active);
        let asked = self.clock.now();
        let request = |tenant| ReconcileRequest { tenant, cause: ReconcileCause::Schedule, trace };
        let queued = |tenant| Queued { asked: Some(asked), ..request(tenant).into() };
        let mut requests: Vec<_> = active.map(|tenant| queued(tenant.id.clone())).collect();
        let first = first_of(requests.len(), asked);
        requests.rotate_left(first);
        self.queue.ring_all(&requests).await.map_err(PollError::Queue)?;
        self.ask_for_old_names(&tenants, trace).await;
        tracing::info!(tenants = requests.len(), "runs asked for");
        Ok(())
    }

    async fn handle_message(&self, message: &SqsMessage, trace: Option<TraceContext>) -> bool {
        let body = message.body.as_deref().unwrap_or_default();
        if let Ok(request) = serde_json::from_str::<NamesRequest>(body) {
            let work: Pin<Box<dyn Future<Output = ()> + Send + '_>> = Box::pin(self.look_after_names(&request));
            work.instrument(runtime::linked_span(request.trace)).await;
            return true;
        }
        let queued: Queued = match serde_json::from_str(body) {
            Ok(queued) => queued,
            Err(error) => {
                let id = message.message_id.as_deref().unwrap_or("none");
                tracing::error!(message.id = id, error = ?error.classify(), "a message of a queue can't be read");
                self.report_failure();
                return false;
            }
        };
        let Queued { request, hops, .. } = &queued;
        let handled = async {
            let is_tick = matches!(request.cause, ReconcileCause::Schedule);
            if is_tick && queued.is_older_than(PERIOD, self.clock.now()) {
                tracing::info!(tenant.id = %request.tenant, "a tick that has been overtaken by the next one");
                return true;
            }
            if let ReconcileCause::Callback(bell @ Doorbell { received: Some(received), .. }) = &request.cause {
                // Its future is large.
                return Box::pin(self.look(request, bell, *received, trace)).await;
            }
            let done = self.run_in_chain(request, *hops, trace).await.is_ok();
            // The next tick is the retry of a tick: only what a callback rang for is worth SQS's attempts.
            done || !matches!(request.cause, ReconcileCause::Callback(_))
        };
        handled.instrument(runtime::linked_span(request.trace)).await
    }
}

/// Which of so many tenants is asked for first at this tick. Where there is no time for all within a period, each comes in time at some
/// ticks: from one to the next the first place moves by the golden ratio, which spreads them evenly.
fn first_of(tenants: usize, now: Timestamp) -> usize {
    let tick = now.as_second().div_euclid(PERIOD.as_secs());
    let part = tick.wrapping_mul(61_803).rem_euclid(100_000);
    usize::try_from(part).unwrap_or_default() * tenants / 100_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_there_is_time_for_a_third_only_each_tenant_comes_in_time_within_five_ticks() {
        let start: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
        let in_time = |tenant: usize, tick: i32| {
            let first = first_of(100, start + PERIOD * tick);
            assert!(first < 100);
            (tenant + 100 - first) % 100 < 33
        };
        for tenant in 0..100 {
            for tick in 0..288 {
                assert!((tick..tick + 5).any(|tick| in_time(tenant, tick)), "tenant {tenant}, from tick {tick} on");
            }
        }
        assert_eq!(first_of(0, start), 0);
    }
}
