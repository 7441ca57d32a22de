//! What one more sight of an alert makes of what is known of it: the steps that an alert can take, each with its name.
//!
//! Promises: pure, and the same for poll and for whoever acts on an alert. Sights may come in any order and any number of times: the one
//! of the latest run decides what the alert is in the end. Leaves to others: when Microsoft is asked (`poll`), what is told of a
//! step ([`transition`](crate::transition())), and that a run that was overtaken writes nothing (`store`).

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Alert, AlertSource, AlertState, FraudThreshold, Resolution, ResolvedReason, Standing, Status};

/// How long an older state than a person's decision counts as one that Microsoft's list has not caught up with (design: "pending until
/// seen").
pub const DECISION_PATIENCE: SignedDuration = SignedDuration::from_mins(15);

/// What a person decided about an alert here, of which Microsoft was told, and which no sight of the alert has shown yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Where the alert is to stand.
    pub status: Status,
    /// Why, where it is resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ResolvedReason>,
    /// When it was decided.
    pub at: Timestamp,
}

impl Decision {
    /// Whether an alert stands where it was decided to.
    #[must_use]
    pub fn is_seen_in(&self, alert: &Alert) -> bool {
        self.status == alert.status && (self.reason.is_none() || self.reason == alert.resolution.reason)
    }
}

/// What is known of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// What Microsoft said of it last; while a decision is pending, as it was decided.
    pub alert: Arc<Alert>,
    /// Where it was seen: ids are a source's own, so another can't be asked for it. None where that was not noted.
    pub source: Option<AlertSource>,
    /// The run that saw it so: its fencing number, which grows from run to run, whatever clocks show.
    pub run: u64,
    /// The run that was told that Microsoft knows it no longer. The alert then stays as it was seen last.
    pub gone: Option<u64>,
    /// A decision that no sight has shown yet.
    pub decision: Option<Decision>,
    /// Where it stood before the first of the decisions that no sight has shown yet. Whoever sees it so while another is pending may see what was before
    /// them all.
    pub before: Option<Standing>,
    /// Whether Microsoft did not take the last decision. It stays so until the status changes.
    pub not_accepted: bool,
    /// When we first saw it. None where a release that did not note it saw it first.
    pub since: Option<Timestamp>,
}

impl Known {
    /// An alert that a run saw at this source, and of which nothing else is known.
    #[must_use]
    pub fn seen(alert: Arc<Alert>, source: AlertSource, run: u64) -> Self {
        Self {
            alert,
            source: Some(source),
            run,
            gone: None,
            decision: None,
            before: None,
            not_accepted: false,
            since: None,
        }
    }

    /// The alert as it is once a person has decided about it, who is to be named as `by`: personal data.
    #[must_use]
    pub fn decided(&self, decision: Decision, by: Option<String>) -> Self {
        let mut alert = Alert::clone(&self.alert);
        alert.status = decision.status.clone();
        alert.resolution = match decision.status {
            Status::Resolved => Resolution { reason: decision.reason.clone(), on: Some(decision.at), by },
            Status::Active | Status::Investigating | Status::Unknown(_) => Resolution::default(),
        };
        let before = match (&self.decision, &self.before) {
            (Some(_), Some(before)) => Some(before.clone()),
            // What changes nothing is no first decision.
            _ => Some(Standing::of(&self.alert)).filter(|_| !decision.is_seen_in(&self.alert)),
        };
        Self { alert: Arc::new(alert), decision: Some(decision), before, not_accepted: false, ..self.clone() }
    }
}

/// What a run saw of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Microsoft knows no such alert (any more): it was asked for this very alert.
    Gone,
    /// Nothing: neither does a whole list show it, nor can it be asked for, or what is shown can't be read.
    Nothing,
    /// The alert as Microsoft describes it.
    There(Arc<Alert>),
}

/// One sight of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What was seen.
    pub seen: Seen,
    /// Where Microsoft was asked.
    pub source: AlertSource,
    /// The run that saw it: its fencing number. Of two sights of one run the later counts.
    pub run: u64,
    /// When Microsoft was asked.
    pub asked: Timestamp,
}

/// What a sight of an alert is, compared with what was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// It was not known, and needs somebody.
    Appeared,
    /// It was not known, and is resolved already.
    AppearedResolved,
    /// It had gone, and is there again, in the state that it was in.
    CameBack,
    /// Something that Microsoft says of it is another, and its state is not.
    Corrected,
    /// The state from before a person's decision, so soon that Microsoft may not have caught up with it: the decision stays.
    DecisionAwaited,
    /// Microsoft has another state than a person decided, and had the time to catch up: Microsoft's counts.
    DecisionNotAccepted,
    /// Microsoft has what a person decided.
    DecisionSeen,
    /// Microsoft had the time to show what a person decided, and nothing of the alert can be seen: it stays as it was decided, and nothing is
    /// waited for.
    DecisionUnseen,
    /// An older sight than the one that is known.
    Overtaken,
    /// It was resolved, and needs somebody again.
    Reopened,
    /// It was open, and was resolved by somebody else or elsewhere.
    ResolvedElsewhere,
    /// It is open, as it was, and of fraud severity by now.
    SeverityRaised,
    /// Nothing is another.
    Unchanged,
    /// It is gone, and was not known.
    Unknown,
    /// Microsoft knows it no longer.
    Vanished,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 15] = [
        Self::Appeared,
        Self::AppearedResolved,
        Self::CameBack,
        Self::Corrected,
        Self::DecisionAwaited,
        Self::DecisionNotAccepted,
        Self::DecisionSeen,
        Self::DecisionUnseen,
        Self::Overtaken,
        Self::Reopened,
        Self::ResolvedElsewhere,
        Self::SeverityRaised,
        Self::Unchanged,
        Self::Unknown,
        Self::Vanished,
    ];

    /// Whether what is known is another after it. What is not written loses the number of the run alone.
    #[must_use]
    pub fn is_worth_writing(self) -> bool {
        !matches!(self, Self::DecisionAwaited | Self::Overtaken | Self::Unchanged | Self::Unknown)
    }
}

