//! Identifiers, one type for each, made only by parsing: two that are swapped do not compile.

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};

/// Why a text is not the id that it should be. Holds the kind of id, never the text, which may be hostile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Longer than we keep: it would not fit a key of the table.
    #[error("{kind} has {length} bytes; at most {limit} are accepted")]
    TooLong {
        /// Which id was read.
        kind: &'static str,
        /// Its length in bytes.
        length: usize,
        /// The longest accepted, in bytes.
        limit: usize,
    },
    /// Not of the form that this id has.
    #[error("{kind} is not {expected}")]
    Malformed {
        /// Which id was read.
        kind: &'static str,
        /// The form it should have.
        expected: &'static str,
    },
}

macro_rules! text_id {
    ($(#[$meta:meta])* $name:ident, $parse:expr) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::IdError;

            fn from_str(text: &str) -> Result<Self, $crate::IdError> {
                let parse: fn(&str) -> Result<String, $crate::IdError> = $parse;
                parse(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::IdError;

            fn try_from(text: String) -> Result<Self, $crate::IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

pub(crate) use text_id;

text_id! {
    /// A Partner Center security alert. Opaque: Microsoft's samples show a GUID and `{subscription}-{GUID}`.
    /// 1 to 256 bytes without control characters; a DynamoDB sort key, which must hold it, has 1,024.
    AlertId, |text| opaque("alert id", text, 256)
}
text_id! {
    /// The customer's Entra ID tenant. Opaque, 1 to 128 bytes.
    CustomerId, |text| opaque("customer id", text, 128)
}
text_id! {
    /// An Azure subscription (Partner Center's "Azure entitlement"). Opaque, 1 to 128 bytes.
    SubscriptionId, |text| opaque("subscription id", text, 128)
}
text_id! {
    /// A person or an application in an Entra ID tenant: its object id there, a GUID, kept in lower case.
    ObjectId, |text| guid("object id", text)
}
text_id! {
    /// One of the partner's own Entra ID tenants: a GUID, kept in lower case.
    TenantId, |text| guid("tenant id", text)
}
text_id! {
    /// A received event: SHA-256 of its raw body in hexadecimal. The same bytes are the same event, however often they come.
    EventId, |text| hex_digest("event id", text)
}
text_id! {
    /// A published message: derived from what it tells, so that a repeated publication has the same id.
    MessageId, |text| hex_digest("message id", text)
}
text_id! {
    /// SHA-256 of a [`PathKey`] in hexadecimal, which is what is stored.
    PathKeyHash, |text| hex_digest("path key hash", text)
}

impl AlertId {
    /// An id for an alert whose own can't be read: `sha256:` and the beginning of the hash of its bytes. The same bytes have
    /// the same id.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(format!("sha256:{}", &hex::encode(Sha256::digest(bytes))[..32]))
    }
}

impl EventId {
    /// The id of an event with this raw body.
    #[must_use]
    pub fn of_body(body: &[u8]) -> Self {
        Self::of_sha256(Sha256::digest(body).as_ref())
    }

    /// The id of an event whose raw body has this SHA-256.
    #[must_use]
    pub fn of_sha256(digest: &[u8; 32]) -> Self {
        Self(hex::encode(digest))
    }
}

impl PathKeyHash {
    /// The hash in bytes.
    #[must_use]
    pub fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        // It is 64 hexadecimal digits, or it could not be made.
        let _ = hex::decode_to_slice(&self.0, &mut bytes);
        bytes
    }
}

impl MessageId {
    /// The id of the message about `parts`. Parts are length-prefixed, so that no two lists of parts are alike.
    #[must_use]
    pub fn of_parts(parts: &[&str]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        Self(hex::encode(hasher.finalize()))
    }
}

/// The secret last segment of a tenant's callback address: 256 random bits as 64 hexadecimal digits.
///
/// It does not authenticate a callback (the signature does); it keeps strangers from costing us a signature check.
#[derive(Clone, PartialEq, Eq)]
pub struct PathKey(String);

impl PathKey {
    /// Makes a key of 32 random bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(hex::encode(bytes))
    }

    /// What is stored of it. A plain hash is enough: 256 random bits can't be guessed.
    #[must_use]
    pub fn hash(&self) -> PathKeyHash {
        PathKeyHash(hex::encode(Sha256::digest(self.0.as_bytes())))
    }

    /// The hash of the key that this text is, in bytes, with neither of them kept: for each request.
    ///
    /// # Errors
    ///
    /// As [`FromStr`].
    pub fn sha256_of(text: &str) -> Result<[u8; 32], IdError> {
        check_hex_digest("path key", text)?;
        Ok(Sha256::digest(text.as_bytes()).into())
    }

    /// The key itself, to be put into a callback address and nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for PathKey {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        hex_digest("path key", text).map(Self)
    }
}

impl fmt::Debug for PathKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PathKey(…)")
    }
}

