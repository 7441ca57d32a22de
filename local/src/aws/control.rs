//! What tests have the account do: refuse, or tell the wrong time. And what was asked of it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::Response,
};
use jiff::{SignedDuration, fmt::rfc2822::DateTimePrinter};
use runtime::{Clock as _, SystemClock};

use super::{failure, scheduler, sns};

/// The account's ways, and its memory. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct AccountControl(Arc<Mutex<Ways>>);

#[derive(Debug, Default)]
struct Ways {
    asked: BTreeSet<String>,
    denied: BTreeSet<String>,
    ahead: Option<SignedDuration>,
}

impl AccountControl {
    /// Whoever asks for this action, such as `sns:GetTopicAttributes`, may not.
    pub fn deny(&self, action: &str) {
        self.ways().denied.insert(action.to_owned());
    }

    /// Answers are dated this much ahead of the machine's clock.
    pub fn date_ahead(&self, by: SignedDuration) {
        self.ways().ahead = Some(by);
    }

    /// The actions that were asked for since this was last asked.
    #[must_use]
    pub fn take_asked(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.ways().asked)
    }

    /// Notes an action; where nobody may, the refusal as its service words it.
    pub(super) fn refuses(&self, action: &str) -> Option<Response> {
        let mut ways = self.ways();
        ways.asked.insert(action.to_owned());
        if !ways.denied.contains(action) {
            return None;
        }
        let message =
            format!("User: arn:aws:sts::000000000000:assumed-role/somebody is not authorized to perform: {action}");
        Some(match action.split_once(':') {
            Some(("sns", _)) => sns::failure(StatusCode::FORBIDDEN, "AuthorizationError", &message),
            Some(("scheduler", _)) => scheduler::failure(StatusCode::FORBIDDEN, "AccessDeniedException", &message),
            Some(("sqs", _)) => {
                failure(StatusCode::FORBIDDEN, "com.amazon.coral.service#AccessDeniedException", &message)
            }
            _ => failure(StatusCode::BAD_REQUEST, "AccessDeniedException", &message),
        })
    }

    /// Dates an answer, where it is to be dated wrongly. The server dates it rightly.
    pub(super) fn date(&self, response: &mut Response) {
        let Some(ahead) = self.ways().ahead else { return };
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&(SystemClock.now() + ahead));
        if let Some(date) = date.ok().and_then(|date| HeaderValue::try_from(date).ok()) {
            response.headers_mut().insert(header::DATE, date);
        }
    }

    fn ways(&self) -> MutexGuard<'_, Ways> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a request asks for, in the words of permissions.
pub(super) fn action(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> String {
    if uri.path().starts_with(super::SCHEDULES) {
        return match *method {
            Method::PUT => "scheduler:UpdateSchedule",
            Method::DELETE => "scheduler:DeleteSchedule",
            _ => "scheduler:GetSchedule",
        }
        .to_owned();
    }
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    match target.split_once('.') {
        Some((service, operation)) if service.starts_with("DynamoDB_") => format!("dynamodb:{operation}"),
        Some(("AmazonSQS", operation)) => format!("sqs:{operation}"),
        Some((service, operation)) => format!("{service}:{operation}"),
        None => format!("sns:{}", sns::action(body)),
    }
}
