//! A signing certificate whose issuer is not bundled: it is fetched from where the certificate says, on hosts of ours alone.

use simulator::{Fault, FaultKind, Forgery, RetryAfter, Target};
use tempfile::NamedTempFile;

use crate::support::Fixture;

const KEPT: (&str, u16) = ("kept", 200);
const NO_PATH: (&str, u16) = ("certificate-chain", 401);
const NOT_FETCHED: (&str, u16) = ("issuer-not-fetched", 503);
const FAILURE_SECONDS: i64 = 10;
const MINUTE: i64 = 60;
const DAY: i64 = 24 * 3600;

/// A webhook that has the root and nothing between.
async fn without_issuer() -> Fixture {
    without_issuer_and(&[]).await
}

async fn without_issuer_and(variables: &[(&'static str, &str)]) -> Fixture {
    let nothing = NamedTempFile::new().unwrap();
    let file = [("SIGNATURE_INTERMEDIATES_FILE", nothing.path().to_str().unwrap())];
    Fixture::with(&[&file, variables].concat()).await
}

fn issuer_fault(here: &Fixture, kind: FaultKind) {
    here.simulator().set_fault(Fault::new(Target::Issuer, kind)).unwrap();
}

/// Downloads of certificates and of issuers so far.
fn downloads(here: &Fixture) -> (u64, u64) {
    let requests = here.simulator().requests();
    (requests.certificate, requests.issuer)
}

#[tokio::test]
async fn an_issuer_that_is_bundled_is_not_asked_for() {
    let here = Fixture::new().await;
    assert_eq!(here.told(&here.genuine(&here.fraud_body(0))).await, KEPT);
    assert_eq!(downloads(&here), (1, 0));
}

#[tokio::test]
async fn an_issuer_that_is_missing_is_fetched_once_and_kept() {
    let here = without_issuer().await;
    for mark in 0..10 {
        assert_eq!(here.told(&here.genuine(&here.fraud_body(mark))).await, KEPT);
    }
    assert_eq!(downloads(&here), (1, 1));

    here.simulator().rotate_certificate().unwrap();
    here.advance(MINUTE);
    assert_eq!(here.told(&here.genuine(&here.fraud_body(10))).await, KEPT);
    assert_eq!(downloads(&here), (2, 1), "the renewed certificate has the same issuer");

    here.advance(DAY);
    assert_eq!(here.told(&here.genuine(&here.fraud_body(11))).await, KEPT);
    assert_eq!(downloads(&here), (3, 2), "nothing is kept for longer than a day");
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_first_requests_fetch_certificate_and_issuer_once() {
    let here = without_issuer().await;
    let requests: Vec<_> = (0..64).map(|mark| here.genuine(&here.fraud_body(mark))).collect();
    assert_eq!(here.told_of_all(requests).await, [(KEPT, 64)].into());
    assert_eq!(downloads(&here), (1, 1));
}

#[tokio::test]
async fn a_host_that_is_not_listed_gets_no_request() {
    for hosts in ["www.microsoft.com", "localhost:443", "127.0.0.1", "127.0.0.1:443"] {
        let here = without_issuer_and(&[("CERTIFICATE_ISSUER_HOSTS", hosts)]).await;
        assert_eq!(here.told(&here.genuine(&here.fraud_body(0))).await, NO_PATH, "{hosts}");
        assert_eq!(downloads(&here), (1, 0), "{hosts}");
        assert_eq!(here.wire.operations(), ["Query"]);
    }
}

#[tokio::test]
async fn where_an_issuer_can_not_be_fetched_we_can_not_decide() {
    for kind in [
        FaultKind::CertificateMissing,
        FaultKind::CertificateOversize,
        FaultKind::CertificateRedirect,
        FaultKind::Fail { status: 500 },
        FaultKind::Reset,
        FaultKind::Throttle { retry_after: RetryAfter::Absent },
    ] {
        let here = without_issuer().await;
        issuer_fault(&here, kind);
        for _ in 0..10 {
            assert_eq!(here.told(&here.genuine(&here.fraud_body(0))).await, NOT_FETCHED, "{kind:?}");
        }
        assert_eq!(downloads(&here), (1, 1), "{kind:?}: the failure is remembered");
        assert_eq!(here.wire.operations(), ["Query"]);
        here.simulator().clear_faults();
        here.advance(FAILURE_SECONDS);
        assert_eq!(here.told(&here.genuine(&here.fraud_body(0))).await, KEPT, "{kind:?}: nothing bad has been kept");
        assert_eq!(downloads(&here), (2, 2));
    }
}

#[tokio::test]
async fn an_issuer_that_takes_too_long_is_given_up() {
    let here = without_issuer_and(&[("CERTIFICATE_TIMEOUT_SECONDS", "1")]).await;
    issuer_fault(&here, FaultKind::Slow { milliseconds: 60_000 });
    assert_eq!(here.told(&here.genuine(&here.fraud_body(0))).await, NOT_FETCHED);
}

#[tokio::test]
async fn a_page_in_place_of_the_issuer_leads_nowhere_and_is_not_kept() {
    let here = without_issuer().await;
    issuer_fault(&here, FaultKind::CertificateHtml);
    assert_eq!(here.told(&here.genuine(&here.fraud_body(0))).await, NO_PATH);
    assert_eq!(downloads(&here), (1, 1));
    here.simulator().clear_faults();
    here.advance(FAILURE_SECONDS);
    assert_eq!(here.told(&here.genuine(&here.fraud_body(0))).await, KEPT);
    assert_eq!(downloads(&here), (2, 2));
}

#[tokio::test]
async fn while_a_renewed_certificates_issuer_can_not_be_had_a_mismatch_is_not_decided() {
    let here = without_issuer().await;
    assert_eq!(here.told(&here.genuine(&here.fraud_body(0))).await, KEPT);
    here.advance(DAY / 2);
    here.simulator().rotate_certificate().unwrap();
    assert_eq!(here.told(&here.genuine(&here.fraud_body(1))).await, KEPT);
    assert_eq!(downloads(&here), (2, 1));

    // The certificate is kept for half a day more, its issuer is not.
    here.advance(DAY / 2);
    here.simulator().rotate_certificate().unwrap();
    issuer_fault(&here, FaultKind::CertificateMissing);
    let of_the_new_key = here.genuine(&here.fraud_body(2));
    for _ in 0..10 {
        assert_eq!(here.told(&of_the_new_key).await, NOT_FETCHED);
    }
    assert_eq!(downloads(&here), (3, 2));
    here.simulator().clear_faults();
    here.advance(MINUTE);
    assert_eq!(here.told(&of_the_new_key).await, KEPT);
    assert_eq!(downloads(&here), (4, 3));
}

#[tokio::test]
async fn a_forgery_does_not_cost_an_issuer() {
    let here = without_issuer().await;
    for mark in 0..10 {
        let forged = here.forged(&here.fraud_body(mark), Forgery::Key);
        assert_eq!(here.told(&forged).await, ("signature-mismatch", 401));
        here.advance(MINUTE);
    }
    let (certificates, issuers) = downloads(&here);
    assert!(certificates <= 10, "a renewed certificate is looked for once a minute: {certificates}");
    assert_eq!(issuers, 1);
}
