//! One run: list what Microsoft has, compare with what is kept, write only what changed.
//!
//! It may be cut off at any point and started again: alerts are written before the hint of what is known, the baseline is
//! noted after everything else, and a write that was done already is found unchanged.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use jiff::SignedDuration;
use messaging::{AskForNames, QueueError, Ring};
use models::{Alert, AlertId, FraudThreshold, NamesOfAlerts, ReconcileCause, ReconcileRequest, Tenant, TraceContext};
use partner_center::{Diagnosis, ListAlerts, MicrosoftError, Walk};
use runtime::Counts;
use store::{
    Acquired, AlertFingerprint, Grant, KeepAside, KnownAlerts, Lease, LeaseTerms, Outcome, ReadAlerts, ReadTenants,
    Rung, StoreError, StoredAlert, WriteAlerts,
};

use crate::{
    Poll,
    aside::readable_again,
    plan::{baseline_digest, plan},
};

/// How often alerts that somebody else changed meanwhile are read again within one run; what is left comes with the next.
const ROUNDS: usize = 3;

/// How runs are made.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How leases are given.
    pub lease: LeaseTerms,
    /// How long a run may take: shorter than the function's timeout, which is shorter than the lease.
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
    /// The run took longer than it may. What it wrote is written; the next run goes on.
    #[error("the run was not complete after {seconds} seconds")]
    OutOfTime {
        /// How long it took.
        seconds: u64,
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
            _ => None,
        }
    }
}

/// A run: under which lease, of whom, why and in which trace.
struct Run<'a> {
    grant: Grant,
    tenant: Tenant,
    cause: &'a ReconcileCause,
    trace: Option<TraceContext>,
}

/// What a run wrote.
#[derive(Default)]
struct Changes {
    /// Alerts that changed, the new ones among them.
    changed: usize,
    /// Alerts that were not kept before.
    new: usize,
    /// The names that they need; of all alerts where all were compared.
    names: NamesOfAlerts,
}

