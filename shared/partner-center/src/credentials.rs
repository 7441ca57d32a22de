//! What a tenant signs in with.

use std::future::Future;

use aws_sdk_secretsmanager::{Client, error::ProvideErrorMetadata};
use models::Tenant;
use secrecy::SecretString;
use serde::Deserialize;

use crate::{ApplicationCertificate, CertificateError};

/// How a token is obtained.
#[derive(Clone, Debug)]
pub enum Grant {
    /// App-only: the application's own secret.
    ClientCredentials,
    /// App+user by the secure application model: a refresh token that a person consented to.
    RefreshToken(SecretString),
}

/// What an application proves itself with. Prints no secret.
#[derive(Debug)]
pub enum Proof {
    /// Its certificate.
    Certificate(Box<ApplicationCertificate>),
    /// Its secret.
    ClientSecret(SecretString),
}

/// What a tenant signs in with. Prints no secret.
#[derive(Debug)]
pub struct Credential {
    /// The application's id.
    pub client_id: String,
    /// What it proves itself with.
    pub proof: Proof,
    /// How a token is obtained.
    pub grant: Grant,
}

/// Why there is no credential.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The store refused or could not be reached.
    #[error("the read secret of tenant {tenant} could not be fetched from Secrets Manager ({code})")]
    Fetch {
        /// The tenant.
        tenant: String,
        /// Secrets Manager's code.
        code: String,
        /// Its words.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The secret is not of the form that we write. The contents are not repeated.
    #[error("the read secret of tenant {tenant} can't be used: {problem}")]
    Malformed {
        /// The tenant.
        tenant: String,
        /// What is wrong with it.
        #[source]
        problem: SecretError,
    },
}

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

/// Gives the credentials of tenants.
pub trait Credentials {
    /// The credential that can read a tenant's alerts.
    fn read_credential(&self, tenant: &Tenant) -> impl Future<Output = Result<Credential, CredentialError>> + Send;
}

/// Credentials in AWS Secrets Manager: JSON with `client_id`; with `client_secret`, or `certificate` and `private_key` (both
/// PEM); and, for app+user, with `refresh_token`.
#[derive(Clone, Debug)]
pub struct SecretsManager {
    client: Client,
}

impl SecretsManager {
    /// The credentials that this client can fetch.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }
}

#[derive(Deserialize)]
struct StoredSecret {
    client_id: String,
    client_secret: Option<SecretText>,
    certificate: Option<String>,
    private_key: Option<SecretText>,
    refresh_token: Option<SecretText>,
}

#[derive(Deserialize)]
struct SecretText(String);

impl From<SecretText> for SecretString {
    fn from(text: SecretText) -> Self {
        text.0.into()
    }
}

impl Credentials for SecretsManager {
    async fn read_credential(&self, tenant: &Tenant) -> Result<Credential, CredentialError> {
        let output = self.client.get_secret_value().secret_id(&tenant.read_secret).send().await;
        let output = output.map_err(|error| CredentialError::Fetch {
            tenant: tenant.id.to_string(),
            code: error.code().unwrap_or("not reached").to_owned(),
            source: Box::new(error),
        })?;
        read(output.secret_string().unwrap_or_default())
            .map_err(|problem| CredentialError::Malformed { tenant: tenant.id.to_string(), problem })
    }
}

fn read(text: &str) -> Result<Credential, SecretError> {
    let stored: StoredSecret =
        serde_json::from_str(text).map_err(|error| SecretError::Json { line: error.line(), column: error.column() })?;
    let proof = match (stored.client_secret, stored.certificate, stored.private_key) {
        (Some(secret), None, None) => Proof::ClientSecret(secret.into()),
        (None, Some(certificate), Some(key)) => {
            Proof::Certificate(Box::new(ApplicationCertificate::read(&certificate, &key.into())?))
        }
        _ => return Err(SecretError::Proof),
    };
    let grant = stored.refresh_token.map_or(Grant::ClientCredentials, |token| Grant::RefreshToken(token.into()));
    Ok(Credential { client_id: stored.client_id, proof, grant })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

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
            let credential = read(&stored.to_string()).unwrap();
            assert_eq!(matches!(credential.proof, Proof::Certificate(_)), by_certificate);
            assert_eq!(matches!(credential.grant, Grant::RefreshToken(_)), for_a_person);
            assert!(!format!("{credential:?}").contains("marker"));
        }
    }

    #[test]
    fn a_secret_that_can_not_be_used_says_why_and_repeats_nothing() {
        for (stored, expected) in [
            (String::new(), "(line 1, column 0)"),
            ("marker".to_owned(), "(line 1, column 1)"),
            (json!({ "client_secret": "marker" }).to_string(), "it is not JSON with client_id"),
            (json!({ "client_id": "marker", "client_secret": 1 }).to_string(), "it is not JSON with client_id"),
            (json!({ "client_id": "marker" }).to_string(), "either client_secret, or certificate and private_key"),
            (json!({ "client_id": "a", "certificate": CERTIFICATE }).to_string(), "either client_secret"),
            (
                json!({ "client_id": "a", "client_secret": "marker", "private_key": KEY }).to_string(),
                "either client_secret",
            ),
            (json!({ "client_id": "a", "certificate": "marker", "private_key": KEY }).to_string(), "PEM certificate"),
            (json!({ "client_id": "a", "certificate": CERTIFICATE, "private_key": "marker" }).to_string(), "RSA key"),
        ] {
            let error = read(&stored).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(!format!("{error} {error:?}").contains("marker"), "{error:?}");
        }
    }
}
