//! Certificates that a callback may name, genuine but for what the table says.

use attacks::{Key, PUBLISHED_URL, certificate_cases};

use crate::place::{Place, callback, fraud, request, signed};

#[tokio::test]
async fn every_certificate_of_the_table_has_its_outcome_and_costs_one_download() {
    let place = Place::new().await;
    let mut wrong = Vec::new();
    let mut taken = 0;
    for (mark, case) in certificate_cases().into_iter().enumerate() {
        let issued = case.certificate.issue(place.now());
        let (function, shelf) = place.function(&issued);
        let body = fraud(place.now(), mark);
        let callback = callback(signed(&Key::named(&issued.key).sign(&body), PUBLISHED_URL), &body);

        let told = place.tell(&function, request(&callback)).await;

        let reason = if case.expected == "accepted" { "kept" } else { &case.expected };
        let expected = (case.in_callback.as_deref().unwrap_or(reason), case.status);
        if told.outcome() != expected {
            wrong.push(format!("{}, {}: {:?}", case.threat, case.why, told.outcome()));
        }
        if let Some(detail) = &case.detail {
            assert!(
                told.line["error"].as_str().unwrap().ends_with(&format!(": {detail}")),
                "{}: {}",
                case.why,
                told.line
            );
        }
        assert_eq!(shelf.asked(), [PUBLISHED_URL], "{}, {}", case.threat, case.why);
        taken += usize::from(case.status == 200);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(place.events().await.len(), taken);
    assert_eq!(place.wire.count("SendMessage"), taken);
}
