//! `dashboard`: what is to be seen of alerts and of what was done about them, as JSON and as pages. It changes
//! nothing but the exports that it writes.
//!
//! | route (`/api/v1/…`) | answer |
//! |---|---|
//! | `GET alerts` | alerts of all tenants that the caller may see, by filters, page by page |
//! | `GET statistics` | the four figures and the chart |
//! | `GET tenants` | the tenants that the caller may see, and when each was last looked at |
//! | `GET tenants/{tenant}/activity` | what was done in a tenant, the latest first |
//! | `GET tenants/{tenant}/alerts/{alert}` | an alert, whole |
//! | `GET tenants/{tenant}/alerts/{alert}/activity` | what happened to it, here and at Microsoft |
//! | `GET tenants/{tenant}/operations/{operation}` | how far something has come that was asked for |
//! | `GET tenants/{tenant}/views` | saved views |
//! | `GET me` | who the caller is, and what they may do |
//! | `GET openapi.json` | the document of the whole API |
//!
//! Promises: every route takes a [`Caller`], every read begins with a tenant that this caller may see, and a tenant that they may not see is answered
//! as one that isn't there, before anything is read. What can't be read of one alert hides no other. Names that can't be had are left out: ids
//! always stand there.

mod config;
pub mod document;
pub mod jobs;
mod pages;
mod places;
mod routes;
mod shapes;
mod wire;

use api::{Answer, Gate, Kind, Problem, Request};
use identity::Caller;
use jiff::Timestamp;
use runtime::SharedClock;
use store::{
    FindUnpublished, KeepViews, ListAlerts, ReadActivity, ReadCredentials, ReadEvents, ReadLastRuns, ReadNames,
    ReadOperations, ReadStatistics, ReadTenant, ReadTenants, ReadWork, WalkAlerts,
};

use places::Places;

pub use config::{Config, VARIABLES};
pub use pages::{EXPORTS, PAGES, file};
pub use places::ReadSealingKeys;
pub use wire::{Deployed, Reading, StoredKeys, wire, wire_reading};

/// The routes, as API Gateway names them.
pub const ROUTES: [&str; 11] = [
    "GET /api/v1/alerts",
    "GET /api/v1/me",
    "GET /api/v1/openapi.json",
    "GET /api/v1/pulse",
    "GET /api/v1/statistics",
    "GET /api/v1/tenants",
    "GET /api/v1/tenants/{tenant}/activity",
    "GET /api/v1/tenants/{tenant}/alerts/{alert}",
    "GET /api/v1/tenants/{tenant}/alerts/{alert}/activity",
    "GET /api/v1/tenants/{tenant}/operations/{operation}",
    "GET /api/v1/tenants/{tenant}/views",
];

/// All that this function reads.
pub trait Reads:
    Clone
    + FindUnpublished
    + KeepViews
    + ListAlerts
    + ReadActivity
    + ReadCredentials
    + ReadEvents
    + ReadLastRuns
    + ReadNames
    + ReadOperations
    + ReadStatistics
    + ReadTenant
    + ReadTenants
    + ReadWork
    + Sync
    + WalkAlerts
{
}

impl<S> Reads for S where
    S: Clone
        + FindUnpublished
        + KeepViews
        + ListAlerts
        + ReadActivity
        + ReadCredentials
        + ReadEvents
        + ReadLastRuns
        + ReadNames
        + ReadOperations
        + ReadStatistics
        + ReadTenant
        + ReadTenants
        + ReadWork
        + Sync
        + WalkAlerts
{
}

/// The function: what it reads with, given by `main.rs`.
#[derive(Debug)]
pub struct Dashboard<S, K> {
    store: S,
    places: Places<K>,
    gate: Gate,
    clock: SharedClock,
    /// Whether an export that is more than one answer can be had all the same.
    writes_large_exports: bool,
}

/// A request of somebody, at a moment.
#[derive(Clone, Copy)]
struct Asked<'a> {
    request: &'a Request,
    caller: &'a Caller,
    now: Timestamp,
}

impl<S: Reads, K: ReadSealingKeys + Sync> Dashboard<S, K> {
    /// The function with these parts.
    pub fn new(store: S, places: Places<K>, gate: Gate, clock: SharedClock) -> Self {
        Self { store, places, gate, clock, writes_large_exports: false }
    }

    /// Answers one request.
    pub async fn answer(&self, request: &Request) -> Answer {
        let now = self.clock.now();
        // The futures of pages are large.
        let is_page = PAGES.contains(&request.route.as_str());
        let answered = match self.gate.caller(request) {
            Ok(caller) if is_page => return Box::pin(self.page(Asked { request, caller, now })).await,
            Err(problem) if is_page => return pages::of_nobody(&problem, request.path(), request.raw_query()),
            Ok(caller) => self.route(Asked { request, caller, now }).await,
            Err(problem) => Err(problem),
        };
        answered.unwrap_or_else(|problem| {
            problem.log();
            api::of_problem(&problem, &request.id)
        })
    }

    async fn route(&self, asked: Asked<'_>) -> Result<Answer, Problem> {
        match asked.request.route.as_str() {
            "GET /api/v1/alerts" => self.alerts(asked).await,
            "GET /api/v1/me" => routes::me::me(asked),
            "GET /api/v1/openapi.json" => document::answer(asked.request),
            "GET /api/v1/pulse" => self.pulse(asked).await,
            "GET /api/v1/statistics" => self.statistics(asked).await,
            "GET /api/v1/tenants" => self.tenants(asked).await,
            "GET /api/v1/tenants/{tenant}/activity" => self.activity_of_tenant(asked).await,
            "GET /api/v1/tenants/{tenant}/alerts/{alert}" => self.alert(asked).await,
            "GET /api/v1/tenants/{tenant}/alerts/{alert}/activity" => self.activity_of_alert(asked).await,
            "GET /api/v1/tenants/{tenant}/operations/{operation}" => self.operation(asked).await,
            "GET /api/v1/tenants/{tenant}/views" => self.views(asked).await,
            _ => Err(Kind::NotFound.into()),
        }
    }
}
