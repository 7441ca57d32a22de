//! Addresses of certificates, by every way into the function.

use std::collections::BTreeSet;

use attacks::{Key, PUBLISHED_URL, url_cases};
use http::HeaderValue;
use tests::WAYS;

use crate::place::{Place, by_way, callback, fraud, request, signed};

#[tokio::test]
async fn every_address_of_the_table_has_its_outcome_and_no_other_is_ever_asked() {
    let place = Place::new().await;
    let (function, shelf) = place.usual();
    let body = fraud(place.now(), 0);
    let signature = Key::named("signing-2048").sign(&body);
    let mut reached = 0;
    for case in url_cases() {
        let row = format!("{}: {:?}", case.class, case.url);
        let sent = callback(signed(&signature, &case.url), &body);
        let expected = case.in_header.as_ref().unwrap_or(&case.expected).as_str();
        let mut requests: Vec<_> = WAYS.into_iter().filter_map(|way| by_way(way, &sent)).collect();
        if expected == "no header" {
            assert!(HeaderValue::from_bytes(case.url.as_bytes()).is_err(), "{row}");
            assert_eq!(requests.len(), 0, "{row}");
        } else {
            assert_eq!(requests.len(), WAYS.len(), "{row}");
            requests.push(request(&sent));
        }
        for request in requests {
            if expected == "accepted" {
                shelf.put(&case.url, Ok(shelf_certificate(&place)));
            }
            let told = place.tell(&function, request).await;
            let (reason, status) = told.outcome();
            assert_eq!(Some(status), case.status, "{row}: {reason}");
            let as_expected =
                if expected == "accepted" { ["kept", "duplicate"].contains(&reason) } else { reason == expected };
            assert!(as_expected, "{row}: {reason}");
            place.advance(1);
            reached += 1;
        }
    }
    assert!(reached > 1_000, "{reached}");
    let accepted: BTreeSet<String> =
        url_cases().into_iter().filter(|case| case.expected == "accepted").map(|case| case.url).collect();
    assert!(accepted.contains(PUBLISHED_URL));
    assert_eq!(shelf.asked().into_iter().collect::<BTreeSet<_>>(), accepted);
    assert_eq!(shelf.asked().len(), accepted.len(), "each is fetched once");
    assert_eq!(place.events().await.len(), 1);
    assert_eq!(place.wire.count("SendMessage"), 1);
}

fn shelf_certificate(place: &Place) -> Vec<u8> {
    attacks::Certificate::of_key("signing-2048").issue(place.now()).published
}
