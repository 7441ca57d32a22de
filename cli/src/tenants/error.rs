//! Why a command on tenants can't do its work, and what to do.

use std::path::PathBuf;

use models::TenantId;
use partner_center::{ConsentError, CredentialError, Diagnosis, Purpose, SecretError};
use runtime::ConfigError;
use store::StoreError;

use crate::{
    account::AccountError,
    doctor::{self, Finding},
};

/// Why a command can't do its work.
#[derive(Debug, thiserror::Error)]
pub enum TenantsError {
    /// The account can't be worked on.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// Certificate or key can't be used.
    #[error("the certificate can't be used")]
    Certificate(#[source] SecretError),
    /// The certificate has expired.
    #[error("the certificate has expired, on {0}: nothing was written")]
    CertificateExpired(jiff::Timestamp),
    /// There is no consent.
    #[error(transparent)]
    Consent(#[from] ConsentError),
    /// Secrets Manager failed.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The secret's end is near.
    #[error(
        "Secrets Manager is about to delete the secret {0}: take that back with `aws secretsmanager restore-secret \
         --secret-id {0}`, or name another"
    )]
    Deleted(String),
    /// There is such a tenant.
    #[error("there is a tenant {0} already: change it with `tenants set`")]
    Exists(TenantId),
    /// Saying it failed.
    #[error("writing failed")]
    Io(#[from] std::io::Error),
    /// Functions may not read a secret of this name.
    #[error(
        "functions may not read a secret {name}: names of {purpose} secrets begin with {prefix}; --anyway takes it nevertheless"
    )]
    Misnamed {
        /// Which secret.
        purpose: Purpose,
        /// Its name or ARN.
        name: String,
        /// What names begin with.
        prefix: String,
    },
    /// A name is empty or holds what is no text.
    #[error("{0} must be a text of 1 to 200 characters, with none that steer a terminal or turn text around")]
    Name(&'static str),
    /// The client secret is empty.
    #[error("there is no client secret in what --client-secret-file names")]
    NoClientSecret,
    /// What is given is not as good as it has to be.
    #[error("nothing was written: {why}; --anyway writes it nevertheless{}", told(.checks))]
    NotProven {
        /// Why not.
        why: String,
        /// What works, and what is missing.
        checks: Vec<Finding>,
    },
    /// One path key is all there is.
    #[error("the tenant {0} has one path key alone, which stays: --new-path-key makes another")]
    OnePathKey(TenantId),
    /// The path key is the one that Partner Center calls with.
    #[error(
        "the path key is the one in the address that is registered at Partner Center, so that no callback would be taken: \
         `webhook register` the other address first; --anyway drops it nevertheless"
    )]
    PathKeyInUse,
    /// There is no randomness.
    #[error("the machine has no randomness to make a path key of")]
    Randomness,
    /// The browser can't come back.
    #[error("the browser can't come back to port {port}: take another with --redirect-port, and register it")]
    RedirectPort {
        /// The port.
        port: u16,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// Somebody else wrote the secret.
    #[error(
        "somebody else wrote the {0} secret {1} at the same time, and what they wrote stays: look at it and try again"
    )]
    SecretChanged(Purpose, String),
    /// There is such a secret.
    #[error(
        "there is a secret {1} already: leave --client-id out to use it, or replace it with `tenants set` once the tenant is added"
    )]
    SecretExists(Purpose, String),
    /// There is no such secret.
    #[error("there is no secret {1} yet: say with --client-id and --client-secret-file what to put into it")]
    SecretMissing(Purpose, String),
    /// Somebody changed it at the same time.
    #[error("somebody else changed the tenant {0} at the same time: look at it and try again")]
    SomebodyWasQuicker(TenantId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The refresh token would be lost.
    #[error(
        "the refresh token in the {0} secret {1} is another application's, and would be lost: have somebody consent to this one \
         with --consent, or do without a person with --app-only"
    )]
    TokenLost(Purpose, String),
    /// Two path keys are there.
    #[error(
        "the tenant {0} has two path keys already: drop one first, with --drop-path-key oldest, or newest where \
         its address was lost"
    )]
    TwoPathKeys(TenantId),
    /// There is no such tenant.
    #[error("there is no tenant {0}: `tenants list` shows which there are")]
    Unknown(TenantId),
    /// There is such a tenant, but nobody can tell what it is.
    #[error(
        "the item of the tenant {id} can't be read, so nothing is done to it: mend or delete it in the tenants table ({reason})"
    )]
    UnreadableItem {
        /// Its id.
        id: TenantId,
        /// What is wrong with it.
        reason: String,
    },
    /// A file can't be read.
    #[error("{} can't be read", file.display())]
    Unreadable {
        /// The file; `-` for standard input.
        file: PathBuf,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
}

impl TenantsError {
    /// What to do about it, where that is known.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Consent(ConsentError::Microsoft(error)) => error.diagnosis().map(Diagnosis::what_to_do),
            Self::Credential(CredentialError::Malformed { .. }) => {
                Some("replace it with `tenants set`: --client-id, with --client-secret-file or --certificate-file")
            }
            _ => None,
        }
    }
}

impl From<ConfigError> for TenantsError {
    fn from(error: ConfigError) -> Self {
        Self::Account(error.into())
    }
}

fn told(checks: &[Finding]) -> String {
    format!("\n\nWhat works, and what is missing:\n\n{}", doctor::lines(checks).trim_end())
}
