//! Downloads: no redirects, a deadline, at most the bytes of a certificate, and nothing that lies in a private network.

use std::{future::Future, time::Duration};

use callback::{CertificateUrl, IssuerUrl, MAX_CERTIFICATE_BYTES};

/// How long a certificate and the issuers that it lacks may take together. With what DynamoDB and SQS may take it fits into what the
/// function is given, so that it answers before Lambda ends it and forgets what was fetched.
pub const FETCH_LIMIT: Duration = Duration::from_secs(10);

/// Why a certificate could not be fetched.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FetchError {
    /// No whole answer.
    #[error("no whole answer from the host ({0})")]
    NoAnswer(String),
    /// What lies there is no certificate: the host's own page, or half a file.
    #[error("what the host sent is no certificate")]
    NoCertificate,
    /// Certificate and issuers took too long together.
    #[error("certificate and issuers took longer than {} seconds together", FETCH_LIMIT.as_secs())]
    OutOfTime,
    /// An answer other than 200.
    #[error("the host answered with status {0}")]
    Status(u16),
    /// It was not asked for, since others were.
    #[error("more issuers were asked for than we fetch for one certificate")]
    TooMany,
    /// More bytes than a certificate has.
    #[error("the host sent more than {MAX_CERTIFICATE_BYTES} bytes")]
    TooLarge,
}

/// Fetches certificates: no redirects, bounded in size and time.
pub trait FetchCertificate {
    /// The bytes at the address of a signing certificate.
    fn fetch(&self, url: &CertificateUrl) -> impl Future<Output = Result<Vec<u8>, FetchError>> + Send;

    /// The bytes at the address of an issuer.
    fn fetch_issuer(&self, url: &IssuerUrl) -> impl Future<Output = Result<Vec<u8>, FetchError>> + Send;
}

/// Certificates over the network, by clients that follow no redirects and have a deadline (`runtime::download_client`).
#[derive(Clone, Debug)]
pub struct Downloads {
    /// For signing certificates: https alone.
    pub certificates: reqwest::Client,
    /// For their issuers, which authorities publish over http. What is found is tried, not trusted.
    pub issuers: reqwest::Client,
}

impl FetchCertificate for Downloads {
    async fn fetch(&self, url: &CertificateUrl) -> Result<Vec<u8>, FetchError> {
        get(&self.certificates, url.as_str()).await
    }

    async fn fetch_issuer(&self, url: &IssuerUrl) -> Result<Vec<u8>, FetchError> {
        get(&self.issuers, url.as_str()).await
    }
}

async fn get(client: &reqwest::Client, url: &str) -> Result<Vec<u8>, FetchError> {
    let no_answer = |error: reqwest::Error| FetchError::NoAnswer(short(&runtime::chain(&error.without_url())));
    let mut response = client.get(url).send().await.map_err(no_answer)?;
    if response.status() != http::StatusCode::OK {
        return Err(FetchError::Status(response.status().as_u16()));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
        if bytes.len() + chunk.len() > MAX_CERTIFICATE_BYTES {
            return Err(FetchError::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// What stands in a log line of a text that may repeat what the host sent, such as all names of its certificate.
fn short(text: &str) -> String {
    text.chars().take(MAX_REASON_CHARACTERS).collect()
}

/// Twice the usual reason.
const MAX_REASON_CHARACTERS: usize = 200;
