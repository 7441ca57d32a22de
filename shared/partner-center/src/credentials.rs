//! What a tenant signs in with.

use std::future::Future;

use aws_sdk_secretsmanager::{Client, error::ProvideErrorMetadata};
use models::Tenant;
use secrecy::SecretString;
use serde::Deserialize;

/// How a token is obtained.
#[derive(Clone, Debug)]
pub enum Grant {
    /// App-only: the application's own secret.
    ClientCredentials,
    /// App+user by the secure application model: a refresh token that a person consented to.
    RefreshToken(SecretString),
}

/// What a tenant signs in with. Prints no secret.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The application's id.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: SecretString,
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
    #[error(
        "the read secret of tenant {tenant} is not JSON with client_id, client_secret and, for app+user, refresh_token \
         (line {line}, column {column})"
    )]
    Malformed {
        /// The tenant.
        tenant: String,
        /// Where reading stopped.
        line: usize,
        /// Where reading stopped.
        column: usize,
    },
}

/// Gives the credentials of tenants.
pub trait Credentials {
    /// The credential that can read a tenant's alerts.
    fn read_credential(&self, tenant: &Tenant) -> impl Future<Output = Result<Credential, CredentialError>> + Send;
}

/// Credentials in AWS Secrets Manager: JSON with `client_id`, `client_secret` and, for app+user, `refresh_token`.
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
    client_secret: SecretText,
    #[serde(default)]
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
        read(tenant, output.secret_string().unwrap_or_default())
    }
}

fn read(tenant: &Tenant, text: &str) -> Result<Credential, CredentialError> {
    let stored: StoredSecret = serde_json::from_str(text).map_err(|error| CredentialError::Malformed {
        tenant: tenant.id.to_string(),
        line: error.line(),
        column: error.column(),
    })?;
    Ok(Credential {
        client_id: stored.client_id,
        client_secret: stored.client_secret.into(),
        grant: match stored.refresh_token {
            Some(token) => Grant::RefreshToken(token.into()),
            None => Grant::ClientCredentials,
        },
    })
}
