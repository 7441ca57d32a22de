//! Test events: asked for, signed, delivered to the registered address, and looked up.

use std::fmt;
use std::sync::{Arc, Weak};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;

use crate::app::{App, Shared, lock, new_id};
use crate::callbacks::{Answer, DeliverError, SignedCallback, test_body};
use crate::fault_kinds::RetryAfter;
use crate::partner_center::caller::{answer, plain_error, throttled};
use crate::partner_center::registration::TEST_EVENT;
use crate::reply::Reply;
use crate::targets::Target;

/// What became of a test event, members as Microsoft's page prints them.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are Microsoft's, who document them")]
pub struct TestEvent {
    pub correlation_id: String,
    pub partner_id: String,
    /// `submitted`, then `completed` or `failed`.
    pub status: String,
    pub callback_url: String,
    pub results: Vec<DeliveryAttempt>,
    #[serde(skip)]
    asked: Timestamp,
}

impl TestEvent {
    pub(crate) fn is_over(&self) -> bool {
        self.status != SUBMITTED
    }
}

impl fmt::Debug for TestEvent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the address, which holds the path key.
        formatter
            .debug_struct("TestEvent")
            .field("correlation_id", &self.correlation_id)
            .field("partner_id", &self.partner_id)
            .field("status", &self.status)
            .field("results", &self.results)
            .finish_non_exhaustive()
    }
}

/// One attempt to deliver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are Microsoft's, who document them")]
pub struct DeliveryAttempt {
    pub response_code: String,
    pub response_message: String,
    pub system_error: bool,
    pub date_time_utc: String,
}

impl DeliveryAttempt {
    fn new(outcome: Result<Answer, DeliverError>, now: Timestamp) -> Self {
        let (response_code, response_message, system_error) = match outcome {
            Ok(Answer { status, body }) => (status_name(status), body.chars().take(LONGEST_MESSAGE).collect(), false),
            // What stands there when nobody answers is documented nowhere: zero is no status at all in .NET.
            Err(error) => ("0".to_owned(), error.to_string(), true),
        };
        let date_time_utc = now.strftime("%Y-%m-%dT%H:%M:%S%.7f").to_string();
        Self { response_code, response_message, system_error, date_time_utc }
    }
}

/// All that were asked for.
#[derive(Default)]
pub(crate) struct TestEvents(Vec<TestEvent>);

impl TestEvents {
    pub(crate) fn find(&self, id: &str) -> Option<&TestEvent> {
        self.0.iter().find(|event| event.correlation_id == id)
    }

    /// How many seconds the tenant has to wait for its next one.
    fn wait(&self, tenant: &str, now: Timestamp) -> Option<u64> {
        let recent: Vec<_> = self
            .0
            .iter()
            .filter(|event| event.partner_id == tenant)
            .map(|event| MINUTE - now.duration_since(event.asked).as_secs())
            .filter(|left| *left > 0)
            .collect();
        let oldest = *recent.get(recent.len().checked_sub(MOST_A_MINUTE)?)?;
        u64::try_from(oldest).ok()
    }

    fn record(&mut self, id: &str, status: &str, attempt: DeliveryAttempt) {
        if let Some(event) = self.0.iter_mut().find(|event| event.correlation_id == id) {
            status.clone_into(&mut event.status);
            event.results.push(attempt);
        }
    }
}

pub(crate) async fn create(State(app): State<App>, headers: HeaderMap) -> Response {
    answer(&app, Target::TestEvent, &headers, |grant| begin(&app, &grant.tenant)).await
}

/// Data older than seven days are gone, and another tenant's were never there.
pub(crate) async fn status(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    answer(&app, Target::TestEventStatus, &headers, |grant| {
        let registrations = lock(&app.registrations);
        let known = registrations
            .tests
            .find(&id)
            .filter(|event| event.partner_id == grant.tenant && app.now().duration_since(event.asked) <= KEPT);
        match known {
            Some(event) => Reply::json(StatusCode::OK, event),
            None => plain_error(StatusCode::NOT_FOUND, "There is no such validation event."),
        }
    })
    .await
}

