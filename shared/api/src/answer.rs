//! Answers: JSON that nobody keeps, in the one form that each status has.

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{Kind, Problem};

/// An answer.
pub type Answer = Response<String>;

/// Data is shown by no browser as a page, and framed by nobody.
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
/// How long to wait before another try, in seconds.
const RETRY_AFTER: &str = "5";

/// An answer of this status with this body.
#[must_use]
pub fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    match serde_json::to_string(body) {
        Ok(body) => text(status, body),
        Err(error) => {
            let problem = Problem::unavailable(&error);
            problem.log();
            of_problem(&problem, "")
        }
    }
}

/// The same with a body that is JSON already.
#[must_use]
pub fn text(status: StatusCode, body: String) -> Answer {
    made(status, "application/json", body)
}

/// An answer without a body.
#[must_use]
pub fn nothing() -> Answer {
    let mut answer = made(StatusCode::NO_CONTENT, "application/json", String::new());
    answer.headers_mut().remove(header::CONTENT_TYPE);
    answer
}

/// The answer that tells of a problem, in an invocation of this id, by which it is found in the log.
#[must_use]
pub fn of_problem(problem: &Problem, id: &str) -> Answer {
    let kind = problem.kind;
    let mut document = problem.document.clone();
    document.instance = (!id.is_empty()).then(|| format!("/requests/{id}"));
    // Texts, numbers and names can always be written.
    let body = serde_json::to_string(&document).unwrap_or_default();
    let mut answer = made(kind.status(), "application/problem+json", body);
    // For whoever shows it otherwise.
    answer.extensions_mut().insert(problem.clone());
    let headers = answer.headers_mut();
    match (kind, kind.status()) {
        // Where nothing was shown, nothing was wrong with it (RFC 6750, section 3.1).
        (Kind::NotSignedIn, _) => set(headers, header::WWW_AUTHENTICATE, "Bearer"),
        (_, StatusCode::UNAUTHORIZED) => set(headers, header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\""),
        (_, StatusCode::SERVICE_UNAVAILABLE) => set(headers, header::RETRY_AFTER, RETRY_AFTER),
        _ => {}
    }
    answer
}

/// The answer as a function that is not woken by API Gateway alone gives it (payload format 2.0).
#[must_use]
pub fn for_gateway(answer: &Answer) -> Value {
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers = answer.headers().iter().filter(|(name, _)| *name != header::SET_COOKIE);
    let headers: Map<_, _> = headers.map(|(name, value)| (name.to_string(), text(value).into())).collect();
    let cookies: Vec<_> = answer.headers().get_all(header::SET_COOKIE).iter().map(text).collect();
    let (status, body) = (answer.status().as_u16(), answer.body());
    json!({ "statusCode": status, "headers": headers, "cookies": cookies, "body": body, "isBase64Encoded": false })
}

fn made(status: StatusCode, content_type: &'static str, body: String) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CONTENT_TYPE, content_type),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        set(answer.headers_mut(), name, value);
    }
    answer
}

fn set(headers: &mut HeaderMap, name: header::HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}
