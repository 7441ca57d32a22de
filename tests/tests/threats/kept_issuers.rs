//! Issuers that were found once: what is kept of them, and what a change of them or a stranger's answer does.

use attacks::{Certificate, Issued, Key, PUBLISHED_URL};
use serde_json::{Value, json};

use crate::{
    place::{Function, Place, callback, fraud, request, signed},
    shelf::Shelf,
};

const FIRST: &str = "http://www.microsoft.com/pkiops/certs/Test.crt";
const SECOND: &str = "http://caissuers.microsoft.com/Test.crt";
const MINUTE: i64 = 60;
const KEPT: (&str, u16) = ("kept", 200);

/// A certificate whose issuer is missing, and lies where it says.
fn certificate(leaf_key: &str, issuer: &Value, addresses: &[&str]) -> Certificate {
    let places: Value = addresses.iter().map(|address| (*address, json!({ "issuer": 0 }))).collect();
    let certificate = json!({ "key": leaf_key, "issuers": [issuer], "issuer_addresses": addresses, "places": places });
    serde_json::from_value(certificate).unwrap()
}

fn lay(shelf: &Shelf, issued: &Issued) {
    shelf.put(PUBLISHED_URL, Ok(issued.published.clone()));
    for (url, place) in &issued.places {
        shelf.put(url, Ok(place.clone().unwrap()));
    }
}

/// What comes of a new event that this key signed, and which addresses were asked for it.
async fn told(
    place: &Place,
    function: &Function,
    shelf: &Shelf,
    key: &str,
    mark: usize,
) -> ((String, u16), Vec<String>) {
    let before = shelf.asked().len();
    let body = fraud(place.now(), mark);
    let callback = callback(signed(&Key::named(key).sign(&body), PUBLISHED_URL), &body);
    let told = place.tell(function, request(&callback)).await;
    ((told.reason, told.status), shelf.asked().split_off(before))
}

fn is(told: &((String, u16), Vec<String>), outcome: (&str, u16), asked: &[&str]) {
    assert_eq!(((told.0.0.as_str(), told.0.1), told.1.iter().map(String::as_str).collect()), (outcome, asked.to_vec()));
}

#[tokio::test]
async fn an_issuer_that_was_renewed_at_its_address_is_looked_for_anew_before_anything_is_concluded() {
    let place = Place::new().await;
    let now = place.now();
    let (function, shelf) =
        place.function(&certificate("signing-2048", &json!({ "known": false }), &[FIRST]).issue(now));
    is(&told(&place, &function, &shelf, "signing-2048", 0).await, KEPT, &[PUBLISHED_URL, FIRST]);

    // The authority has another key now, and the certificate, too.
    let renewed = json!({ "known": false, "key": "signing-3072" });
    lay(&shelf, &certificate("signing-4096", &renewed, &[FIRST]).issue(now));
    place.advance(MINUTE);
    is(&told(&place, &function, &shelf, "signing-4096", 1).await, KEPT, &[PUBLISHED_URL, FIRST]);
}

#[tokio::test]
async fn what_lay_at_an_address_and_led_nowhere_is_not_kept() {
    let place = Place::new().await;
    let now = place.now();
    let good = certificate("signing-2048", &json!({ "known": false }), &[FIRST, SECOND]).issue(now);
    let (function, shelf) = place.function(&good);
    // Of the right name, by another root: anybody can make it.
    let strange: Certificate = serde_json::from_value(json!({
        "root": { "name": "Test Root", "key": "stranger-root" }, "issuers": [{ "key": "signing-3072", "known": false }],
        "places": { FIRST: { "issuer": 0 } },
    }))
    .unwrap();
    shelf.put(FIRST, Ok(strange.issue(now).places[FIRST].clone().unwrap()));
    is(&told(&place, &function, &shelf, "signing-2048", 0).await, KEPT, &[PUBLISHED_URL, FIRST, SECOND]);

    // The next certificate names the first place alone, where the right one lies again.
    lay(&shelf, &certificate("signing-4096", &json!({ "known": false }), &[FIRST]).issue(now));
    place.advance(MINUTE);
    is(&told(&place, &function, &shelf, "signing-4096", 1).await, KEPT, &[PUBLISHED_URL, FIRST]);
}

