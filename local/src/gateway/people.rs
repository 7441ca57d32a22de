//! The routes for people in browsers: signing in and out. Before a route that needs somebody, `authorize` is asked.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tracing::Instrument as _;

use super::{PAYLOAD_BYTES, bad_request, event::Incoming};
use crate::invocation::Invocation;

/// The functions that people reach.
#[derive(Clone, Debug)]
pub(crate) struct People {
    pub(crate) authorize: Arc<authorize::Deployed>,
    pub(crate) sign_in: Arc<sign_in::Deployed>,
}

pub(super) fn router(people: People) -> Router {
    Router::new()
        .route("/sign-in", get(sign_in))
        .route("/sign-in/callback", get(sign_in))
        .route("/sign-in/me", get(authorized_sign_in))
        .route("/sign-out", post(sign_in))
        .with_state(people)
}

async fn sign_in(State(people): State<People>, request: Request) -> Response {
    answer(&people, request, false).await
}

async fn authorized_sign_in(State(people): State<People>, request: Request) -> Response {
    answer(&people, request, true).await
}

async fn answer(people: &People, request: Request, authorized: bool) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, PAYLOAD_BYTES).await else { return bad_request() };
    let route = format!("{} {}", parts.method, parts.uri.path());
    let incoming = Incoming {
        route: &route,
        path_parameters: json!({}),
        method: &parts.method,
        uri: &parts.uri,
        headers: &parts.headers,
    };
    let mut event = incoming.event(&body);
    if authorized {
        match people.asked(&incoming).await {
            Some(context) => event["requestContext"]["authorizer"] = json!({ "lambda": context }),
            None => return (StatusCode::FORBIDDEN, r#"{"message":"Forbidden"}"#).into_response(),
        }
    }
    let Ok(request) = runtime::gateway_request(&event.to_string()) else { return bad_request() };
    let Invocation { span, .. } = Invocation::new();
    let (parts, page) = people.sign_in.answer(sign_in::request::plain(request)).instrument(span).await.into_parts();
    Response::from_parts(parts, Body::from(page))
}

impl People {
    /// What `authorize` says of a request. None where it lets nobody through, which it never says.
    pub(super) async fn asked(&self, incoming: &Incoming<'_>) -> Option<Value> {
        let Invocation { span, .. } = Invocation::new();
        let answer = self.authorize.answer(&incoming.question().to_string()).instrument(span).await;
        answer.is_authorized.then_some(Value::Object(answer.context))
    }
}
