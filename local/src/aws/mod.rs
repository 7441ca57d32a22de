//! One address that answers as AWS does: DynamoDB, SQS, SNS, EventBridge Scheduler, Secrets Manager.
//!
//! It believes nobody: a request must be signed with the access key id that was made at this start, must name this very
//! address as its host, and must not come from a web page. The signature itself is not checked; the random key id is the
//! secret, which nobody learns but this process and who can read its owner's files.

pub(crate) mod control;
pub(crate) mod dynamodb;
pub(crate) mod scheduler;
pub(crate) mod secrets;
pub(crate) mod sns;
pub(crate) mod sqs;
mod subscriptions;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use control::AccountControl;
use dynamodb::Embedded;
use scheduler::Schedules;
use secrets::Secrets;
use sns::Topics;
use sqs::Queues;

/// The largest request, in bytes: what DynamoDB takes.
const REQUEST_BYTES: usize = 16 << 20;

/// The services behind the address.
#[derive(Clone, Debug)]
pub(crate) struct Services {
    pub(crate) access_key_id: Arc<str>,
    pub(crate) host: Arc<str>,
    pub(crate) dynamodb: Embedded,
    pub(crate) queues: Queues,
    pub(crate) topics: Topics,
    pub(crate) secrets: Secrets,
    pub(crate) schedules: Schedules,
    pub(crate) control: AccountControl,
}

/// What the addresses of schedules begin with.
const SCHEDULES: &str = "/schedules/";

impl Services {
    pub(crate) fn router(self) -> Router {
        Router::new()
            .fallback(dispatch)
            .layer(from_fn_with_state(self.clone(), guard))
            .layer(DefaultBodyLimit::max(REQUEST_BYTES))
            .with_state(self)
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let credential = format!("Credential={}/", self.access_key_id);
        !headers.contains_key(header::ORIGIN)
            && text(header::HOST) == self.host.as_ref()
            && text(header::AUTHORIZATION).contains(&credential)
    }
}

async fn guard(State(services): State<Services>, request: Request, next: Next) -> Response {
    if services.admits(request.headers()) {
        let mut response = next.run(request).await;
        services.control.date(&mut response);
        response
    } else {
        failure(StatusCode::FORBIDDEN, "AccessDeniedException", "this endpoint is for the local system alone")
    }
}

async fn dispatch(
    State(services): State<Services>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refusal) = services.control.refuses(&control::action(&method, &uri, &headers, &body)) {
        return refusal;
    }
    if let Some(schedule) = uri.path().strip_prefix(SCHEDULES) {
        return services.schedules.answer(&method, schedule, &body);
    }
    if method != Method::POST {
        return failure(
            StatusCode::METHOD_NOT_ALLOWED,
            "UnknownOperationException",
            "not an operation of the local system",
        );
    }
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    match target.split_once('.') {
        Some((service, operation)) if service.starts_with("DynamoDB_") => {
            services.dynamodb.answer(operation.to_owned(), body).await
        }
        Some(("AmazonSQS", operation)) => services.queues.answer(operation, &body),
        Some(("secretsmanager", operation)) => services.secrets.answer(operation, &body),
        Some(_) => failure(StatusCode::BAD_REQUEST, "UnknownOperationException", "not a service of the local system"),
        None => services.topics.answer(&body),
    }
}

/// An answer in JSON.
fn json(status: StatusCode, body: impl Into<Body>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.0")], body.into()).into_response()
}

/// An error in the form that the JSON protocols share.
fn failure(status: StatusCode, code: &str, message: &str) -> Response {
    json(status, serde_json::json!({ "__type": code, "message": message }).to_string())
}
