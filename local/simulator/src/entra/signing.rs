//! The keys that Entra ID signs tokens with, and publishes.

use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::RsaPrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::signature::{SignatureEncoding as _, Signer as _};
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::app::lock;
use crate::authority::{AuthorityError, Randomness, key_error};

/// The keys, the one in use last. None is made before it is needed: it takes a moment, and most callers need none.
#[derive(Default)]
pub(crate) struct TokenKeys(Mutex<Keys>);

#[derive(Default)]
struct Keys {
    made: u32,
    published: Vec<TokenKey>,
}

struct TokenKey {
    id: String,
    key: SigningKey<Sha256>,
    public: Value,
}

impl TokenKeys {
    /// The set of keys as a tenant's issuer publishes it.
    pub(crate) fn published(&self, issuer: &str) -> Result<Value, AuthorityError> {
        let mut keys = lock(&self.0);
        keys.at_least_one()?;
        let named = |key: &TokenKey| {
            let mut public = key.public.clone();
            public["issuer"] = issuer.into();
            public
        };
        Ok(json!({ "keys": keys.published.iter().map(named).collect::<Vec<_>>() }))
    }

    /// A token by the key in use. Whatever the header says stays, but for the key's name where it says none.
    pub(crate) fn sign(&self, mut header: Value, claims: &Value) -> Result<String, AuthorityError> {
        let mut keys = lock(&self.0);
        let key = keys.at_least_one()?;
        if header.get("kid").is_none() {
            header["kid"] = key.id.clone().into();
        }
        let signed = [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
        let signature = key.key.try_sign(signed.as_bytes()).map_err(|error| key_error(&error))?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_vec())))
    }

    /// A new key is in use from now on. Those before go on being published, unless they are withdrawn.
    pub(crate) fn rotate(&self, withdraw: bool) -> Result<(), AuthorityError> {
        let mut keys = lock(&self.0);
        if withdraw {
            keys.published.clear();
        }
        keys.make().map(|_| ())
    }
}

impl Keys {
    fn at_least_one(&mut self) -> Result<&TokenKey, AuthorityError> {
        if self.published.is_empty() { self.make() } else { Ok(&self.published[self.published.len() - 1]) }
    }

    fn make(&mut self) -> Result<&TokenKey, AuthorityError> {
        let key = RsaPrivateKey::new(&mut Randomness, 2_048).map_err(|error| key_error(&error))?;
        self.made += 1;
        let id = format!("simulated-key-{}", self.made);
        let public = json!({
            "kty": "RSA",
            "use": "sig",
            "kid": id,
            "x5t": id,
            "n": URL_SAFE_NO_PAD.encode(key.n().to_be_bytes_trimmed_vartime()),
            "e": URL_SAFE_NO_PAD.encode(key.e().to_be_bytes_trimmed_vartime()),
        });
        self.published.push(TokenKey { id, key: SigningKey::new(key), public });
        Ok(&self.published[self.published.len() - 1])
    }
}