/// A step, and what is known after it. Nothing, of an alert that was not known and is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The step.
    pub step: Step,
    /// What is known after it.
    pub known: Option<Known>,
}

/// What a sight makes of what is known.
#[must_use]
pub fn observe(known: Option<&Known>, observation: &Observation, threshold: FraudThreshold) -> Observed {
    let Observation { seen, source, run, asked } = observation;
    let Some(known) = known else {
        return match seen {
            Seen::Gone | Seen::Nothing => Observed { step: Step::Unknown, known: None },
            Seen::There(alert) => {
                let step = if alert.state() == AlertState::Open { Step::Appeared } else { Step::AppearedResolved };
                Observed {
                    step,
                    known: Some(Known { since: Some(*asked), ..Known::seen(Arc::clone(alert), *source, *run) }),
                }
            }
        };
    };
    if *run < known.run {
        return Observed { step: Step::Overtaken, known: Some(known.clone()) };
    }
    let (step, after) = match seen {
        Seen::Gone => gone(known, *run, *asked),
        Seen::Nothing => nothing(known, *asked),
        Seen::There(alert) => there(known, alert, observation, threshold),
    };
    Observed { step, known: Some(after) }
}

/// What is gone stays as it was seen last, and nothing more is waited for once Microsoft had the time to show it.
fn gone(known: &Known, run: u64, asked: Timestamp) -> (Step, Known) {
    let decision = known.decision.clone().filter(|decision| asked.duration_since(decision.at) < DECISION_PATIENCE);
    let is_news = known.gone.is_none() || decision != known.decision;
    let gone = known.gone.max(Some(run));
    let before = known.before.clone().filter(|_| decision.is_some());
    (if is_news { Step::Vanished } else { Step::Unchanged }, Known { gone, decision, before, ..known.clone() })
}

/// Where nothing is seen, nothing is another, and a decision is waited for no longer than for one that is seen otherwise. What Microsoft
/// shows later, if anything, counts as any sight does.
fn nothing(known: &Known, asked: Timestamp) -> (Step, Known) {
    let step = match &known.decision {
        None => Step::Unchanged,
        Some(decision) if asked.duration_since(decision.at) < DECISION_PATIENCE => Step::DecisionAwaited,
        Some(_) => return (Step::DecisionUnseen, Known { decision: None, before: None, ..known.clone() }),
    };
    (step, known.clone())
}

fn there(known: &Known, alert: &Arc<Alert>, observation: &Observation, threshold: FraudThreshold) -> (Step, Known) {
    let Observation { source, run, asked, .. } = *observation;
    // A sight that comes late says what it was like before it went.
    let gone = known.gone.filter(|gone| *gone > run);
    let since = known.since;
    let seen = |not_accepted| Known { gone, not_accepted, since, ..Known::seen(Arc::clone(alert), source, run) };
    let Some(decision) = &known.decision else {
        let after = seen(known.not_accepted && alert.status == known.alert.status);
        // That a former release did not note the source is no reason to write every alert anew.
        let is_same = Known { run, source: after.source, ..known.clone() } == after;
        return (if is_same { Step::Unchanged } else { change(known, &after, threshold) }, after);
    };
    // Of a second decision that leads back to where the alert stood before the first, an older state proves nothing.
    let may_be_older = known.before.as_ref() == Some(&Standing::of(alert));
    let is_early = asked.duration_since(decision.at) < DECISION_PATIENCE;
    if decision.is_seen_in(alert) && !(may_be_older && is_early) {
        (Step::DecisionSeen, seen(false))
    } else if is_early {
        (Step::DecisionAwaited, Known { run, source: Some(source), ..known.clone() })
    } else {
        (Step::DecisionNotAccepted, seen(true))
    }
}

/// The step between two different states without a decision.
fn change(known: &Known, after: &Known, threshold: FraudThreshold) -> Step {
    match (known.alert.state(), after.alert.state()) {
        (AlertState::Open, AlertState::Resolved) => Step::ResolvedElsewhere,
        (AlertState::Resolved, AlertState::Open) => Step::Reopened,
        (AlertState::Open, AlertState::Open)
            if threshold.includes(&after.alert) && !threshold.includes(&known.alert) =>
        {
            Step::SeverityRaised
        }
        _ if known.gone.is_some() && after.gone.is_none() => Step::CameBack,
        _ => Step::Corrected,
    }
}
