//! Certificates: how often they are fetched, how long they are kept, and what a failure does.

use bytes::Bytes;
use http::{HeaderValue, Request};
use simulator::{FaultKind, Forgery, RetryAfter};
use webhook::{FetchError, Outcome, Undecided};

use crate::support::{Fixture, told};

/// How long a failure is remembered.
const FAILURE_SECONDS: i64 = 10;
const MINUTE: i64 = 60;
const DAY: i64 = 24 * 3600;
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
async fn a_certificate_that_is_missing_is_503() {
    let here = Fixture::new().await;
    here.fault(FaultKind::CertificateMissing);
    assert!(matches!(failure(&here).await, FetchError::Status(404)));
}

#[tokio::test]
async fn a_host_of_certificates_that_fails_is_503() {
    let here = Fixture::new().await;
    here.fault(FaultKind::Fail { status: 500 });
    assert!(matches!(failure(&here).await, FetchError::Status(500)));
}

#[tokio::test]
async fn a_host_of_certificates_that_is_busy_is_503() {
    let here = Fixture::new().await;
    here.fault(FaultKind::Throttle { retry_after: RetryAfter::Seconds(3600) });
    assert!(matches!(failure(&here).await, FetchError::Status(429)));
}

#[tokio::test]
async fn more_bytes_than_a_certificate_has_are_503() {
    let here = Fixture::new().await;
    here.fault(FaultKind::CertificateOversize);
    assert!(matches!(failure(&here).await, FetchError::TooLarge));
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

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let here = Fixture::new().await;
    here.fault(FaultKind::CertificateRedirect);
    // Where it leads, the certificate is.
    assert!(matches!(failure(&here).await, FetchError::Status(302)));
}

#[tokio::test]
async fn a_failure_is_remembered_for_a_moment_and_then_looked_at_again() {
    let here = Fixture::new().await;
    let request = here.genuine(&here.fraud_body(0));
    here.fault(FaultKind::CertificateMissing);
    assert_eq!(here.told(&request).await, NOT_FETCHED);
    here.simulator().clear_faults();
    here.advance(FAILURE_SECONDS - 1);
    assert_eq!(here.told(&request).await, NOT_FETCHED);
    assert_eq!(here.downloads(), 1);
    here.advance(1);
    assert_eq!(here.told(&request).await, KEPT);
    assert_eq!(here.downloads(), 2);
}

#[tokio::test]
async fn a_clock_that_was_set_back_does_not_prolong_a_failure() {
    let here = Fixture::new().await;
    let request = here.genuine(&here.fraud_body(0));
    here.fault(FaultKind::CertificateMissing);
    assert_eq!(here.told(&request).await, NOT_FETCHED);
    here.simulator().clear_faults();
    here.advance(-3600);
    assert_eq!(here.told(&request).await, OVER_BUDGET);
    // The event itself is from the future then: it has got past its signature.
    here.advance(1);
    assert_eq!(here.told(&request).await, ("out-of-time", 401));
    assert_eq!(here.downloads(), 2);
}

