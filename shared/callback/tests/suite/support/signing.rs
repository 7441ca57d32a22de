//! Signatures, right and wrong, by keys that are fixed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaEncoding, RsaKeyPair};
use rsa::RsaPrivateKey;
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pkcs8::DecodePrivateKey as _;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;

/// One of the RSA keys of `tests/data/keys`.
pub(crate) struct SignatureKey {
    pkcs8: PrivatePkcs8KeyDer<'static>,
}

impl SignatureKey {
    pub(crate) fn new(name: &str) -> Self {
        Self { pkcs8: PrivatePkcs8KeyDer::from_pem_slice(key_pem(name).as_bytes()).expect("a PKCS#8 key") }
    }

    /// The signature as Microsoft makes it.
    pub(crate) fn sign(&self, body: &[u8]) -> Vec<u8> {
        self.sign_as(&RSA_PKCS1_SHA256, body)
    }

    pub(crate) fn sign_base64(&self, body: &[u8]) -> String {
        STANDARD.encode(self.sign(body))
    }

    pub(crate) fn sign_as(&self, encoding: &'static dyn RsaEncoding, body: &[u8]) -> Vec<u8> {
        let pair = RsaKeyPair::from_pkcs8(self.pkcs8.secret_pkcs8_der()).expect("a key that ring takes");
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(encoding, &SystemRandom::new(), body, &mut signature).expect("signing");
        signature
    }

    /// PKCS#1 v1.5 around any bytes in the place of the `DigestInfo`.
    pub(crate) fn sign_digest_info(&self, prefix: &[u8], digest: &[u8]) -> Vec<u8> {
        let padding = Pkcs1v15Sign { hash_len: None, prefix: prefix.into() };
        self.private().sign(padding, digest).expect("signing")
    }

    pub(crate) fn private(&self) -> RsaPrivateKey {
        RsaPrivateKey::from_pkcs8_der(self.pkcs8.secret_pkcs8_der()).expect("an RSA key")
    }
}

pub(crate) fn key_pem(name: &str) -> String {
    let path = format!("{}/tests/data/keys/test-only-{name}.pem", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}
