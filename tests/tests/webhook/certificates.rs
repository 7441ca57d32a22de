//! Certificates over the network, and many requests at once. What follows one after the other is in `threats`' scenarios.

use bytes::Bytes;
use http::{HeaderValue, Request};
use signers::FetchError;
use simulator::{FaultKind, Forgery};
use webhook::{Outcome, Undecided};

use crate::support::{Fixture, told};

const MINUTE: i64 = 60;
const KEPT: (&str, u16) = ("kept", 200);
const MISMATCH: (&str, u16) = ("signature-mismatch", 401);
const NOT_FETCHED: (&str, u16) = ("certificate-not-fetched", 503);
const OVER_BUDGET: (&str, u16) = ("certificate-fetch-budget", 503);

/// The same callback with a certificate of another name at the same place.
fn naming(request: &Request<Bytes>, name: &str) -> Request<Bytes> {
    let mut other = request.clone();
    let url = other.headers()["x-ms-certificate-url"].to_str().unwrap();
    let url = format!("{}/{name}.cer", &url[..url.rfind('/').unwrap()]);
    other.headers_mut().insert("x-ms-certificate-url", HeaderValue::from_str(&url).unwrap());
    other
}

async fn warm() -> Fixture {
    let here = Fixture::new().await;
    assert_eq!(here.told(&here.genuine(&here.fraud_body(1_000_000))).await, KEPT);
    assert_eq!(here.downloads(), 1);
    here
}

/// Why no certificate was had, on a first request.
async fn failure(here: &Fixture) -> FetchError {
    let outcome = here.receive(&here.genuine(&here.fraud_body(0))).await;
    assert_eq!(told(&outcome), NOT_FETCHED);
    let Outcome::Undecided { why: Undecided::Certificate(error), tenant } = outcome else { panic!("{outcome:?}") };
    assert_eq!(tenant, Some(here.tenant()));
    assert_eq!(here.downloads(), 1);
    assert_eq!(here.events().await, []);
    assert_eq!(here.wire.operations(), ["Query"]);
    error
}

#[tokio::test]
async fn a_download_that_breaks_off_is_503() {
    let here = Fixture::new().await;
    here.fault(FaultKind::Reset);
    assert!(matches!(failure(&here).await, FetchError::NoAnswer(_)));
}

#[tokio::test]
async fn a_download_that_takes_too_long_is_503() {
    let here = Fixture::with(&[("CERTIFICATE_TIMEOUT_SECONDS", "1")]).await;
    here.fault(FaultKind::Slow { milliseconds: 60_000 });
    assert!(matches!(failure(&here).await, FetchError::NoAnswer(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_first_requests_make_one_download() {
    let here = Fixture::new().await;
    let requests: Vec<_> = (0..64).map(|mark| here.genuine(&here.fraud_body(mark))).collect();
    assert_eq!(here.told_of_all(requests).await, [(KEPT, 64)].into());
    assert_eq!(here.downloads(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_first_requests_to_a_host_that_fails_make_one_download() {
    let here = Fixture::new().await;
    here.fault(FaultKind::CertificateMissing);
    let requests: Vec<_> = (0..64).map(|mark| here.genuine(&here.fraud_body(mark))).collect();
    assert_eq!(here.told_of_all(requests).await, [(NOT_FETCHED, 64)].into());
    assert_eq!(here.downloads(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_requests_after_a_renewal_make_one_more_download() {
    let here = warm().await;
    here.simulator().rotate_certificate().unwrap();
    here.advance(MINUTE);
    let requests: Vec<_> = (0..64).map(|mark| here.genuine(&here.fraud_body(mark))).collect();
    assert_eq!(here.told_of_all(requests).await, [(KEPT, 64)].into());
    assert_eq!(here.downloads(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn forgeries_make_at_most_one_download_a_minute() {
    let here = warm().await;
    let forged: Vec<_> = (0..100).map(|mark| here.forged(&here.fraud_body(mark), Forgery::Key)).collect();
    assert_eq!(here.told_of_all(forged.clone()).await, [(MISMATCH, 100)].into());
    assert_eq!(here.downloads(), 1, "it was fetched less than a minute ago");
    for minute in 2..4 {
        here.advance(MINUTE - 1);
        assert_eq!(here.told_of_all(forged.clone()).await, [(MISMATCH, 100)].into());
        assert_eq!(here.downloads(), minute - 1);
        here.advance(1);
        assert_eq!(here.told_of_all(forged.clone()).await, [(MISMATCH, 100)].into());
        assert_eq!(here.downloads(), minute);
    }
}

#[tokio::test]
async fn ten_thousand_names_make_five_downloads_at_once() {
    let here = Fixture::new().await;
    let request = here.genuine(&here.fraud_body(0));
    let mut all = std::collections::HashMap::new();
    for number in 0..10_000 {
        *all.entry(here.told(&naming(&request, &format!("x{number}"))).await).or_default() += 1;
    }
    assert_eq!(all, [(NOT_FETCHED, 5), (OVER_BUDGET, 9_995)].into());
    assert_eq!(here.downloads(), 5);
    here.advance(1);
    assert_eq!(here.told(&naming(&request, "y")).await, NOT_FETCHED);
    assert_eq!(here.told(&naming(&request, "z")).await, OVER_BUDGET);
    assert_eq!(here.downloads(), 6);
}

#[tokio::test]
async fn many_names_do_not_push_out_the_good_certificate() {
    let here = warm().await;
    let request = here.genuine(&here.fraud_body(0));
    for number in 0..100 {
        here.advance(1);
        assert_eq!(here.told(&naming(&request, &format!("x{number}"))).await, NOT_FETCHED);
    }
    assert_eq!(here.downloads(), 101);
    assert_eq!(here.told(&request).await, KEPT);
    assert_eq!(here.downloads(), 101);
}

#[tokio::test]
async fn after_many_names_the_latest_failure_and_a_new_good_certificate_are_remembered() {
    let here = Fixture::new().await;
    let request = here.genuine(&here.fraud_body(0));
    for number in 0..100 {
        here.advance(1);
        let named = naming(&request, &format!("x{number}"));
        for _ in 0..2 {
            assert_eq!(here.told(&named).await, NOT_FETCHED);
        }
    }
    assert_eq!(here.downloads(), 100);
    for expected in [KEPT, ("duplicate", 200)] {
        here.advance(1);
        assert_eq!(here.told(&request).await, expected);
    }
    assert_eq!(here.downloads(), 101);
}