#[tokio::test]
async fn what_is_no_certificate_is_remembered_for_a_moment_only() {
    let here = Fixture::new().await;
    let request = here.genuine(&here.fraud_body(0));
    here.fault(FaultKind::CertificateHtml);
    for _ in 0..10 {
        assert_eq!(here.told(&request).await, ("certificate-unreadable", 401));
    }
    assert_eq!(here.downloads(), 1);
    here.simulator().clear_faults();
    here.advance(FAILURE_SECONDS);
    assert_eq!(here.told(&request).await, KEPT);
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

#[tokio::test]
async fn with_a_certificate_at_hand_a_host_that_is_down_does_not_matter() {
    let here = warm().await;
    for (mark, fault) in [
        FaultKind::CertificateHtml,
        FaultKind::CertificateMissing,
        FaultKind::CertificateOversize,
        FaultKind::Fail { status: 503 },
        FaultKind::Reset,
    ]
    .into_iter()
    .enumerate()
    {
        here.simulator().clear_faults();
        here.fault(fault);
        here.advance(3600);
        assert_eq!(here.told(&here.genuine(&here.fraud_body(mark))).await, KEPT, "{fault:?}");
    }
    assert_eq!(here.downloads(), 1);
}

#[tokio::test]
async fn a_certificate_is_kept_for_a_day_and_then_fetched_again() {
    let here = warm().await;
    here.advance(DAY - 1);
    assert_eq!(here.told(&here.genuine(&here.fraud_body(0))).await, KEPT);
    assert_eq!(here.downloads(), 1);
    here.advance(1);
    assert_eq!(here.told(&here.genuine(&here.fraud_body(1))).await, KEPT);
    assert_eq!(here.downloads(), 2);
}

#[tokio::test]
async fn a_renewed_certificate_at_the_same_address_is_found_by_one_more_download() {
    let here = warm().await;
    here.simulator().rotate_certificate().unwrap();
    here.advance(MINUTE);
    for mark in 0..10 {
        assert_eq!(here.told(&here.genuine(&here.fraud_body(mark))).await, KEPT);
    }
    assert_eq!(here.downloads(), 2);
}

#[tokio::test]
async fn what_the_key_of_before_signed_is_still_good_when_it_is_tried_again_until_its_verdict_is_a_day_old() {
    let here = warm().await;
    let of_before = [1, 2, 3, 6].map(|mark| here.genuine(&here.fraud_body(mark)));
    here.simulator().rotate_certificate().unwrap();
    here.advance(MINUTE);
    assert_eq!(here.told(&of_before[0]).await, KEPT, "nobody knows of the renewal yet");
    let of_now = here.genuine(&here.fraud_body(4));
    assert_eq!(here.told(&of_now).await, KEPT);
    assert_eq!(here.told(&of_before[1]).await, KEPT);
    let forged = here.forged(&here.fraud_body(5), Forgery::Key);
    assert_eq!(here.told(&forged).await, MISMATCH, "neither key signed it");
    assert_eq!(here.downloads(), 2);
    here.advance((24 * 60 - 2) * MINUTE);
    assert_eq!(here.told(&of_before[2]).await, KEPT, "a minute before it is a day old");
    here.advance(MINUTE);
    assert_eq!(here.told(&of_before[3]).await, MISMATCH);
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
async fn a_bad_certificate_at_the_address_does_not_push_out_the_good_one() {
    let here = warm().await;
    here.fault(FaultKind::CertificateHtml);
    here.advance(MINUTE);
    assert_eq!(here.told(&here.forged(&here.fraud_body(0), Forgery::Key)).await, MISMATCH);
    assert_eq!(here.downloads(), 2, "the forgery had it looked for");
    assert_eq!(here.told(&here.genuine(&here.fraud_body(0))).await, KEPT);
    assert_eq!(here.downloads(), 2);
}

#[tokio::test]
async fn a_host_that_is_down_does_not_push_out_the_good_certificate() {
    let here = warm().await;
    here.fault(FaultKind::CertificateMissing);
    here.advance(MINUTE);
    here.told(&here.forged(&here.fraud_body(0), Forgery::Key)).await;
    assert_eq!(here.downloads(), 2, "the forgery had it looked for");
    assert_eq!(here.told(&here.genuine(&here.fraud_body(0))).await, KEPT);
    assert_eq!(here.downloads(), 2);
}

#[tokio::test]
async fn a_renewal_that_can_t_be_seen_is_503_until_it_can() {
    let here = warm().await;
    here.simulator().rotate_certificate().unwrap();
    here.fault(FaultKind::CertificateMissing);
    here.advance(MINUTE);
    let request = here.genuine(&here.fraud_body(0));
    for _ in 0..3 {
        assert_eq!(here.told(&request).await, NOT_FETCHED);
        here.advance(1);
    }
    assert_eq!(here.downloads(), 2);
    here.simulator().clear_faults();
    here.advance(MINUTE);
    assert_eq!(here.told(&request).await, KEPT);
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

#[tokio::test]
async fn a_spent_budget_is_503_and_passes() {
    let here = Fixture::new().await;
    let request = here.genuine(&here.fraud_body(0));
    for number in 0..5 {
        here.told(&naming(&request, &format!("x{number}"))).await;
    }
    assert_eq!(here.told(&request).await, OVER_BUDGET);
    here.advance(1);
    assert_eq!(here.told(&request).await, KEPT);
}

#[tokio::test]
async fn a_budget_that_made_up_names_spent_puts_off_no_renewal() {
    let here = warm().await;
    here.simulator().rotate_certificate().unwrap();
    here.advance(MINUTE);
    let request = here.genuine(&here.fraud_body(0));
    for number in 0..5 {
        assert_eq!(here.told(&naming(&request, &format!("x{number}"))).await, NOT_FETCHED);
    }
    assert_eq!(here.told(&naming(&request, "y")).await, OVER_BUDGET);
    assert_eq!(here.told(&request).await, KEPT);
}

#[tokio::test]
async fn a_budget_that_made_up_names_spent_does_not_keep_a_day_old_certificate_from_being_fetched_again() {
    let here = warm().await;
    here.advance(DAY);
    let request = here.genuine(&here.fraud_body(0));
    for number in 0..5 {
        assert_eq!(here.told(&naming(&request, &format!("x{number}"))).await, NOT_FETCHED);
    }
    assert_eq!(here.told(&naming(&request, "y")).await, OVER_BUDGET);
    assert_eq!(here.told(&request).await, KEPT);
}

#[tokio::test]
async fn a_certificate_of_another_name_that_is_there_is_judged_alone() {
    let here = warm().await;
    let request = here.genuine(&here.fraud_body(0));
    // Genuine, but its address names a certificate that is not there.
    assert_eq!(here.told(&naming(&request, "pcnotifications")).await, NOT_FETCHED);
    assert_eq!(here.told(&request).await, KEPT);
}
