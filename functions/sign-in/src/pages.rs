//! Plain pages of fixed words, without scripts, styles or anything from elsewhere.

use http::{HeaderValue, Response, StatusCode, header};
use identity::{Access, Caller, Permission};

use crate::Problem;

/// Nothing is loaded and nothing runs; a form goes to us alone, and no page of anybody's may frame ours.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const SIGNED_OUT: &str = "<p>This browser may still be signed in at Microsoft: sign out there, too, if others use it.</p>\n\
                          <p><a href=\"/sign-in\">Sign in again</a></p>";

/// A page with a form: the browser names our origin when it posts it, which it keeps to itself (`Origin: null`) where a page has no referrer. Nothing of
/// such a page's address is a secret, and no other site hears of it.
fn with_form(status: StatusCode, page: String) -> Response<String> {
    let mut response = plain(status, page);
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

/// A page, with the headers that every answer has. Its address, which may hold a code, goes nowhere.
pub(crate) fn plain(status: StatusCode, page: String) -> Response<String> {
    let mut response = Response::new(page);
    *response.status_mut() = status;
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

pub(crate) fn of_problem(problem: &Problem) -> Response<String> {
    let (what, advice) = problem.words();
    plain(problem.status(), page(what, &format!("<p>{advice}</p>\n<p><a href=\"/sign-in\">Sign in</a></p>")))
}

pub(crate) fn signed_out() -> Response<String> {
    plain(StatusCode::OK, page("You are signed out", SIGNED_OUT))
}

/// Who is signed in, what they may do, and the way out.
pub(crate) fn me(caller: &Caller) -> Response<String> {
    let name = escaped(caller.name());
    let rights = rights(caller.access());
    let body = format!(
        "<p>{name}, of tenant {}</p>\n{rights}\n<form method=\"post\" action=\"/sign-out\"><button>Sign out</button></form>",
        caller.tid(),
    );
    with_form(StatusCode::OK, page("You are signed in", &body))
}

fn rights(access: &Access) -> String {
    if access.is_none() {
        return "<p>You have no role in Partner Alerts, so there is nothing that you may do. Ask for the app role \
                AdminAgent.</p>"
            .to_owned();
    }
    let word = |permission: &Permission| match permission {
        Permission::Cancel => "cancel subscriptions",
        Permission::Resolve => "resolve alerts",
        Permission::See => "see alerts",
    };
    let lines = access.entries().map(|(tenant, allowed)| {
        let place = tenant.map_or("of all tenants".to_owned(), |tenant| format!("of tenant {tenant}"));
        let allowed: Vec<_> = allowed.iter().map(word).collect();
        format!("<li>{}, {place}</li>", allowed.join(", "))
    });
    format!("<p>You may:</p>\n<ul>{}</ul>", lines.collect::<Vec<_>>().concat())
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title} - Partner Alerts</title>\n\
         <h1>{title}</h1>\n{body}\n</html>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
