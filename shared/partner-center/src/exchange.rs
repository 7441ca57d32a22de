//! One call to Microsoft: bounded in size and attempts, patient as told.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};
use models::TenantId;
use reqwest::{
    RequestBuilder, Response, StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};
use serde::Deserialize;

use crate::{
    MicrosoftError, Now,
    support_ids::{SupportIds, harmless},
};

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
}

impl Default for Limits {
    /// Three attempts with half a second first and 20 seconds at most; 16 MiB an answer (a page of 1,000 alerts of the
    /// samples' size has 2).
    fn default() -> Self {
        Self {
            attempts: 3,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(20),
            answer_bytes: 16 << 20,
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
    code: Option<Code>,
    /// Entra ID's id of the answer.
    trace_id: Option<String>,
}

/// A number, as a text by the documents.
#[derive(Deserialize)]
#[serde(untagged)]
enum Code {
    Number(u64),
    Text(String),
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        match code {
            Code::Number(number) => number.to_string(),
            Code::Text(text) => text,
        }
    }
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
    ///
    /// `now` is what a date is measured against that Microsoft asks to wait for.
    pub(crate) async fn send(self, now: &Now, request: impl Fn() -> RequestBuilder) -> Result<Vec<u8>, MicrosoftError> {
        let mut pause = self.limits.first_pause;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (error, asked) = match self.attempt(now, request(), attempts).await {
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
        now: &Now,
        request: RequestBuilder,
        attempts: u32,
    ) -> Result<Vec<u8>, (MicrosoftError, Option<Duration>)> {
        let no_answer = |source: reqwest::Error, ids: SupportIds| MicrosoftError::NoAnswer {
            call: self.name,
            tenant: self.tenant.to_string(),
            attempts,
            ids,
            // The address holds an opaque page token.
            source: source.without_url(),
        };
        let response = request.send().await.map_err(|error| (no_answer(error, SupportIds::default()), None))?;
        let status = response.status();
        let ids = SupportIds::of_headers(response.headers());
        let asked = retry_after(response.headers(), now());
        let body = match self.read(response).await {
            Ok(body) => body,
            Err(ReadError::NoAnswer(error)) => return Err((no_answer(error, ids), None)),
            Err(ReadError::TooLarge) => {
                return Err((self.bad(format!("more than {} bytes", self.limits.answer_bytes)), None));
            }
        };
        if status.is_success() {
            return Ok(body);
        }
        let ErrorWords { code, trace_id } = ErrorWords::of(&body);
        let refused = MicrosoftError::Refused {
            call: self.name,
            tenant: self.tenant.to_string(),
            status: status.as_u16(),
            code,
            ids: ids.with_trace_id(trace_id.as_deref()),
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

/// The pause that Microsoft asks for: whole seconds, as its documents have it, or HTTP's other form, a date (RFC 9110, section
/// 10.2.3). One that is past asks for none. Anything else counts as absent.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let asked = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = asked.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let then = rfc2822::DateTimeParser::new().parse_timestamp(asked).ok()?;
    Some(Duration::try_from(then.duration_since(now)).unwrap_or_default())
}

/// What an error body says of itself.
struct ErrorWords {
    /// Microsoft's code, where there is one; behind Entra ID's word its number, as in `invalid_grant AADSTS70008`.
    code: String,
    trace_id: Option<String>,
}

impl ErrorWords {
    fn of(body: &[u8]) -> Self {
        let none = || "none".to_owned();
        let Ok(body) = serde_json::from_slice::<ErrorBody>(body) else { return Self { code: none(), trace_id: None } };
        let word =
            body.error.map(|(ErrorCode::Graph { code } | ErrorCode::Entra(code))| code).or(body.code.map(Into::into));
        let code = match (word, body.error_codes.first()) {
            (Some(word), Some(number)) => format!("{} AADSTS{number}", harmless(&word)),
            (Some(word), None) => harmless(&word),
            (None, _) => none(),
        };
        Self { code, trace_id: body.trace_id }
    }
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
            (r#"{"code":900421,"description":"a number"}"#, "900421"),
            ("<html>", "none"),
            ("", "none"),
        ] {
            assert_eq!(ErrorWords::of(body.as_bytes()).code, code, "{body}");
        }
    }

    #[test]
    fn a_pause_is_asked_for_in_seconds_or_by_a_date_that_is_still_to_come() {
        let now = "2026-03-02T09:00:00Z".parse().unwrap();
        for (asked, expected) in [
            ("30", Some(30)),
            (" 30 ", Some(30)),
            ("0", Some(0)),
            ("Mon, 02 Mar 2026 09:00:07 GMT", Some(7)),
            ("Mon, 02 Mar 2026 09:00:00 GMT", Some(0)),
            ("Mon, 02 Mar 2026 08:59:59 GMT", Some(0)),
            ("Tue, 03 Mar 2026 09:00:00 GMT", Some(86_400)),
            // Not a Tuesday.
            ("Tue, 02 Mar 2026 09:00:07 GMT", None),
            ("in a little while", None),
            ("-1", None),
            ("", None),
        ] {
            let headers = [(RETRY_AFTER, asked.parse().unwrap())].into_iter().collect();
            assert_eq!(retry_after(&headers, now), expected.map(Duration::from_secs), "{asked}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
