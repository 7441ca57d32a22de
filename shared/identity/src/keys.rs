//! The keys that an issuer publishes, kept so that a stranger's tokens cause next to nothing.
//!
//! | | |
//! |---|---|
//! | a key that is not among those kept | one fetch a minute at most, of each issuer, whatever comes |
//! | keys of an hour ago | fetched anew when they are next needed; those of before stay where that fails |
//! | keys of half a day ago that can't be fetched anew | believed no more: what an issuer has withdrawn must end here too |
//! | no keys yet, and a fetch that failed | tried again after five seconds |
//! | many requests at the same time | one fetch, for which all wait |

use std::{collections::BTreeMap, future::Future};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::DecodingKey;
use models::TenantId;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::token::Issuers;

/// The longest set of keys that is read, in bytes. Entra ID's has about 20,000.
pub const MOST_KEYS_BYTES: usize = 256 * 1024;
/// The most keys that are kept of one issuer. Entra ID publishes about ten.
const MOST_KEYS: usize = 64;
/// The shortest time between two fetches of an issuer's keys.
const COOL_DOWN: SignedDuration = SignedDuration::from_mins(1);
/// The same where there are none yet.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(5);

/// How long keys are believed.
#[derive(Clone, Copy, Debug)]
pub struct KeysAge {
    /// From which age on they are fetched anew.
    pub fresh: SignedDuration,
    /// From which age on they are not believed.
    pub most: SignedDuration,
}

impl Default for KeysAge {
    fn default() -> Self {
        Self { fresh: SignedDuration::from_hours(1), most: SignedDuration::from_hours(12) }
    }
}

/// Why an issuer's keys can't be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyFetchError {
    /// They could not be fetched a moment ago, and are not asked for again yet.
    #[error("the issuer's keys could not be fetched a moment ago")]
    Awaited,
    /// What came holds no key that could be used.
    #[error("what the issuer publishes holds no RSA key for signatures")]
    NoKeys,
    /// They can't be fetched.
    #[error("the issuer's keys can't be fetched")]
    NotFetched(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What came is no set of keys.
    #[error("what the issuer publishes is no set of keys")]
    Unreadable(#[source] serde_json::Error),
}

/// Fetches the keys that an issuer publishes.
pub trait FetchKeys {
    /// The set of keys (RFC 7517, section 5) of a tenant of ours, at most [`MOST_KEYS_BYTES`] long.
    fn fetch(&self, tenant: &TenantId) -> impl Future<Output = Result<Vec<u8>, KeyFetchError>> + Send;
}

/// The keys of all issuers.
#[derive(Debug)]
pub struct Keys<F> {
    source: F,
    issuers: Issuers,
    age: KeysAge,
    // Held while keys are fetched, so that any number of waiting requests make one fetch.
    kept: BTreeMap<TenantId, Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    /// When they were last asked for, successfully or not.
    asked: Option<Timestamp>,
    read: Option<Read>,
}

#[derive(Debug)]
struct Read {
    at: Timestamp,
    keys: BTreeMap<String, DecodingKey>,
}

impl<F: FetchKeys + Sync> Keys<F> {
    /// No keys yet, of these issuers.
    pub fn new(source: F, issuers: Issuers, age: KeysAge) -> Self {
        let kept = issuers.tenants().map(|tenant| (tenant.clone(), Mutex::default())).collect();
        Self { source, issuers, age, kept }
    }

    pub(crate) fn issuers(&self) -> &Issuers {
        &self.issuers
    }

    /// The key of this name, if the tenant's issuer publishes it.
    pub(crate) async fn find(
        &self,
        tenant: &TenantId,
        name: &str,
        now: Timestamp,
    ) -> Result<Option<DecodingKey>, KeyFetchError> {
        let Some(kept) = self.kept.get(tenant) else { return Ok(None) };
        let mut kept = kept.lock().await;
        let age = kept.read.as_ref().map(|read| now.duration_since(read.at).abs());
        let known = kept.read.as_ref().is_some_and(|read| read.keys.contains_key(name));
        let wanted = !known || age.is_none_or(|age| age >= self.age.fresh);
        let pause = if age.is_some() { COOL_DOWN } else { FIRST_PAUSE };
        let due = kept.asked.is_none_or(|asked| now.duration_since(asked).abs() >= pause);
        let mut failed = KeyFetchError::Awaited;
        if wanted && due {
            kept.asked = Some(now);
            match self.fetch(tenant).await {
                Ok(keys) => kept.read = Some(Read { at: now, keys }),
                Err(error) => failed = error,
            }
        }
        match &kept.read {
            Some(read) if now.duration_since(read.at).abs() < self.age.most => {
                if !matches!(failed, KeyFetchError::Awaited) {
                    tracing::warn!(tenant.id = %tenant, "an issuer's keys could not be fetched anew; those of before are used");
                }
                Ok(read.keys.get(name).cloned())
            }
            _ => Err(failed),
        }
    }

    async fn fetch(&self, tenant: &TenantId) -> Result<BTreeMap<String, DecodingKey>, KeyFetchError> {
        let text = self.source.fetch(tenant).await?;
        let set: KeySet = serde_json::from_slice(&text).map_err(KeyFetchError::Unreadable)?;
        let mut keys = BTreeMap::new();
        for key in set.keys.into_iter().take(MOST_KEYS).filter_map(|key| serde_json::from_value::<Key>(key).ok()) {
            if let Some(usable) = key.usable(&[self.issuers.of(tenant), self.issuers.template()]) {
                keys.entry(key.kid).or_insert(usable);
            }
        }
        if keys.is_empty() { Err(KeyFetchError::NoKeys) } else { Ok(keys) }
    }
}

#[derive(Deserialize)]
struct KeySet {
    /// Read one by one: a key of another kind must not cost the others.
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Key {
    kty: String,
    kid: String,
    n: String,
    e: String,
    #[serde(default, rename = "use")]
    purpose: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    /// Entra ID's: whose tokens the key signs, where it isn't everybody's.
    #[serde(default)]
    issuer: Option<String>,
}

impl Key {
    /// The key, if it is one for our tokens: RSA of 2048 to 4096 bits with exponent 65537, for signatures, of one of these issuers or of nobody in
    /// particular.
    fn usable(&self, issuers: &[String]) -> Option<DecodingKey> {
        let fits = |value: &Option<String>, wanted: &str| value.as_deref().is_none_or(|value| value == wanted);
        let for_us = self.kty == "RSA" && fits(&self.purpose, "sig") && fits(&self.alg, "RS256");
        if !for_us || self.kid.is_empty() || !issuers.iter().any(|issuer| fits(&self.issuer, issuer)) {
            return None;
        }
        let [modulus, exponent] = [&self.n, &self.e].map(|part| URL_SAFE_NO_PAD.decode(part).ok());
        let (modulus, exponent) = (modulus?, exponent?);
        let sound = (256..=512).contains(&modulus.len()) && modulus[0] & 0x80 != 0 && exponent == [1, 0, 1];
        sound.then(|| DecodingKey::from_rsa_raw_components(&modulus, &exponent))
    }
}
