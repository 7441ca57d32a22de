//! What somebody decides about an alert here, and what has to become of it.
//!
//! A decision stays for a quarter of an hour, or until Microsoft shows it; after that Microsoft's state counts, and the alert says that
//! the decision was not accepted.

use jiff::{SignedDuration, Timestamp};
use models::{AlertId, Decision, FraudThreshold, ResolvedReason, Status};
use serde_json::Value;
use store::{AlertWrite, ReadAlerts as _, StoreError, WriteAlerts as _};

use crate::{
    history::{Sight, Version},
    microsoft::name,
    plan::{Decide, Happening, Taken},
    script::Script,
    world::{IDS, World, id},
};

/// How long Microsoft may take to show a decision.
pub(crate) const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

/// A decision as an item says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pending {
    status: String,
    reason: Option<String>,
    pub(crate) at: Timestamp,
}

impl Pending {
    pub(crate) fn kept(summary: &Value) -> Option<Self> {
        let decision = summary.get("decision")?.get("M")?;
        let text = |name: &str| decision[name]["S"].as_str().map(str::to_owned);
        Some(Self { status: text("status")?, reason: text("reason"), at: text("at")?.parse().unwrap() })
    }

    pub(crate) fn is_shown_by(&self, sight: &Sight) -> bool {
        self.status == sight.status && (self.reason.is_none() || self.reason == sight.reason)
    }

    /// Whether a run that asks now has to leave it as it is, where Microsoft shows this.
    pub(crate) fn holds_against(&self, there: &Sight, may_be_older: bool, now: Timestamp) -> bool {
        (may_be_older || !self.is_shown_by(there)) && now.duration_since(self.at) < PATIENCE
    }

    /// What an alert is after it.
    pub(crate) fn applied_to(&self, before: &Sight) -> Sight {
        let resolved_on = (self.status == "resolved").then_some(self.at);
        Sight { status: self.status.clone(), reason: self.reason.clone(), resolved_on, ..before.clone() }
    }
}

/// What must not be in how a version of an alert follows on another.
pub(crate) fn broken(before: &Version, after: &Version) -> Option<&'static str> {
    let is_same = before.sight.status == after.sight.status;
    match (&before.decision, &after.decision) {
        (Some(was), Some(is)) if was == is => {
            (before.sight != after.sight).then_some("is another than was decided, and the decision is still pending")
        }
        // A person has decided.
        (_, Some(_)) => after.not_accepted.then_some("is decided anew, and said not to be accepted"),
        (None, None) => {
            let stays = before.not_accepted && is_same;
            (after.not_accepted != stays).then_some("says wrongly whether a decision was accepted")
        }
        (Some(was), None) if after.is_gone && before.sight == after.sight => {
            (after.noted.duration_since(was.at) < PATIENCE).then_some("has lost its decision early, when it vanished")
        }
        (Some(was), None) if was.is_shown_by(&after.sight) => {
            after.not_accepted.then_some("is as it was decided, and said not to be accepted")
        }
        (Some(was), None) if after.noted.duration_since(was.at) < PATIENCE => {
            Some("has a decision taken back that Microsoft had no time to show")
        }
        (Some(_), None) => (!after.not_accepted).then_some("has a decision taken back, and does not say so"),
    }
}

impl World<'_> {
    /// Somebody decides, and Microsoft comes to have the same before, after or never.
    pub(crate) async fn decide(&mut self, decide: &Decide) {
        let Decide { who, alert, why, taken, ref troubles } = *decide;
        let at_microsoft = why.map_or(Happening::Reopened(alert), |why| Happening::Resolved(alert, why));
        if taken == Taken::Before {
            self.happen(who, &at_microsoft);
        }
        // What a first run has not ended is no news yet that somebody could act on.
        if self.account.history(|history| history.baselines.contains_key(IDS[who])) {
            let decided = Script::new(troubles).play(self.write_decision(who, alert, why)).await;
            self.expect(!troubles.is_empty() || decided.is_ok(), || {
                format!("an undisturbed decision about alert {alert} of tenant {who} failed: {decided:?}")
            });
        }
        if taken == Taken::After {
            self.happen(who, &at_microsoft);
        }
    }

    /// As whoever acts on alerts does it: read, and written under the version that was read.
    async fn write_decision(&mut self, who: usize, alert: u8, why: Option<&str>) -> Result<bool, StoreError> {
        let (store, tenant, now) = (self.store(), id(who), self.now());
        let key = self.key(who, &name(alert));
        let alert: AlertId = key.split_once('#').unwrap().1.parse().unwrap();
        let kept = store.alerts(&tenant, std::slice::from_ref(&alert)).await?;
        let Some(stored) = kept.readable.get(&alert) else { return Ok(false) };
        let (status, reason) = match why {
            Some(why) => (Status::Resolved, Some(ResolvedReason::from(why))),
            None => (Status::Active, None),
        };
        let decision = Decision { status, reason, at: now };
        let pending = Pending {
            status: why.map_or("active", |_| "resolved").to_owned(),
            reason: why.map(str::to_owned),
            at: now,
        };
        self.decided.entry(key).or_default().push(pending);
        let known = stored.known.decided(decision, Some("someone@contoso.example".to_owned()));
        let write = AlertWrite::between(&tenant, Some(stored), known, FraudThreshold::High, true, now, None);
        store.decide(&tenant, &write, now).await
    }
}
