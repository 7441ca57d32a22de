//! What is compressed, and what is not.

use std::io::Read as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, StatusCode};
use lambda_http::Body;
use serde_json::json;

fn asked(accepts: &[&'static str]) -> HeaderMap {
    accepts.iter().map(|value| (http::header::ACCEPT_ENCODING, HeaderValue::from_static(value))).collect()
}

fn answer(length: usize) -> api::Answer {
    api::text(StatusCode::OK, "ä".repeat(length / 2))
}

#[test]
fn a_long_answer_is_compressed_for_whoever_takes_it_and_is_the_same_then() {
    for accepts in [&["gzip, deflate, br"][..], &["br", "GZIP;q=0.5"]] {
        let sent = api::on_the_wire(&asked(accepts), answer(5_000));
        assert_eq!(
            (&sent.headers()["content-encoding"], &sent.headers()["vary"]),
            (&"gzip".parse().unwrap(), &"accept-encoding".parse().unwrap())
        );
        assert_eq!(sent.headers()["cache-control"], "no-store", "all that it had it has");
        let Body::Binary(packed) = sent.into_body() else { panic!("it is no text any more") };
        assert!(packed.len() < 500, "{}", packed.len());
        let mut text = String::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
        assert_eq!(text, "ä".repeat(2_500));
    }
}

#[test]
fn what_is_short_or_is_not_to_be_compressed_stays_a_text() {
    for (accepts, length) in [
        (&["gzip"][..], 1_000),
        (&[], 5_000),
        (&["br"], 5_000),
        (&["gzip;q=0"], 5_000),
        (&["gzip; q=0.0"], 5_000),
        (&["xgzip"], 5_000),
    ] {
        let sent = api::on_the_wire(&asked(accepts), answer(length));
        assert!(sent.headers().get("content-encoding").is_none(), "{accepts:?}");
        assert!(matches!(sent.body(), Body::Text(text) if text.len() == length), "{accepts:?}");
    }
}

#[test]
fn what_a_function_hands_to_the_gateway_says_whether_it_is_compressed() {
    let packed = api::packed_for_gateway(&asked(&["gzip"]), answer(5_000));
    assert_eq!(packed["isBase64Encoded"], json!(true));
    assert_eq!(packed["headers"]["content-encoding"], json!("gzip"));
    let bytes = STANDARD.decode(packed["body"].as_str().unwrap()).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
    assert_eq!(text, "ä".repeat(2_500));
    let plain = api::packed_for_gateway(&asked(&[]), answer(5_000));
    assert_eq!((&plain["isBase64Encoded"], &plain["body"]), (&json!(false), &json!("ä".repeat(2_500))));
}
