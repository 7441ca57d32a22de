//! Client of Entra ID, Microsoft Graph and Partner Center.
//!
//! Promises: a token goes only to the hosts that the tenant's cloud or configuration names, always over https, never to a
//! link that came from outside; every answer is bounded in size, every list in pages; a secret never prints. One alert that
//! can't be read does not keep the others from landing. Leaves to others: what is done with the alerts (`poll`), where TLS
//! trust and time come from (`runtime`).

mod assertion;
mod clouds;
mod credentials;
mod diagnosis;
mod error;
mod exchange;
mod fraud_events;
mod graph;
mod registration;
mod secret;
mod secrets_manager;
mod sign_in;
mod sources;
mod token;
mod wire;

use std::future::Future;

use models::{Alert, Tenant};

pub use assertion::{ApplicationCertificate, CertificateError};
pub use clouds::{ADDRESS_VARIABLES, Audience, BaseUrl, BaseUrlError, CloudDirectory};
pub use credentials::{Credential, CredentialError, Credentials, Grant, Proof};
pub use diagnosis::Diagnosis;
pub use error::MicrosoftError;
pub use exchange::Limits;
pub use fraud_events::FraudEvents;
pub use graph::GraphAlerts;
pub use registration::{Attempt, Registration, Registrations, TestEvent};
pub use secret::{SecretError, StoredSecret, moment};
pub use secrets_manager::{KeptSecret, PENDING, Purpose, SecretsManager, Written};
pub use sources::AlertSources;
pub use token::{Now, Tokens};
pub use wire::{RawBody, UnreadableAlert, read_alert, read_fraud_event};

/// Everything that Microsoft lists for a tenant.
#[derive(Debug, Default)]
pub struct Listing {
    /// The alerts that could be read.
    pub alerts: Vec<Alert>,
    /// The alerts that could not, each with its reason and its bytes. The next run reads them again.
    pub unreadable: Vec<UnreadableAlert>,
}

/// A place that a tenant's alerts are listed by.
pub trait ListAlerts {
    /// All security alerts of a tenant. An error means that the list is not complete, and nothing may be concluded from what
    /// is missing in it.
    fn list(&self, tenant: &Tenant) -> impl Future<Output = Result<Listing, MicrosoftError>> + Send;
}
