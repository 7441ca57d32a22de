//! Whatever strangers send: no panic, no proof, and nothing let through that breaks a rule.

mod rules;

use std::cell::Cell;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use callback::{BUNDLED_TRUST_ANCHORS_PEM, CertificateLocation, DEFAULT_ISSUER_HOSTS, Policy, UnverifiedCallback};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof};
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;
use proptest::{prop_assert, prop_assert_eq, proptest};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use url::Url;

use crate::support::authority::{Authority, Leaf};
use crate::support::{BODY, URL, World, at, code, default_locations, headers, now};

static WORLD: LazyLock<World> = LazyLock::new(World::new);
static SIGNATURE: LazyLock<Vec<u8>> = LazyLock::new(|| WORLD.key.sign(BODY));
static CERTIFICATE: LazyLock<(Policy, Vec<u8>)> = LazyLock::new(|| {
    let authority = Authority::new();
    (authority.policy(), authority.issue(&Leaf::valid()))
});

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, cases: 1_000, ..ProptestConfig::default() }
}

/// Tries a rule on many inputs. A generator whose inputs never get through would try nothing, nor would one whose inputs
/// always do.
fn holds<S: Strategy>(inputs: &S, rule: impl Fn(S::Value) -> bool) {
    let (let_through, refused) = (Cell::new(0), Cell::new(0));
    let tried = TestRunner::new(config()).run(inputs, |input| {
        let count = if rule(input) { &let_through } else { &refused };
        count.set(count.get() + 1);
        Ok(())
    });
    if let Err(failure) = tried {
        panic!("{failure}");
    }
    let both = let_through.get() > 20 && refused.get() > 20;
    assert!(both, "{} let through, {} refused", let_through.get(), refused.get());
}

/// Text of the alphabet that addresses are made of, and of what they must not be.
fn address() -> impl Strategy<Value = Vec<u8>> {
    let location = CertificateLocation::DEFAULT;
    prop_oneof![
        vec(any::<u8>(), 0..60),
        ("[A-Za-z0-9.-]{1,110}", select(vec![".cer", ".CER", ".pem", ""]))
            .prop_map(move |(name, end)| format!("{location}{name}{end}").into_bytes()),
        "[a-z./%@?#:\\\\ \t\u{430}-]{0,12}".prop_map(move |name| format!("{location}{name}.cer").into_bytes()),
        (any::<Index>(), any::<u8>()).prop_map(|(place, byte)| {
            let mut url = URL.as_bytes().to_vec();
            *place.get_mut(&mut url) = byte;
            url
        }),
    ]
}

/// Mostly as it should be; else with something behind it, or with bits of nothing in its last digit that are not zero.
fn signature() -> impl Strategy<Value = String> {
    let change = select(vec!["", "", "", "=", " ", "bits"]);
    (vec(any::<u8>(), 250..520), change).prop_map(|(bytes, change)| match (STANDARD.encode(bytes), change) {
        (text, "bits") => {
            text.replacen("A=", "B=", 1).replacen("Q=", "R=", 1).replacen("g=", "h=", 1).replacen("w=", "x=", 1)
        }
        (text, more) => text + more,
    })
}

/// A header as it could be met: anything, or what belongs there.
fn line() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let name =
        select(vec!["authorization", "content-encoding", "x-ms-certificate-url", "x-ms-signature", "x-request-id"]);
    prop_oneof![
        2 => (name, vec(any::<u8>(), 0..40)),
        1 => (Just("x-ms-certificate-url"), address()),
        1 => (Just("content-encoding"), select(vec!["identity", "gzip", ""]).prop_map(|coding| coding.as_bytes().to_vec())),
        2 => (Just("x-ms-signature"), signature().prop_map(String::into_bytes)),
        2 => (Just("authorization"), signature().prop_map(|text| format!("SIGNATURE {text}").into_bytes())),
    ]
}

/// Headers that lack nothing, with more lines or without some.
fn header_map() -> impl Strategy<Value = HeaderMap> {
    let signature = signature().prop_map(|text| ("authorization", format!("Signature {text}").into_bytes()));
    let algorithm = select(vec!["rsa-sha256", "RSA-SHA256", "rsa-sha256", "none", ""]);
    let url = prop_oneof![3 => Just(URL.as_bytes().to_vec()), 1 => address()];
    (signature, algorithm, url, vec(line(), 0..3), any::<Index>(), 0..3_usize).prop_map(
        |(signature, algorithm, url, more, missing, kept)| {
            let algorithm = ("x-ms-signature-algorithm", algorithm.as_bytes().to_vec());
            let mut lines = vec![signature, algorithm, ("x-ms-certificate-url", url)];
            if kept == 0 {
                lines.remove(missing.index(lines.len()));
            }
            lines.extend(more);
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                if let Ok(value) = HeaderValue::from_bytes(&value) {
                    headers.append(HeaderName::from_static(name), value);
                }
            }
            headers
        },
    )
}

