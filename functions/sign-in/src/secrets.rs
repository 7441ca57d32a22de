//! The two secrets: what the application proves itself with, and the sealing keys. `runtime::Kept` says how long they are used.

use std::{future::Future, sync::Arc};

use identity::{Sealing, SealingKeysError, SharedRandom};
use jiff::Timestamp;
use runtime::{Kept, NotKept};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::Problem;

/// Where secrets lie.
#[derive(Clone, Debug)]
pub struct SecretNames {
    /// JSON with the member `client_secret`.
    pub client: String,
    /// The sealing keys.
    pub sealing: String,
}

/// Why a secret can't be had. Holds nothing of it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// They could not be read a moment ago.
    #[error("the secrets could not be read a moment ago")]
    Awaited,
    /// The client secret is not of its form.
    #[error("the secret {0} is no JSON with a \"client_secret\": write {{\"client_secret\":\"<value>\"}} into it")]
    Client(String),
    /// Secrets Manager refused or could not be reached.
    #[error("the secret {name} can't be read")]
    NotRead {
        /// Its name.
        name: String,
        /// What Secrets Manager said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The sealing keys can't be used.
    #[error("the secret {name} holds no sealing keys")]
    Sealing {
        /// Its name.
        name: String,
        /// What is wrong with it.
        #[source]
        source: SealingKeysError,
    },
}

/// Reads a secret.
pub trait ReadSecret {
    /// The text of the current version of the secret of this name.
    fn read(&self, name: &str) -> impl Future<Output = Result<SecretString, SecretError>> + Send;
}

/// Both secrets, ready for use.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) client_secret: SecretString,
    pub(crate) sealing: Sealing,
}

#[derive(Debug)]
pub(crate) struct Secrets<R> {
    source: R,
    names: SecretNames,
    random: crate::RandomSource,
    kept: Kept<Opened>,
}

#[derive(Deserialize)]
struct ClientSecret {
    client_secret: String,
}

impl<R: ReadSecret + Sync> Secrets<R> {
    pub(crate) fn new(source: R, names: SecretNames, random: SharedRandom) -> Self {
        Self { source, names, random: crate::RandomSource(random), kept: Kept::default() }
    }

    pub(crate) async fn opened(&self, now: Timestamp) -> Result<Arc<Opened>, Problem> {
        self.kept.get(now, || self.read()).await.map_err(|error| {
            Problem::Secrets(match error {
                NotKept::Awaited => SecretError::Awaited,
                NotKept::Failed(error) => error,
            })
        })
    }

    async fn read(&self) -> Result<Opened, SecretError> {
        let SecretNames { client, sealing } = &self.names;
        let secret = self.source.read(client).await?;
        let secret: ClientSecret =
            serde_json::from_str(secret.expose_secret()).map_err(|_| SecretError::Client(client.clone()))?;
        let keys = self.source.read(sealing).await?;
        let keys = Sealing::read(keys.expose_secret(), SharedRandom::clone(&self.random.0));
        let keys = keys.map_err(|source| SecretError::Sealing { name: sealing.clone(), source })?;
        Ok(Opened { client_secret: secret.client_secret.into(), sealing: keys })
    }
}