pub(crate) fn opaque(kind: &'static str, text: &str, limit: usize) -> Result<String, IdError> {
    if text.len() > limit {
        return Err(IdError::TooLong { kind, length: text.len(), limit });
    }
    // Nearly all of them are ASCII, and each alert of thousands has three.
    let has_control = if text.is_ascii() {
        text.bytes().any(|byte| byte.is_ascii_control())
    } else {
        text.chars().any(char::is_control)
    };
    if text.is_empty() || has_control {
        return Err(IdError::Malformed { kind, expected: "a text without control characters" });
    }
    Ok(text.to_owned())
}

pub(crate) fn guid(kind: &'static str, text: &str) -> Result<String, IdError> {
    let malformed = IdError::Malformed { kind, expected: "a GUID (8-4-4-4-12 hexadecimal digits)" };
    let shaped = text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    if shaped { Ok(text.to_ascii_lowercase()) } else { Err(malformed) }
}

pub(crate) fn hex_digest(kind: &'static str, text: &str) -> Result<String, IdError> {
    check_hex_digest(kind, text).map(|()| text.to_owned())
}

fn check_hex_digest(kind: &'static str, text: &str) -> Result<(), IdError> {
    if text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        Ok(())
    } else {
        Err(IdError::Malformed { kind, expected: "64 lower-case hexadecimal digits" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_id_is_a_guid_in_lower_case() {
        let id: TenantId = "9F1C7F3E-2f0a-4f7b-8a34-0c5d1b7e6a10".parse().unwrap();
        assert_eq!(id.as_str(), "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10");
        for bad in ["", "9f1c7f3e", "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a1g", "9f1c7f3e#2f0a-4f7b-8a34-0c5d1b7e6a10"] {
            assert!(bad.parse::<TenantId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_opaque_id_has_a_length_and_no_control_characters() {
        assert!("a".repeat(256).parse::<AlertId>().is_ok());
        assert!("ä-1 ~".parse::<AlertId>().is_ok());
        assert_eq!(
            "a".repeat(257).parse::<AlertId>(),
            Err(IdError::TooLong { kind: "alert id", length: 257, limit: 256 })
        );
        for bad in ["", "a\nb", "a\0b", "a\u{1b}[31m", "a\u{7f}", "ä\n", "a\u{85}b"] {
            assert!(bad.parse::<AlertId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_path_key_does_not_print() {
        let key = PathKey::from_bytes([7; 32]);
        assert!(!format!("{key:?}").contains("07"));
        assert_eq!(key.hash(), key.expose().parse::<PathKey>().unwrap().hash());
    }

    #[test]
    fn the_hash_of_a_path_key_is_the_same_in_bytes_and_nothing_but_a_key_has_one() {
        let key = PathKey::from_bytes([7; 32]);
        let bytes = PathKey::sha256_of(key.expose()).unwrap();
        assert_eq!(bytes, key.hash().bytes());
        assert_eq!(hex::encode(bytes), key.hash().as_str());
        for bad in ["", &key.expose()[1..], &format!("{}0", key.expose()), &"A".repeat(64)] {
            assert!(PathKey::sha256_of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn message_ids_differ_where_the_parts_differ_even_if_their_joined_text_is_the_same() {
        assert_ne!(MessageId::of_parts(&["ab", "c"]), MessageId::of_parts(&["a", "bc"]));
        assert_eq!(MessageId::of_parts(&["ab", "c"]), MessageId::of_parts(&["ab", "c"]));
    }

    #[test]
    fn an_event_id_is_the_hash_of_the_raw_body() {
        // The published sample body and its SHA-256.
        let body = br#"{"EventName":"test-created","ResourceUri":"http://localhost:16722/v1/webhooks/registration/test","ResourceName":"test","AuditUri":null,"ResourceChangeUtcDate":"2017-11-16T16:19:06.3520276+00:00"}"#;
        assert_eq!(EventId::of_body(body).as_str(), "9b12d088c56e9df7b64d25978d008c4492b400ce909c2de1d7e71fd3b08c2aab");
    }
}
