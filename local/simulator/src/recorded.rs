//! What the Microsoft side was asked, request by request, with the ids by which a caller names them.

use std::collections::VecDeque;
use std::sync::Mutex;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;

use crate::app::{App, lock};

/// A request of the Microsoft side. Neither its query nor its body, and nothing that a caller proves itself with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedRequest {
    /// As in `POST`.
    pub method: String,
    /// The path of its address.
    pub path: String,
    /// `MS-RequestId`, which asks for the same work where it comes again.
    pub request_id: Option<String>,
    /// `MS-CorrelationId`, which each attempt has for itself.
    pub correlation_id: Option<String>,
    /// `client-request-id`, Graph's counterpart of the latter.
    pub client_request_id: Option<String>,
}

impl RecordedRequest {
    fn of(request: &Request) -> Self {
        let header = |name: &str| text(request.headers(), name);
        Self {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            request_id: header("ms-requestid"),
            correlation_id: header("ms-correlationid"),
            client_request_id: header("client-request-id"),
        }
    }
}

/// The latest requests, oldest first.
#[derive(Default)]
pub(crate) struct Record(Mutex<VecDeque<RecordedRequest>>);

impl Record {
    fn push(&self, request: RecordedRequest) {
        let mut kept = lock(&self.0);
        if kept.len() == MOST {
            kept.pop_front();
        }
        kept.push_back(request);
    }

    pub(crate) fn all(&self) -> Vec<RecordedRequest> {
        lock(&self.0).iter().cloned().collect()
    }
}

/// Records each request before it is answered.
pub(crate) async fn record(State(app): State<App>, request: Request, next: Next) -> Response {
    app.record.push(RecordedRequest::of(&request));
    next.run(request).await
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// More than a test looks at, and little enough for a simulator that runs for days.
const MOST: usize = 1_000;
