//! The application that people sign in to for an operation: its secrets, and how it calls Entra ID.

use std::{fmt, future::Future, sync::Arc};

use identity::{Sealing, SharedRandom};
use models::Tenant;
use partner_center::{CloudDirectory, Consent, Limits, Now, Proof};
use runtime::Kept;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::CALLBACK;
use crate::subscriptions::StepUpConfig;

/// Why a secret can't be had. Holds nothing of it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It is not of its form.
    #[error("the secret {0} is not of its form")]
    Malformed(String),
    /// The sealing keys can't be used.
    #[error("the secret {name} holds no sealing keys")]
    Sealing {
        /// Its name.
        name: String,
        /// What is wrong with it.
        #[source]
        source: identity::SealingKeysError,
    },
    /// Secrets Manager refused or could not be reached.
    #[error("the secret {name} can't be read")]
    NotRead {
        /// Its name.
        name: String,
        /// What Secrets Manager said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Reads a secret.
pub trait ReadSecret {
    /// The text of the current version of the secret of this name.
    fn read(&self, name: &str) -> impl Future<Output = Result<SecretString, SecretError>> + Send;
}

/// What it takes to have a person sign in.
pub struct SteppingUp<R> {
    /// Where its secrets are read.
    pub secrets: R,
    /// What was read of them.
    pub(crate) kept: Kept<Opened>,
    /// The application.
    pub config: StepUpConfig,
    /// Where our pages are.
    pub origin: identity::Origin,
    /// Calls Entra ID.
    pub http: reqwest::Client,
    /// Where that is.
    pub clouds: CloudDirectory,
    /// Bounds of the calls.
    pub limits: Limits,
    /// The time.
    pub now: Now,
    /// What nobody can guess.
    pub random: SharedRandom,
}

impl<R> fmt::Debug for SteppingUp<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SteppingUp").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Both secrets, ready for use. Does not print.
pub(crate) struct Opened {
    pub(super) proof: Proof,
    pub(super) sealing: Sealing,
}

#[derive(Deserialize)]
struct ClientSecret {
    client_secret: String,
}

impl<R> SteppingUp<R> {
    pub(super) fn consent<'a>(&'a self, tenant: &'a Tenant, proof: &'a Proof) -> Consent<'a> {
        let Self { http, clouds, limits, now, config, .. } = self;
        Consent { http, clouds, limits: *limits, now, tenant, client_id: &config.application, proof }
    }

    /// Where Entra ID sends the browser back to.
    pub(super) fn back(&self) -> String {
        format!("{}{CALLBACK}", self.origin.as_str())
    }
}

impl<R: ReadSecret + Sync> SteppingUp<R> {
    pub(super) async fn open(&self) -> Result<Opened, SecretError> {
        let Self { secrets, config: StepUpConfig { client_secret, sealing_secret, .. }, random, .. } = self;
        let keys = secrets.read(sealing_secret).await?;
        let sealing = Sealing::read(keys.expose_secret(), Arc::clone(random));
        let sealing = sealing.map_err(|source| SecretError::Sealing { name: sealing_secret.clone(), source })?;
        let text = secrets.read(client_secret).await?;
        let secret: ClientSecret =
            serde_json::from_str(text.expose_secret()).map_err(|_| SecretError::Malformed(client_secret.clone()))?;
        Ok(Opened { proof: Proof::ClientSecret(secret.client_secret.into()), sealing })
    }
}
