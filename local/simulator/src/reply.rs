//! Answers of the Microsoft side, whole or spoilt on the way.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use http_body::Frame;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;
use tokio::time::Sleep;

use crate::fault_kinds::{ErrorBody, FaultKind, RetryAfter};

/// An answer with its whole body at hand.
pub(crate) struct Reply {
    pub(crate) body: Vec<u8>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) status: StatusCode,
}

impl Reply {
    pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Self {
        // Serialising to memory fails for maps whose keys are no strings: nothing here has any.
        let body = serde_json::to_vec(value).unwrap_or_default();
        Self::new(status, "application/json; charset=utf-8", body)
    }

    pub(crate) fn new(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Self {
        let headers = vec![(header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
        Self { body, headers, status }
    }

    /// 202: it is going to be done.
    pub(crate) fn accepted() -> Self {
        Self { body: Vec::new(), headers: Vec::new(), status: StatusCode::ACCEPTED }
    }

    /// An error of nobody in particular, in these words.
    pub(crate) fn error(status: u16, body: ErrorBody) -> Self {
        let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let words = code.canonical_reason().unwrap_or("Unknown");
        match body {
            ErrorBody::Empty => Self { body: Vec::new(), headers: Vec::new(), status: code },
            ErrorBody::Gateway => Self::json(code, &json!({ "statusCode": status, "message": words })),
            ErrorBody::Graph => {
                let error = json!({ "code": words.replace(' ', ""), "message": words, "innerError": {} });
                Self::json(code, &json!({ "error": error }))
            }
            ErrorBody::Html => {
                Self::new(code, "text/html", format!("<html><body>{status} {words}</body></html>").into_bytes())
            }
            ErrorBody::PartnerCenter => {
                let source = "PartnerCenterSimulator";
                Self::json(
                    code,
                    &json!({ "code": status.to_string(), "description": words, "data": [], "source": source }),
                )
            }
        }
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same with a value that could hold what no header may; then there is none.
    pub(crate) fn with_text(self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => self.with(name, value),
            Err(_) => self,
        }
    }

    /// The header of a throttled answer.
    pub(crate) fn retry_after(self, retry_after: RetryAfter, now: Timestamp) -> Self {
        match retry_after {
            RetryAfter::Absent => self,
            RetryAfter::Date(seconds) => {
                let then = now.checked_add(SignedDuration::from_secs(seconds.into())).unwrap_or(now);
                let date = then.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
                self.with_text(header::RETRY_AFTER, &date)
            }
            RetryAfter::Garbage => self.with(header::RETRY_AFTER, HeaderValue::from_static("in a little while")),
            RetryAfter::Seconds(seconds) => self.with(header::RETRY_AFTER, HeaderValue::from(seconds)),
        }
    }

    /// What arrives of this answer when `fault` happens to it.
    pub(crate) fn sent(mut self, fault: Option<FaultKind>) -> Response {
        let length = self.body.len();
        match fault {
            Some(FaultKind::Truncated) => {
                self.body.truncate(length / 2);
                self.into_response()
            }
            Some(FaultKind::Reset) => {
                self.body.truncate(length / 2);
                let body = Body::new(CutShort::after(self.body));
                let length = [(header::CONTENT_LENGTH, HeaderValue::from(length))];
                (self.status, AppendHeaders(self.headers), length, body).into_response()
            }
            // The server has not sent the head of an answer yet when its body fails at once.
            Some(FaultKind::HangUp) => (self.status, Body::new(CutShort::at_once())).into_response(),
            _ => self.into_response(),
        }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        // Not the bytes themselves: they would bring a content type of their own.
        (self.status, AppendHeaders(self.headers), Body::from(self.body)).into_response()
    }
}

/// A body that fails after its first part, so that the server drops the connection.
struct CutShort {
    part: Option<Bytes>,
    /// The failure waits until the part is on its way: a server need not send what it has when a body fails.
    pause: Option<Pin<Box<Sleep>>>,
}

impl CutShort {
    fn after(part: Vec<u8>) -> Self {
        Self { part: Some(part.into()), pause: Some(Box::pin(tokio::time::sleep(Duration::from_millis(50)))) }
    }

    fn at_once() -> Self {
        Self { part: None, pause: None }
    }
}

impl HttpBody for CutShort {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        if let Some(part) = self.part.take() {
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        if let Some(pause) = &mut self.pause {
            std::task::ready!(pause.as_mut().poll(context));
        }
        Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::ConnectionReset, "cut short on demand"))))
    }
}