fn begin(app: &App, tenant: &str) -> Reply {
    let now = app.now();
    let mut registrations = lock(&app.registrations);
    let registration = registrations.by_tenant.get(tenant).filter(|known| known.webhook_events.iter().any(is_test));
    let Some(registration) = registration.cloned() else {
        return plain_error(StatusCode::BAD_REQUEST, "The event test-created is not registered.");
    };
    if let Some(seconds) = registrations.tests.wait(tenant, now) {
        return throttled(app, RetryAfter::Seconds(seconds));
    }
    let correlation_id = new_id();
    let Ok(callback) = app.sign(&test_body(&correlation_id, now)) else {
        return plain_error(StatusCode::INTERNAL_SERVER_ERROR, "The event was not signed.");
    };
    let callback = if registration.signature_in_ms_header { callback.in_ms_signature() } else { callback };
    registrations.tests.0.push(TestEvent {
        correlation_id: correlation_id.clone(),
        partner_id: tenant.to_owned(),
        status: SUBMITTED.to_owned(),
        callback_url: registration.webhook_url.clone(),
        results: Vec::new(),
        asked: now,
    });
    drop(registrations);
    tokio::spawn(deliver(Arc::downgrade(app), correlation_id.clone(), registration.webhook_url, callback));
    // The swagger has a bare string here, the page an object: the page is newer.
    Reply::json(StatusCode::OK, &json!({ "correlationId": correlation_id }))
}

fn is_test(event: &String) -> bool {
    event == TEST_EVENT
}

/// The same bytes until they are taken, ten times at most. Whether any 2xx but 200 counts is documented nowhere: who
/// relies on one is shown here. A simulator that has ended makes no more attempts.
async fn deliver(app: Weak<Shared>, id: String, url: String, callback: SignedCallback) {
    for attempt in 1..=ATTEMPTS {
        let Some(app) = app.upgrade() else { return };
        let outcome = app.post(&url, &callback).await;
        let taken = outcome.as_ref().is_ok_and(|answer| answer.status == 200);
        let status = match (taken, attempt) {
            (true, _) => "completed",
            (false, ATTEMPTS) => "failed",
            (false, _) => SUBMITTED,
        };
        lock(&app.registrations).tests.record(&id, status, DeliveryAttempt::new(outcome, app.now()));
        app.changed();
        if taken {
            return;
        }
        let pause = app.retry_pause;
        drop(app);
        tokio::time::sleep(pause).await;
    }
}

impl Shared {
    pub(crate) fn test_event(&self, id: &str) -> Option<TestEvent> {
        lock(&self.registrations).tests.find(id).cloned()
    }

    /// The same once it is completed or has failed.
    pub(crate) async fn test_event_over(&self, id: &str) -> Option<TestEvent> {
        self.test_event(id)?;
        Some(self.until(|| self.test_event(id).filter(TestEvent::is_over)).await)
    }
}

/// The name that .NET's `HttpStatusCode` has for a status, or the number where it has none.
fn status_name(status: u16) -> String {
    match status {
        413 => return "RequestEntityTooLarge".to_owned(),
        414 => return "RequestUriTooLong".to_owned(),
        416 => return "RequestedRangeNotSatisfiable".to_owned(),
        418 | 425 => return status.to_string(),
        505 => return "HttpVersionNotSupported".to_owned(),
        _ => {}
    }
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    match reason {
        Some(reason) => reason.chars().filter(char::is_ascii_alphanumeric).collect(),
        None => status.to_string(),
    }
}

const ATTEMPTS: u32 = 10;
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
const LONGEST_MESSAGE: usize = 1_024;
/// Seconds.
const MINUTE: i64 = 60;
const MOST_A_MINUTE: usize = 2;
const SUBMITTED: &str = "submitted";
