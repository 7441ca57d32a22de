//! The one real chain at hand: a Microsoft leaf, delivered alone, under the bundled roots and intermediates.

use callback::{BUNDLED_INTERMEDIATES_PEM, BUNDLED_TRUST_ANCHORS_PEM, Policy};

use crate::support::{at, code, default_locations, default_names};

const LEAF: &[u8] = include_bytes!("../data/microsoft-chain/leaf-microsoft.com.pem");

fn bundled_policy(names: Vec<String>) -> Policy {
    Policy::new(default_locations(), names, BUNDLED_TRUST_ANCHORS_PEM, BUNDLED_INTERMEDIATES_PEM).unwrap()
}

#[test]
fn a_real_microsoft_leaf_verifies_alone_under_the_bundled_certificates() {
    let policy = bundled_policy(vec!["microsoft.com".to_owned()]);
    let certificate = policy.check_certificate(LEAF, at("2026-04-01T00:00:00Z")).unwrap();
    assert_eq!(certificate.valid_from(), at("2026-03-10T18:31:55Z"));
    assert_eq!(certificate.valid_until(), at("2026-09-06T18:31:55Z"));
}

#[test]
fn a_real_microsoft_leaf_is_refused_when_it_has_expired() {
    let policy = bundled_policy(vec!["microsoft.com".to_owned()]);
    assert_eq!(code(policy.check_certificate(LEAF, at("2026-09-07T00:00:00Z"))), "certificate-expired");
}

#[test]
fn a_real_microsoft_leaf_of_another_name_may_not_sign_callbacks() {
    let policy = bundled_policy(default_names());
    assert_eq!(code(policy.check_certificate(LEAF, at("2026-04-01T00:00:00Z"))), "certificate-name");
}

#[test]
fn a_real_microsoft_leaf_needs_the_bundled_intermediates() {
    let policy = Policy::new(default_locations(), vec!["microsoft.com".to_owned()], BUNDLED_TRUST_ANCHORS_PEM, "");
    assert_eq!(code(policy.unwrap().check_certificate(LEAF, at("2026-04-01T00:00:00Z"))), "certificate-chain");
}

#[test]
fn every_bundled_certificate_is_named_above_its_block() {
    for (bundle, count) in [(BUNDLED_TRUST_ANCHORS_PEM, 5), (BUNDLED_INTERMEDIATES_PEM, 2)] {
        let blocks: Vec<&str> = bundle.split("-----BEGIN CERTIFICATE-----").collect();
        assert_eq!(blocks.len() - 1, count);
        for before in &blocks[..count] {
            assert!(before.contains("# SHA-256 "), "no comment above a certificate: {before}");
        }
    }
}
