//! What operations are shown as, by whoever begins them (`resolve`) and by whoever shows how far they have come (`dashboard`): the same words and members.

use models::{
    Asked, MicrosoftRefusal, Operation, OperationState, Standing, SubscriptionProgress, SubscriptionStage,
    SubscriptionWish, SupersededWish, TenantId,
};
use serde::Serialize;
use utoipa::ToSchema;

/// What is wished of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WishName {
    /// That it ends.
    Cancel,
    /// That it is active again.
    Reactivate,
}

impl From<SubscriptionWish> for WishName {
    fn from(wish: SubscriptionWish) -> Self {
        match wish {
            SubscriptionWish::Cancel => Self::Cancel,
            SubscriptionWish::Reactivate => Self::Reactivate,
        }
    }
}

/// How far a wish about a subscription has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StageName {
    /// Nothing is done.
    Asked,
    /// The plan that it lives under is known.
    EntitlementFound,
    /// Microsoft is being told, or was: nobody knows yet whether it took the wish.
    Telling,
    /// Microsoft took the wish.
    Posted,
    /// Microsoft was looked at, and does not show it yet.
    Following,
    /// It is so.
    Reached,
    /// What alerts it still had are resolved.
    AlertsResolved,
    /// Nothing is left to do.
    Done,
    /// One that only a newer release knows.
    Unknown,
}

impl From<SubscriptionStage> for StageName {
    fn from(stage: SubscriptionStage) -> Self {
        match stage {
            SubscriptionStage::Asked => Self::Asked,
            SubscriptionStage::EntitlementFound => Self::EntitlementFound,
            SubscriptionStage::Telling => Self::Telling,
            SubscriptionStage::Posted => Self::Posted,
            SubscriptionStage::Following => Self::Following,
            SubscriptionStage::Reached => Self::Reached,
            SubscriptionStage::AlertsResolved => Self::AlertsResolved,
            SubscriptionStage::Done => Self::Done,
            SubscriptionStage::Unknown => Self::Unknown,
        }
    }
}

/// Where an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StateName {
    /// It is written down, and nothing is known to be done.
    Asked,
    /// All of it is done, or will never be: its results say which.
    Done,
    /// Some of it is done.
    InProgress,
    /// It was given up.
    Lapsed,
    /// Microsoft refused all of it.
    Refused,
    /// It got no further, and people were told.
    Stuck,
    /// One that only a newer release knows.
    Unknown,
}

impl From<&OperationState> for StateName {
    fn from(state: &OperationState) -> Self {
        match state {
            OperationState::Asked => Self::Asked,
            OperationState::Done => Self::Done,
            OperationState::InProgress => Self::InProgress,
            OperationState::Lapsed => Self::Lapsed,
            OperationState::Refused { .. } => Self::Refused,
            OperationState::Stuck { .. } => Self::Stuck,
            OperationState::Unknown => Self::Unknown,
        }
    }
}

/// Where an alert stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct StandingDocument {
    /// Its status, as Microsoft names it.
    #[schema(example = "resolved")]
    pub status: String,
    /// Why it was resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "legitimate")]
    pub reason: Option<String>,
}

impl From<&Standing> for StandingDocument {
    fn from(standing: &Standing) -> Self {
        let reason = standing.reason.as_ref().map(|reason| reason.as_str().to_owned());
        Self { status: standing.status.as_str().to_owned(), reason }
    }
}

/// A wish that was on its way when a newer one took its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SupersededDocument {
    /// The operation whose wish it was. Whoever still wants it asks for it anew.
    pub operation: String,
    /// Where the alert stood when the newer one took its place, as far as we know.
    pub now: StandingDocument,
    /// Whether Microsoft was, or may have been, told of it: then the alert may stand as it wished. The next look at Microsoft shows it.
    pub told: bool,
}

impl From<&SupersededWish> for SupersededDocument {
    fn from(older: &SupersededWish) -> Self {
        Self { operation: older.operation.to_string(), now: (&older.now).into(), told: older.told }
    }
}

/// How Microsoft refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RefusalDocument {
    /// Their code.
    pub code: String,
    /// What it means, by our name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<String>,
    /// What to do about it.
    pub what_to_do: String,
    /// What Microsoft says about it, where that is kept: up to 1,024 bytes, as it came. Whoever shows it escapes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Their id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Their id of all that belongs to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

impl RefusalDocument {
    /// A refusal, with what to do about it: whoever knows Microsoft's codes says so.
    #[must_use]
    pub fn new(refusal: &MicrosoftRefusal, what_to_do: &str) -> Self {
        let MicrosoftRefusal { code, request_id, correlation_id, meaning, description } = refusal.clone();
        let description = description.map(|words| words.as_str().to_owned());
        Self { code, meaning, what_to_do: what_to_do.to_owned(), description, request_id, correlation_id }
    }
}

/// What came of a wish about a subscription so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SubscriptionActed {
    /// The tenant.
    #[schema(format = "uuid")]
    pub tenant: String,
    /// The subscription.
    pub subscription: String,
    /// The operation.
    pub operation: String,
    /// What is wished.
    pub wish: WishName,
    /// How far it has come.
    pub stage: StageName,
    /// Where the operation is.
    pub state: StateName,
    /// Whether it goes on only by a person's own token. Where Microsoft has just been told (`telling`), and nobody knows whether it took it, that shows within
    /// 15 minutes.
    pub needs_token: bool,
    /// How Microsoft refused it last, where another sign-in may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<RefusalDocument>,
    /// Where a person at a browser signs in for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_up: Option<String>,
}

impl SubscriptionActed {
    /// Of an operation, whose last refusal is shown so. None of one about something else.
    #[must_use]
    pub fn of(operation: &Operation, refusal: Option<RefusalDocument>) -> Option<Self> {
        let (SubscriptionProgress { wish, stage, .. }, Asked::Subscription { subscription, .. }) =
            (operation.progress.as_ref()?, &operation.asked)
        else {
            return None;
        };
        Some(Self {
            tenant: operation.tenant.to_string(),
            subscription: subscription.to_string(),
            operation: operation.id.to_string(),
            wish: (*wish).into(),
            stage: (*stage).into(),
            state: (&operation.state).into(),
            needs_token: operation.needs_person(),
            refusal,
            step_up: step_up_of(operation),
        })
    }
}

/// Where a person signs in for these operations of a tenant.
#[must_use]
pub fn step_up<'a>(tenant: &TenantId, operations: impl IntoIterator<Item = &'a str>) -> String {
    let operations: Vec<_> = operations.into_iter().collect();
    format!("/sign-in/step-up?tenant={tenant}&operation={}", operations.join(","))
}

/// The same for one operation, where it waits for a person.
#[must_use]
pub fn step_up_of(operation: &Operation) -> Option<String> {
    operation.needs_person().then(|| step_up(&operation.tenant, [operation.id.as_str()]))
}
