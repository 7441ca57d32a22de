//! A request to look at a tenant: whether there is to be a run, under which lease, how long it may take, and what comes after it.

use std::time::Duration;

use jiff::SignedDuration;
use messaging::{AskForNames, QueueError, Ring};
use models::{FraudThreshold, Queued, ReconcileCause, ReconcileRequest, TraceContext, next_run_hop};
use partner_center::{Diagnosis, Heard, ListAlerts, MicrosoftError};
use store::{
    Acquired, KeepAside, KeepPlaces, Lease, LeaseTerms, Outcome, ReadAlerts, ReadTenant, Rung, StoreError, WriteAlerts,
};

use crate::{Poll, found::cause_name, looks::refuses_us, run::Run};

/// How runs are made.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How leases are given.
    pub lease: LeaseTerms,
    /// How long a run may take: half a minute less than the function's timeout, which is shorter than the lease. That is for what comes
    /// before it (the tenant, the next look, the lease) and behind it (the hint, the lease, the next message, names, and the look's verdict).
    pub run_limit: Duration,
    /// From which severity on an alert is of fraud severity.
    pub threshold: FraudThreshold,
    /// More changes of fraud severity than this in one run become one digest: nobody reads a thousand messages.
    pub digest_above: usize,
    /// Most pages of one list of alerts.
    pub pages: usize,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconciled {
    /// The run is complete.
    Done {
        /// Alerts that Microsoft lists.
        listed: usize,
        /// Alerts that changed and were written.
        changed: usize,
    },
    /// Somebody else looks, or will: this request is covered.
    Covered,
    /// No such tenant, or one that is switched off.
    NotPolled,
}

/// Why a tenant could not be reconciled.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The lease passed on to another run before this one was complete.
    #[error("the lease passed on to another run before this one was complete")]
    LeaseLost,
    /// Microsoft's side failed.
    #[error("Microsoft's list of alerts could not be read")]
    Microsoft(#[source] MicrosoftError),
    /// The run took longer than it may. What it wrote is written; the next run reads on where it stopped.
    #[error("the run was not complete after {seconds} seconds")]
    OutOfTime {
        /// How long it took.
        seconds: u64,
        /// What Microsoft had said last, where a call was being tried again.
        #[source]
        last: Option<Box<MicrosoftError>>,
    },
    /// The next run could not be asked for.
    #[error("the next run could not be asked for")]
    Queue(#[source] QueueError),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// Alerts kept being changed by somebody else.
    #[error("{0} alerts kept being changed by somebody else")]
    Unsettled(usize),
}

impl ReconcileError {
    /// What Microsoft's refusal means, where it is one and known.
    #[must_use]
    pub fn diagnosis(&self) -> Option<Diagnosis> {
        match self {
            Self::Microsoft(error) => error.diagnosis(),
            Self::OutOfTime { last, .. } => last.as_ref()?.diagnosis(),
            Self::LeaseLost | Self::Queue(_) | Self::Store(_) | Self::Unsettled(_) => None,
        }
    }

    /// Whether Microsoft will not let us look until somebody mends something.
    pub(crate) fn is_for_somebody_to_mend(&self) -> bool {
        matches!(self, Self::Microsoft(error) if refuses_us(error))
    }

    /// What to do, in a sentence or two.
    #[must_use]
    pub fn what_to_do(&self) -> &'static str {
        match self {
            Self::LeaseLost => "nothing: the run that has the lease goes on; if it stays, give LEASE_SECONDS more time",
            Self::Microsoft(error) => error.what_to_do(),
            Self::OutOfTime { last: Some(error), .. } => error.what_to_do(),
            Self::OutOfTime { last: None, .. } => {
                "nothing: the next run reads on; if the last success stays old, give RUN_SECONDS, LEASE_SECONDS and the timeout more time"
            }
            Self::Queue(_) | Self::Store(_) => {
                "nothing, if it ends: the next tick runs anyway; if it stays, AWS's word for it stands in the error"
            }
            Self::Unsettled(_) => "nothing: the next run goes on",
        }
    }

    /// The run took so long.
    pub(crate) fn out_of_time(after: Duration, heard: &Heard) -> Self {
        Self::OutOfTime { seconds: after.as_secs(), last: heard.take_failure().map(Box::new) }
    }
}

/// A run that failed, and how far it had come.
struct Failed {
    error: ReconcileError,
    /// Pages that it had read.
    pages: usize,
}

impl<E: Into<ReconcileError>> From<E> for Failed {
    /// Before there was a run, or behind it.
    fn from(error: E) -> Self {
        Self { error: error.into(), pages: 0 }
    }
}

