//! One call to Microsoft: bounded in size, attempts and time, patient as told.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use models::TenantId;
use reqwest::{RequestBuilder, Response};
use tokio::time::{Instant, sleep};

use crate::{
    Limits, MicrosoftError, Now,
    error_words::ErrorWords,
    heard,
    patience::{is_passing, retry_after},
    support_ids::SupportIds,
};

/// A call: what errors and logs name it, and for whom it is made.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) name: &'static str,
    pub(crate) tenant: &'a TenantId,
    pub(crate) limits: Limits,
}

impl Call<'_> {
    /// Sends a request until it is answered with success, refused for good, or tried often enough.
    ///
    /// `now` is what a date is measured against that Microsoft asks to wait for.
    pub(crate) async fn send(self, now: &Now, request: impl Fn() -> RequestBuilder) -> Result<Vec<u8>, MicrosoftError> {
        let began = Instant::now();
        let mut attempts = 0;
        heard::begin();
        loop {
            attempts += 1;
            let Failure { error, asked } = match self.attempt(now, request(), attempts).await {
                Ok(body) => return Ok(body),
                Err(failure) => failure,
            };
            let pause = self.limits.pause(attempts, asked, began.elapsed()).filter(|_| is_passing(&error));
            let Some(pause) = pause else {
                heard::end(None);
                return Err(error);
            };
            let wait_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(tenant.id = %self.tenant, call = self.name, wait_ms, %error, "trying again");
            heard::failed(error);
            sleep(pause).await;
        }
    }

    async fn attempt(self, now: &Now, request: RequestBuilder, attempts: u32) -> Result<Vec<u8>, Failure> {
        let no_answer = |source: reqwest::Error, ids: SupportIds| {
            let tenant = self.tenant.to_string();
            // The address holds an opaque page token.
            let source = source.without_url();
            Failure::from(MicrosoftError::NoAnswer { call: self.name, tenant, attempts, ids, source })
        };
        let (http, request) = request.build_split();
        let request = request.map_err(|error| no_answer(error, SupportIds::default()))?;
        let ours = SupportIds::given(request.headers());
        let response = http.execute(request).await.map_err(|error| no_answer(error, ours.clone()))?;
        let status = response.status();
        let ids = SupportIds::of_headers(response.headers()).or(ours);
        let received = now();
        let asked = retry_after(response.headers(), received);
        let body = match self.read(response).await {
            Ok(body) => body,
            Err(ReadError::NoAnswer(error)) => return Err(no_answer(error, ids)),
            Err(ReadError::TooLarge) => {
                let problem = format!("more than {} bytes", self.limits.answer_bytes);
                return Err(self.unusable(problem, Some(&ids)).into());
            }
        };
        if status.is_success() {
            heard::end(Some(ids));
            return Ok(body);
        }
        let ErrorWords { body, code, trace_id, description, wait } = ErrorWords::of(&body);
        let asked = asked.or(wait);
        let error = MicrosoftError::Refused {
            call: self.name,
            tenant: self.tenant.to_string(),
            status: status.as_u16(),
            code,
            body,
            description: description.map(Box::new),
            ids: ids.with_trace_id(trace_id.as_deref()),
            attempts,
            wait_until: asked.and_then(|asked| later(received, asked)),
        };
        Err(Failure { error, asked })
    }

    /// The error that says that the last answer can't be used, by what Microsoft calls it where somebody [listens](heard).
    pub(crate) fn bad(self, problem: String) -> MicrosoftError {
        self.unusable(problem, heard::last_answer().as_ref())
    }

    fn unusable(self, problem: String, ids: Option<&SupportIds>) -> MicrosoftError {
        let problem = if let Some(ids) = ids { format!("{problem} ({ids})") } else { problem };
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

/// A failed attempt, and how long Microsoft asks to wait for the next.
struct Failure {
    error: MicrosoftError,
    asked: Option<Duration>,
}

impl From<MicrosoftError> for Failure {
    fn from(error: MicrosoftError) -> Self {
        Self { error, asked: None }
    }
}

/// None where that is beyond all calendars.
fn later(now: Timestamp, by: Duration) -> Option<Timestamp> {
    now.checked_add(SignedDuration::try_from(by).ok()?).ok()
}
