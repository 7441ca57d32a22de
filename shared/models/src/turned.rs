//! By which versions an alert's standing turned, and who began last to change it: so that whoever comes late overwrites nothing newer.
//!
//! Promises: pure. No run clears any of it, whatever it sees, since a decision that was seen is as new as one that is pending. Leaves to others: that it
//! is written with what it tells of, in one transaction (`store`), and what to do about it (`resolve`).

use serde::{Deserialize, Serialize};

use crate::{Alert, AlertState, OperationId, Standing};

/// By which versions of an alert its standing (status and reason) turned last. None of what only a former release has written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turned {
    /// The version by which the standing became another, or was first known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<u64>,
    /// The version by which what was resolved was opened again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopened: Option<u64>,
}

impl Turned {
    /// The same after a write of this version, by which an alert comes to be as `after`.
    #[must_use]
    pub fn by(self, version: u64, before: Option<&Alert>, after: &Alert) -> Self {
        let has_turned = before.is_none_or(|before| Standing::of(before) != Standing::of(after));
        // When it turned under a former release is not known: not later than now.
        let last = if has_turned { Some(version) } else { self.last.or(Some(version)) };
        let was_resolved = before.is_some_and(|before| before.state() == AlertState::Resolved);
        let is_reopened = was_resolved && after.state() == AlertState::Open;
        Self { last, reopened: if is_reopened { Some(version) } else { self.reopened } }
    }

    /// Whether the standing has turned behind this version.
    #[must_use]
    pub fn is_behind(self, version: u64) -> bool {
        self.last.is_some_and(|last| last > version)
    }

    /// Whether the standing is known to be the one of this version. Of what a former release has written nothing is.
    #[must_use]
    pub fn is_as_of(self, version: u64) -> bool {
        self.last.is_some_and(|last| last <= version)
    }
}

/// Which operation began last to change where an alert stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// The operation.
    pub operation: OperationId,
    /// The version of the alert by which that was written down.
    pub version: u64,
}
