//! One call to Microsoft: bounded in size and attempts, patient as told.

use std::time::Duration;

use models::TenantId;
use reqwest::{RequestBuilder, Response, StatusCode, header::RETRY_AFTER};
use serde::Deserialize;

use crate::MicrosoftError;

/// Bounds of calls.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How often a call is tried in all.
    pub attempts: u32,
    /// The first pause between attempts; it doubles each time. Where Microsoft names a longer one, that one counts.
    pub first_pause: Duration,
    /// The longest pause that is waited for; where Microsoft asks for more, the call fails and the next run tries again.
    pub longest_pause: Duration,
    /// The largest answer, in bytes.
    pub answer_bytes: usize,
    /// Most pages of one list.
    pub pages: usize,
}

impl Default for Limits {
    /// Three attempts with half a second first and 20 seconds at most; 16 MiB an answer (a page of 1,000 alerts of the
    /// samples' size has 2); 1,000 pages.
    fn default() -> Self {
        Self {
            attempts: 3,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(20),
            answer_bytes: 16 << 20,
            pages: 1_000,
        }
    }
}

/// A call: what errors and logs name it, and for whom it is made.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) name: &'static str,
    pub(crate) tenant: &'a TenantId,
    pub(crate) limits: Limits,
}

/// The error bodies of Graph (both), Entra ID and Partner Center: each has some of these.
#[derive(Deserialize)]
struct ErrorBody {
    #[serde(alias = "Error")]
    error: Option<ErrorCode>,
    /// Entra ID's numbers, the most exact first.
    #[serde(default)]
    error_codes: Vec<u64>,
    /// Partner Center's.
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ErrorCode {
    Graph {
        #[serde(alias = "Code")]
        code: String,
    },
    Entra(String),
}

impl Call<'_> {
    /// Sends a request until it is answered with success, refused for good, or tried often enough.
    pub(crate) async fn send(self, request: impl Fn() -> RequestBuilder) -> Result<Vec<u8>, MicrosoftError> {
        let mut pause = self.limits.first_pause;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (error, asked) = match self.attempt(request(), attempts).await {
                Ok(body) => return Ok(body),
                Err(failure) => failure,
            };
            let wait = asked.unwrap_or_default().max(pause);
            if attempts >= self.limits.attempts || wait > self.limits.longest_pause || !is_passing(&error) {
                return Err(error);
            }
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(tenant.id = %self.tenant, call = self.name, wait_ms, %error, "trying again");
            tokio::time::sleep(wait).await;
            pause *= 2;
        }
    }

    async fn attempt(
        self,
        request: RequestBuilder,
        attempts: u32,
    ) -> Result<Vec<u8>, (MicrosoftError, Option<Duration>)> {
        let no_answer = |source: reqwest::Error| MicrosoftError::NoAnswer {
            call: self.name,
            tenant: self.tenant.to_string(),
            attempts,
            // The address holds an opaque page token.
            source: source.without_url(),
        };
        let response = request.send().await.map_err(|error| (no_answer(error), None))?;
        let status = response.status();
        let request_id = response.headers().get("request-id").or_else(|| response.headers().get("x-ms-request-id"));
        let request_id = request_id.and_then(|id| id.to_str().ok()).map_or_else(|| "none".to_owned(), harmless);
        let asked = retry_after(&response);
        let body = self.read(response).await.map_err(|error| match error {
            ReadError::NoAnswer(error) => (no_answer(error), None),
            ReadError::TooLarge => (self.bad(format!("more than {} bytes", self.limits.answer_bytes)), None),
        })?;
        if status.is_success() {
            return Ok(body);
        }
        let refused = MicrosoftError::Refused {
            call: self.name,
            tenant: self.tenant.to_string(),
            status: status.as_u16(),
            code: error_code(&body),
            request_id,
            attempts,
        };
        Err((refused, asked))
    }

    /// The error that says that the answer can't be used.
    pub(crate) fn bad(self, problem: String) -> MicrosoftError {
        MicrosoftError::BadAnswer { call: self.name, tenant: self.tenant.to_string(), problem }
    }

    async fn read(self, mut response: Response) -> Result<Vec<u8>, ReadError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(ReadError::NoAnswer)? {
            if body.len() + chunk.len() > self.limits.answer_bytes {
                return Err(ReadError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

enum ReadError {
    NoAnswer(reqwest::Error),
    TooLarge,
}

fn is_passing(error: &MicrosoftError) -> bool {
    match error {
        MicrosoftError::NoAnswer { .. } => true,
        MicrosoftError::Refused { status, .. } => {
            *status == StatusCode::TOO_MANY_REQUESTS.as_u16()
                || *status == StatusCode::REQUEST_TIMEOUT.as_u16()
                || *status >= 500
        }
        MicrosoftError::AppOnly { .. } | MicrosoftError::BadAnswer { .. } | MicrosoftError::Credential { .. } => false,
    }
}

/// The pause that Microsoft asks for, in whole seconds as its documents have it. Anything else counts as absent.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Microsoft's code, where its answer has one; behind Entra ID's word its number, as in `invalid_grant AADSTS70008`.
fn error_code(body: &[u8]) -> String {
    let Ok(ErrorBody { error, error_codes, code }) = serde_json::from_slice(body) else { return "none".to_owned() };
    let word = error.map(|(ErrorCode::Graph { code } | ErrorCode::Entra(code))| code).or(code);
    match (word, error_codes.first()) {
        (Some(word), Some(number)) => format!("{} AADSTS{number}", harmless(&word)),
        (Some(word), None) => harmless(&word),
        (None, _) => "none".to_owned(),
    }
}

/// What of a text can stand in a log line: letters, digits and a few marks, and not many.
fn harmless(text: &str) -> String {
    text.chars().filter(|mark| mark.is_ascii_alphanumeric() || "_-. ".contains(*mark)).take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_read_from_each_of_microsofts_error_bodies() {
        for (body, code) in [
            (include_str!("../tests/data/graph-error-standard.json"), "TooManyRequests"),
            (include_str!("../tests/data/graph-error-missing-mfa.json"), "Unauthorized_MissingMFA"),
            (include_str!("../tests/data/error-partner-center.json"), "900421"),
            (include_str!("../tests/data/error-throttled.json"), "none"),
            (r#"{"error":"invalid_client","error_description":"AADSTS7000215: x"}"#, "invalid_client"),
            (r#"{"error":"invalid_grant","error_codes":[70008,1]}"#, "invalid_grant AADSTS70008"),
            (r#"{"error_codes":[70008]}"#, "none"),
            (r#"{"error":{"code":"a\n{\"level\":\"forged\"}"}}"#, "alevelforged"),
            ("<html>", "none"),
            ("", "none"),
        ] {
            assert_eq!(error_code(body.as_bytes()), code, "{body}");
        }
    }
}