impl<S, L, Q> Poll<S, L, Q>
where
    S: ReadTenant + Lease + ReadAlerts + WriteAlerts + KeepAside + KeepPlaces + Sync,
    L: ListAlerts + Sync,
    Q: Ring + AskForNames + Sync,
{
    /// Looks at one tenant, in this trace.
    ///
    /// # Errors
    ///
    /// [`ReconcileError`]. Whatever was written before it stays written and is right.
    pub async fn reconcile(
        &self,
        request: &ReconcileRequest,
        trace: Option<TraceContext>,
    ) -> Result<Reconciled, ReconcileError> {
        self.reconcile_in_chain(request, 0, trace).await.map_err(|failed| failed.error)
    }

    /// Looks at one tenant for a message before which so many others came.
    async fn reconcile_in_chain(
        &self,
        request: &ReconcileRequest,
        hops: u32,
        trace: Option<TraceContext>,
    ) -> Result<Reconciled, Failed> {
        let Some(tenant) = self.store.tenant(&request.tenant).await?.filter(|tenant| tenant.active) else {
            tracing::warn!(tenant.id = %request.tenant, "a run was asked for a tenant that is not polled");
            return Ok(Reconciled::NotPolled);
        };
        let terms = self.settings.lease;
        let holder = (self.new_id)().to_string();
        match self.store.acquire(&tenant.id, terms, &holder, self.clock.now()).await? {
            Acquired::Granted(grant) => {
                let mut run = Run::new(grant, tenant, &request.cause, trace);
                let done = self.run_under(&mut run, hops).await;
                done.map_err(|error| Failed { error, pages: run.counts.pages })
            }
            Acquired::Held | Acquired::TooSoon { rung: Rung::Before, .. } => Ok(Reconciled::Covered),
            Acquired::TooSoon { wait, rung: Rung::ByUs } => {
                // Others count on this one from now on: it stays good, even if the schedule asked for it.
                // What a look is for stands in the look's own messages: this one only asks for a run.
                let cause = match &request.cause {
                    ReconcileCause::Callback(_) => ReconcileCause::Again,
                    cause => cause.clone(),
                };
                self.go_on_with(ReconcileRequest { cause, ..request.clone() }, hops, wait).await?;
                Ok(Reconciled::Covered)
            }
        }
    }

    /// Sends the next message of a chain, as far as there is to be one: after that, the schedule goes on by itself.
    async fn go_on_with(
        &self,
        request: ReconcileRequest,
        hops: u32,
        delay: SignedDuration,
    ) -> Result<(), ReconcileError> {
        let Some(hops) = next_run_hop(hops) else {
            tracing::info!(tenant.id = %request.tenant, hops, "the next tick looks at the tenant again, and no message before it");
            return Ok(());
        };
        let message = Queued { hops, ..request.into() };
        self.queue.ring_again(&message, delay).await.map_err(ReconcileError::Queue)
    }

    /// Looks at one tenant for a message before which so many others came, and says so where that fails.
    pub(crate) async fn run_in_chain(
        &self,
        request: &ReconcileRequest,
        hops: u32,
        trace: Option<TraceContext>,
    ) -> Result<Reconciled, ReconcileError> {
        let done = Box::pin(self.reconcile_in_chain(request, hops, trace)).await;
        done.map_err(|Failed { error, pages }| {
            tracing::error!(
                tenant.id = %request.tenant,
                cause = cause_name(&request.cause),
                hops,
                pages,
                error = runtime::chain(&error),
                diagnosis = error.diagnosis().map(Diagnosis::code),
                advice = error.what_to_do(),
                "the tenant could not be reconciled"
            );
            self.report_failed_run(&error);
            error
        })
    }

    async fn run_under(&self, run: &mut Run<'_>, hops: u32) -> Result<Reconciled, ReconcileError> {
        // Ended by ourselves, the lease is given back and the log says why; ended by Lambda, neither.
        let limit = self.settings.run_limit;
        let heard = run.heard.clone();
        // Its future is large.
        let running = tokio::time::timeout(limit, Box::pin(heard.during(self.run(run)))).await;
        let result = running.unwrap_or_else(|_| Err(ReconcileError::out_of_time(limit, &heard)));
        let outcome = match &result {
            Ok(_) => Outcome::Complete { from_start: run.from_start },
            Err(error) => {
                self.report_unfinished(run);
                self.keep_progress(run, error).await
            }
        };
        let names = std::mem::take(&mut run.names);
        let unannounced = run.unannounced();
        let Run { grant, tenant, .. } = &*run;
        let now = self.clock.now();
        let rung = match self.store.release(grant, outcome, unannounced, now).await {
            Ok(rung) => rung,
            // The lease runs out by itself. Why the run failed says more than this.
            Err(error) if result.is_err() => {
                tracing::warn!(tenant.id = %tenant.id, error = runtime::chain(&error), "the lease could not be given back");
                false
            }
            Err(error) => return Err(error.into()),
        };
        // A list that is too long for one run is read on at once, or by a later tick: its place is kept.
        let goes_on = matches!(outcome, Outcome::Cut { .. }) && matches!(result, Err(ReconcileError::OutOfTime { .. }));
        if rung || goes_on {
            let again = ReconcileRequest { tenant: tenant.id.clone(), cause: ReconcileCause::Again, trace: run.trace };
            let rest = self.settings.lease.gap - now.duration_since(grant.started);
            let delay = rest.clamp(SignedDuration::ZERO, self.settings.lease.gap);
            self.go_on_with(again, hops, delay).await?;
        }
        self.ask_for_names(tenant, names, run.trace, hops).await;
        result
    }
}
