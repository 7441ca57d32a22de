//! The keys that Entra ID publishes, over the network.

use identity::{FetchKeys, Issuers, KeyFetchError, MOST_KEYS_BYTES};
use models::TenantId;
use reqwest::StatusCode;

/// Downloads a tenant's keys from the sign-in service that is configured, and from nowhere else: no token says where.
#[derive(Clone, Debug)]
pub struct PublishedKeys {
    http: reqwest::Client,
    issuers: Issuers,
}

#[derive(Debug, thiserror::Error)]
enum DownloadError {
    #[error("the answer is longer than {MOST_KEYS_BYTES} bytes")]
    TooLong,
    #[error("the answer's status is {0}")]
    Status(StatusCode),
}

impl PublishedKeys {
    /// Downloads with this client, which must not follow redirects.
    #[must_use]
    pub fn new(http: reqwest::Client, issuers: Issuers) -> Self {
        Self { http, issuers }
    }
}

impl FetchKeys for PublishedKeys {
    async fn fetch(&self, tenant: &TenantId) -> Result<Vec<u8>, KeyFetchError> {
        // The `jwks_uri` of the tenant's discovery document, whose form is documented and fixed.
        let address = format!("{}/{tenant}/discovery/v2.0/keys", self.issuers.base());
        let failed = |error: reqwest::Error| KeyFetchError::NotFetched(Box::new(error));
        let mut response = self.http.get(address).send().await.map_err(failed)?;
        if response.status() != StatusCode::OK {
            return Err(KeyFetchError::NotFetched(Box::new(DownloadError::Status(response.status()))));
        }
        let mut text = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            text.extend_from_slice(&chunk);
            if text.len() > MOST_KEYS_BYTES {
                return Err(KeyFetchError::NotFetched(Box::new(DownloadError::TooLong)));
            }
        }
        Ok(text)
    }
}
