//! The JSON that a tenant's secret is, in Secrets Manager.
//!
//! What people wrote into it beside our members stays in it when a refresh token is replaced.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::{ApplicationCertificate, CertificateError, Credential, Grant, Proof};

/// What is wrong with a secret. The contents are not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Its certificate or key can't be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// It is no JSON with the members that are needed.
    #[error(
        "it is not JSON with client_id, client_secret (or certificate and private_key) and, for app+user, refresh_token \
         (line {line}, column {column})"
    )]
    Json {
        /// Where reading stopped.
        line: usize,
        /// Where reading stopped.
        column: usize,
    },
    /// It has no proof, or more than one.
    #[error("it must have either client_secret, or certificate and private_key")]
    Proof,
}

/// A tenant's secret: `client_id`; `client_secret`, or `certificate` and `private_key` (both PEM); for app+user
/// `refresh_token`. Prints none of it.
#[derive(Clone, Serialize, Deserialize)]
pub struct StoredSecret {
    client_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_secret: Option<SecretText>,
    /// Microsoft doesn't tell whoever only has the secret when it expires, so whoever made it has to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_secret_expires: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    private_key: Option<SecretText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<SecretText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token_obtained: Option<Moment>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl std::fmt::Debug for StoredSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("StoredSecret").finish_non_exhaustive()
    }
}

impl StoredSecret {
    /// A secret for an application that proves itself with a client secret, which expires at this moment if that is known.
    #[must_use]
    pub fn with_client_secret(client_id: String, client_secret: SecretString, expires: Option<Timestamp>) -> Self {
        Self {
            client_secret: Some(SecretText(client_secret)),
            client_secret_expires: expires.map(Moment),
            ..Self::without_proof(client_id)
        }
    }

    /// A secret for an application that proves itself with a certificate; both PEM.
    ///
    /// # Errors
    ///
    /// [`SecretError`].
    pub fn with_certificate(
        client_id: String,
        certificate: String,
        private_key: SecretString,
    ) -> Result<Self, SecretError> {
        let (certificate, private_key) = (Some(certificate), Some(SecretText(private_key)));
        let secret = Self { certificate, private_key, ..Self::without_proof(client_id) };
        secret.credential().map(|_| secret)
    }

    fn without_proof(client_id: String) -> Self {
        Self {
            client_id,
            client_secret: None,
            client_secret_expires: None,
            certificate: None,
            private_key: None,
            refresh_token: None,
            refresh_token_obtained: None,
            others: Map::new(),
        }
    }

    /// Reads what is stored.
    ///
    /// # Errors
    ///
    /// [`SecretError`].
    pub fn read(text: &str) -> Result<Self, SecretError> {
        let secret: Self = serde_json::from_str(text)
            .map_err(|error| SecretError::Json { line: error.line(), column: error.column() })?;
        secret.credential().map(|_| secret)
    }

    /// What is to be stored.
    ///
    /// # Errors
    ///
    /// None that is known: the members are texts and moments.
    pub fn text(&self) -> Result<SecretString, serde_json::Error> {
        serde_json::to_string(self).map(Into::into)
    }

    /// The same with this refresh token, obtained at this moment, in place of the one before.
    #[must_use]
    pub fn with_refresh_token(self, token: SecretString, obtained: Timestamp) -> Self {
        Self { refresh_token: Some(SecretText(token)), refresh_token_obtained: Some(Moment(obtained)), ..self }
    }

    /// What the tenant signs in with.
    ///
    /// # Errors
    ///
    /// [`SecretError`].
    pub fn credential(&self) -> Result<Credential, SecretError> {
        let proof = match (&self.client_secret, &self.certificate, &self.private_key) {
            (Some(secret), None, None) => Proof::ClientSecret(secret.0.clone()),
            (None, Some(certificate), Some(key)) => {
                Proof::Certificate(Box::new(ApplicationCertificate::read(certificate, &key.0)?))
            }
            _ => return Err(SecretError::Proof),
        };
        let token = self.refresh_token.as_ref();
        let grant = token.map_or(Grant::ClientCredentials, |token| Grant::RefreshToken(token.0.clone()));
        Ok(Credential { client_id: self.client_id.clone(), proof, grant })
    }

    /// Whether it acts for a person, with a refresh token.
    #[must_use]
    pub fn has_refresh_token(&self) -> bool {
        self.refresh_token.is_some()
    }

    /// When the refresh token was obtained, where there is one and that is known.
    #[must_use]
    pub fn refresh_token_obtained(&self) -> Option<Timestamp> {
        self.refresh_token.as_ref().and(self.refresh_token_obtained.as_ref()).map(|moment| moment.0)
    }

    /// When the client secret or the certificate expires, where that is known.
    #[must_use]
    pub fn proof_expires(&self) -> Option<Timestamp> {
        match self.credential().ok()?.proof {
            Proof::Certificate(certificate) => Some(certificate.expires()),
            Proof::ClientSecret(_) => self.client_secret_expires.as_ref().map(|moment| moment.0),
        }
    }
}

