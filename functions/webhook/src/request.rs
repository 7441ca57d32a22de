//! From what Lambda hands over to a plain request, and back.

use bytes::Bytes;
use http::{Request, Response};
use lambda_http::{Body, RequestExt as _};
use models::TraceContext;

/// Lambda's id of an invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

/// The request with its raw body, and among its extensions the [`RequestId`] and the [`TraceContext`] of the invocation. API Gateway sends bodies
/// without a textual content type as base64, which is already decoded here.
#[must_use]
pub fn plain(request: lambda_http::Request) -> Request<Bytes> {
    let context = request.lambda_context_ref();
    let trace = context.and_then(|context| TraceContext::of_xray(context.xray_trace_id.as_deref()?));
    let request_id = context.map(|context| RequestId(context.request_id.clone()));
    let mut request = request.map(|body| match body {
        Body::Text(text) => Bytes::from(text),
        Body::Binary(bytes) => Bytes::from(bytes),
        _ => Bytes::new(),
    });
    let extensions = request.extensions_mut();
    trace.map(|trace| extensions.insert(trace));
    request_id.map(|id| extensions.insert(id));
    request
}

/// The response with a body that Lambda takes.
#[must_use]
pub fn wrapped(response: Response<&'static str>) -> Response<Body> {
    response.map(Body::from)
}
