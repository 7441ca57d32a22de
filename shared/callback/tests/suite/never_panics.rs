//! Whatever strangers send: no panic, and no proof.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use callback::{CertificateLocation, Policy, UnverifiedCallback};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof};
use proptest::sample::Index;
use proptest::{prop_assert, prop_assert_eq, proptest};

use crate::support::authority::{Authority, Leaf};
use crate::support::{BODY, URL, World, code, headers, now};

static WORLD: LazyLock<World> = LazyLock::new(World::new);
static SIGNATURE: LazyLock<Vec<u8>> = LazyLock::new(|| WORLD.key.sign(BODY));
static CERTIFICATE: LazyLock<(Policy, Vec<u8>)> = LazyLock::new(|| {
    let authority = Authority::new();
    (authority.policy(), authority.issue(&Leaf::valid()))
});

/// Header values as they could be met: anything, or pieces of valid ones.
fn header_value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..80),
        Just(b"rsa-sha256".to_vec()),
        Just(URL.as_bytes().to_vec()),
        Just(format!("Signature {}", STANDARD.encode(vec![1; 256])).into_bytes()),
        vec(any::<u8>(), 250..520).prop_map(|bytes| format!("Signature {}", STANDARD.encode(bytes)).into_bytes()),
    ]
}

fn header_name() -> impl Strategy<Value = HeaderName> {
    proptest::sample::select(vec![
        "authorization",
        "content-encoding",
        "x-ms-certificate-url",
        "x-ms-signature",
        "x-ms-signature-algorithm",
    ])
    .prop_map(HeaderName::from_static)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_headers_never_verify(lines in vec((header_name(), header_value()), 0..7), body in vec(any::<u8>(), 0..64)) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.append(name, value);
            }
        }
        prop_assert!(WORLD.verdict(&headers, &body) != "accepted");
    }

    #[test]
    fn random_signatures_never_verify(signature in vec(any::<u8>(), 256)) {
        prop_assert_eq!(WORLD.verdict(&headers(&STANDARD.encode(signature)), BODY), "signature-mismatch");
    }

    #[test]
    fn a_changed_signature_never_verifies(place in any::<Index>(), change in 1..=255_u8) {
        let mut signature = SIGNATURE.clone();
        *place.get_mut(&mut signature) ^= change;
        prop_assert_eq!(WORLD.verdict(&headers(&STANDARD.encode(signature)), BODY), "signature-mismatch");
    }

    #[test]
    fn a_random_body_never_verifies_with_the_signature_of_another(body in vec(any::<u8>(), 0..300)) {
        let verdict = WORLD.verdict(&headers(&STANDARD.encode(SIGNATURE.as_slice())), &body);
        prop_assert_eq!(verdict, "signature-mismatch");
    }

    #[test]
    fn an_allowed_address_is_the_location_and_one_file_name(bytes in vec(any::<u8>(), 0..60), tail in ".{0,20}") {
        let location = CertificateLocation::DEFAULT;
        let candidates = [bytes.clone(), [location.as_bytes(), &bytes, b".cer"].concat(), [URL, &tail].concat().into_bytes()];
        for unverified in candidates {
            if let Ok(url) = WORLD.policy.certificate_url(&unverified) {
                prop_assert_eq!(url.as_str().as_bytes(), unverified.as_slice());
                let name = url.as_str().strip_prefix(location).unwrap().strip_suffix(".cer").unwrap();
                prop_assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-'));
            }
        }
    }

    #[test]
    fn a_changed_address_never_leaves_the_location(place in any::<Index>(), byte in any::<u8>()) {
        let mut url = URL.as_bytes().to_vec();
        *place.get_mut(&mut url) = byte;
        if let Ok(url) = WORLD.policy.certificate_url(&url) {
            prop_assert!(url.as_str().starts_with(CertificateLocation::DEFAULT));
        }
    }

    #[test]
    fn random_bytes_are_never_a_certificate(bytes in vec(any::<u8>(), 0..400), text in "\\PC{0,200}") {
        let (policy, _) = &*CERTIFICATE;
        let sequence = [&[0x30], bytes.as_slice()].concat();
        for unverified in [bytes.as_slice(), &sequence, text.as_bytes()] {
            prop_assert_eq!(code(policy.check_certificate(unverified, now())), "certificate-unreadable");
        }
    }

    #[test]
    fn random_text_is_never_half_a_location(text in "(https://)?\\PC{0,40}/?") {
        if let Ok(location) = text.parse::<CertificateLocation>() {
            prop_assert_eq!(location.to_string(), text.as_str());
            prop_assert!(text.starts_with("https://") && text.ends_with('/') && text.is_ascii());
        }
    }
}

#[test]
fn what_the_properties_change_was_valid_before() {
    let (policy, valid) = &*CERTIFICATE;
    assert_eq!(code(policy.check_certificate(valid, now())), "accepted");
    let headers = headers(&STANDARD.encode(SIGNATURE.as_slice()));
    assert!(UnverifiedCallback::read(&headers, BODY, &WORLD.policy).is_ok());
    assert_eq!(WORLD.verdict(&headers, BODY), "accepted");
}
