//! Cancelling and reactivating Azure subscriptions, from the wish to the end of it, whoever asks: a browser, a program, or the command line.
//!
//! | step | by whom | written |
//! |---|---|---|
//! | it is shown what would end ([`Subscriptions::preview`]) | the reading credential, or the person | nothing |
//! | it is asked for, its name typed ([`Subscriptions::ask`]) | the same | the operation, `subscription_asked` |
//! | the plan that it lives under is known | the same | `entitlement_found` |
//! | Microsoft is told ([`Subscriptions::act`]) | the person's own token, and nothing else | `telling` before the call, `posted` or `subscription_refused` after it |
//! | it is looked at until it is so ([`Follower`]) | the reading credential | `following`, `reached` |
//! | its alerts are resolved as fraud, one by one | the acting credential | each result; `alerts_resolved` |
//! | nothing is left | | `done` |
//!
//! Promises: each step is written, with its line in the tenant's chain, before the next is begun, so that whoever comes next goes on where it was cut off;
//! the wish is written before Microsoft is asked, and the call for it has the operation's own `MS-RequestId`, so that it is done once; what Microsoft
//! may have taken is looked at before it is given up; of a subscription there is one operation under way at a time. A token is used in the call that it came with, and kept nowhere: where an operation needs one again, it says
//! so ([`Operation::needs_person`](models::Operation::needs_person)). What stands still for 15 minutes is told to people before it is noted that it was, so
//! that it can be told twice and never not at all. Leaves to others: who may ask (`identity`), how an alert is resolved ([`ResolveAlerts`]), and what wakes it.

mod act;
mod ask;
mod follow;
mod preview;
mod steps;
mod told;

use std::sync::Arc;

use jiff::Timestamp;
use models::{ActivityId, Actor, Asked, CustomerId, Operation, Person, SubscriptionId, SubscriptionWish, Tenant};
use partner_center::{EntitlementStatus, Entitlements, NewId, PersonToken, TokenProblem};
use runtime::SharedClock;
use secrecy::SecretString;

pub use act::ActError;
pub use ask::{AskError, Wanted};
pub use follow::{FollowError, Followed, Follower, ResolveAlerts, ResolveFailed};
pub use preview::{Preview, PreviewError};
pub use steps::StepError;

/// Most subscriptions that are cancelled in one request: what Partner Center's own dashboard takes at once ("Security alerts dashboard").
pub const MOST_AT_ONCE: usize = 10;

/// What acts on subscriptions.
pub struct Subscriptions<S, C> {
    store: S,
    entitlements: Arc<Entitlements<C>>,
    clock: SharedClock,
    new_id: NewId,
}

impl<S, C> std::fmt::Debug for Subscriptions<S, C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Subscriptions").finish_non_exhaustive()
    }
}

impl<S: Clone, C> Clone for Subscriptions<S, C> {
    fn clone(&self) -> Self {
        let Self { store, entitlements, clock, new_id } = self;
        let (store, entitlements) = (store.clone(), Arc::clone(entitlements));
        Self { store, entitlements, clock: Arc::clone(clock), new_id: Arc::clone(new_id) }
    }
}

/// Why a person's token is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PersonProblem {
    /// It is somebody else's than who asks.
    #[error("the token is not of the person who asks")]
    SomebodyElse,
    /// What it says does not fit.
    #[error(transparent)]
    Token(#[from] TokenProblem),
}

impl PersonProblem {
    /// A short name for logs and answers. It does not change.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::SomebodyElse => "token-of-somebody-else",
            Self::Token(problem) => problem.code(),
        }
    }

    /// What to do, in a sentence.
    #[must_use]
    pub fn what_to_do(self) -> &'static str {
        match self {
            Self::SomebodyElse => "sign in for it as the same person who is signed in here",
            Self::Token(problem) => problem.what_to_do(),
        }
    }
}

impl<S, C: partner_center::Credentials + Send + Sync> Subscriptions<S, C> {
    /// What acts with these. `entitlements` reads by the tenants' reading credential.
    #[must_use]
    pub fn new(store: S, entitlements: Entitlements<C>, clock: SharedClock, new_id: NewId) -> Self {
        Self { store, entitlements: Arc::new(entitlements), clock, new_id }
    }

    /// A person's own token, if it fits what it is for, and is of who asks. It has to be of the partner tenant, since that is whom Partner Center takes its
    /// bearer for. Who asks and is of another tenant is a guest there, with another id, which nobody can compare: that they may act for the tenant has to be known
    /// already, Microsoft looks at the roles that the token has there, and the line that is written before Microsoft is told names both.
    ///
    /// # Errors
    ///
    /// [`PersonProblem`].
    pub fn person(&self, token: SecretString, tenant: &Tenant, asks: &Person) -> Result<PersonToken, PersonProblem> {
        let token = self.entitlements.person(token, tenant, &[])?;
        let is_guest = asks.tenant != tenant.id;
        let fits = token.person().is_some_and(|person| is_guest || person.is(asks));
        if fits { Ok(token) } else { Err(PersonProblem::SomebodyElse) }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// An id for a line. A GUID is one.
    fn line_id(&self) -> Option<ActivityId> {
        (self.new_id)().to_string().parse().ok()
    }
}

/// What an operation about a subscription is about. None for one about something else.
fn about(operation: &Operation) -> Option<(SubscriptionWish, &CustomerId, &SubscriptionId)> {
    match &operation.asked {
        Asked::Subscription { wish, customer, subscription, .. } => Some((*wish, customer, subscription)),
        Asked::Status { .. } | Asked::View { .. } | Asked::Work { .. } | Asked::Unknown => None,
    }
}

/// Whether a subscription stands as somebody wished. What is not documented is neither.
fn is_as_wished(wish: SubscriptionWish, status: &EntitlementStatus) -> bool {
    match wish {
        SubscriptionWish::Cancel => *status == EntitlementStatus::Inactive,
        SubscriptionWish::Reactivate => *status == EntitlementStatus::Active,
    }
}

/// Whether two are the same, whatever they are called by now.
fn is_same(one: &Actor, other: &Actor) -> bool {
    one.key() == other.key()
}
