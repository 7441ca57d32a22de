//! Operations: what somebody asked for, and how far it has come.

use std::collections::BTreeMap;

use api::operation::{RefusalDocument, StageName, StandingDocument, SupersededDocument, WishName, step_up_of};
use models::{AlertResult, Asked, MicrosoftRefusal, Operation, OperationState, SubscriptionProgress};
use partner_center::refusal_advice;
use serde::Serialize;
use utoipa::ToSchema;

use super::{ActorShown, Moment};

/// What somebody asked for, and how far it has come.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OperationShown {
    /// Its id.
    id: String,
    /// The partner tenant.
    tenant: String,
    /// Who asked.
    by: ActorShown,
    /// Who else wanted the same while it was under way, and may go on with it: the last of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    taken_on_by: Option<ActorShown>,
    /// When.
    at: Moment,
    /// What they asked for.
    asked: AskedShown,
    /// Where it is.
    state: StateShown,
    /// How far a wish about a subscription has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<ProgressShown>,
    /// Whether it goes on only by a person's own token.
    needs_token: bool,
    /// Where a person at a browser signs in for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    step_up: Option<String>,
    /// How Microsoft refused it last, where another sign-in may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<RefusalDocument>,
    /// What came of it so far, by alert.
    results: BTreeMap<String, ResultShown>,
    /// The wishes that this one took the place of, by alert. None is taken up again.
    superseded: BTreeMap<String, SupersededDocument>,
    /// When it changed last.
    changed: Moment,
}

/// What somebody asked for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum AskedShown {
    /// That alerts stand so.
    Status {
        /// Which.
        alerts: Vec<String>,
        /// How.
        to: StandingDocument,
        /// What was written about it. Escape it on display.
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// Something about a subscription.
    Subscription {
        /// What.
        wish: WishName,
        /// The customer.
        customer: String,
        /// Which.
        subscription: String,
        /// What was written about it. Escape it on display.
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// A change of a saved view.
    View {
        /// Which.
        view: String,
    },
    /// A note, somebody to look after an alert, a snooze.
    Work {
        /// The alert.
        alert: String,
    },
    /// What only a newer release knows.
    Unknown,
}

/// Where an operation is, and what belongs to it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum StateShown {
    /// It is written down, and nothing is known to be done.
    Asked,
    /// All of it is done, or will never be: its results say which.
    Done,
    /// Some of it is done.
    InProgress,
    /// It was given up.
    Lapsed,
    /// Microsoft refused all of it.
    Refused {
        /// How.
        refusal: RefusalDocument,
        /// Their words, cut to 1,024 characters. Empty where they gave none. Escape them on display.
        description: String,
    },
    /// It got no further, and people were told; it goes on where it can.
    Stuck {
        /// When they were told.
        since: Moment,
    },
    /// What only a newer release knows.
    Unknown,
}

/// How far a wish about a subscription has come.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProgressShown {
    /// The wish.
    wish: WishName,
    /// How far it has come.
    stage: StageName,
    /// The plan that it lives under, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<String>,
    /// Since when it is at this stage; where Microsoft is being told, since the last time.
    since: Moment,
    /// How often Microsoft was told without a clear refusal.
    tellings: u32,
    /// How often Microsoft refused it clearly when it was told.
    refusals: u32,
}

/// What came of it for one alert of an operation, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum ResultShown {
    /// It stood so already.
    AlreadySo,
    /// It is done.
    Done {
        /// The alert's version since.
        version: u64,
    },
    /// There is no such alert.
    NotFound,
    /// Microsoft was told, or may have been, and something newer was begun or seen meanwhile: that counts.
    Overlapped {
        /// Where it stands.
        now: StandingDocument,
    },
    /// Microsoft refused.
    Refused(RefusalDocument),
    /// Somebody else was quicker, and Microsoft was not told.
    Superseded {
        /// Where it stands.
        now: StandingDocument,
    },
    /// What only a newer release knows.
    Unknown,
}

impl ResultShown {
    fn of(result: &AlertResult) -> Self {
        match result {
            AlertResult::AlreadySo => Self::AlreadySo,
            AlertResult::Done { version } => Self::Done { version: *version },
            AlertResult::NotFound => Self::NotFound,
            AlertResult::Overlapped { now } => Self::Overlapped { now: now.into() },
            AlertResult::Refused(refusal) => Self::Refused(refused(refusal)),
            AlertResult::Superseded { now } => Self::Superseded { now: now.into() },
            AlertResult::Unknown => Self::Unknown,
        }
    }
}

impl From<&Asked> for AskedShown {
    fn from(asked: &Asked) -> Self {
        let text = |note: &Option<models::Note>| note.as_ref().map(|note| note.as_str().to_owned());
        match asked {
            Asked::Status { alerts, to, note } => Self::Status {
                alerts: alerts.iter().map(ToString::to_string).collect(),
                to: to.into(),
                note: text(note),
            },
            Asked::Subscription { wish, customer, subscription, note } => Self::Subscription {
                wish: (*wish).into(),
                customer: customer.to_string(),
                subscription: subscription.to_string(),
                note: text(note),
            },
            Asked::View { view } => Self::View { view: view.to_string() },
            Asked::Work { alert } => Self::Work { alert: alert.to_string() },
            Asked::Unknown => Self::Unknown,
        }
    }
}

impl From<&OperationState> for StateShown {
    fn from(state: &OperationState) -> Self {
        match state {
            OperationState::Asked => Self::Asked,
            OperationState::Done => Self::Done,
            OperationState::InProgress => Self::InProgress,
            OperationState::Lapsed => Self::Lapsed,
            OperationState::Refused { refusal, description } => {
                Self::Refused { refusal: refused(refusal), description: description.clone() }
            }
            OperationState::Stuck { since } => Self::Stuck { since: Moment(*since) },
            OperationState::Unknown => Self::Unknown,
        }
    }
}

impl From<&SubscriptionProgress> for ProgressShown {
    fn from(progress: &SubscriptionProgress) -> Self {
        let SubscriptionProgress { wish, stage, plan, since, tellings, refusals } = progress;
        Self {
            wish: (*wish).into(),
            stage: (*stage).into(),
            plan: plan.clone(),
            since: Moment(*since),
            tellings: *tellings,
            refusals: *refusals,
        }
    }
}

impl From<&Operation> for OperationShown {
    fn from(operation: &Operation) -> Self {
        Self {
            id: operation.id.to_string(),
            tenant: operation.tenant.to_string(),
            by: (&operation.by).into(),
            taken_on_by: operation.taken_on_by.as_ref().map(ActorShown::from),
            at: Moment(operation.at),
            asked: (&operation.asked).into(),
            state: (&operation.state).into(),
            progress: operation.progress.as_ref().map(ProgressShown::from),
            needs_token: operation.needs_person(),
            step_up: step_up_of(operation),
            refusal: operation.refusal.as_ref().map(refused),
            results: operation.results.iter().map(|(alert, it)| (alert.to_string(), ResultShown::of(it))).collect(),
            superseded: operation.superseded.iter().map(|(alert, older)| (alert.to_string(), older.into())).collect(),
            changed: Moment(operation.changed),
        }
    }
}

fn refused(refusal: &MicrosoftRefusal) -> RefusalDocument {
    RefusalDocument::new(refusal, refusal_advice(refusal.meaning.as_deref()))
}
