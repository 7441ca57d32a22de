//! Headers, by every way into the function.

use attacks::{Certificate, Fill, Key, PUBLISHED_URL, header_cases};
use tests::WAYS;

use crate::place::{Place, by_way, callback, fraud};

#[tokio::test]
async fn every_header_of_the_table_has_its_outcome_whichever_way_it_comes() {
    let place = Place::new().await;
    let key = Key::named("signing-2048");
    let issued = Certificate::of_key("signing-2048").issue(place.now());
    let mut mark = 0;
    for case in header_cases() {
        for way in WAYS {
            mark += 1;
            let (function, shelf) = place.function(&issued);
            let body = fraud(place.now(), mark);
            let fill = Fill::new(&key, &body, PUBLISHED_URL);
            let row = format!("{}, {:?}, {way:?}", case.why, case.set);
            let request = by_way(way, &callback(case.sent(&fill), &body)).unwrap();
            let usual = (if case.expected == "accepted" { "kept" } else { &case.expected }, case.status);
            let behind_rest = case.rest.as_ref().map(|(reason, status)| (reason.as_str(), *status));
            let expected = if way.rest { behind_rest.unwrap_or(usual) } else { usual };

            let told = place.tell(&function, request).await;

            assert_eq!(told.outcome(), expected, "{row}");
            // Only what has the shape of a callback is worth a certificate.
            let worth = ["kept", "signature-mismatch", "signature-not-of-key-size"].contains(&expected.0);
            assert_eq!(shelf.asked().len(), usize::from(worth), "{row}");
        }
    }
    assert!(mark > 500, "{mark}");
}
