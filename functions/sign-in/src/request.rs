//! From what Lambda hands over to a plain request, and back.

use bytes::Bytes;
use http::{Request, Response};
use lambda_http::Body;

/// The request with its raw body, and among its extensions what `authorize` says of it.
#[must_use]
pub fn plain(request: lambda_http::Request) -> Request<Bytes> {
    let caller = api::caller(&request);
    let mut request = request.map(|body| match body {
        Body::Text(text) => Bytes::from(text),
        Body::Binary(bytes) => Bytes::from(bytes),
        _ => Bytes::new(),
    });
    request.extensions_mut().insert(caller);
    request
}

/// The response with a body that Lambda takes.
#[must_use]
pub fn wrapped(response: Response<String>) -> Response<Body> {
    response.map(Body::from)
}
