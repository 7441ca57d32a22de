//! The pages: what a person at a browser sees. Each reads what the API's routes read, and needs no script.
//!
//! | route | page |
//! |---|---|
//! | `GET /` | the figures, the chart, and the table of alerts |
//! | `GET /alerts/{tenant}/{alert}` | an alert, whole, with all that can be done about it |
//! | `GET /alerts.csv`, `GET /alerts.json` | no page: a file of the alerts of a view |
//! | `POST /exports`, `GET /exports/{export}`, `GET /exports/{export}/file` | such a file of any size, written in turns (`jobs`) |
//! | `GET /health` | when each tenant was last looked at, and what is wrong |
//! | `GET /events` | received callbacks |
//!
//! Whoever is not signed in is sent to sign in, and comes back to the page that they asked for.

mod alert;
mod cards;
mod columns;
mod events;
mod export;
mod filters;
mod health;
mod history;
mod list;
mod order;
mod search;
mod table;
mod view;
mod views;

use api::{Answer, Kind, Problem};
use http::StatusCode;
use maud::html;
use pages::{Frame, HOME, Page, Pulse, theirs, to_sign_in, way};

use crate::{Asked, Dashboard, ReadSealingKeys, Reads, jobs};

pub(crate) use export::grouped;
pub use export::{EXPORTS, file};

/// The routes of pages, as API Gateway names them.
pub const PAGES: [&str; 9] = [
    "GET /",
    "GET /alerts.csv",
    "GET /alerts.json",
    "GET /alerts/{tenant}/{alert}",
    "GET /events",
    "GET /health",
    jobs::ROUTES[0],
    jobs::ROUTES[1],
    jobs::ROUTES[2],
];

impl<S: Reads, K: ReadSealingKeys + Sync> Dashboard<S, K> {
    /// A page.
    pub(crate) async fn page(&self, asked: Asked<'_>) -> Answer {
        let page = match asked.request.route.as_str() {
            "GET /" => self.list_page(asked).await,
            "GET /alerts.csv" | "GET /alerts.json" => self.export_answer(asked).await,
            "GET /alerts/{tenant}/{alert}" => self.alert_page(asked).await,
            "GET /events" => self.events_page(asked).await,
            "GET /health" => self.health_page(asked).await,
            _ => Err(Kind::NotFound.into()),
        };
        page.unwrap_or_else(|problem| {
            problem.log();
            of_problem(asked, &problem)
        })
    }
}

/// Nobody is signed in: off to sign in, and back to the page that was asked for. Where signing in would not help, it is said instead.
pub(crate) fn of_nobody(problem: &Problem, path: &str, query: &str) -> Answer {
    problem.log();
    if !matches!(problem.kind(), Kind::NotSignedIn | Kind::SessionEnded) {
        return plain(problem);
    }
    let asked = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    to_sign_in(&asked)
}

fn plain(problem: &Problem) -> Answer {
    let body = html! { p { (theirs(problem.detail())) } (way("/sign-in", "Sign in")) };
    Page::new(problem.kind().status(), problem.kind().title(), body).answer()
}

pub(crate) fn of_problem(asked: Asked<'_>, problem: &Problem) -> Answer {
    let kind = problem.kind();
    let body = html! {
        div class="panel notice bad" {
            p { (theirs(problem.detail())) }
            @if kind == Kind::NotAllowed { p { "You are signed in as " (theirs(asked.caller.name())) "." } }
            @if kind.status() == StatusCode::SERVICE_UNAVAILABLE { p { "What was asked for is not lost: reload the page in a moment." } }
        }
        (way(HOME, "To all alerts"))
    };
    Page::new(kind.status(), kind.title(), body).within(frame(asked, "", None)).answer()
}

/// What stands around a page.
pub(crate) fn frame(asked: Asked<'_>, place: &'static str, pulse: Option<Pulse>) -> Frame {
    Frame { name: asked.caller.name().to_owned(), place, pulse }
}
