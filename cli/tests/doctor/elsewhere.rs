//! What is not ours: Microsoft's certificate, and the time.

use std::fs;

use insta::assert_snapshot;
use jiff::SignedDuration;
use simulator::{Fault, FaultKind, Target};

use crate::support::{Cases, Here};

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_would_not_be_believed_is_a_problem_and_its_issuer_is_named() {
    let mut cases = Cases::default();
    let mut here = Here::well().await;
    let simulator = here.test.system.simulator().clone();
    for (case, kind) in
        [("missing", FaultKind::CertificateMissing), ("a page of the host's", FaultKind::CertificateHtml)]
    {
        simulator.set_fault(Fault::new(Target::Certificate, kind)).unwrap();
        cases.add(case, &here.seen().await);
        simulator.clear_faults();
    }
    // Anchors of somebody else's in place of the simulator's; its issuers are none that help then.
    let bundled = here.test.folder().join("anchors.pem");
    fs::write(&bundled, callback::BUNDLED_TRUST_ANCHORS_PEM).unwrap();
    let anchors = here.environment.insert("SIGNATURE_TRUST_ANCHORS_FILE".to_owned(), bundled.display().to_string());
    cases.add("no path to a trust anchor", &here.seen().await);
    here.environment.insert("SIGNATURE_TRUST_ANCHORS_FILE".to_owned(), anchors.unwrap());

    let none = here.test.folder().join("intermediates.pem");
    fs::write(&none, callback::BUNDLED_INTERMEDIATES_PEM).unwrap();
    here.environment.insert("SIGNATURE_INTERMEDIATES_FILE".to_owned(), none.display().to_string());
    let found = here.done(&["doctor"]).await;
    assert!(found.contains("with an issuer from https://127.0.0.1:"), "{found}");
    simulator.set_fault(Fault::new(Target::Issuer, FaultKind::CertificateMissing)).unwrap();
    cases.add("the issuer is not where the certificate says", &here.seen().await);

    here.environment.insert("CERTIFICATE_ISSUER_HOSTS".to_owned(), "issuers.example".to_owned());
    cases.add("the issuer's host is none of ours", &here.seen().await);

    here.environment.insert("CERTIFICATE_LOCATIONS".to_owned(), "https://127.0.0.1:9/cert/".to_owned());
    let seen = here.seen().await;
    assert!(seen.starts_with("unknown: certificates, https://127.0.0.1:"), "{seen}");
    here.environment.insert("CERTIFICATE_LOCATIONS".to_owned(), "nowhere".to_owned());
    cases.add("a location that is none", &here.seen().await);
    assert_snapshot!("certificates", cases.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off_is_said_with_how_much() {
    let here = Here::well().await;
    for (minutes, state, words) in [(2, "warning", "behind"), (10, "problem", "behind"), (-10, "problem", "ahead")] {
        here.test.system.account().date_ahead(SignedDuration::from_mins(minutes));
        let seen = here.seen().await;
        let expected = format!("{state}: clock, against AWS: this machine is ");
        assert!(seen.starts_with(&expected) && seen.contains(words), "{seen}");
    }
}