#[derive(Clone)]
struct SecretText(SecretString);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose_secret())
    }
}

/// A moment, as RFC 3339 has it; a day stands for its beginning in UTC, which is how Entra ID's pages name the end of a secret.
#[derive(Clone)]
struct Moment(Timestamp);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        moment(&text).map(Self).ok_or_else(|| serde::de::Error::custom("neither a day nor a moment"))
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A moment as RFC 3339 has it, or the beginning of a day in UTC.
#[must_use]
pub fn moment(text: &str) -> Option<Timestamp> {
    let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(day)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KEY: &str = include_str!("../tests/data/test-only-application-key.pem");
    const CERTIFICATE: &str = include_str!("../tests/data/test-only-application-certificate.pem");

    #[test]
    fn a_secret_says_how_the_application_proves_itself_and_for_whom_it_asks() {
        let secret = json!({ "client_id": "a", "client_secret": "marker" });
        let certificate = json!({ "client_id": "a", "certificate": CERTIFICATE, "private_key": KEY });
        let with_token = |mut stored: Value| {
            stored["refresh_token"] = "marker".into();
            stored
        };
        for (stored, by_certificate, for_a_person) in [
            (secret.clone(), false, false),
            (certificate.clone(), true, false),
            (with_token(secret), false, true),
            (with_token(certificate), true, true),
        ] {
            let secret = StoredSecret::read(&stored.to_string()).unwrap();
            let credential = secret.credential().unwrap();
            assert_eq!(matches!(credential.proof, Proof::Certificate(_)), by_certificate);
            assert_eq!(matches!(credential.grant, Grant::RefreshToken(_)), for_a_person);
            assert!(!format!("{secret:?} {credential:?}").contains("marker"));
        }
    }

    #[test]
    fn a_secret_that_can_not_be_used_says_why_and_repeats_nothing() {
        for (stored, expected) in [
            (String::new(), "(line 1, column 0)"),
            ("marker".to_owned(), "(line 1, column 1)"),
            (json!({ "client_secret": "marker" }).to_string(), "it is not JSON with client_id"),
            (json!({ "client_id": "marker", "client_secret": 1 }).to_string(), "it is not JSON with client_id"),
            (
                json!({ "client_id": "a", "client_secret": "marker", "client_secret_expires": "marker" }).to_string(),
                "it is not JSON with client_id",
            ),
            (json!({ "client_id": "marker" }).to_string(), "either client_secret, or certificate and private_key"),
            (json!({ "client_id": "a", "certificate": CERTIFICATE }).to_string(), "either client_secret"),
            (
                json!({ "client_id": "a", "client_secret": "marker", "private_key": KEY }).to_string(),
                "either client_secret",
            ),
            (json!({ "client_id": "a", "certificate": "marker", "private_key": KEY }).to_string(), "PEM certificate"),
            (json!({ "client_id": "a", "certificate": CERTIFICATE, "private_key": "marker" }).to_string(), "RSA key"),
        ] {
            let error = StoredSecret::read(&stored).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(!format!("{error} {error:?}").contains("marker"), "{error:?}");
        }
    }

    #[test]
    fn what_is_replaced_is_the_refresh_token_alone() {
        let stored = json!({
            "client_id": "a", "client_secret": "s", "client_secret_expires": "2027-05-01", "refresh_token": "old",
            "owner": "soc@example.com",
        });
        let obtained: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        let secret = StoredSecret::read(&stored.to_string()).unwrap();
        assert_eq!(secret.refresh_token_obtained(), None, "nobody knows");
        let replaced = secret.with_refresh_token("new".into(), obtained);
        let text = replaced.text().unwrap();
        let expected = json!({
            "client_id": "a", "client_secret": "s", "client_secret_expires": "2027-05-01T00:00:00Z",
            "refresh_token": "new", "refresh_token_obtained": "2026-03-02T09:00:00Z", "owner": "soc@example.com",
        });
        assert_eq!(serde_json::from_str::<Value>(text.expose_secret()).unwrap(), expected);
        let again = StoredSecret::read(text.expose_secret()).unwrap();
        assert_eq!(again.refresh_token_obtained(), Some(obtained));
        assert_eq!(again.proof_expires(), Some("2027-05-01T00:00:00Z".parse().unwrap()));
    }

    #[test]
    fn the_end_of_a_certificate_is_in_the_certificate() {
        let secret = StoredSecret::with_certificate("a".to_owned(), CERTIFICATE.to_owned(), KEY.into()).unwrap();
        // What openssl says: `openssl x509 -noout -enddate`.
        assert_eq!(secret.proof_expires(), Some("2126-10-30T00:18:15Z".parse().unwrap()));
    }
}
