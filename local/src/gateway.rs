//! The gateway: makes of a request what an HTTP API of API Gateway hands to a function (payload 2.0), and of the answer a
//! response. Only the routes of the functions exist.

mod api;
mod event;
mod export;
mod people;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use serde_json::json;
use tracing::Instrument as _;

use crate::invocation::Invocation;
use event::Incoming;

pub(crate) use api::Handler;
pub(crate) use export::exported;
pub(crate) use people::People;

/// What API Gateway takes at most, in bytes.
const PAYLOAD_BYTES: usize = 10 << 20;

/// Who answers which routes of the API.
pub(crate) type ApiRoutes = [(&'static [&'static str], Handler); 4];

pub(crate) fn router(webhook: Arc<webhook::Deployed>, people: People, of_api: &ApiRoutes) -> Router {
    let of_api = of_api
        .iter()
        .fold(Router::new(), |router, (routes, handler)| router.merge(api::router(&people, routes, handler)));
    // API Gateway has no such route, whatever there is for other methods.
    let of_api = of_api.method_not_allowed_fallback(|| async { (StatusCode::NOT_FOUND, r#"{"message":"Not Found"}"#) });
    Router::new()
        .route("/callbacks/{tenant}/{key}", post(callback))
        .with_state(webhook)
        .merge(people::router(people))
        .merge(of_api)
        .fallback(|_: Request| async { (StatusCode::NOT_FOUND, r#"{"message":"Not Found"}"#) })
        .layer(DefaultBodyLimit::max(PAYLOAD_BYTES))
}

async fn callback(
    State(webhook): State<Arc<webhook::Deployed>>,
    Path((tenant, key)): Path<(String, String)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path_parameters = json!({ "tenant": tenant, "key": key });
    let incoming = Incoming { route: webhook::ROUTE, path_parameters, method: &method, uri: &uri, headers: &headers };
    let Ok(request) = runtime::gateway_request(&incoming.event(&body).to_string()) else { return bad_request() };
    let mut request = webhook::request::plain(request);
    let Invocation { span, request_id, trace } = Invocation::new();
    request.extensions_mut().insert(webhook::request::RequestId(request_id));
    if let Some(trace) = trace {
        request.extensions_mut().insert(trace);
    }
    let (parts, text) = webhook.answer(request).instrument(span).await.into_parts();
    Response::from_parts(parts, Body::from(text))
}

fn bad_request() -> Response {
    (StatusCode::BAD_REQUEST, r#"{"message":"Bad Request"}"#).into_response()
}