#[test]
fn an_allowed_address_can_be_taken_for_no_other() {
    holds(&address(), |unverified| rules::address(&WORLD.policy, &unverified));
}

#[test]
fn headers_that_are_read_say_one_thing_each() {
    holds(&header_map(), |headers| rules::headers(&WORLD.policy, &headers, BODY));
}

#[test]
fn an_accepted_certificate_is_the_known_one_in_another_form() {
    let (policy, der) = &*CERTIFICATE;
    let known = policy.check_certificate(der, now()).unwrap();
    let form = select(vec![64, 76, 1_000_000]).prop_map(|width| {
        let lines = STANDARD.encode(der).into_bytes().chunks(width).collect::<Vec<_>>().join(&b'\n');
        [b"-----BEGIN CERTIFICATE-----\n", lines.as_slice(), b"\n-----END CERTIFICATE-----\n"].concat()
    });
    let changes = vec((any::<Index>(), any::<u8>()), 0..3);
    holds(&(form, changes), |(mut form, changes)| {
        for (place, byte) in changes {
            *place.get_mut(&mut form) = byte;
        }
        rules::certificate(policy, &known, &form, now())
    });
}

/// A certificate of Microsoft's whose issuer is missing, with the addresses in it changed.
#[test]
fn an_address_of_an_issuer_can_be_taken_for_no_other() {
    const ADDRESS: &[u8] = b"http://www.microsoft.com/pkiops/certs/";
    let hosts = DEFAULT_ISSUER_HOSTS.map(|host| host.parse().unwrap()).to_vec();
    let names = vec!["microsoft.com".to_owned()];
    let policy = Policy::new(default_locations(), names, BUNDLED_TRUST_ANCHORS_PEM, "").unwrap();
    let policy = policy.with_issuer_hosts(hosts);
    let leaf = CertificateDer::from_pem_slice(include_bytes!("../../data/microsoft-chain/leaf-microsoft.com.pem"));
    let leaf = leaf.unwrap().to_vec();
    let start = leaf.windows(ADDRESS.len()).position(|window| window == ADDRESS).unwrap();
    // Both addresses, and the lengths and tags between them.
    let changes = vec((start - 20..start + 200, prop_oneof![select(b"/.:@?#%20aA-\\\0".to_vec()), any::<u8>()]), 0..5);
    holds(&changes, |changes| {
        let mut spoilt = leaf.clone();
        for (place, byte) in changes {
            spoilt[place] = byte;
        }
        rules::search(&policy, &spoilt, at("2026-04-01T00:00:00Z"))
    });
}

/// Or it is no host for a parser at all; the client then refuses what we allow, and nothing is sent.
#[test]
fn a_location_is_what_a_parser_takes_it_for() {
    let text = "https://[a-zA-Z0-9.x-]{1,9}(:[0-9]{1,5})?(/[a-z._%@-]{1,5})?/";
    holds(&text, |text| {
        let Ok(location) = text.parse::<CertificateLocation>() else { return false };
        assert_eq!(location.to_string(), text);
        if let Ok(parsed) = Url::parse(&text) {
            let (authority, path) = text["https://".len()..].split_at(text["https://".len()..].find('/').unwrap());
            let port = parsed.port_or_known_default().unwrap();
            let host = parsed.host_str().unwrap();
            assert!(authority == host || authority == format!("{host}:{port}"), "{text}: {host} and {port}");
            assert_eq!(parsed.path(), path);
            assert_eq!(
                (parsed.username(), parsed.password(), parsed.query(), parsed.fragment()),
                ("", None, None, None)
            );
        }
        true
    });
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn random_headers_never_verify(headers in header_map(), body in vec(any::<u8>(), 0..64)) {
        prop_assert!(WORLD.verdict(&headers, &body) != "accepted");
    }

    #[test]
    fn random_signatures_never_verify(signature in vec(any::<u8>(), 256)) {
        prop_assert_eq!(WORLD.verdict(&headers(&STANDARD.encode(signature)), BODY), "signature-mismatch");
    }

    #[test]
    fn a_random_body_never_verifies_with_the_signature_of_another(body in vec(any::<u8>(), 0..300)) {
        let verdict = WORLD.verdict(&headers(&STANDARD.encode(SIGNATURE.as_slice())), &body);
        prop_assert_eq!(verdict, "signature-mismatch");
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
