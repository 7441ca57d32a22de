//! Who may sign callbacks: what is configured of it, and how certificates and their issuers are had from the network.
//!
//! Promises: a download follows no redirect, has a deadline, takes no more bytes than a certificate has, and reaches nothing that lies
//! in a private network; one certificate brings at most [`callback::MAX_ISSUER_REQUESTS`] requests for issuers with it. Configuration
//! replaces a list, an anchor or a limit, and switches no check off. Leaves to others: what makes a certificate acceptable
//! (`callback`), how long verdicts are kept and what strangers may cause (`webhook`).

mod config;
mod fetch;
mod issuers;

pub use config::{
    CERTIFICATE_ISSUER_HOSTS, CERTIFICATE_LOCATIONS, CERTIFICATE_NAMES, CERTIFICATE_TIMEOUT_SECONDS,
    SIGNATURE_INTERMEDIATES_FILE, SIGNATURE_TRUST_ANCHORS_FILE, SignersConfig, VARIABLES,
};
pub use fetch::{Downloads, FETCH_LIMIT, FetchCertificate, FetchError};
pub use issuers::{Issuers, NotAccepted};
