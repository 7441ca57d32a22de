//! What a tenant's first complete run tells: one digest of what is open, in place of a message for each alert of years.

use std::collections::HashSet;

use models::{Alert, AlertId, AlertState, DigestNotice, DigestReason, FraudThreshold};
use store::WriteAlerts;

use crate::{Poll, ReconcileError, plan::digest_record, run::Run};

/// What is open and of fraud severity, as far as the list is read.
pub(crate) struct Baseline {
    open: DigestNotice,
    counted: HashSet<AlertId>,
}

impl Baseline {
    /// Nothing yet, by the run with this fence.
    pub(crate) fn of(fence: u64) -> Self {
        Self { open: DigestNotice::empty(DigestReason::Baseline, fence), counted: HashSet::new() }
    }

    /// Goes on with what an earlier run had counted. Of its alerts those are known that its digest lists.
    pub(crate) fn go_on_with(&mut self, earlier: DigestNotice) {
        self.counted = earlier.alerts.iter().map(|alert| alert.id.clone()).collect();
        self.open = DigestNotice { run: self.open.run, ..earlier };
    }

    /// Counts an alert as it was listed last.
    pub(crate) fn count(&mut self, alert: &Alert, threshold: FraudThreshold) {
        let is_news = alert.state() == AlertState::Open && threshold.includes(alert);
        if is_news && self.counted.insert(alert.id.clone()) {
            self.open.add(alert);
        } else if !is_news && self.counted.remove(&alert.id) {
            self.open.take_back(&alert.id);
        }
    }

    /// The digest, with as many of its alerts as have room.
    pub(crate) fn digest(&self) -> DigestNotice {
        self.open.clone().fitting()
    }
}

impl<S, L, Q> Poll<S, L, Q>
where
    S: WriteAlerts + Sync,
{
    /// Notes that the tenant's first complete run is over, with one digest of what is open.
    pub(crate) async fn finish_baseline(&self, run: &mut Run<'_>) -> Result<(), ReconcileError> {
        if !run.grant.baseline_pending {
            return Ok(());
        }
        let now = self.clock.now();
        let open = run.baseline.digest();
        let digest = (open.total > 0).then(|| digest_record(&run.grant, open, now, run.trace));
        let finished = self.store.finish_baseline(&run.grant, digest.as_ref(), now).await?;
        if finished { Ok(()) } else { Err(ReconcileError::LeaseLost) }
    }
}
