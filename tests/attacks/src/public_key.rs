//! What a certificate says of its key and of how it was signed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rcgen::{PublicKeyData, SignatureAlgorithm, SigningKey as _};
use serde::Deserialize;

use crate::{
    Pieces,
    authority::AnyKey,
    bytes,
    der::{element, inside, sequence},
};

/// The key of the certificate.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum PublicKey {
    Named(String),
    /// RSA by its numbers: nobody has the private half.
    Numbers {
        bits: usize,
        #[serde(default = "usual_exponent")]
        exponent: String,
        #[serde(default)]
        even: bool,
    },
    /// RSA, with this in place of the two numbers.
    Rsa {
        rsa: Pieces,
    },
    /// The whole element that says algorithm and key.
    Info {
        info: Pieces,
    },
}

/// The public half of a key, whatever it may be.
pub(crate) struct PublicHalf {
    bytes: Vec<u8>,
    algorithm: &'static SignatureAlgorithm,
}

impl PublicKeyData for PublicHalf {
    fn der_bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

impl PublicKey {
    /// The key, or one that it is put in place of.
    pub(crate) fn half(&self, now: Timestamp) -> PublicHalf {
        let rsa = |bytes| PublicHalf { bytes, algorithm: &rcgen::PKCS_RSA_SHA256 };
        match self {
            Self::Info { .. } => rsa(Vec::new()),
            Self::Rsa { rsa: pieces } => rsa(bytes(pieces, now, &BTreeMap::new())),
            Self::Named(name) => {
                let key = AnyKey::named(name);
                PublicHalf { bytes: key.der_bytes().to_vec(), algorithm: key.algorithm() }
            }
            Self::Numbers { bits, exponent, even } => {
                let exponent = hex::decode(exponent).expect("hexadecimal digits");
                rsa(sequence(&[integer(&odd_number(*bits, *even)), integer(&exponent)]))
            }
        }
    }
}

/// A number of this many bits whose factors nobody knows.
fn odd_number(bits: usize, even: bool) -> Vec<u8> {
    let mut number = vec![0xa5; bits.div_ceil(8)];
    let surplus = number.len() * 8 - bits;
    number[0] = 0xff >> surplus;
    if even && let Some(last) = number.last_mut() {
        *last = 0xa4;
    }
    number
}

/// A number that is not negative.
fn integer(number: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if number[0] >= 0x80 { &[0] } else { &[] };
    element(2, &[sign, number].concat())
}

/// The certificate with another key, signed again.
pub(crate) fn with_key_info(der: &[u8], info: &[u8], issuer: &AnyKey) -> Vec<u8> {
    let [to_be_signed, algorithm, _] = inside(der).try_into().expect("a certificate has three parts");
    let mut parts = inside(&to_be_signed);
    parts[KEY_INFO] = info.to_vec();
    let to_be_signed = sequence(&parts);
    let signature = issuer.sign(&to_be_signed).expect("signing");
    sequence(&[to_be_signed, algorithm, element(3, &[&[0], signature.as_slice()].concat())])
}

/// The certificate of an RSA issuer with this last arc in its signature's algorithm, inside and outside of what is signed.
pub(crate) fn with_signature_algorithm(der: &[u8], arc: u8) -> Vec<u8> {
    let algorithm = sequence(&[element(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, arc]), element(5, &[])]);
    let [to_be_signed, _, signature] = inside(der).try_into().expect("a certificate has three parts");
    let mut parts = inside(&to_be_signed);
    parts[2].clone_from(&algorithm);
    sequence(&[sequence(&parts), algorithm, signature])
}

fn usual_exponent() -> String {
    "010001".to_owned()
}

/// Where the key stands in what is signed.
const KEY_INFO: usize = 6;
