//! For how long a chain holds. Which chains hold is in `tests/data/certificates.json`.

use callback::UnverifiedCallback;
use rcgen::{CertificateParams, date_time_ymd};

use crate::support::authority::{Authority, Leaf, intermediate_params, root_params};
use crate::support::signing::SignatureKey;
use crate::support::{BODY, at, code, headers, now};

#[test]
fn validity_ends_with_the_second_it_names_and_has_no_grace() {
    let authority = Authority::new();
    let der = authority.issue(&Leaf::valid());
    for (time, expected) in [
        ("1969-12-31T23:59:59Z", "certificate-not-yet-valid"),
        ("2026-05-31T23:50:00Z", "certificate-not-yet-valid"),
        ("2026-05-31T23:59:59Z", "certificate-not-yet-valid"),
        ("2026-06-01T00:00:00Z", "accepted"),
        ("2027-06-01T00:00:00Z", "accepted"),
        ("2027-06-01T00:00:01Z", "certificate-expired"),
        ("2027-06-01T00:10:00Z", "certificate-expired"),
    ] {
        assert_eq!(code(authority.policy().check_certificate(&der, at(time))), expected, "{time}");
    }
}

#[test]
fn a_verdict_is_not_believed_outside_its_validity() {
    let authority = Authority::new();
    let policy = authority.policy();
    let certificate = policy.check_certificate(&authority.issue(&Leaf::valid()), now()).unwrap();
    let signature = SignatureKey::new("signing-2048").sign_base64(BODY);
    let callback = UnverifiedCallback::read(&headers(&signature), BODY, &policy).unwrap();
    for (time, expected) in [
        ("2026-05-31T23:59:59Z", "certificate-not-yet-valid"),
        ("2026-06-01T00:00:00Z", "accepted"),
        ("2027-06-01T00:00:00Z", "accepted"),
        ("2027-06-01T00:00:01Z", "certificate-expired"),
    ] {
        assert_eq!(code(callback.verify(&certificate, at(time))), expected, "{time}");
    }
}

#[test]
fn a_verdict_outlives_no_certificate_of_its_path() {
    let mut short_root = root_params();
    short_root.not_after = date_time_ymd(2026, 12, 1);
    let mut short_intermediate = intermediate_params();
    short_intermediate.not_after = date_time_ymd(2026, 12, 1);
    for authority in [
        Authority::with(short_root, "root", intermediate_params()),
        Authority::with(root_params(), "root", short_intermediate),
    ] {
        let policy = authority.policy();
        let certificate = policy.check_certificate(&authority.issue(&Leaf::valid()), now()).unwrap();
        assert_eq!(certificate.valid_until(), at("2026-12-01T00:00:00Z"));
        let signature = SignatureKey::new("signing-2048").sign_base64(BODY);
        let callback = UnverifiedCallback::read(&headers(&signature), BODY, &policy).unwrap();
        assert_eq!(code(callback.verify(&certificate, at("2026-12-01T00:00:01Z"))), "certificate-expired");
    }
}

#[test]
fn a_certificate_without_an_end_is_valid_until_the_end_of_time() {
    let end_of_time = |mut params: CertificateParams| {
        params.not_after = date_time_ymd(9999, 12, 31);
        params
    };
    let authority = Authority::with(end_of_time(root_params()), "root", end_of_time(intermediate_params()));
    let leaf = Leaf { params: end_of_time(Leaf::valid().params), ..Leaf::valid() };
    let certificate = authority.policy().check_certificate(&authority.issue(&leaf), now()).unwrap();
    assert_eq!(certificate.valid_until(), jiff::Timestamp::MAX);
}
