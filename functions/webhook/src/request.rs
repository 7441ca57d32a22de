//! From what Lambda hands over to a plain request, and back.

use bytes::Bytes;
use http::{Request, Response};
use lambda_http::Body;

/// The request with its raw body. API Gateway sends bodies without a textual content type as base64, which is already
/// decoded here.
#[must_use]
pub fn plain(request: lambda_http::Request) -> Request<Bytes> {
    request.map(|body| match body {
        Body::Text(text) => Bytes::from(text),
        Body::Binary(bytes) => Bytes::from(bytes),
        _ => Bytes::new(),
    })
}

/// The response with a body that Lambda takes.
#[must_use]
pub fn wrapped(response: Response<&'static str>) -> Response<Body> {
    response.map(Body::from)
}
