//! Client of Entra ID, Microsoft Graph and Partner Center.
//!
//! Promises: a token goes only to the hosts that the tenant's cloud or configuration names, always over https, never to a
//! link that came from outside; every answer is bounded in size, every list in pages; a secret never prints. One alert that
//! can't be read does not keep the others from landing. What is
//! changed at Microsoft is changed by a credential to act with, and a subscription by a person's own token alone. Leaves to others: what is done with the alerts (`poll`), where TLS
//! trust and time come from (`runtime`).

mod access;
mod assertion;
mod audit;
mod azure_plan;
mod clouds;
mod collection;
mod consent;
mod credentials;
mod customers;
mod diagnosis;
mod entitlement_error;
mod entitlements;
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
mod person_token;
mod refusal;
mod registration;
mod renewal;
mod secret;
mod secrets_manager;
mod set_status;
mod sign_in;
mod sources;
mod step_up;
mod support_ids;
mod token;
mod wire;

pub use assertion::{ApplicationCertificate, CertificateError};
pub use audit::{AuditError, AuditId, AuditIdError, AuditRecord, AuditRecords};
pub use azure_plan::{Entitlement, EntitlementPlace, EntitlementStatus, Plan};
pub use clouds::{ADDRESS_NAMES, ADDRESS_VARIABLES, Audience, BaseUrl, BaseUrlError, CloudDirectory};
pub use consent::{BrowserSignIn, Consent, ConsentError, Consented, DeviceProgress, DeviceSignIn};
pub use credentials::{Credential, CredentialError, Credentials, Grant, Proof, SecretAtHand};
pub use customers::{Customer, Customers, ReadCustomers, SUBSCRIPTION_REQUESTS, SubscriptionNames};
pub use diagnosis::Diagnosis;
pub use entitlement_error::EntitlementError;
pub use entitlements::{Accepted, Entitlements, Found, Preview};
pub use error::MicrosoftError;
pub use error_words::RefusalBody;
pub use fraud_events::FraudEvents;
pub use graph::GraphAlerts;
pub use heard::Heard;
pub use listing::{ListAlerts, LookAtAlerts, Page, Place, Sight, Walk};
pub use models::Purpose;
pub use patience::Limits;
pub use person_token::{Asker, PersonToken, TokenProblem};
pub use refusal::{CREDENTIAL_UNUSABLE, NOT_POSSIBLE_AT_SOURCE, Refusal, refusal_advice};
pub use registration::{Attempt, Registration, Registrations, TestEvent};
pub use renewal::{
    Kept, OUT_OF_TIME, REFRESH_TOKEN_LIFE, REFRESH_TOKEN_OLD, RENEW_AFTER, RenewCredentials, Renewal, RenewalError,
    Renewer, WORKS, what_to_do,
};
pub use secret::{SecretError, StoredSecret, moment};
pub use secrets_manager::{KeptSecret, KeptText, PENDING, SecretsManager, Written};
pub use set_status::{AlertStatuses, Answer, Change, Impossible, Reason, SetStatus, SetStatusError, WrongPurpose};
pub use sources::AlertSources;
pub use step_up::{StepUp, StepUpProgress, StepUpTrip};
pub use support_ids::SupportIds;
pub use token::{NewId, Now, Tokens};
pub use wire::{GraphPage, RawBody, UnreadableAlert, read_alert, read_fraud_event, read_fraud_events, read_graph_page};
