//! Attacks as data: the tables that the suites read, and what makes certificates, signatures, headers and bodies of their rows.
//!
//! A row says what is sent and what must come of it. The crate `callback` and the whole function read the same tables, so a row
//! is judged by the verifier alone and by everything around it. Nothing here shares code with what it attacks.
#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a table that can't be read has to fail loudly")]

mod authority;
mod block;
mod certificate;
mod der;
mod elsewhere;
mod headers;
mod keys;
mod pieces;
mod public_key;

use std::{fs, path::Path};

use serde::{Deserialize, de::DeserializeOwned};

pub use certificate::{Certificate, CertificateCase, Issued};
pub use headers::{Fill, HeaderCase, Sent};
pub use keys::Key;
pub use pieces::{Pieces, bytes};

/// The address at which Microsoft publishes its certificate.
pub const PUBLISHED_URL: &str =
    "https://3psostorageacct.blob.core.windows.net/cert/pcnotifications-dispatch.microsoft.com.cer";

/// An address for a certificate.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UrlCase {
    /// The kind of attack.
    pub class: String,
    /// The address.
    pub url: String,
    /// What the policy says of it: `accepted`, or the reason of the refusal.
    pub expected: String,
    /// What comes of it in a header, where that is something else: `no header` where no header can hold it.
    pub in_header: Option<String>,
    /// The status of the answer, where there is one.
    pub status: Option<u16>,
}

/// The addresses.
#[must_use]
pub fn url_cases() -> Vec<UrlCase> {
    table("shared/callback/tests/data/certificate-urls.json")
}

/// The headers.
#[must_use]
pub fn header_cases() -> Vec<HeaderCase> {
    table("shared/callback/tests/data/headers.json")
}

/// The certificates.
#[must_use]
pub fn certificate_cases() -> Vec<CertificateCase> {
    table("shared/callback/tests/data/certificates.json")
}

/// A table of rows, by its path in the repository.
#[must_use]
pub fn table<T: DeserializeOwned>(path: &str) -> Vec<T> {
    let text = fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The repository's folder.
#[must_use]
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("this crate lies two folders deep")
}
