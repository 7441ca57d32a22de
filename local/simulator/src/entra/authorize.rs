//! The page for signing in: the authorization code flow with PKCE (RFC 6749, RFC 7636, RFC 8252).
//!
//! For a program there is no page: the request waits until the control side has said what the person does, and is then sent back. A
//! browser gets a form, unless that was said ahead.

use std::collections::HashMap;
use std::net::IpAddr;

use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use reqwest::Url;

use crate::app::{App, Shared, lock};
use crate::entra::chooser;
use crate::entra::client::{Fields, application};
use crate::entra::problem::{Problem, trouble};
use crate::entra::sign_ins::{Code, Decision};
use crate::options::Tenant;
use crate::reply::Reply;
use crate::targets::Target;

pub(crate) async fn authorize(
    State(app): State<App>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let fault = match app.begin(Target::Authorize, Some(&tenant)).await {
        Ok(fault) => fault,
        Err(failed) => return failed.sent(None),
    };
    let answer = if let Some(reply) = trouble(&app, Target::Authorize, fault) {
        reply
    } else {
        let by = if chooser::is_wanted(&headers) { By::Browser } else { By::Program };
        sign_in(&app, &tenant, &Fields(query), by).await
    };
    answer.sent(fault)
}

/// The person has chosen on the page.
pub(crate) async fn chosen(
    State(app): State<App>,
    Path(tenant): Path<String>,
    Form(fields): Form<HashMap<String, String>>,
) -> Response {
    sign_in(&app, &tenant, &Fields(fields), By::Choice).await.sent(None)
}

/// How a person decides.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Browser,
    Choice,
    Program,
}

async fn sign_in(app: &Shared, tenant: &str, query: &Fields, by: By) -> Reply {
    // Where the application or the way back to it is in doubt, nobody is sent anywhere.
    let page = |problem: Problem| {
        Reply::new(StatusCode::BAD_REQUEST, "text/html; charset=utf-8", problem.description(app).into_bytes())
    };
    let tenant = match application(app, tenant, query.get("client_id")) {
        Ok(tenant) => tenant,
        Err(problem) => return page(problem),
    };
    let redirect_uri = query.get("redirect_uri");
    let Some(way_back) = loopback(redirect_uri) else {
        let text = "The redirect URI specified in the request does not match the redirect URIs configured for the \
                    application.";
        return page(Problem::new("invalid_request", 50011, text));
    };
    let back = |parameters: &[(&str, &str)]| back(way_back.clone(), parameters, query.get("state"));
    if let Err(problem) = check(query) {
        return back(&[("error", problem.error), ("error_description", &problem.description(app))]);
    }

    let decided = if by == By::Choice { chooser::chosen(tenant, query) } else { None };
    let shows_page = by != By::Program && !lock(&app.sign_ins).is_decided_ahead(&tenant.id);
    let decision = match decided {
        Some(decision) => decision,
        None if shows_page => return chooser::page(tenant, &query.0),
        None => awaited(app, tenant, query).await,
    };
    match decision {
        Decision::Approve(person) => {
            let code = Code::new(&tenant.id, query, person);
            let code = lock(&app.sign_ins).issue_code(code, app.now());
            back(&[("code", &code)])
        }
        Decision::Deny => {
            let denied = Problem::new("access_denied", 65004, "User declined to consent to access the app.");
            back(&[("error", denied.error), ("error_description", &denied.description(app))])
        }
    }
}

/// What the control side says that the person does.
async fn awaited(app: &Shared, tenant: &Tenant, query: &Fields) -> Decision {
    let waiting = Waiting { app, id: lock(&app.sign_ins).begin(&tenant.id, query.get("scope"), app.now()) };
    app.changed();
    app.until(|| lock(&app.sign_ins).take(waiting.id)).await
}

/// A sign-in for as long as somebody waits for it: a browser that is closed takes it along.
struct Waiting<'a> {
    app: &'a Shared,
    id: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        lock(&self.app.sign_ins).give_up(self.id);
    }
}

/// Microsoft would let a confidential application go without PKCE; not doing so shows who forgot it.
fn check(query: &Fields) -> Result<(), Problem> {
    if query.get("response_type") != "code" {
        let text = "The request's response type is not supported.";
        return Err(Problem::new("unsupported_response_type", 70005, text));
    }
    if query.get("code_challenge").len() != 43 || query.get("code_challenge_method") != "S256" {
        let text = "Invalid size or method of Code_Challenge parameter.";
        return Err(Problem::new("invalid_request", 501_491, text));
    }
    if query.get("scope").is_empty() {
        return Err(Problem::missing("scope"));
    }
    Ok(())
}

/// The address of an application on the person's own machine: no other is registered here.
fn loopback(redirect_uri: &str) -> Option<Url> {
    let url = Url::parse(redirect_uri).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']);
    let own = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    (url.scheme() == "http" && own && url.fragment().is_none()).then_some(url)
}

fn back(mut url: Url, parameters: &[(&str, &str)], state: &str) -> Reply {
    url.query_pairs_mut().extend_pairs(parameters);
    if !state.is_empty() {
        url.query_pairs_mut().append_pair("state", state);
    }
    Reply::new(StatusCode::FOUND, "text/html; charset=utf-8", Vec::new()).with_text(header::LOCATION, url.as_str())
}
