//! What a run has to write, given what Microsoft lists and what is kept. Pure.

use std::collections::HashMap;

use jiff::Timestamp;
use models::{
    Alert, AlertId, AlertNotice, AlertState, AlertSummary, Delta, DigestNotice, DigestReason, FraudThreshold, Notice,
    transition,
};
use store::{AlertWrite, Grant, OutboxRecord, StoredAlert};

/// More changes of fraud severity than this in one run become one digest: nobody reads a thousand messages.
pub(crate) const BURST: usize = 20;

/// What a run has to write.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Alerts that changed.
    pub(crate) writes: Vec<AlertWrite>,
    /// The digest that stands for their messages.
    pub(crate) digest: Option<OutboxRecord>,
}

/// Compares what was observed with what is kept.
///
/// In a baseline run nothing is told of single alerts: one digest of what is open follows when the run is complete.
pub(crate) fn plan<'a>(
    grant: &Grant,
    observed: impl IntoIterator<Item = &'a Alert>,
    stored: &HashMap<AlertId, StoredAlert>,
    threshold: FraudThreshold,
    now: Timestamp,
) -> Plan {
    let mut writes: Vec<AlertWrite> =
        observed.into_iter().filter_map(|alert| write(grant, alert, stored.get(&alert.id), threshold, now)).collect();
    let told = |write: &&AlertWrite| write.outbox.as_ref().is_some_and(|record| record.publish);
    if writes.iter().filter(told).count() <= BURST {
        return Plan { writes, digest: None };
    }
    let changed = writes.iter().filter(told).map(|write| &write.alert);
    let digest = digest_record(grant, DigestNotice::new(DigestReason::Burst, grant.fence, changed), now);
    for record in writes.iter_mut().filter_map(|write| write.outbox.as_mut()) {
        record.publish = false;
    }
    Plan { writes, digest: Some(digest) }
}

/// The digest of a first complete run: what is open and of fraud severity. None where nothing is.
pub(crate) fn baseline_digest<'a>(
    grant: &Grant,
    observed: impl IntoIterator<Item = &'a Alert>,
    threshold: FraudThreshold,
    now: Timestamp,
) -> Option<OutboxRecord> {
    let open = observed.into_iter().filter(|alert| alert.state() == AlertState::Open && threshold.includes(alert));
    let digest = DigestNotice::new(DigestReason::Baseline, grant.fence, open);
    (digest.total > 0).then(|| digest_record(grant, digest, now))
}

fn write(
    grant: &Grant,
    observed: &Alert,
    stored: Option<&StoredAlert>,
    threshold: FraudThreshold,
    now: Timestamp,
) -> Option<AlertWrite> {
    let before = stored.map(|stored| &stored.alert);
    if before == Some(observed) {
        return None;
    }
    let previous = stored.map(|stored| stored.version);
    let outbox = transition(before, observed, threshold).map(|change| OutboxRecord {
        tenant: grant.tenant.clone(),
        created: now,
        notice: Notice::Alert(AlertNotice {
            kind: change.kind,
            version: AlertWrite::version(previous),
            alert: Box::new(AlertSummary::from(observed)),
        }),
        publish: change.fraud && !grant.baseline_pending,
    });
    Some(AlertWrite { alert: observed.clone(), previous, outbox, delta: Delta::between(before, observed) })
}

fn digest_record(grant: &Grant, digest: DigestNotice, now: Timestamp) -> OutboxRecord {
    OutboxRecord { tenant: grant.tenant.clone(), created: now, notice: Notice::Digest(digest), publish: true }
}
