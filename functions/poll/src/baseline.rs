//! What a tenant's first complete run tells: one digest of what is open, in place of a message for each alert of years.
//!
//! Runs before it, whose list broke off, have written alerts and told nothing of them. So what this run has not met is taken from what is kept:
//! the index that says what is open may lag behind by moments, and the run before was seconds ago at least.

use std::collections::HashMap;

use models::{Alert, AlertId, AlertState, DigestNotice, DigestReason, FraudThreshold};
use store::{OpenAlert, ReadAlerts, WriteAlerts};

use crate::{Poll, ReconcileError, plan::digest_record, run::Run};

/// Most alerts of earlier runs that are counted: more are not read within one run's time.
const COUNTED: usize = 20_000;
/// How many of them are held in memory at once.
const READ_AT_ONCE: usize = 100;

/// What is open and of fraud severity, as far as the list is read.
pub(crate) struct Baseline {
    open: DigestNotice,
    /// What was looked at, and whether it is in the digest.
    counted: HashMap<AlertId, bool>,
}

impl Baseline {
    /// Nothing yet, by the run with this fence.
    pub(crate) fn of(fence: u64) -> Self {
        Self { open: DigestNotice::empty(DigestReason::Baseline, fence), counted: HashMap::new() }
    }

    /// Counts an alert as it was listed last.
    pub(crate) fn count(&mut self, alert: &Alert, threshold: FraudThreshold) {
        let is_news = alert.state() == AlertState::Open && threshold.includes(alert);
        let was_news = self.counted.insert(alert.id.clone(), is_news).unwrap_or(false);
        match (was_news, is_news) {
            (false, true) => self.open.add(alert),
            (true, false) => self.open.take_back(&alert.id),
            (false, false) | (true, true) => {}
        }
    }

    /// The digest, with as many of its alerts as have room.
    pub(crate) fn digest(&self) -> DigestNotice {
        self.open.clone().fitting()
    }
}

impl<S, L, Q> Poll<S, L, Q>
where
    S: ReadAlerts + WriteAlerts + Sync,
{
    /// Notes that the tenant's first complete run is over, with one digest of what is open.
    pub(crate) async fn finish_baseline(&self, run: &mut Run<'_>) -> Result<(), ReconcileError> {
        if !run.grant.baseline_pending {
            return Ok(());
        }
        let now = self.clock.now();
        self.add_what_is_kept(run).await?;
        let open = run.baseline.digest();
        let digest = (open.total > 0).then(|| digest_record(&run.grant, open, now, run.trace));
        let finished = self.store.finish_baseline(&run.grant, digest.as_ref(), now).await?;
        if finished { Ok(()) } else { Err(ReconcileError::LeaseLost) }
    }

    /// Counts what is kept as open and this run has not looked at: what it met and could not read is among it.
    async fn add_what_is_kept(&self, run: &mut Run<'_>) -> Result<(), ReconcileError> {
        let Run { grant, baseline, .. } = run;
        let is_left = |alert: &OpenAlert| !baseline.counted.contains_key(&alert.id);
        let open = self.store.open_alerts(&grant.tenant, &is_left, COUNTED).await?;
        let ids: Vec<AlertId> = open.into_iter().map(|alert| alert.id).collect();
        for ids in ids.chunks(READ_AT_ONCE) {
            let kept = self.store.alerts(&grant.tenant, ids).await?;
            for stored in kept.readable.values() {
                baseline.count(&stored.known.alert, self.settings.threshold);
            }
        }
        Ok(())
    }
}
