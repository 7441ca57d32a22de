//! What was, on either side: the states that alerts had at Microsoft, and the versions of them that were written here.
//!
//! What is told of two sights of an alert is said here once more, in other words than those of `models`: a mistake there must not
//! be made here too.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use crate::decisions::{self, Pending};

/// What matters of an alert to lists, messages and figures.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sight {
    pub(crate) status: String,
    pub(crate) severity: String,
    pub(crate) is_test: bool,
    pub(crate) resolved_on: Option<Timestamp>,
    pub(crate) reason: Option<String>,
    pub(crate) name: String,
    pub(crate) detected: Timestamp,
    pub(crate) first_observed: Timestamp,
    pub(crate) last_observed: Timestamp,
}

/// What a sight may look like that Microsoft spoils.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spoilt {
    /// Status and date of detection may be unreadable.
    pub(crate) malformed: bool,
    /// The old model of fraudEvents may come, which knows neither severity nor test.
    pub(crate) old_model: bool,
}

impl Sight {
    pub(crate) fn at_microsoft(alert: &simulator::Alert) -> Self {
        Self {
            status: alert.status.clone(),
            severity: alert.severity.clone(),
            is_test: alert.is_test,
            name: alert.display_name.clone(),
            detected: alert.detected_date_time,
            first_observed: alert.first_observed_date_time,
            last_observed: alert.last_observed_date_time,
            resolved_on: alert.resolved_on_date_time,
            reason: alert.resolved_reason.clone(),
        }
    }

    fn kept(summary: &Value) -> Self {
        let text = |name: &str| summary[name]["S"].as_str().map(str::to_owned);
        let moment = |name: &str| text(name).map(|text| text.parse::<Timestamp>().unwrap());
        // fraudEvents have their words with capitals.
        let word = |name: &str| text(name).unwrap().to_lowercase();
        Self {
            status: word("status"),
            severity: word("severity"),
            is_test: summary["is_test"]["BOOL"].as_bool().unwrap(),
            name: text("name").unwrap(),
            detected: moment("detected").unwrap(),
            first_observed: moment("first_observed").unwrap(),
            last_observed: moment("last_observed").unwrap(),
            resolved_on: moment("resolved_on"),
            reason: text("resolved_reason"),
        }
    }

    /// Whether this was read from that, as far as it was spoilt.
    pub(crate) fn may_come_of(&self, there: &Self, spoilt: Spoilt) -> bool {
        let malformed = |sight: Self| Self { status: "unknown".to_owned(), detected: sight.first_observed, ..sight };
        let old_model = |sight: Self| Self {
            severity: "unknown".to_owned(),
            is_test: false,
            name: "Security alert".to_owned(),
            ..sight
        };
        self == there
            || (spoilt.malformed && *self == malformed(there.clone()))
            || (spoilt.old_model && *self == old_model(there.clone()))
            || (spoilt.malformed && spoilt.old_model && *self == malformed(old_model(there.clone())))
    }

    pub(crate) fn is_open(&self) -> bool {
        self.status != "resolved"
    }

    /// Of fraud severity, by the default threshold.
    pub(crate) fn is_fraud(&self) -> bool {
        !self.is_test && !["informational", "low", "medium"].contains(&self.severity.as_str())
    }
}

/// What is to be told where this follows on that, and whether it wakes people.
pub(crate) fn told(before: Option<&Sight>, after: &Sight) -> Option<(&'static str, bool)> {
    let was_open = before.map(Sight::is_open);
    let was_fraud = before.is_some_and(Sight::is_fraud);
    match (was_open, after.is_open()) {
        (None, true) => Some(("opened", after.is_fraud())),
        (Some(false), true) => Some(("reopened", after.is_fraud())),
        (Some(true), false) => Some(("resolved", was_fraud || after.is_fraud())),
        (Some(true), true) if after.is_fraud() && !was_fraud => Some(("severity_raised", true)),
        _ => None,
    }
}

/// One version of an alert, as it was written here.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) number: u64,
    pub(crate) sight: Sight,
    /// Whether no run of the tenant had been complete.
    pub(crate) before_baseline: bool,
    /// What somebody decided and Microsoft has not shown.
    pub(crate) decision: Option<Pending>,
    /// Status and reason from before the first of the decisions that Microsoft has not shown.
    older: Option<(String, Option<String>)>,
    /// Whether it says that a decision was not accepted.
    pub(crate) not_accepted: bool,
    /// Whether it says that Microsoft knows it no longer.
    pub(crate) is_gone: bool,
    /// The run that saw it so.
    pub(crate) run: u64,
    /// When it was written, by our clock.
    pub(crate) noted: Timestamp,
}

