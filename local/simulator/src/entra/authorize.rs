//! The page for signing in: the authorization code flow with PKCE (RFC 6749, RFC 7636, RFC 8252).
//!
//! There is no page. The request waits until the control side has said what the person does, and is then sent back.

use std::collections::HashMap;
use std::net::IpAddr;

use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use reqwest::Url;

use crate::app::{App, Shared, lock};
use crate::entra::client::{Fields, application};
use crate::entra::problem::{Problem, trouble};
use crate::entra::sign_ins::{Code, Decision};
use crate::reply::Reply;
use crate::targets::Target;

pub(crate) async fn authorize(
    State(app): State<App>,
    Path(tenant): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let fault = match app.begin(Target::Authorize, Some(&tenant)).await {
        Ok(fault) => fault,
        Err(failed) => return failed.sent(None),
    };
    let answer = match trouble(&app, Target::Authorize, fault) {
        Some(reply) => reply,
        None => sign_in(&app, &tenant, &Fields(query)).await,
    };
    answer.sent(fault)
}

async fn sign_in(app: &Shared, tenant: &str, query: &Fields) -> Reply {
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

    let waiting = Waiting { app, id: lock(&app.sign_ins).begin(&tenant.id, query.get("scope"), app.now()) };
    app.changed();
    let decision = app.until(|| lock(&app.sign_ins).take(waiting.id)).await;
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
