//! The fixed RSA keys, and what they sign.

use std::fs;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use crypto_bigint::{
    BoxedUint, Odd, Resize as _,
    modular::{BoxedMontyForm, BoxedMontyParams},
};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair},
};
use rsa::{
    RsaPrivateKey,
    pkcs8::DecodePrivateKey as _,
    traits::{PrivateKeyParts as _, PublicKeyParts as _},
};

use crate::{block, repository};

/// One of the RSA keys of `shared/callback/tests/data/keys`.
#[derive(Debug)]
pub struct Key {
    pkcs8: Vec<u8>,
}

impl Key {
    /// The key of this name, for example `signing-2048`.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let pem = pem(name);
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        Self { pkcs8: STANDARD.decode(base64).expect("a key in PEM") }
    }

    /// The signature as Microsoft makes it.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.sign_as(&RSA_PKCS1_SHA256, message)
    }

    /// The signature with the other padding.
    #[must_use]
    pub fn sign_with_pss(&self, message: &[u8]) -> Vec<u8> {
        self.sign_as(&RSA_PSS_SHA256, message)
    }

    /// The signature whose block is written so; `block.rs` says how.
    #[must_use]
    pub fn sign_block(&self, written: &str, message: &[u8]) -> Vec<u8> {
        self.raise(&block::read(written, message, self.modulus().len()))
    }

    /// The modulus.
    #[must_use]
    pub fn modulus(&self) -> Vec<u8> {
        self.private().n().to_be_bytes().to_vec()
    }

    fn sign_as(&self, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
        let pair = RsaKeyPair::from_pkcs8(&self.pkcs8).expect("a key that ring takes");
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(encoding, &SystemRandom::new(), message, &mut signature).expect("signing");
        signature
    }

    /// The bare operation: any number to the private exponent.
    fn raise(&self, block: &[u8]) -> Vec<u8> {
        let private = self.private();
        let bits = private.n().bits_precision();
        let modulus = Odd::new(private.n().as_ref().clone()).expect("an odd modulus");
        let number = BoxedUint::from_be_slice(block, bits).expect("a block of the modulus's size");
        let raised = BoxedMontyForm::new(number, &BoxedMontyParams::new(modulus)).pow(&private.d().resize(bits));
        raised.retrieve().to_be_bytes().to_vec()
    }

    pub(crate) fn private(&self) -> RsaPrivateKey {
        RsaPrivateKey::from_pkcs8_der(&self.pkcs8).expect("an RSA key")
    }
}

pub(crate) fn pem(name: &str) -> String {
    let path = repository().join(format!("shared/callback/tests/data/keys/test-only-{name}.pem"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
