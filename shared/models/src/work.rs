//! What people here write on an alert: notes, who looks after it, and that it may wait.
//!
//! Promises: pure. None of it is ever sent to Microsoft, and no sight of an alert changes it. What a newer release keeps here is kept on. Leaves
//! to others: that it is written on condition of the alert's version (`store`).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Act, ActivityId, Actor, Note, Person, Severity, ShortText, Turned};

/// The longest that an alert may be set aside: a week, so that what nobody has decided comes back at least as often as the dashboard's week begins.
pub const LONGEST_SNOOZE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Most notes on an alert. The oldest makes room for one more, and stays in the activity log.
pub const MOST_NOTES: usize = 50;
/// Most bytes of all notes on an alert, as JSON. With them 45 alerts fit into one transaction of at most 4 MB still, half of which is what Microsoft says
/// of them; and an alert of any size is far below the 400 kB of an item.
pub const NOTES_BYTES: usize = 40_000;

/// What a newer release keeps, as it is.
type Others = BTreeMap<String, Value>;

/// A note on an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertNote {
    /// The line of the activity log that says so.
    pub id: ActivityId,
    /// When it was written.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
    /// What it says.
    pub text: Note,
    /// What a newer release keeps of it.
    #[serde(flatten)]
    pub others: Others,
}

/// That an alert is set aside for a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snooze {
    /// Until when.
    pub until: Timestamp,
    /// Why.
    pub why: ShortText,
    /// Who did so.
    pub by: Actor,
    /// The alert as they saw it. None of what a former release wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<SeenAsSnoozed>,
    /// What a newer release keeps of it.
    #[serde(flatten)]
    pub others: Others,
}

/// An alert as it was when it was set aside: what is worse since is no longer what somebody set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenAsSnoozed {
    /// Its version.
    pub version: u64,
    /// Its severity.
    pub severity: Severity,
}

/// What people wrote on an alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// What is said in a few words, and shown in lists.
    pub marks: Marks,
    /// The notes, in the order in which they were written.
    pub notes: Vec<AlertNote>,
}

/// What is said in a few words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// Who looks after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<Person>,
    /// That it is set aside. It may be over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snooze: Option<Snooze>,
    /// How many notes there are.
    #[serde(default)]
    pub notes: usize,
    /// What a newer release keeps.
    #[serde(flatten)]
    pub others: Others,
}

/// A change of what people wrote on an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkChange {
    /// A person is to look after it.
    Assign(Person),
    /// One more note.
    Note(Note),
    /// It is set aside.
    Snooze {
        /// Until when.
        until: Timestamp,
        /// Why.
        why: ShortText,
    },
    /// Nobody in particular is to look after it.
    Unassign,
    /// It is set aside no more.
    Wake,
}

/// Why a change can't be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkError {
    /// The end of a snooze is not in the future.
    #[error("a snooze has to end in the future")]
    SnoozeIsOver,
    /// The end of a snooze is too far away.
    #[error("a snooze may last for seven days at most: choose an earlier end")]
    SnoozeTooLong,
}

/// Work after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedWork {
    /// What it is now.
    pub work: Work,
    /// The act, and the note that belongs to it.
    pub act: Act,
    /// The note that belongs to it.
    pub note: Option<Note>,
}

impl Work {
    /// What it is after a change that this line tells of, of the alert as it is `seen`. None where it is so already.
    ///
    /// # Errors
    ///
    /// [`WorkError`]: it is left as it is.
    pub fn with(
        &self,
        change: WorkChange,
        id: &ActivityId,
        by: &Actor,
        seen: SeenAsSnoozed,
        now: Timestamp,
    ) -> Result<Option<ChangedWork>, WorkError> {
        let mut work = self.clone();
        let mut note = None;
        let act = match change {
            WorkChange::Assign(to) if self.marks.assignee.as_ref().is_some_and(|assignee| assignee.is(&to)) => {
                return Ok(None);
            }
            WorkChange::Assign(to) => {
                work.marks.assignee = Some(to.clone());
                Act::Assigned { to }
            }
            WorkChange::Note(text) => {
                note = Some(text.clone());
                let (id, by, others) = (id.clone(), by.clone(), Others::new());
                work.notes.push(AlertNote { id, at: now, by, text, others });
                while work.notes.len() > 1 && (work.notes.len() > MOST_NOTES || bytes_of(&work.notes) > NOTES_BYTES) {
                    work.notes.remove(0);
                }
                work.marks.notes = work.notes.len();
                Act::Noted
            }
            WorkChange::Snooze { until, .. } if until <= now => return Err(WorkError::SnoozeIsOver),
            WorkChange::Snooze { until, .. } if until.duration_since(now) > LONGEST_SNOOZE => {
                return Err(WorkError::SnoozeTooLong);
            }
            WorkChange::Snooze { until, why } => {
                let (by, others) = (by.clone(), Others::new());
                work.marks.snooze = Some(Snooze { until, why: why.clone(), by, seen: Some(seen), others });
                Act::Snoozed { until, why }
            }
            WorkChange::Unassign if self.marks.assignee.is_none() => return Ok(None),
            WorkChange::Unassign => {
                work.marks.assignee = None;
                Act::Unassigned
            }
            WorkChange::Wake if self.marks.pending_snooze(now).is_none() => return Ok(None),
            WorkChange::Wake => {
                work.marks.snooze = None;
                Act::Woken
            }
        };
        Ok(Some(ChangedWork { work, act, note }))
    }
}

fn bytes_of(notes: &[AlertNote]) -> usize {
    serde_json::to_vec(notes).map_or(usize::MAX, |json| json.len())
}

impl Marks {
    /// That it is set aside, if it is: until then, or until the alert is worse than whoever did so saw it, by its severity or since it was opened again.
    #[must_use]
    pub fn snoozed(&self, severity: &Severity, turned: Turned, now: Timestamp) -> Option<&Snooze> {
        let is_worse = |seen: &SeenAsSnoozed| {
            let is_reopened = turned.reopened.is_some_and(|reopened| reopened > seen.version);
            is_reopened || severity.rank() > seen.severity.rank()
        };
        self.pending_snooze(now).filter(|snooze| !snooze.seen.as_ref().is_some_and(is_worse))
    }

    fn pending_snooze(&self, now: Timestamp) -> Option<&Snooze> {
        self.snooze.as_ref().filter(|snooze| now < snooze.until)
    }
}
