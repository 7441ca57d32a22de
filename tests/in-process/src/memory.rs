//! Everything around the webhook, in memory.

use std::future::pending;

use callback::{CertificateUrl, IssuerUrl};
use jiff::SignedDuration;
use messaging::{QueueError, Ring};
use models::{AlertSource, Cloud, PathKey, Queued, ReconcileRequest, Tenant};
use signers::{FetchCertificate, FetchError};
use store::{KeepEvents, Kept, ReadTenants, ReceivedEvent, StoreError};

use crate::callbacks::{PATH_KEY, TENANT};

/// What the store does with an event.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// It never answers: what is polled ends where the store is called.
    Never,
    /// Every event is new.
    New,
}

/// One tenant, one certificate, and a store and a queue that keep nothing.
#[derive(Clone, Debug)]
pub struct Memory {
    /// What the store does with an event.
    pub answer: Answer,
    /// The certificate at every address.
    pub certificate: Vec<u8>,
}

impl ReadTenants for Memory {
    async fn tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        let key: PathKey = PATH_KEY.parse().unwrap();
        let tenant = Tenant {
            id: TENANT.parse().unwrap(),
            display_name: "Contoso".to_owned(),
            cloud: Cloud::Global,
            alert_source: AlertSource::Graph,
            path_key_hashes: vec![key.hash()],
            read_secret: "read".to_owned(),
            act_secret: None,
            active: true,
        };
        Ok(vec![tenant])
    }
}

impl KeepEvents for Memory {
    async fn keep(&self, _: &ReceivedEvent<'_>) -> Result<Kept, StoreError> {
        match self.answer {
            Answer::Never => pending().await,
            Answer::New => Ok(Kept::New),
        }
    }
}

impl Ring for Memory {
    async fn ring(&self, _: &ReconcileRequest, _: SignedDuration) -> Result<(), QueueError> {
        Ok(())
    }

    async fn ring_again(&self, _: &Queued, _: SignedDuration) -> Result<(), QueueError> {
        Ok(())
    }

    async fn ring_all(&self, _: &[Queued]) -> Result<(), QueueError> {
        Ok(())
    }
}

impl FetchCertificate for Memory {
    async fn fetch(&self, _: &CertificateUrl) -> Result<Vec<u8>, FetchError> {
        Ok(self.certificate.clone())
    }

    /// Nobody asks: the issuer is at hand.
    async fn fetch_issuer(&self, _: &IssuerUrl) -> Result<Vec<u8>, FetchError> {
        Err(FetchError::Status(404))
    }
}
