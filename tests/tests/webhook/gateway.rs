//! Both events of API Gateway, as Lambda hands them over, come to the same outcome: HTTP API (payload 2.0) and REST API
//! (payload 1.0, with the stage in the path).

use bytes::Bytes;
use http::{HeaderMap, Request};
use serde_json::{Value, json};
use simulator::{Forgery, SignedCallback};
use tests::{WAYS, gateway_event};

use crate::support::{Fixture, event_body};

const CERTIFICATE_URL: &str = "X-MS-Certificate-Url";

/// What the function's `main.rs` makes of an event.
fn plain(event: &Value) -> Request<Bytes> {
    webhook::request::plain(lambda_http::request::from_str(&event.to_string()).unwrap())
}

/// A header by its name, whatever its case.
fn has(headers: &HeaderMap, callback: &SignedCallback) -> bool {
    callback.headers.iter().all(|(name, value)| headers.get_all(name).iter().collect::<Vec<_>>() == [value])
}

#[tokio::test]
async fn a_genuine_callback_is_kept_with_its_bytes_whichever_way_it_comes() {
    let here = Fixture::new().await;
    for (mark, way) in WAYS.into_iter().enumerate() {
        // Text that JSON has to escape, and more than ASCII.
        let body = String::from_utf8(event_body("test-created", here.now, mark)).unwrap();
        let body = body.replace("subscription", "é 🦀\\u00e9\\\\").into_bytes();
        let callback = here.simulator().sign(&body).unwrap();
        let request = plain(&gateway_event(way, &here.path, &callback));
        assert_eq!(request.body(), &body, "{way:?}");
        assert!(has(request.headers(), &callback), "{way:?}");
        let stage = if way.stage { "/prod" } else { "" };
        assert_eq!(request.uri().path(), format!("{stage}{}", here.path), "{way:?}");
        assert_eq!(here.told(&request).await, ("kept", 200), "{way:?}");
        assert!(here.events().await.iter().any(|item| item["body"].as_b().unwrap().as_ref() == body), "{way:?}");
    }
}

#[tokio::test]
async fn the_same_callback_by_another_way_is_a_duplicate() {
    let here = Fixture::new().await;
    let callback = here.simulator().sign(&here.fraud_body(0)).unwrap();
    let mut told = Vec::new();
    for way in WAYS {
        told.push(here.told(&plain(&gateway_event(way, &here.path, &callback))).await.0);
    }
    assert_eq!(told, ["kept", "duplicate", "duplicate", "duplicate", "duplicate"]);
    here.event().await;
}

#[tokio::test]
async fn forgeries_are_refused_whichever_way_they_come() {
    let here = Fixture::new().await;
    for way in WAYS {
        for forgery in [Forgery::Body, Forgery::Key] {
            let callback = here.simulator().forge(&here.fraud_body(0), forgery).unwrap();
            let told = here.told(&plain(&gateway_event(way, &here.path, &callback))).await;
            assert_eq!(told, ("signature-mismatch", 401), "{way:?}");
        }
    }
    assert_eq!(here.events().await, []);
}

#[tokio::test]
async fn bytes_that_are_no_text_come_as_base64_and_are_kept_aside_as_they_are() {
    let here = Fixture::new().await;
    let bodies: [&[u8]; 2] = [b"\xff\xfe\0{}", b"\x80"];
    for (body, way) in bodies.into_iter().zip([WAYS[1], WAYS[3]]) {
        let callback = here.simulator().sign(body).unwrap();
        let told = here.told(&plain(&gateway_event(way, &here.path, &callback))).await;
        assert_eq!(told, ("unreadable-event", 400), "{way:?}");
        assert!(here.events().await.iter().any(|item| item["body"].as_b().unwrap().as_ref() == body), "{way:?}");
    }
}

#[tokio::test]
async fn an_event_without_a_body_is_one_with_an_empty_body() {
    let here = Fixture::new().await;
    for way in WAYS {
        let callback = here.simulator().sign(b"").unwrap();
        let mut event = gateway_event(way, &here.path, &callback);
        event.as_object_mut().unwrap().remove("body");
        let request = plain(&event);
        assert!(request.body().is_empty());
        assert_eq!(here.told(&request).await, ("unreadable-event", 400), "{way:?}");
    }
    assert_eq!(here.event().await["body"].as_b().unwrap().as_ref(), b"");
}

/// The address of the certificate that a callback names, and one that must not be fetched.
fn addresses(callback: &SignedCallback) -> (&str, &'static str) {
    let good = &callback.headers.iter().find(|(name, _)| name == CERTIFICATE_URL).unwrap().1;
    (good, "https://evil.example/cert/a.cer")
}

/// The callback with these addresses in place of its own.
fn with_addresses(callback: &SignedCallback, addresses: [&str; 2]) -> SignedCallback {
    let mut callback = callback.clone();
    callback.headers.retain(|(name, _)| name != CERTIFICATE_URL);
    callback.headers.extend(addresses.map(|address| (CERTIFICATE_URL.to_owned(), address.to_owned())));
    callback
}

#[tokio::test]
async fn a_header_with_two_values_is_refused_where_an_http_api_joins_them() {
    let here = Fixture::new().await;
    let callback = here.simulator().sign(&here.fraud_body(0)).unwrap();
    let (good, evil) = addresses(&callback);
    for both in [[good, evil], [evil, good], [good, good]] {
        let event = gateway_event(WAYS[0], &here.path, &with_addresses(&callback, both));
        assert_eq!(event["headers"]["x-ms-certificate-url"], both.join(","));
        assert_eq!(here.told(&plain(&event)).await, ("repeated-header", 400));
    }
    assert_eq!(here.downloads(), 0);
}

#[tokio::test]
async fn of_a_header_with_two_values_in_a_rest_api_the_last_counts_and_is_judged_all_the_same() {
    let here = Fixture::new().await;
    let callback = here.simulator().sign(&here.fraud_body(0)).unwrap();
    let (good, evil) = addresses(&callback);
    for (both, expected) in [([good, evil], ("certificate-url-not-allowed", 401)), ([evil, good], ("kept", 200))] {
        // `lambda_http` lets the one in `headers`, which is the last, win over the list.
        let event = gateway_event(WAYS[2], &here.path, &with_addresses(&callback, both));
        assert_eq!(event["headers"][CERTIFICATE_URL], both[1]);
        assert_eq!(event["multiValueHeaders"][CERTIFICATE_URL], json!(both));
        assert_eq!(here.told(&plain(&event)).await, expected);
    }
}

#[tokio::test]
async fn the_largest_body_and_one_byte_more_are_told_apart_in_base64_too() {
    let here = Fixture::new().await;
    for way in [WAYS[1], WAYS[3]] {
        for (bytes, expected) in [(262_144, 200), (262_145, 413)] {
            let mut body = here.fraud_body(usize::from(way.rest));
            body.resize(bytes, b' ');
            let callback = here.simulator().sign(&body).unwrap();
            assert_eq!(here.told(&plain(&gateway_event(way, &here.path, &callback))).await.1, expected, "{way:?}");
        }
    }
}

#[tokio::test]
async fn the_answer_goes_back_as_text() {
    let here = Fixture::new().await;
    let callback = here.simulator().sign(&here.fraud_body(0)).unwrap();
    let answer = here.webhook.answer(plain(&gateway_event(WAYS[0], &here.path, &callback))).await;
    let answer = webhook::request::wrapped(answer);
    assert_eq!(answer.status(), 200);
    assert!(matches!(answer.body(), lambda_http::Body::Text(text) if text == "ok"), "{answer:?}");
}
