//! The routes of the API: `authorize` is asked first, then the function that has the route, which answers in its own form.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::{
    Router,
    extract::{RawPathParams, Request},
    http::{Method, StatusCode},
    response::{IntoResponse as _, Response},
    routing::{MethodFilter, on},
};
use serde_json::{Map, Value, json};
use tracing::Instrument as _;

use super::{PAYLOAD_BYTES, bad_request, event::Incoming, people::People};
use crate::invocation::Invocation;

/// What answers a request of the API.
pub(crate) type Handler = Arc<dyn Fn(api::Request) -> Pin<Box<dyn Future<Output = Response> + Send>> + Send + Sync>;

/// Routes as API Gateway names them, each answered by this.
pub(super) fn router(people: &People, routes: &'static [&'static str], handler: &Handler) -> Router {
    let mut all = Router::new();
    for route in routes {
        let Some((method, path)) = route.split_once(' ') else { continue };
        let Ok(filter) = MethodFilter::try_from(method.parse().unwrap_or(Method::GET)) else { continue };
        let (people, handler) = (people.clone(), Arc::clone(handler));
        let answered = move |parameters: RawPathParams, request: Request| {
            let (people, handler) = (people.clone(), Arc::clone(&handler));
            async move { answer(&people, &handler, route, &parameters, request).await }
        };
        all = all.route(path, on(filter, answered));
    }
    all
}

async fn answer(
    people: &People,
    handler: &Handler,
    route: &str,
    parameters: &RawPathParams,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, PAYLOAD_BYTES).await else { return bad_request() };
    let parameters: Map<_, _> = parameters.iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
    let incoming = Incoming {
        route,
        path_parameters: Value::Object(parameters),
        method: &parts.method,
        uri: &parts.uri,
        headers: &parts.headers,
    };
    let Some(context) = people.asked(&incoming).await else {
        return (StatusCode::FORBIDDEN, r#"{"message":"Forbidden"}"#).into_response();
    };
    let mut event = incoming.event(&body);
    event["requestContext"]["authorizer"] = json!({ "lambda": context });
    let Ok(request) = runtime::gateway_request(&event.to_string()) else { return bad_request() };
    let Invocation { span, request_id, trace } = Invocation::new();
    let request = api::Request::read(request, &request_id, trace);
    handler(request).instrument(span).await
}
