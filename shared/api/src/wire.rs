//! An answer as it goes over the wire: compressed, where whoever asks takes that and it is worth it.
//!
//! What is compressed tells by its length how alike its parts are. Nothing that an answer holds is a credential, and a session's cookie comes with no request
//! that another site has made, so there is nothing to be guessed that way.

use std::io::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, Response, header};
use lambda_http::Body;
use serde_json::Value;

use crate::{Answer, for_gateway};

/// From this length on, in bytes: less goes into one packet anyway.
const WORTH_IT: usize = 1_400;

/// The answer to a request with these headers.
#[must_use]
pub fn on_the_wire(asked: &HeaderMap, answer: Answer) -> Response<Body> {
    let (mut parts, text) = answer.into_parts();
    // Whoever keeps answers in between, which nobody should, is not to mix them up.
    parts.headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    if text.len() < WORTH_IT || !takes_gzip(asked) || parts.headers.contains_key(header::CONTENT_ENCODING) {
        return Response::from_parts(parts, Body::Text(text));
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 4), Compression::fast());
    match encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()) {
        Ok(packed) => {
            parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            Response::from_parts(parts, Body::Binary(packed))
        }
        // Memory never fails to be written to; and were it so, the text is still at hand.
        Err(_) => Response::from_parts(parts, Body::Text(text)),
    }
}

/// The same as a function that is not woken by API Gateway alone gives it (payload format 2.0).
#[must_use]
pub fn packed_for_gateway(asked: &HeaderMap, answer: Answer) -> Value {
    let (parts, body) = on_the_wire(asked, answer).into_parts();
    match body {
        Body::Binary(packed) => {
            let mut answer = for_gateway(&Response::from_parts(parts, STANDARD.encode(packed)));
            answer["isBase64Encoded"] = true.into();
            answer
        }
        Body::Text(text) => for_gateway(&Response::from_parts(parts, text)),
        _ => for_gateway(&Response::from_parts(parts, String::new())),
    }
}

/// Whether gzip is among what is taken (RFC 9110, section 12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let is_refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !is_refused
    })
}