impl<S, L, Q> Poll<S, L, Q>
where
    S: ReadTenants + Lease + ReadAlerts + WriteAlerts + KeepAside + Sync,
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
        let tenants = self.store.tenants().await?;
        let Some(tenant) = tenants.into_iter().find(|tenant| tenant.id == request.tenant && tenant.active) else {
            tracing::warn!(tenant.id = %request.tenant, "a run was asked for a tenant that is not polled");
            return Ok(Reconciled::NotPolled);
        };
        let terms = self.settings.lease;
        match self.store.acquire(&tenant.id, terms, self.clock.now()).await? {
            Acquired::Granted(grant) => self.run_under(&Run { grant, tenant, cause: &request.cause, trace }).await,
            Acquired::Held | Acquired::TooSoon { rung: Rung::Before, .. } => Ok(Reconciled::Covered),
            Acquired::TooSoon { wait, rung: Rung::ByUs } => {
                self.queue.ring(request, wait).await.map_err(ReconcileError::Queue)?;
                Ok(Reconciled::Covered)
            }
        }
    }

    async fn run_under(&self, run: &Run<'_>) -> Result<Reconciled, ReconcileError> {
        let Run { grant, tenant, .. } = run;
        // Ended by ourselves, the lease is given back and the log says why; ended by Lambda, neither.
        let limit = self.settings.run_limit;
        let running = tokio::time::timeout(limit, self.run(run));
        let result = running.await.unwrap_or(Err(ReconcileError::OutOfTime { seconds: limit.as_secs() }));
        let outcome = if result.is_ok() { Outcome::Complete } else { Outcome::Failed };
        let now = self.clock.now();
        let rung = match self.store.release(grant, outcome, now).await {
            Ok(rung) => rung,
            // The lease runs out by itself. Why the run failed says more than this.
            Err(error) if result.is_err() => {
                tracing::warn!(tenant.id = %tenant.id, error = runtime::chain(&error), "the lease could not be given back");
                false
            }
            Err(error) => return Err(error.into()),
        };
        if rung {
            let again = ReconcileRequest { tenant: tenant.id.clone(), cause: ReconcileCause::Again, trace: run.trace };
            let rest = self.settings.lease.gap - now.duration_since(grant.started);
            let delay = rest.clamp(SignedDuration::ZERO, self.settings.lease.gap);
            self.queue.ring(&again, delay).await.map_err(ReconcileError::Queue)?;
        }
        result
    }

    async fn run(&self, run: &Run<'_>) -> Result<Reconciled, ReconcileError> {
        let Run { grant, tenant, .. } = run;
        let (mut observed, mut unreadable) = (BTreeMap::new(), Vec::new());
        let mut walk = Walk::new(self.settings.pages);
        while let Some(page) = walk.next_page(&self.source, tenant).await.map_err(ReconcileError::Microsoft)? {
            // Pages may shift while they are read: an alert that is listed twice counts as listed last.
            observed.extend(page.alerts.into_iter().map(|alert| (alert.id.clone(), Arc::new(alert))));
            unreadable.extend(page.unreadable);
        }
        // One that was listed both ways is there.
        unreadable.retain(|alert| !observed.contains_key(&alert.id));
        let mut known = self.store.known(&tenant.id).await?;
        let readable = readable_again(&observed, &known);
        let Changes { changed, new, names } = self.write_changes(run, &observed, &mut known).await?;
        if grant.baseline_pending {
            let now = self.clock.now();
            let digest =
                baseline_digest(grant, observed.values().map(Arc::as_ref), self.settings.threshold, now, run.trace);
            if !self.store.finish_baseline(grant, digest.as_ref(), now).await? {
                return Err(ReconcileError::LeaseLost);
            }
        }
        self.keep_aside(grant, &unreadable, &mut known).await;
        self.mark_readable(grant, &readable).await;
        known.keep_only(observed.keys().chain(unreadable.iter().map(|alert| &alert.id)));
        // A hint that could not be written would hide an alert that goes back to what it was: the run is then not complete.
        self.store.remember(grant, &mut known).await?;
        tracing::info!(
            tenant.id = %tenant.id,
            cause = cause_name(run.cause),
            listed = observed.len(),
            unreadable = unreadable.len(),
            changed,
            baseline = grant.baseline_pending,
            "tenant reconciled"
        );
        // What was there before the first look needed no callback.
        let no_callback = matches!(run.cause, ReconcileCause::Schedule) && !grant.baseline_pending;
        let counts = Counts::new()
            .with("TenantsPolled", 1)
            .with("AlertsListed", observed.len())
            .with("AlertsUnreadable", unreadable.len())
            .with("AlertsChanged", changed)
            .with("AlertsFoundWithoutCallback", if no_callback { new } else { 0 });
        self.metrics.report(self.clock.now(), &counts);
        self.ask_for_names(tenant, names, run.trace).await;
        Ok(Reconciled::Done { listed: observed.len(), changed })
    }

    async fn write_changes(
        &self,
        run: &Run<'_>,
        observed: &BTreeMap<AlertId, Arc<Alert>>,
        known: &mut KnownAlerts,
    ) -> Result<Changes, ReconcileError> {
        let grant = &run.grant;
        let mut fingerprints = HashMap::with_capacity(observed.len());
        for (id, alert) in observed {
            fingerprints.insert(id, AlertFingerprint::of(alert)?);
        }
        let differs =
            |id: &&AlertId| !grant.trusts_hint || fingerprints.get(id).is_none_or(|print| !known.knows(id, *print));
        let mut open: Vec<AlertId> = observed.keys().filter(differs).cloned().collect();
        let candidates = open.clone();
        let mut changes = Changes::default();
        let mut told = HashSet::new();
        for _ in 0..ROUNDS {
            if open.is_empty() {
                break;
            }
            let stored: HashMap<AlertId, StoredAlert> = self.store.alerts(&grant.tenant, &open).await?;
            for alert in open.iter().filter_map(|id| observed.get(id)) {
                let before = stored.get(&alert.id);
                if !grant.trusts_hint || before.is_none_or(|before| NamesOfAlerts::differ(&before.alert, alert)) {
                    changes.names.add(alert, run.tenant.alert_source);
                }
            }
            let now = self.clock.now();
            let alerts = open.iter().filter_map(|id| observed.get(id));
            let plan = plan(grant, alerts, &stored, &told, &self.settings, now, run.trace);
            let written = self.store.write(grant, &plan.writes, plan.digest.as_ref(), now).await?;
            changes.changed += written.written.len();
            changes.new += written.written.iter().filter(|id| !stored.contains_key(*id)).count();
            // The digest is part of the first transaction, which has failed where nothing is written.
            if !written.written.is_empty() {
                told.extend(plan.told);
            }
            if written.lease_lost {
                return Err(ReconcileError::LeaseLost);
            }
            open = written.conflicted;
        }
        if !open.is_empty() {
            return Err(ReconcileError::Unsettled(open.len()));
        }
        for id in &candidates {
            if let Some(fingerprint) = fingerprints.get(id) {
                known.note(id, *fingerprint);
            }
        }
        Ok(changes)
    }
}

fn cause_name(cause: &ReconcileCause) -> &'static str {
    match cause {
        ReconcileCause::Again => "again",
        ReconcileCause::Callback { .. } => "callback",
        ReconcileCause::Schedule => "schedule",
    }
}
