//! What a run has to write, given what Microsoft lists and what is kept. Pure.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use models::{Alert, AlertId, AlertState, DigestNotice, DigestReason, FraudThreshold, Notice, TraceContext};
use store::{AlertWrite, Grant, OutboxRecord, StoredAlert};

use crate::Settings;

/// What a run has to write.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Alerts that changed.
    pub(crate) writes: Vec<AlertWrite>,
    /// The digest that stands for their messages.
    pub(crate) digest: Option<OutboxRecord>,
    /// The alerts that the digest tells.
    pub(crate) told: HashSet<AlertId>,
}

/// Compares what was observed with what is kept. `told` are alerts that a digest of this run tells already.
///
/// In a baseline run nothing is told of single alerts: one digest of what is open follows when the run is complete. A run has
/// at most one digest of a burst.
pub(crate) fn plan<'a>(
    grant: &Grant,
    observed: impl IntoIterator<Item = &'a Arc<Alert>>,
    stored: &HashMap<AlertId, StoredAlert>,
    told: &HashSet<AlertId>,
    settings: &Settings,
    now: Timestamp,
    trace: Option<TraceContext>,
) -> Plan {
    let tell = !grant.baseline_pending;
    let change = |alert: &'a Arc<Alert>| {
        AlertWrite::between(&grant.tenant, stored.get(&alert.id), alert, settings.threshold, tell, now, trace)
    };
    let mut writes: Vec<AlertWrite> = observed.into_iter().filter_map(change).collect();
    for write in writes.iter_mut().filter(|write| told.contains(&write.alert.id)) {
        silence(write);
    }
    let news = |write: &&AlertWrite| write.outbox.as_ref().is_some_and(|record| record.publish);
    let changed: Vec<&Alert> = writes.iter().filter(news).map(|write| write.alert.as_ref()).collect();
    if changed.len() <= settings.digest_above || !told.is_empty() {
        return Plan { writes, digest: None, told: HashSet::new() };
    }
    let told = changed.iter().map(|alert| alert.id.clone()).collect();
    let digest = digest_record(grant, DigestNotice::new(DigestReason::Burst, grant.fence, changed), now, trace);
    writes.iter_mut().for_each(silence);
    Plan { writes, digest: Some(digest), told }
}

/// Leaves the change as a record that is not published.
fn silence(write: &mut AlertWrite) {
    if let Some(record) = &mut write.outbox {
        record.publish = false;
    }
}

/// The digest of a first complete run: what is open and of fraud severity. None where nothing is.
pub(crate) fn baseline_digest<'a>(
    grant: &Grant,
    observed: impl IntoIterator<Item = &'a Alert>,
    threshold: FraudThreshold,
    now: Timestamp,
    trace: Option<TraceContext>,
) -> Option<OutboxRecord> {
    let open = observed.into_iter().filter(|alert| alert.state() == AlertState::Open && threshold.includes(alert));
    let digest = DigestNotice::new(DigestReason::Baseline, grant.fence, open);
    (digest.total > 0).then(|| digest_record(grant, digest, now, trace))
}

fn digest_record(grant: &Grant, digest: DigestNotice, now: Timestamp, trace: Option<TraceContext>) -> OutboxRecord {
    OutboxRecord { tenant: grant.tenant.clone(), created: now, notice: Notice::Digest(digest), publish: true, trace }
}
