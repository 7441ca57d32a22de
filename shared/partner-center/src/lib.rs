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
mod customers;
mod diagnosis;
mod error;
mod error_words;
mod exchange;
mod fraud_events;
mod graph;
mod heard;
mod id_token;
mod kept_token;
mod listing;
mod partner_center;
mod patience;
mod registration;
mod renewal;
mod secret;
mod secrets_manager;
mod sign_in;
mod sources;
mod support_ids;
mod token;
mod wire;

pub use assertion::{ApplicationCertificate, CertificateError};
pub use audit::{AuditError, AuditId, AuditIdError, AuditRecord, AuditRecords};
pub use clouds::{ADDRESS_NAMES, ADDRESS_VARIABLES, Audience, BaseUrl, BaseUrlError, CloudDirectory};
pub use consent::{BrowserSignIn, Consent, ConsentError, Consented, DeviceProgress, DeviceSignIn};
pub use credentials::{Credential, CredentialError, Credentials, Grant, Proof, SecretAtHand};
pub use customers::{Customer, Customers, ReadCustomers, SUBSCRIPTION_REQUESTS, SubscriptionNames};
pub use diagnosis::Diagnosis;
pub use error::MicrosoftError;
pub use error_words::RefusalBody;
pub use fraud_events::FraudEvents;
pub use graph::GraphAlerts;
pub use heard::Heard;
pub use listing::{ListAlerts, Page, Place, Sight, Walk};
pub use models::Purpose;
pub use patience::Limits;
pub use registration::{Attempt, Registration, Registrations, TestEvent};
pub use renewal::{
    Kept, OUT_OF_TIME, REFRESH_TOKEN_LIFE, REFRESH_TOKEN_OLD, RENEW_AFTER, RenewCredentials, Renewal, RenewalError,
    Renewer, WORKS, what_to_do,
};
pub use secret::{SecretError, StoredSecret, moment};
pub use secrets_manager::{KeptSecret, KeptText, PENDING, SecretsManager, Written};
pub use sources::AlertSources;
pub use support_ids::SupportIds;
pub use token::{NewId, Now, Tokens};
pub use wire::{GraphPage, RawBody, UnreadableAlert, read_alert, read_fraud_event, read_fraud_events, read_graph_page};
