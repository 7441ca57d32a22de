//! What was done, and what happened at Microsoft.

use models::{ActivityEntry, ActivityLine, Entry, KeptLine, Standing};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{ActorShown, Moment};
use crate::routes::activity::Told;

/// A page of what happened.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActivityPage {
    /// What happened: of an alert the oldest first, of a tenant the latest first.
    pub(crate) entries: Vec<HappenedShown>,
    /// Where it goes on: the `cursor` of the next page, good for an hour. Absent where there is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// One thing that happened.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "source", rename_all = "snake_case")]
pub(crate) enum HappenedShown {
    /// It was done here.
    Here(Box<LineShown>),
    /// Microsoft recorded it, and nobody did it here.
    Microsoft {
        /// When, where Microsoft says so.
        at: Option<Moment>,
        /// By whom, as Microsoft names them.
        by: Option<String>,
        /// The status before.
        from: Option<String>,
        /// The status after.
        to: Option<String>,
    },
    /// A line that this release can't read. `partner-alerts activity` shows it as it is.
    Unreadable {
        /// Its number in its chain.
        number: Option<u64>,
    },
}

/// A line of the activity log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LineShown {
    /// The alert that it is about; absent where it is about the tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    alert: Option<String>,
    /// Its number in its chain.
    number: u64,
    /// Its id.
    id: String,
    /// When.
    at: Moment,
    /// Who.
    by: ActorShown,
    /// What: its `kind`, and what belongs to it.
    #[schema(value_type = Object)]
    act: Value,
    /// Where the alert stood before.
    from: Option<StandingShown>,
    /// Where it stands from then on, or was to.
    to: Option<StandingShown>,
    /// What they wrote about it. Escape it on display.
    note: Option<String>,
    /// The operation that it belongs to.
    operation: Option<String>,
    /// The request to us by which it was done.
    request: Option<String>,
}

/// Where an alert stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingShown {
    /// Its status.
    status: String,
    /// Why it was resolved.
    reason: Option<String>,
}

impl From<&Standing> for StandingShown {
    fn from(standing: &Standing) -> Self {
        Self { status: standing.status.to_string(), reason: standing.reason.as_ref().map(ToString::to_string) }
    }
}

impl From<&Told> for HappenedShown {
    fn from(told: &Told) -> Self {
        match told {
            Told::AtMicrosoft(entry) => Self::at_microsoft(entry),
            Told::Here(line) => Self::here(line),
            Told::Unreadable { number } => Self::Unreadable { number: *number },
        }
    }
}

impl HappenedShown {
    pub(crate) fn line(kept: &KeptLine) -> Self {
        kept.read().map_or(Self::Unreadable { number: kept.number }, |line| Self::here(&line))
    }

    fn at_microsoft(entry: &ActivityEntry) -> Self {
        Self::Microsoft {
            at: entry.updated.map(Moment),
            by: entry.updated_by.clone(),
            from: entry.status_from.as_ref().map(ToString::to_string),
            to: entry.status_to.as_ref().map(ToString::to_string),
        }
    }

    fn here(line: &ActivityLine) -> Self {
        let Entry { id, at, actor, act, from, to, note, operation, request } = &line.entry;
        Self::Here(Box::new(LineShown {
            alert: line.chain.alert.as_ref().map(ToString::to_string),
            number: line.number,
            id: id.to_string(),
            at: Moment(*at),
            by: actor.into(),
            act: serde_json::to_value(act).unwrap_or_default(),
            from: from.as_ref().map(StandingShown::from),
            to: to.as_ref().map(StandingShown::from),
            note: note.as_ref().map(|note| note.as_str().to_owned()),
            operation: operation.as_ref().map(ToString::to_string),
            request: request.as_ref().map(ToString::to_string),
        }))
    }
}
