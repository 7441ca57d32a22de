//! Client of Entra ID, Microsoft Graph and Partner Center.
//!
//! Promises: a token goes only to the hosts that the tenant's cloud or configuration names, always over https, never to a
//! link that came from outside; every answer is bounded in size, every list in pages; a secret never prints. One alert that
//! can't be read does not keep the others from landing. Leaves to others: what is done with the alerts (`poll`), where TLS
//! trust and time come from (`runtime`).

mod access;
mod assertion;
mod audit;
mod clouds;
mod consent;
mod credentials;
mod diagnosis;
mod error;
mod exchange;
mod graph;
mod id_token;
mod partner_center;
mod registration;
mod renewal;
mod secret;
mod secrets_manager;
mod sign_in;
mod support_ids;
mod token;
mod wire;

use std::future::Future;

use models::{Alert, Tenant};

pub use assertion::{ApplicationCertificate, CertificateError};
pub use audit::{AuditError, AuditId, AuditIdError, AuditRecord, AuditRecords};
pub use clouds::{ADDRESS_NAMES, ADDRESS_VARIABLES, Audience, BaseUrl, BaseUrlError, CloudDirectory};
pub use consent::{BrowserSignIn, Consent, ConsentError, Consented, DeviceProgress, DeviceSignIn};
pub use credentials::{Credential, CredentialError, Credentials, Grant, Proof, SecretAtHand};
pub use diagnosis::Diagnosis;
pub use error::MicrosoftError;
pub use exchange::Limits;
pub use graph::GraphAlerts;
pub use models::Purpose;
pub use registration::{Attempt, Registration, Registrations, TestEvent};
pub use renewal::{
    Kept, OUT_OF_TIME, REFRESH_TOKEN_LIFE, REFRESH_TOKEN_OLD, RENEW_AFTER, RenewCredentials, Renewal, RenewalError,
    Renewer, WORKS, what_to_do,
};
pub use secret::{SecretError, StoredSecret, moment};
pub use secrets_manager::{KeptSecret, KeptText, PENDING, SecretsManager, Written};
pub use support_ids::SupportIds;
pub use token::{NewId, Now, Tokens};
pub use wire::{UnreadableAlert, read_alert};

/// Everything that Microsoft lists for a tenant.
#[derive(Debug, Default)]
pub struct Listing {
    /// The alerts that could be read.
    pub alerts: Vec<Alert>,
    /// The alerts that could not, each with its reason. They stay at Microsoft and are read again by the next run.
    pub unreadable: Vec<UnreadableAlert>,
}

/// A place that a tenant's alerts are listed by.
pub trait ListAlerts {
    /// All security alerts of a tenant. An error means that the list is not complete, and nothing may be concluded from what
    /// is missing in it.
    fn list(&self, tenant: &Tenant) -> impl Future<Output = Result<Listing, MicrosoftError>> + Send;
}