#[tokio::test]
async fn what_was_kept_is_used_and_asked_for_again_after_a_day() {
    let place = Place::new().await;
    let now = place.now();
    let (function, shelf) =
        place.function(&certificate("signing-2048", &json!({ "known": false }), &[FIRST]).issue(now));
    is(&told(&place, &function, &shelf, "signing-2048", 0).await, KEPT, &[PUBLISHED_URL, FIRST]);
    lay(&shelf, &certificate("signing-4096", &json!({ "known": false }), &[FIRST]).issue(now));
    place.advance(MINUTE);
    is(&told(&place, &function, &shelf, "signing-4096", 1).await, KEPT, &[PUBLISHED_URL]);
}

#[tokio::test]
async fn an_answer_that_is_refused_for_a_reason_of_its_own_does_not_end_the_search() {
    let place = Place::new().await;
    let now = place.now();
    let good = certificate("signing-2048", &json!({ "known": false }), &[FIRST, SECOND]).issue(now);
    let (function, shelf) = place.function(&good);
    // The right name and key, for another purpose, by another root.
    let crafted: Certificate = serde_json::from_value(json!({
        "root": { "name": "Test Root", "key": "stranger-root" }, "issuers": [{ "known": false, "purposes": ["code"] }],
        "places": { FIRST: { "issuer": 0 } },
    }))
    .unwrap();
    shelf.put(FIRST, Ok(crafted.issue(now).places[FIRST].clone().unwrap()));
    is(&told(&place, &function, &shelf, "signing-2048", 0).await, KEPT, &[PUBLISHED_URL, FIRST, SECOND]);
}

#[tokio::test]
async fn a_bundled_issuer_that_was_renewed_with_another_kind_of_key_or_went_wrong_is_looked_for() {
    for bundled in [
        json!({ "key": "signing-3072" }),
        json!({ "purposes": ["code"] }),
        json!({ "ends": -1 }),
        json!({ "begins": 1 }),
        json!({ "permitted": ["contoso.example"] }),
    ] {
        let place = Place::new().await;
        let now = place.now();
        let old: Certificate = serde_json::from_value(json!({ "issuers": [bundled] })).unwrap();
        let (_, shelf) = place.usual();
        lay(&shelf, &certificate("signing-2048", &json!({ "known": false }), &[FIRST]).issue(now));
        let function = place.function_over(&old.issue(now), &shelf);
        is(&told(&place, &function, &shelf, "signing-2048", 0).await, KEPT, &[PUBLISHED_URL, FIRST]);
    }
}

#[tokio::test]
async fn a_page_in_the_place_of_a_renewed_certificate_leaves_us_undecided() {
    let place = Place::new().await;
    let (function, shelf) = place.usual();
    is(&told(&place, &function, &shelf, "signing-2048", 0).await, KEPT, &[PUBLISHED_URL]);
    shelf.put(PUBLISHED_URL, Ok(b"<!doctype html><title>Sign in</title>".to_vec()));
    place.advance(MINUTE);
    let undecided = ("certificate-not-fetched", 503);
    is(&told(&place, &function, &shelf, "signing-4096", 1).await, undecided, &[PUBLISHED_URL]);
    is(&told(&place, &function, &shelf, "signing-4096", 1).await, undecided, &[]);
    is(&told(&place, &function, &shelf, "signing-2048", 2).await, KEPT, &[]);

    shelf.put(PUBLISHED_URL, Ok(Certificate::of_key("signing-4096").issue(place.now()).published));
    place.advance(MINUTE);
    is(&told(&place, &function, &shelf, "signing-4096", 1).await, KEPT, &[PUBLISHED_URL]);
}
