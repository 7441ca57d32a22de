//! Which keys a certificate may hold. Its chain is valid in every test, so only the key can be the reason.

use callback::Refusal;
use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, PublicKeyData as _};
use rsa::pkcs1::{RsaPublicKeyRef, der::Encode as _, der::asn1::UintRef};

use crate::support::authority::{Authority, Leaf, PublicKey, WeakKey, key_pair, rsa_public_key};
use crate::support::{code, now};

fn verdict(key: PublicKey) -> &'static str {
    let authority = Authority::new();
    let leaf = Leaf { key, ..Leaf::valid() };
    match authority.policy().check_certificate(&authority.issue(&leaf), now()) {
        Err(Refusal::CertificateKey { detail }) => detail,
        other => code(other),
    }
}

/// A public key of any numbers. The modulus has the given length and is odd; nobody knows its factors.
fn numbers(bits: usize, exponent: &[u8]) -> PublicKey {
    let mut modulus = vec![0xa5; bits.div_ceil(8)];
    let surplus = modulus.len() * 8 - bits;
    modulus[0] = 0xff >> surplus;
    key_of(&modulus, exponent)
}

fn key_of(modulus: &[u8], exponent: &[u8]) -> PublicKey {
    let modulus = UintRef::new(modulus).unwrap();
    let public_exponent = UintRef::new(exponent).unwrap();
    let bytes = RsaPublicKeyRef { modulus, public_exponent }.to_der().unwrap();
    PublicKey { bytes, algorithm: &PKCS_RSA_SHA256 }
}

const F4: &[u8] = &[1, 0, 1];

#[test]
fn rsa_keys_from_2048_to_4096_bits_are_accepted() {
    for name in ["signing-2048", "signing-3072", "signing-4096"] {
        assert_eq!(verdict(rsa_public_key(name)), "accepted", "{name}");
    }
    for bits in [2048, 2049, 2056, 4095, 4096] {
        assert_eq!(verdict(numbers(bits, F4)), "accepted", "{bits}");
    }
}

#[test]
fn rsa_keys_of_other_sizes_are_refused() {
    for bits in [8, 512, 1024, 2040, 2047, 4097, 8192, 16_384] {
        assert_eq!(verdict(numbers(bits, F4)), "modulus is not of 2048 to 4096 bits", "{bits}");
    }
}

#[test]
fn a_real_rsa_key_of_1024_bits_is_refused() {
    let key = PublicKey { bytes: WeakKey::new().der_bytes().to_vec(), algorithm: &PKCS_RSA_SHA256 };
    assert_eq!(verdict(key), "modulus is not of 2048 to 4096 bits");
}

#[test]
fn exponents_other_than_65537_are_refused() {
    let huge = [0xff; 255];
    for exponent in [&[0][..], &[1], &[2], &[3], &[17], &[1, 0, 0], &[1, 0, 3], &[1, 0, 0, 0, 1], &[0xff; 8], &huge] {
        assert_eq!(verdict(numbers(2048, exponent)), "exponent is not 65537", "{exponent:?}");
    }
}

#[test]
fn an_even_modulus_is_refused() {
    let mut modulus = [0xa5; 256];
    modulus[255] = 0xa4;
    assert_eq!(verdict(key_of(&modulus, F4)), "modulus is even");
}

#[test]
fn keys_that_are_not_rsa_are_refused() {
    let elliptic = key_pair("stranger-root").public_key_raw().to_vec();
    assert_eq!(verdict(PublicKey { bytes: elliptic, algorithm: &PKCS_ECDSA_P256_SHA256 }), "not an RSA key");
    assert_eq!(verdict(PublicKey { bytes: vec![7; 32], algorithm: &PKCS_ED25519 }), "not an RSA key");
}

#[test]
fn an_rsa_key_that_is_not_two_numbers_is_refused() {
    let valid = rsa_public_key("signing-2048").bytes;
    let trailing = [valid.as_slice(), &[0]].concat();
    let cut = valid[..valid.len() - 1].to_vec();
    for bytes in [vec![], vec![0x30, 0], vec![0x30, 0x80, 0, 0], trailing, cut] {
        assert_eq!(verdict(PublicKey { bytes, algorithm: &PKCS_RSA_SHA256 }), "not a readable RSA key");
    }
}
