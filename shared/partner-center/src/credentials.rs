//! What a tenant signs in with.

use std::future::Future;

use models::Tenant;
use ring::digest::{Context, SHA256};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{ApplicationCertificate, Purpose, SecretError, StoredSecret};

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

impl Credential {
    /// What tells it from another.
    pub(crate) fn print(&self) -> CredentialPrint {
        let proof = match &self.proof {
            Proof::Certificate(certificate) => ["certificate", certificate.thumbprint()],
            Proof::ClientSecret(secret) => ["secret", secret.expose_secret()],
        };
        let grant = match &self.grant {
            Grant::ClientCredentials => ["application", ""],
            Grant::RefreshToken(token) => ["person", token.expose_secret()],
        };
        CredentialPrint {
            hash: hash(&[&self.client_id, proof[0], proof[1], grant[0], grant[1]]),
            is_app_only: matches!(self.grant, Grant::ClientCredentials),
        }
    }
}

/// What is left of a credential that was signed in with.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct CredentialPrint {
    /// Of all that it has.
    pub(crate) hash: Vec<u8>,
    /// Whether it is for the application alone.
    pub(crate) is_app_only: bool,
}

fn hash(parts: &[&str]) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    for part in parts {
        // Where one part ends and the next begins counts, too.
        context.update(&part.len().to_be_bytes());
        context.update(part.as_bytes());
    }
    context.finish().as_ref().to_vec()
}

/// Why there is no credential, or why one was not kept.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The secret is not of the form that we write. The contents are not repeated.
    #[error("the {purpose} secret of tenant {tenant} can't be used: {problem}")]
    Malformed {
        /// Which secret.
        purpose: Purpose,
        /// The tenant.
        tenant: String,
        /// What is wrong with it.
        #[source]
        problem: SecretError,
    },
    /// The tenant has no such secret.
    #[error("the tenant {tenant} has no {purpose} secret: `tenants set --{purpose}-secret` names one")]
    NotNamed {
        /// Which secret.
        purpose: Purpose,
        /// The tenant.
        tenant: String,
    },
    /// Secrets Manager refused or could not be reached.
    #[error("the {purpose} secret of tenant {tenant} could not be {action} Secrets Manager ({code})")]
    SecretsManager {
        /// What was to be done: `fetched from`, `made in`, `written to`.
        action: &'static str,
        /// Which secret.
        purpose: Purpose,
        /// The tenant.
        tenant: String,
        /// Secrets Manager's code.
        code: String,
        /// Its words.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl CredentialError {
    /// Whether trying again may help: Secrets Manager was not reached, is in trouble, or was asked too often.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        const PASSING: [&str; 4] =
            ["InternalServiceError", "InternalServiceErrorException", "ThrottlingException", NOT_REACHED];
        matches!(self, Self::SecretsManager { code, .. } if PASSING.contains(&code.as_str()))
    }
}

/// Stands for Secrets Manager's code where it gave none.
pub(crate) const NOT_REACHED: &str = "not reached";

/// Gives the credentials of tenants, all for one purpose.
pub trait Credentials {
    /// What they are for.
    fn purpose(&self) -> Purpose;

    /// The credential of a tenant.
    fn credential(&self, tenant: &Tenant) -> impl Future<Output = Result<Credential, CredentialError>> + Send;
}

/// The credential of one secret that is at hand, wherever it is kept: for whoever looks at that very one.
#[derive(Debug)]
pub struct SecretAtHand {
    /// The secret.
    pub secret: StoredSecret,
    /// What it is for.
    pub purpose: Purpose,
}

impl Credentials for SecretAtHand {
    fn purpose(&self) -> Purpose {
        self.purpose
    }

    async fn credential(&self, tenant: &Tenant) -> Result<Credential, CredentialError> {
        let malformed = |problem| {
            let (purpose, tenant) = (self.purpose, tenant.id.to_string());
            CredentialError::Malformed { purpose, tenant, problem }
        };
        self.secret.credential().map_err(malformed)
    }
}
