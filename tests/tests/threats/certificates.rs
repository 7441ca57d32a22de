//! Certificates that a callback may name, genuine but for what the tables say.

use attacks::{CertificateCase, Key, PUBLISHED_URL, certificate_cases, table};

use crate::place::{Place, callback, fraud, request, signed};

/// Certificates whose issuers lie somewhere else.
pub(crate) fn issuer_cases() -> Vec<CertificateCase> {
    table("tests/tests/data/threats/issuers.json")
}

#[tokio::test]
async fn every_certificate_of_the_table_has_its_outcome_and_costs_one_download() {
    assert_outcomes(certificate_cases()).await;
}

#[tokio::test]
async fn issuers_are_looked_for_as_the_table_says_and_nowhere_else() {
    assert_outcomes(issuer_cases()).await;
}

async fn assert_outcomes(cases: Vec<CertificateCase>) {
    let place = Place::new().await;
    let mut wrong = Vec::new();
    let mut taken = 0;
    for (mark, case) in cases.into_iter().enumerate() {
        let issued = case.certificate.issue(place.now());
        let (function, shelf) = place.function(&issued);
        let body = fraud(place.now(), mark);
        let callback = callback(signed(&Key::named(&issued.key).sign(&body), PUBLISHED_URL), &body);

        let told = place.tell(&function, request(&callback)).await;

        let row = format!("{}, {}", case.threat, case.why);
        let reason = if case.expected == "accepted" { "kept" } else { &case.expected };
        let expected = (case.in_callback.as_deref().unwrap_or(reason), case.status);
        if told.outcome() != expected {
            wrong.push(format!("{row}: {:?}", told.outcome()));
        }
        let error = told.line["error"].as_str().unwrap_or_default();
        if case.detail.is_some_and(|detail| !error.ends_with(&format!(": {detail}"))) {
            wrong.push(format!("{row}: {error}"));
        }
        let asked = shelf.asked();
        if asked[0] != PUBLISHED_URL || asked[1..] != case.asked {
            wrong.push(format!("{row}: asked for {asked:?}"));
        }
        taken += usize::from(case.status == 200);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(place.events().await.len(), taken);
    assert_eq!(place.wire.count("SendMessage"), taken);
}
