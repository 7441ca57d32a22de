//! The places of lists, sealed. `runtime::Kept` says how long the keys are used.

use std::{fmt, future::Future, sync::Arc};

use api::{Cursors, Problem};
use identity::{Sealing, SharedRandom};
use jiff::Timestamp;
use runtime::Kept;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Serialize, de::DeserializeOwned};

use crate::Asked;

/// Reads the sealing keys.
pub trait ReadSealingKeys {
    /// The text of the current version of the secret.
    fn read(&self) -> impl Future<Output = Result<SecretString, Box<dyn std::error::Error + Send + Sync>>> + Send;
}

/// A list, and what it is asked for by.
#[derive(Debug)]
pub(crate) struct List<'a, F> {
    pub(crate) name: &'static str,
    pub(crate) filters: &'a F,
}

impl<F> Copy for List<'_, F> {}

impl<F> Clone for List<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}

/// Why there are no sealing keys. Holds nothing of them.
#[derive(Debug, thiserror::Error)]
enum NoKeys {
    #[error("the secret with the sealing keys (CURSOR_SECRET) can't be read")]
    NotRead(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the secret with the sealing keys (CURSOR_SECRET) can't be used")]
    Unusable(#[from] identity::SealingKeysError),
}

/// Where the keys come from, and those that are at hand.
pub struct Places<K> {
    source: K,
    random: SharedRandom,
    kept: Kept<Sealing>,
}

impl<K> fmt::Debug for Places<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Places")
    }
}

impl<K: ReadSealingKeys + Sync> Places<K> {
    /// Places that are sealed with the keys of this source.
    pub fn new(source: K, random: SharedRandom) -> Self {
        Self { source, random, kept: Kept::default() }
    }

    /// Opens the place of a list that a request names, if it names one: as this caller asks for the list by these filters.
    pub(crate) async fn open<T: DeserializeOwned>(
        &self,
        list: List<'_, impl Serialize + Sync>,
        cursor: Option<&String>,
        asked: Asked<'_>,
    ) -> Result<Option<T>, Problem> {
        let Some(cursor) = cursor else { return Ok(None) };
        let sealing = self.sealing(asked.now).await?;
        Cursors::new(&sealing, list.name, asked.caller, list.filters).open(cursor, asked.now).map(Some)
    }

    /// Seals the place where a list goes on, if it does.
    pub(crate) async fn seal(
        &self,
        list: List<'_, impl Serialize + Sync>,
        next: Option<&(impl Serialize + Sync)>,
        asked: Asked<'_>,
    ) -> Result<Option<String>, Problem> {
        let Some(next) = next else { return Ok(None) };
        let sealing = self.sealing(asked.now).await?;
        Cursors::new(&sealing, list.name, asked.caller, list.filters).seal(next, asked.now).map(Some)
    }

    /// What seals and opens.
    async fn sealing(&self, now: Timestamp) -> Result<Arc<Sealing>, Problem> {
        self.kept.get(now, || self.read()).await.map_err(|error| Problem::unavailable(&error))
    }

    async fn read(&self) -> Result<Sealing, NoKeys> {
        let text = self.source.read().await.map_err(NoKeys::NotRead)?;
        Ok(Sealing::read(text.expose_secret(), SharedRandom::clone(&self.random))?)
    }
}
