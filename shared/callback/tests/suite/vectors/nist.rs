//! NIST's own vectors (FIPS 186, validation of PKCS #1 v1.5). `tests/data/nist/README.md` says where they are from.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1::RsaPublicKeyRef;
use rsa::pkcs1::der::Encode as _;
use rsa::pkcs1::der::asn1::UintRef;
use serde::Deserialize;

use super::{Theirs, Vector, judge};

/// All signatures under one modulus.
#[derive(Deserialize)]
struct Group {
    file: String,
    modulus: String,
    signatures: Vec<Signed>,
}

#[derive(Deserialize)]
struct Signed {
    number: usize,
    hash: String,
    exponent: String,
    message: String,
    signature: String,
    valid: bool,
    comment: String,
}

fn bytes(base64: &str) -> Vec<u8> {
    STANDARD.decode(base64).unwrap()
}

fn vectors() -> impl Iterator<Item = Vector> {
    let groups: Vec<Group> = serde_json::from_str(include_str!("../../data/nist/signatures.json")).unwrap();
    groups.into_iter().flat_map(|Group { file, modulus, signatures }| {
        let modulus = bytes(&modulus);
        signatures.into_iter().map(move |signature| {
            let exponent = bytes(&signature.exponent);
            let key = RsaPublicKeyRef {
                modulus: UintRef::new(&modulus).unwrap(),
                public_exponent: UintRef::new(&exponent).unwrap(),
            };
            Vector {
                set: file.clone(),
                number: signature.number,
                hash: signature.hash,
                key: key.to_der().unwrap(),
                message: bytes(&signature.message),
                signature: bytes(&signature.signature),
                theirs: if signature.valid { Theirs::Valid } else { Theirs::Invalid },
                comment: signature.comment,
            }
        })
    })
}

#[test]
fn signatures_of_nist_have_its_verdict_but_for_the_listed_differences() {
    judge(vectors(), include_str!("../../data/nist/differences.json"));
}

#[test]
fn both_verdicts_of_nist_are_met_under_keys_of_every_size_that_we_accept() {
    for bits in [2048, 3072, 4096] {
        for theirs in [Theirs::Valid, Theirs::Invalid] {
            let met = vectors().any(|vector| {
                vector.hash == "SHA-256"
                    && vector.bits() == bits
                    && vector.exponent() == [1, 0, 1]
                    && vector.theirs == theirs
            });
            assert!(met, "no {theirs:?} vector of {bits} bits");
        }
    }
}
