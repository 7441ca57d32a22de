//! The gateway: makes of a request what an HTTP API of API Gateway hands to a function (payload 2.0), and of the answer a
//! response. Only the routes of `template.yaml` exist.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use tracing::Instrument as _;

use crate::invocation::Invocation;

/// What API Gateway takes at most, in bytes.
const PAYLOAD_BYTES: usize = 10 << 20;

pub(crate) fn router(webhook: Arc<webhook::Deployed>) -> Router {
    Router::new()
        .route("/callbacks/{tenant}/{key}", post(callback))
        .fallback(|_: Request| async { (StatusCode::NOT_FOUND, r#"{"message":"Not Found"}"#) })
        .layer(DefaultBodyLimit::max(PAYLOAD_BYTES))
        .with_state(webhook)
}

async fn callback(
    State(webhook): State<Arc<webhook::Deployed>>,
    Path((tenant, key)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let event = event(webhook::ROUTE, &json!({ "tenant": tenant, "key": key }), &uri, &headers, &body);
    let Ok(request) = lambda_http::request::from_str(&event.to_string()) else {
        return (StatusCode::BAD_REQUEST, r#"{"message":"Bad Request"}"#).into_response();
    };
    let mut request = webhook::request::plain(request);
    let Invocation { span, request_id, trace } = Invocation::new();
    request.extensions_mut().insert(webhook::request::RequestId(request_id));
    if let Some(trace) = trace {
        request.extensions_mut().insert(trace);
    }
    let (parts, text) = webhook.answer(request).instrument(span).await.into_parts();
    Response::from_parts(parts, Body::from(text))
}

/// The event of payload format 2.0: header names in lower case, repeated values joined by commas, and the body as base64
/// where its content type is not known to be text.
fn event(route: &str, path_parameters: &Value, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Value {
    let mut joined = Map::new();
    for name in headers.keys() {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        joined.insert(name.as_str().to_owned(), values.join(",").into());
    }
    let content_type = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_text = content_type.starts_with("application/json") || content_type.starts_with("text/");
    let (body, is_base64) = match std::str::from_utf8(body) {
        Ok(text) if is_text => (text.to_owned(), false),
        _ => (STANDARD.encode(body), true),
    };
    json!({
        "version": "2.0",
        "routeKey": route,
        "rawPath": uri.path(),
        "rawQueryString": uri.query().unwrap_or_default(),
        "headers": joined,
        "pathParameters": path_parameters,
        "isBase64Encoded": is_base64,
        "body": body,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": "localhost",
            "domainPrefix": "local",
            "http": { "method": "POST", "path": uri.path(), "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "" },
            "requestId": uuid::Uuid::new_v4().to_string(),
            "routeKey": route,
            "stage": "$default",
            "time": "01/Jan/1970:00:00:00 +0000",
            "timeEpoch": 0,
        },
    })
}
