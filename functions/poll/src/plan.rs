//! What a run has to write, given what it saw and what is kept. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use models::{
    Alert, AlertId, AlertSource, DigestNotice, DigestReason, FraudThreshold, Notice, Observation, Seen, Step,
    TraceContext, observe,
};
use store::{AlertFingerprint, AlertWrite, Grant, OutboxRecord, StoredAlert};

/// One alert as a run saw it.
#[derive(Clone, Debug)]
pub(crate) struct Sighting {
    /// What was seen.
    pub(crate) seen: Seen,
    /// When Microsoft was asked.
    pub(crate) asked: Timestamp,
    /// The fingerprint of what was seen, where there is something.
    pub(crate) print: Option<AlertFingerprint>,
}

impl Sighting {
    /// How many bytes the alert has, as JSON.
    pub(crate) fn weight(&self) -> usize {
        match &self.seen {
            Seen::There(alert) => serde_json::to_vec(alert.as_ref()).map_or(0, |json| json.len()),
            Seen::Gone | Seen::Nothing => 0,
        }
    }
}

/// What was seen, by the alert's id.
pub(crate) type Sightings = BTreeMap<AlertId, Sighting>;

/// How changes that people are told of are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Telling {
    /// They are held back until the list is read: more of them than people read one by one become one digest.
    Held,
    /// They are written, as messages or as a digest.
    Now {
        /// How many digests the run has made already.
        digests: u32,
    },
}

/// What a run plans by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) source: AlertSource,
    pub(crate) threshold: FraudThreshold,
    pub(crate) digest_above: usize,
    pub(crate) telling: Telling,
    pub(crate) now: Timestamp,
    pub(crate) trace: Option<TraceContext>,
}

/// What a run has to write.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Alerts that changed.
    pub(crate) writes: Vec<AlertWrite>,
    /// What each of them went through.
    pub(crate) steps: HashMap<AlertId, Step>,
    /// Alerts whose change is held back.
    pub(crate) held: Vec<AlertId>,
    /// The digest that stands for their messages.
    pub(crate) digest: Option<OutboxRecord>,
    /// The alerts that the digest tells.
    pub(crate) told: HashSet<AlertId>,
}

/// Compares what was seen with what is kept. `told` are alerts that a digest tells already.
///
/// In a baseline run nothing is told of single alerts: one digest of what is open follows when the run is complete.
pub(crate) fn plan(
    grant: &Grant,
    sightings: &Sightings,
    stored: &HashMap<AlertId, StoredAlert>,
    told: &HashSet<AlertId>,
    terms: &Terms,
) -> Plan {
    let mut plan = Plan::default();
    for (id, sighting) in sightings {
        let stored = stored.get(id);
        let Sighting { seen, asked, .. } = sighting.clone();
        let observation = Observation { seen, source: terms.source, run: grant.fence, asked };
        let observed = observe(stored.map(|stored| &stored.known), &observation, terms.threshold);
        let Some(known) = observed.known.filter(|_| observed.step.is_worth_writing()) else { continue };
        let tell = !grant.baseline_pending && !told.contains(id);
        let write = AlertWrite::between(&grant.tenant, stored, known, terms.threshold, tell, terms.now, terms.trace);
        if terms.telling == Telling::Held && write.is_told() {
            plan.held.push(id.clone());
        } else {
            plan.steps.insert(id.clone(), observed.step);
            plan.writes.push(write);
        }
    }
    if let Telling::Now { digests } = terms.telling
        && told.is_empty()
    {
        plan.sum_up(grant, digests, terms);
    }
    plan
}

impl Plan {
    /// More messages than a person reads become one digest.
    fn sum_up(&mut self, grant: &Grant, digests: u32, terms: &Terms) {
        let news: Vec<&Alert> =
            self.writes.iter().filter(|write| write.is_told()).map(|write| write.known.alert.as_ref()).collect();
        if news.len() <= terms.digest_above {
            return;
        }
        let digest =
            DigestNotice { part: digests, ..DigestNotice::new(DigestReason::Burst, grant.fence, news.iter().copied()) };
        self.told = news.iter().map(|alert| alert.id.clone()).collect();
        self.digest = Some(digest_record(grant, digest, terms.now, terms.trace));
        // The changes stay as records that are not published.
        for record in self.writes.iter_mut().filter_map(|write| write.outbox.as_mut()) {
            record.publish = false;
        }
    }
}

pub(crate) fn digest_record(
    grant: &Grant,
    digest: DigestNotice,
    now: Timestamp,
    trace: Option<TraceContext>,
) -> OutboxRecord {
    OutboxRecord { tenant: grant.tenant.clone(), created: now, notice: Notice::Digest(digest), publish: true, trace }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_run_that_has_told_a_digest_tells_what_comes_up_behind_it_one_by_one_and_puts_none_in_its_place() {
        let now = made_alerts::DETECTED;
        let grant = Grant {
            tenant: "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10".parse().unwrap(),
            fence: 2,
            started: now,
            baseline_pending: false,
            trusts_hint: true,
            resumes: false,
            last_callback: None,
            since: None,
        };
        let terms = Terms {
            source: AlertSource::Graph,
            threshold: FraudThreshold::High,
            digest_above: 2,
            telling: Telling::Now { digests: 0 },
            now,
            trace: None,
        };
        let sighting = |id: &str| {
            let alert = Arc::new(made_alerts::alert(id));
            (alert.id.clone(), Sighting { seen: Seen::There(alert), asked: now, print: None })
        };
        let planned = |ids: &[&str], told: &HashSet<AlertId>| {
            let sightings = ids.iter().map(|id| sighting(id)).collect();
            plan(&grant, &sightings, &HashMap::new(), told, &terms)
        };

        let first = planned(&["a", "b", "c"], &HashSet::new());
        assert_eq!((first.told.len(), first.writes.iter().filter(|write| write.is_told()).count()), (3, 0));

        // The first of them was changed by somebody else meanwhile, and so were others that are news by now.
        let second = planned(&["a", "d", "e", "f"], &first.told);

        assert!(first.digest.is_some() && second.digest.is_none());
        let told = second.writes.iter().filter(|write| write.is_told()).map(|write| write.id().as_str());
        assert_eq!(told.collect::<Vec<_>>(), ["d", "e", "f"]);
    }
}
