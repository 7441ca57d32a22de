//! `webhook`: from the events of both gateways to what they answer and what is kept.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use simulator::SignedCallback;
use tests::{PATH_KEY, TENANT, WAYS, Way, gateway_event};

use crate::support::{Here, invoke};

const CERTIFICATE_URL: &str = "X-MS-Certificate-Url";
const LARGEST: usize = 262_144;

fn path() -> String {
    format!("/callbacks/{TENANT}/{PATH_KEY}")
}

/// What Lambda gives the gateway, which makes a response of it.
fn answer(way: Way, status: u16, text: &str) -> Value {
    let (kind, store) = ("text/plain; charset=utf-8", "no-store");
    if way.rest {
        json!({
            "statusCode": status,
            "headers": {},
            "multiValueHeaders": { "content-type": [kind], "cache-control": [store] },
            "body": text,
            "isBase64Encoded": false,
        })
    } else {
        json!({
            "statusCode": status,
            "headers": { "content-type": kind, "cache-control": store },
            "multiValueHeaders": {},
            "body": text,
            "isBase64Encoded": false,
            "cookies": [],
        })
    }
}

/// A genuine callback of this size.
fn of_size(here: &Here, mark: &str, bytes: usize) -> SignedCallback {
    let mut body = here.body(mark);
    body.resize(bytes, b' ');
    here.simulator().sign(&body).unwrap()
}

/// The callback with these addresses of a certificate in place of its own.
fn with_addresses(mut callback: SignedCallback, addresses: [&str; 2]) -> SignedCallback {
    callback.headers.retain(|(name, _)| name != CERTIFICATE_URL);
    callback.headers.extend(addresses.map(|address| (CERTIFICATE_URL.to_owned(), address.to_owned())));
    callback
}

#[tokio::test]
async fn each_callback_gets_the_answer_of_its_gateway_and_a_genuine_one_is_kept_once() {
    let here = Here::new().await;
    let mut webhook = here.start("webhook").await;
    for (kept, way) in WAYS.into_iter().enumerate() {
        let mark = format!("é-{kept}");
        let genuine = here.genuine(&mark);
        let other_key = format!("/callbacks/{TENANT}/{}", "0".repeat(64));
        let table = [
            ("genuine", path(), genuine.clone(), 200, "ok"),
            ("the same again", path(), genuine.clone(), 200, "ok"),
            ("forged", path(), here.forged(&mark), 401, "not authentic"),
            ("another path key", other_key, here.genuine("elsewhere"), 404, "not found"),
            ("no path of ours", "/".to_owned(), here.genuine("elsewhere"), 404, "not found"),
            ("too large", path(), of_size(&here, &mark, LARGEST + 1), 413, "too large"),
        ];
        for (what, path, callback, status, text) in table {
            let given = invoke(&mut webhook, &gateway_event(way, &path, &callback)).await;
            assert_eq!(given, answer(way, status, text), "{what}, {way:?}");
        }
        let events = here.events().await;
        assert_eq!(events.len(), kept + 1, "{way:?}: {events:#?}");
        assert!(events.iter().any(|event| event["body"].as_b().unwrap().as_ref() == genuine.body), "{way:?}");
        // The invocation that took each in, by which a write whose answer was lost is known again.
        let invocations: BTreeSet<_> = events.iter().map(|event| event["request_id"].as_s().unwrap()).collect();
        assert_eq!(invocations.len(), kept + 1, "{way:?}: {invocations:?}");
    }
}

#[tokio::test]
async fn the_largest_body_passes_whichever_way_it_comes() {
    let here = Here::new().await;
    let mut webhook = here.start("webhook").await;
    for (mark, way) in WAYS.into_iter().enumerate() {
        let callback = of_size(&here, &mark.to_string(), LARGEST);
        let given = invoke(&mut webhook, &gateway_event(way, &path(), &callback)).await;
        assert_eq!(given, answer(way, 200, "ok"), "{way:?}");
    }
    assert_eq!(here.events().await.len(), WAYS.len());
}

#[tokio::test]
async fn a_repeated_header_is_refused_by_way_of_an_http_api_and_judged_by_its_last_value_otherwise() {
    let here = Here::new().await;
    let mut webhook = here.start("webhook").await;
    let callback = here.genuine("repeated");
    let good = callback.headers.iter().find(|(name, _)| name == CERTIFICATE_URL).unwrap().1.clone();
    let evil = "https://evil.example/cert/a.cer";
    let table = [
        (WAYS[0], [&*good, evil], 400, "malformed"),
        (WAYS[0], [&*good, &*good], 400, "malformed"),
        (WAYS[2], [&*good, evil], 401, "not authentic"),
        (WAYS[2], [evil, &*good], 200, "ok"),
    ];
    for (way, addresses, status, text) in table {
        let event = gateway_event(way, &path(), &with_addresses(callback.clone(), addresses));
        assert_eq!(invoke(&mut webhook, &event).await, answer(way, status, text), "{way:?} {addresses:?}");
        assert_eq!(here.events().await.len(), usize::from(status == 200), "{way:?} {addresses:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_kept_is_left_to_microsoft_to_try_again() {
    let here = Here::new().await;
    let mut webhook = here.start_with("webhook", "EVENTS_TABLE", "no-such-table").await;
    let given = invoke(&mut webhook, &gateway_event(WAYS[0], &path(), &here.genuine("unkept"))).await;
    assert_eq!(given, answer(WAYS[0], 503, "try again"));
    assert_eq!(here.events().await, []);
}
