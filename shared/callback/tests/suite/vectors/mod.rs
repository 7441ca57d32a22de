//! Signatures that others made and judged, sent as callbacks under certificates that hold their keys.
//!
//! Our verdict is theirs, but for the differences that the lists of differences in `tests/data` name with a reason each. ring
//! judges them too.

mod differences;
mod nist;
mod wycheproof;

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use callback::{Policy, Refusal, SigningCertificate, UnverifiedCallback};
use rcgen::PKCS_RSA_SHA256;
use ring::signature::{
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RsaParameters, UnparsedPublicKey,
};
use rsa::pkcs1::RsaPublicKeyRef;
use rsa::pkcs1::der::Decode as _;
use serde::Deserialize;

use self::differences::Differences;
use crate::support::authority::{Authority, Leaf, PublicKey};
use crate::support::{headers, now};

/// A signature, and what those who published it say of it.
struct Vector {
    set: String,
    number: usize,
    hash: String,
    /// `RSAPublicKey` as DER.
    key: Vec<u8>,
    message: Vec<u8>,
    signature: Vec<u8>,
    theirs: Theirs,
    comment: String,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Theirs {
    Valid,
    /// Some verifiers may take it.
    Acceptable,
    Invalid,
}

impl Vector {
    fn bits(&self) -> usize {
        let modulus = self.numbers().modulus.as_bytes();
        modulus.len() * 8 - modulus[0].leading_zeros() as usize
    }

    fn exponent(&self) -> &[u8] {
        self.numbers().public_exponent.as_bytes()
    }

    fn numbers(&self) -> RsaPublicKeyRef<'_> {
        RsaPublicKeyRef::from_der(&self.key).expect("their keys are readable")
    }

    /// Whether ring takes the signature for one with SHA-256.
    fn convinces_ring(&self) -> bool {
        let parameters: &RsaParameters = match self.bits() {
            ..2048 => &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
            _ => &RSA_PKCS1_2048_8192_SHA256,
        };
        UnparsedPublicKey::new(parameters, &self.key).verify(&self.message, &self.signature).is_ok()
    }
}

/// Our own verdict, through the public entry.
struct Judge {
    authority: Authority,
    policy: Policy,
    certificates: HashMap<Vec<u8>, Result<SigningCertificate, Refusal>>,
}

impl Judge {
    fn new() -> Self {
        let authority = Authority::new();
        Self { policy: authority.policy(), authority, certificates: HashMap::new() }
    }

    fn verdict(&mut self, vector: &Vector) -> String {
        match self.judge(vector) {
            Ok(()) => "accepted".to_owned(),
            Err(refusal @ Refusal::CertificateKey { detail }) => format!("{}: {detail}", refusal.code()),
            Err(refusal) => refusal.code().to_owned(),
        }
    }

    fn judge(&mut self, vector: &Vector) -> Result<(), Refusal> {
        let headers = headers(&STANDARD.encode(&vector.signature));
        let certificate = self.certificates.entry(vector.key.clone()).or_insert_with(|| {
            let key = PublicKey { bytes: vector.key.clone(), algorithm: &PKCS_RSA_SHA256 };
            self.policy.check_certificate(&self.authority.issue(&Leaf { key, ..Leaf::valid() }), now())
        });
        let certificate = certificate.as_ref().map_err(|refusal| *refusal)?;
        let callback = UnverifiedCallback::read(&headers, &vector.message, &self.policy)?;
        callback.verify(certificate, now()).map(drop)
    }
}

/// Judges all vectors of a suite, and finds every one of its listed differences among them.
fn judge(vectors: impl IntoIterator<Item = Vector>, differences: &str) {
    let mut judge = Judge::new();
    let mut differences = Differences::read(differences);
    let mut problems = Vec::new();
    for vector in vectors {
        let ours = judge.verdict(&vector);
        let name = format!("{} {} ({:?}, {})", vector.set, vector.number, vector.theirs, vector.comment);
        if let Err(problem) = differences.compare(&vector, &ours) {
            problems.push(format!("{name}: {problem}"));
        }
        let proven = vector.convinces_ring();
        if vector.hash == "SHA-256" {
            assert_eq!(proven, vector.theirs == Theirs::Valid, "{name}: ring disagrees with those who made it");
        }
        let key_refused = ours.starts_with("certificate-key");
        assert_eq!(ours == "accepted", proven && !key_refused, "{name}: ring disagrees with {ours}");
    }
    problems.extend(differences.not_met());
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}
