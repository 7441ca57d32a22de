//! What changed between the last sight of an alert and this one.

use serde::{Deserialize, Serialize};

use crate::{Alert, AlertState, FraudThreshold};

/// The kinds of change that are told to people. A moved date or a longer description is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransitionKind {
    /// A new alert that needs somebody.
    Opened,
    /// A resolved alert that needs somebody again.
    Reopened,
    /// An alert that needed somebody was closed.
    Resolved,
    /// An open alert became one of fraud severity.
    SeverityRaised,
}

impl TransitionKind {
    /// The name that keys, messages and attributes use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Reopened => "reopened",
            Self::Resolved => "resolved",
            Self::SeverityRaised => "severity_raised",
        }
    }
}

/// A change, and whether it is one that wakes people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// What changed.
    pub kind: TransitionKind,
    /// Whether the alert is, or until now was, of fraud severity.
    pub fraud: bool,
}

/// The transition from `stored` to `observed`, if there is one.
///
/// An alert that is already resolved when first seen has none: there is nothing left to do about it. At most one comes of
/// two sights of an alert, since opening and closing say more than a severity that moved at the same time.
#[must_use]
pub fn transition(stored: Option<&Alert>, observed: &Alert, threshold: FraudThreshold) -> Option<Transition> {
    let now_fraud = threshold.includes(observed);
    let Some(stored) = stored else {
        let opened = Transition { kind: TransitionKind::Opened, fraud: now_fraud };
        return (observed.state() == AlertState::Open).then_some(opened);
    };
    let was_fraud = threshold.includes(stored);
    match (stored.state(), observed.state()) {
        (AlertState::Open, AlertState::Resolved) => {
            Some(Transition { kind: TransitionKind::Resolved, fraud: was_fraud || now_fraud })
        }
        (AlertState::Resolved, AlertState::Open) => {
            Some(Transition { kind: TransitionKind::Reopened, fraud: now_fraud })
        }
        (AlertState::Open, AlertState::Open) if now_fraud && !was_fraud => {
            Some(Transition { kind: TransitionKind::SeverityRaised, fraud: true })
        }
        (AlertState::Open, AlertState::Open) | (AlertState::Resolved, AlertState::Resolved) => None,
    }
}
