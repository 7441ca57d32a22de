//! Which certificates may sign callbacks. The table is `tests/data/certificates.json`; its chains are made as it says, so only what
//! a row names can be the reason.

use attacks::certificate_cases;
use callback::{BUNDLED_TRUST_ANCHORS_PEM, Policy, Refusal, SigningCertificate};

use crate::support::{default_locations, default_names, now};

/// What a refusal says beside its reason.
fn detail(outcome: &Result<SigningCertificate, Refusal>) -> Option<&'static str> {
    match outcome {
        Err(Refusal::CertificateChain { detail } | Refusal::CertificateKey { detail }) => Some(detail),
        _ => None,
    }
}

#[test]
fn certificates_are_judged_as_the_table_says() {
    let mut wrong = Vec::new();
    for case in certificate_cases() {
        let issued = case.certificate.issue(now());
        let anchors = issued.anchors.as_deref().unwrap_or(BUNDLED_TRUST_ANCHORS_PEM);
        let policy = Policy::new(default_locations(), default_names(), anchors, &issued.issuers).unwrap();
        let outcome = policy.check_certificate(&issued.published, now());
        let verdict = (outcome.as_ref().map_or_else(Refusal::code, |_| "accepted"), detail(&outcome));
        if verdict != (case.expected.as_str(), case.detail.as_deref()) {
            wrong.push(format!("{}, {}: {verdict:?}", case.threat, case.why));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
