//! `resolve`: what people and programs do about alerts.
//!
//! Every route is for a caller that `authorize` has made, and for a tenant that they may act in. What is done is written down first (the operation, and a
//! line of the activity log), then told to Microsoft, then written into our copy on condition that nobody was quicker. Cut off at any point, the same
//! request under the same idempotency key goes on where it was, and so does the operations queue without anybody asking again.
//!
//! | what happens | answer | then |
//! |---|---|---|
//! | all is done | 200 (201 of a new view) | |
//! | the time of a request is over, or Microsoft can't be reached | 202 with the operation | the queue carries it on |
//! | somebody else was quicker, here or at Microsoft | 409 with where the alert stands | |
//! | Microsoft refuses | 422 with their code and what to do | |
//! | the same request again | as the first time; if it was cut off, what is left is done | |
//! | another request under the same key | 422 | |
//! | nobody can tell whether it can be done (our store) | 503 | the same request again |
//!
//! | module | what it holds |
//! |---|---|
//! | `routes` | which request goes where, and who may send it |
//! | `status`, `steps`, `microsoft` | where alerts stand: an operation from its first step to its last |
//! | `bulk` | the same of up to a hundred alerts |
//! | `work`, `views` | what never leaves our store |
//! | `follow_ups` | the queue, and the sweep over what nobody carries on |
//! | `subscriptions` | cancelling and reactivating subscriptions, around all of it |
//! | `bodies`, `documents`, `openapi` | what comes in, what goes out, and the description of both |
//! | `forms` | what a form of our own pages is answered |

pub mod bodies;
mod bulk;
mod config;
pub mod documents;
mod follow_ups;
mod forms;
mod microsoft;
mod openapi;
mod routes;
mod status;
mod steps;
pub mod subscriptions;
mod views;
mod wire;
mod work;

use std::{fmt, time::Duration};

use api::{Answer, Gate, Problem, Request};
use jiff::Timestamp;
use models::{ActivityId, Actor, FraudThreshold, Person, RequestId, Tenant, TenantId};
use partner_center::NewId;
use runtime::{Metrics, SharedClock};
use store::{KeepOperations, ReadTenant};

pub use crate::subscriptions::{Acting, PAGES};
pub use config::{Config, VARIABLES};
pub use follow_ups::{Invocation, ScheduleTask, SweepError};
pub use microsoft::{Microsoft, Outcome, Set};
pub use openapi::openapi;
pub use routes::ROUTES;
pub use wire::{Deployed, wire, wire_with};

/// How requests are handled.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// From which severity on an alert counts as fraud.
    pub threshold: FraudThreshold,
    /// How long a request may take, before the rest is left to the queue.
    pub request_limit: Duration,
    /// How long one alert may wait for Microsoft, before the others have their turn.
    pub alert_limit: Duration,
}

/// The function: what it reads and writes with, given by `main.rs`.
pub struct Resolve<S, M, Q> {
    store: S,
    microsoft: M,
    queue: Q,
    gate: Gate,
    clock: SharedClock,
    new_id: NewId,
    settings: Settings,
    metrics: Metrics,
}

impl<S, M, Q> fmt::Debug for Resolve<S, M, Q> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Resolve").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl<S, M, Q> Resolve<S, M, Q> {
    /// The function with these parts. `new_id` makes ids of what has no other.
    pub fn new(
        store: S,
        (microsoft, queue): (M, Q),
        gate: Gate,
        clock: SharedClock,
        new_id: NewId,
        settings: Settings,
    ) -> Self {
        Self { store, microsoft, queue, gate, clock, new_id, settings, metrics: Metrics::none() }
    }

    /// The function, which reports its counts there.
    #[must_use]
    pub fn with_metrics(self, metrics: Metrics) -> Self {
        Self { metrics, ..self }
    }

    /// What it asks of Microsoft.
    pub fn microsoft(&self) -> &M {
        &self.microsoft
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    #[expect(clippy::expect_used, reason = "what this makes is of the form that is asked for")]
    fn activity_id(&self) -> ActivityId {
        (self.new_id)().to_string().parse().expect("a GUID is an id of a line")
    }
}

impl<S: ReadTenant + KeepOperations + Sync, M, Q> Resolve<S, M, Q> {
    /// The configuration of a tenant that somebody may act in.
    async fn tenant(&self, id: &TenantId) -> Result<Tenant, Problem> {
        let tenant = self.store.tenant(id).await.map_err(|error| Problem::unavailable(&error))?;
        tenant.ok_or_else(|| api::Kind::NotFound.into())
    }
}

/// Who acts, as it is written down.
fn actor(caller: &identity::Caller) -> Actor {
    let (tenant, id) = (caller.tid().clone(), caller.oid().clone());
    match caller.kind() {
        identity::Kind::Application => Actor::Application { tenant, id },
        identity::Kind::Person => Actor::Person(Person::new(tenant, id, caller.name())),
    }
}

/// The request by which something is done, as it is written down.
fn request_id(request: &Request) -> Option<RequestId> {
    request.id.parse().ok()
}

/// An answer to what went wrong, of which the log is told.
fn told(problem: &Problem, request: &Request) -> Answer {
    problem.log();
    api::of_problem(problem, &request.id)
}
