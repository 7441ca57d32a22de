//! How `openidconnect` reaches Entra ID: by our client, at the one host that is configured, with answers of a bounded length.

use identity::Issuers;
use openidconnect::{HttpRequest, HttpResponse};

/// The longest answer that is read, in bytes.
const MOST_BYTES: usize = 256 * 1024;

/// Sends requests of the conversation with Entra ID.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
}

/// Why Entra ID gave no answer that could be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExchangeError {
    #[error("the answer could not be taken over")]
    Answer(#[source] http::Error),
    #[error("the address is not one of the configured sign-in service")]
    Elsewhere,
    #[error("the sign-in service could not be reached")]
    NotReached(#[source] reqwest::Error),
    #[error("the answer is longer than {MOST_BYTES} bytes")]
    TooLong,
}

impl Client {
    pub(crate) fn new(http: reqwest::Client, issuers: &Issuers) -> Self {
        Self { http, base: format!("{}/", issuers.base()) }
    }

    /// Sends one request. What is sent may hold the application's secret, so it goes to nobody whom only an answer has named.
    pub(crate) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ExchangeError> {
        if !request.uri().to_string().starts_with(&self.base) {
            return Err(ExchangeError::Elsewhere);
        }
        let request = reqwest::Request::try_from(request).map_err(ExchangeError::NotReached)?;
        let mut response =
            self.http.execute(request).await.map_err(|error| ExchangeError::NotReached(error.without_url()))?;
        let mut answer = http::Response::builder().status(response.status());
        if let Some(headers) = answer.headers_mut() {
            headers.extend(response.headers().iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        let mut body = Vec::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|error| ExchangeError::NotReached(error.without_url()))?
        {
            body.extend_from_slice(&chunk);
            if body.len() > MOST_BYTES {
                return Err(ExchangeError::TooLong);
            }
        }
        answer.body(body).map_err(ExchangeError::Answer)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use runtime::{OutgoingTls, Variables, http_client};

    use super::*;

    #[tokio::test]
    async fn nothing_is_sent_to_a_host_that_is_not_configured() {
        let tls = OutgoingTls::read(&Variables::default()).unwrap();
        let tenant = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10".parse().unwrap();
        let issuers = Issuers::new("https://127.0.0.1:1", vec![tenant]).unwrap();
        let client = Client::new(http_client(&tls, Duration::from_secs(1)).unwrap(), &issuers);
        let sent =
            async |address: &str| client.send(http::Request::post(address).body(vec![]).unwrap()).await.unwrap_err();
        for elsewhere in [
            "https://127.0.0.1:12/token",
            "https://127.0.0.1/token",
            "http://127.0.0.1:1/token",
            "https://127.0.0.1:1.evil.example/token",
            "https://user@127.0.0.1:1/token",
        ] {
            // What no parser takes is sent nowhere anyway.
            if elsewhere.parse::<http::Uri>().is_ok() {
                assert!(matches!(sent(elsewhere).await, ExchangeError::Elsewhere), "{elsewhere}");
            }
        }
        assert!(matches!(sent("https://127.0.0.1:1/token").await, ExchangeError::NotReached(_)));
    }
}
