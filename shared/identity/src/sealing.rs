//! Texts that leave us and have to come back unread and unchanged, in time and for the same purpose: the cookie of a sign-in that is under
//! way, and the places of lists.
//!
//! AES-256-GCM by ring with a random nonce; the purpose and the key's name are authenticated with it, and the end is sealed inside. Two keys
//! may be valid at once, to change one without a gap: the current one seals, either opens. A random nonce is good for 2^32 texts
//! of one key (NIST SP 800-38D, section 8.3): a million a day for ten years. That assumes a bound on who makes texts. Those of a key that strangers
//! can have us seal with (`GET /sign-in`) come as fast as the gateway lets them through; so what only callers seal, the places of lists, has a
//! key of its own, and the strangers' one is changed like any other secret.

use std::{collections::BTreeMap, fmt};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jiff::Timestamp;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::Deserialize;

use crate::SharedRandom;

/// The longest sealed text that is looked at, in bytes: what a browser keeps as one cookie, or sends as one address.
const MOST_BYTES: usize = 4_096;
/// The longest name of a key.
const MOST_NAME_BYTES: usize = 32;

/// Seals and opens.
#[derive(Clone)]
pub struct Sealing {
    current: String,
    keys: BTreeMap<String, LessSafeKey>,
    random: SharedRandom,
}

/// Why the sealing keys can't be used. Holds nothing of the keys.
#[derive(Debug, thiserror::Error)]
pub enum SealingKeysError {
    /// The current key is not among the keys.
    #[error("\"current\" names none of the \"keys\": add the key of that name, or name one that is there")]
    Current,
    /// A key is not what it should be.
    #[error("a key is not 32 bytes in base64: make one with `openssl rand -base64 32`")]
    Key,
    /// It is no JSON of the documented form.
    #[error("it is not of the form {{\"current\":\"<name>\",\"keys\":{{\"<name>\":\"<base64 of 32 bytes>\"}}}}")]
    Malformed,
    /// A name could not be told from what follows it.
    #[error("the name of a key has 1 to {MOST_NAME_BYTES} letters, digits and hyphens")]
    Name,
    /// More keys than two, or none.
    #[error("there have to be one or two keys, and there are {0}")]
    Number(usize),
}

/// A text could not be sealed, because it is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text is too long to be sealed")]
pub struct SealError;

/// Why a text can't be opened. The text is the reason in logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Its time is over.
    #[error("sealed-text-expired")]
    Expired,
    /// Nobody of ours has sealed it, for this purpose, as it is.
    #[error("sealed-text-forged")]
    Forged,
    /// It is sealed with a key that is no longer, or was never, one of ours.
    #[error("sealed-text-key-unknown")]
    KeyUnknown,
    /// It is no sealed text at all.
    #[error("sealed-text-malformed")]
    Malformed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    current: String,
    keys: BTreeMap<String, String>,
}

impl Sealing {
    /// Seals and opens with the keys of a secret: `{"current": "<name>", "keys": {"<name>": "<base64 of 32 bytes>"}}`.
    ///
    /// # Errors
    ///
    /// [`SealingKeysError`].
    pub fn read(secret: &str, random: SharedRandom) -> Result<Self, SealingKeysError> {
        let Written { current, keys } = serde_json::from_str(secret).map_err(|_| SealingKeysError::Malformed)?;
        if !(1..=2).contains(&keys.len()) {
            return Err(SealingKeysError::Number(keys.len()));
        }
        let key = |(name, key): (String, String)| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            if name.is_empty() || name.len() > MOST_NAME_BYTES || !name.bytes().all(plain) {
                return Err(SealingKeysError::Name);
            }
            let bytes = STANDARD.decode(key).map_err(|_| SealingKeysError::Key)?;
            let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| SealingKeysError::Key)?;
            Ok((name, LessSafeKey::new(key)))
        };
        let keys = keys.into_iter().map(key).collect::<Result<BTreeMap<_, _>, _>>()?;
        if keys.contains_key(&current) { Ok(Self { current, keys, random }) } else { Err(SealingKeysError::Current) }
    }

    /// Seals a text for a purpose, until a moment: `<key's name>.<base64url of nonce, text and tag>`.
    ///
    /// # Errors
    ///
    /// [`SealError`] where it would be longer than comes back.
    pub fn seal(&self, purpose: &str, text: &[u8], until: Timestamp) -> Result<String, SealError> {
        let key = self.keys.get(&self.current).ok_or(SealError)?;
        let random = (self.random)();
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&random[..NONCE_LEN]);
        let mut sealed = until.as_second().to_be_bytes().to_vec();
        sealed.extend_from_slice(text);
        let beside = beside(purpose, &self.current);
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(beside), &mut sealed)
            .map_err(|_| SealError)?;
        let sealed = format!("{}.{}", self.current, URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()));
        if sealed.len() <= MOST_BYTES { Ok(sealed) } else { Err(SealError) }
    }

    /// Opens what was sealed for this purpose and is still good.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn open(&self, purpose: &str, sealed: &str, now: Timestamp) -> Result<Vec<u8>, OpenError> {
        if sealed.len() > MOST_BYTES {
            return Err(OpenError::Malformed);
        }
        let (name, rest) = sealed.split_once('.').ok_or(OpenError::Malformed)?;
        let key = self.keys.get(name).ok_or(OpenError::KeyUnknown)?;
        let bytes = URL_SAFE_NO_PAD.decode(rest).map_err(|_| OpenError::Malformed)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>().ok_or(OpenError::Malformed)?;
        let (nonce, mut sealed) = (Nonce::assume_unique_for_key(*nonce), sealed.to_vec());
        let opened = key.open_in_place(nonce, Aad::from(beside(purpose, name)), &mut sealed);
        let opened = opened.map_err(|_| OpenError::Forged)?;
        let (until, text) = opened.split_first_chunk::<8>().ok_or(OpenError::Forged)?;
        if now.as_second() >= i64::from_be_bytes(*until) { Err(OpenError::Expired) } else { Ok(text.to_vec()) }
    }
}

/// What is authenticated beside the text. The zero byte can stand in neither part.
fn beside(purpose: &str, key: &str) -> Vec<u8> {
    format!("partner-alerts\0{purpose}\0{key}").into_bytes()
}

impl fmt::Debug for Sealing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sealing").field("current", &self.current).finish_non_exhaustive()
    }
}