impl Version {
    fn kept(item: &Value, before_baseline: bool, noted: Timestamp) -> Self {
        let summary = &item["summary"]["M"];
        let older = summary.get("before").map(|before| {
            let text = |name: &str| before["M"][name]["S"].as_str().map(str::to_owned);
            (text("status").unwrap(), text("reason"))
        });
        Self {
            number: number(&item["version"]),
            sight: Sight::kept(summary),
            before_baseline,
            decision: Pending::kept(summary),
            older,
            not_accepted: summary["not_accepted"]["BOOL"] == true,
            is_gone: summary.get("gone").is_some(),
            run: number(&item["seen"]),
            noted,
        }
    }
}

impl Version {
    /// Whether a run that asks now has to leave it as it is, where Microsoft shows this: what was decided is not shown yet, or what is shown may be older than
    /// all that was decided.
    pub(crate) fn holds_against(&self, there: &Sight, now: Timestamp) -> bool {
        let may_be_older = self.older.as_ref() == Some(&(there.status.clone(), there.reason.clone()));
        self.decision.as_ref().is_some_and(|decision| decision.holds_against(there, may_be_older, now))
    }
}

fn number(attribute: &Value) -> u64 {
    attribute["N"].as_str().unwrap().parse().unwrap()
}

/// What was written here.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// By partition key: tenant and alert.
    pub(crate) alerts: BTreeMap<String, Vec<Version>>,
    /// Each of these as it is now.
    items: BTreeMap<String, Value>,
    /// The run that has the lease of a tenant, or had it last.
    runs: BTreeMap<String, u64>,
    /// What was open and of fraud severity when a tenant's first run was complete.
    pub(crate) baselines: BTreeMap<String, BTreeSet<String>>,
    /// What must not be.
    pub(crate) problems: Vec<String>,
}

impl History {
    /// Whether it keeps items of this sort key.
    pub(crate) fn keeps(sk: &str) -> bool {
        ["alert", "state"].contains(&sk)
    }

    /// Takes in an item after it was written.
    pub(crate) fn note(&mut self, pk: &str, sk: &str, item: &Value, now: Timestamp) {
        if sk == "state" && item.get("fence").is_some() {
            self.runs.insert(pk.to_owned(), number(&item["fence"]));
        }
        match sk {
            "alert" => self.note_alert(pk, item, now),
            "state" if item.get("baseline").is_some() && !self.baselines.contains_key(pk) => {
                let open = self.latest(pk).filter(|(_, version)| version.sight.is_open() && version.sight.is_fraud());
                let open = open.map(|(id, _)| id.to_owned()).collect();
                self.baselines.insert(pk.to_owned(), open);
            }
            _ => {}
        }
    }

    /// The alerts of a tenant as they were written last.
    pub(crate) fn latest(&self, tenant: &str) -> impl Iterator<Item = (&str, &Version)> {
        self.alerts.iter().filter_map(move |(pk, versions)| {
            let id = pk.strip_prefix(tenant)?.strip_prefix('#')?;
            versions.last().map(|version| (id, version))
        })
    }

    fn note_alert(&mut self, pk: &str, item: &Value, now: Timestamp) {
        let tenant = pk.split('#').next().unwrap_or_default();
        let version = Version::kept(item, !self.baselines.contains_key(tenant), now);
        // A transaction that came twice is done once.
        if self.items.insert(pk.to_owned(), item.clone()).as_ref() == Some(item) {
            return;
        }
        let versions = self.alerts.entry(pk.to_owned()).or_default();
        let last = versions.last();
        let expected = last.map_or(1, |last| last.number + 1);
        if version.number != expected {
            self.problems.push(format!("(3) version {} of {pk} was to be version {expected}", version.number));
            return;
        }
        if let Some(problem) = last.and_then(|last| decisions::broken(last, &version)) {
            self.problems.push(format!("(5) {pk} {problem}: {version:#?} after {last:#?}"));
        }
        // What only notes that it is gone, or what somebody decided, keeps the run that saw it.
        let is_seen = last.is_none_or(|last| last.run != version.run);
        if is_seen && Some(&version.run) != self.runs.get(tenant) {
            self.problems
                .push(format!("(3) version {} of {pk} is of run {}, which was over", version.number, version.run));
        }
        versions.push(version);
    }
}
