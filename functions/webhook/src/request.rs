//! From what Lambda hands over to a plain request, and back.

use bytes::Bytes;
use http::{Request, Response};
use lambda_http::{Body, RequestExt as _};
use models::TraceContext;

/// The request with its raw body, and among its extensions the [`TraceContext`] of the invocation. API Gateway sends bodies
/// without a textual content type as base64, which is already decoded here.
#[must_use]
pub fn plain(request: lambda_http::Request) -> Request<Bytes> {
    let trace = request.lambda_context_ref().and_then(|context| context.xray_trace_id.as_deref());
    let trace = trace.and_then(TraceContext::of_xray);
    let mut request = request.map(|body| match body {
        Body::Text(text) => Bytes::from(text),
        Body::Binary(bytes) => Bytes::from(bytes),
        _ => Bytes::new(),
    });
    if let Some(trace) = trace {
        request.extensions_mut().insert(trace);
    }
    request
}

/// The response with a body that Lambda takes.
#[must_use]
pub fn wrapped(response: Response<&'static str>) -> Response<Body> {
    response.map(Body::from)
}
