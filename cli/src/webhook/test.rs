//! A test event, followed attempt by attempt.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use models::Tenant;
use partner_center::{Attempt, Diagnosis, MicrosoftError, Registrations, SecretsManager, TestEvent};
use serde::Serialize;

use super::{Shown, WebhookError, address};
use crate::output::{Output, printable};

/// What became of a test event.
#[derive(Debug, Serialize)]
struct Followed {
    correlation_id: String,
    #[serde(flatten)]
    event: TestEvent,
}

/// How a test event is followed.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    /// Between two looks.
    pub(super) every: Duration,
    /// In all.
    pub(super) patience: Duration,
}

impl Pace {
    /// How long to wait where Microsoft has no more for now: it sends two test events a minute at most, so ten looks of the usual three
    /// seconds. However often somebody wants to look, what is refused is not asked for at once again.
    fn turn(self) -> Duration {
        (self.every * 10).max(Duration::from_secs(1))
    }
}

pub(super) async fn run(
    tenant: &Tenant,
    registrations: &Registrations<SecretsManager>,
    base: &str,
    pace: Pace,
    output: &mut Output<impl Write>,
) -> Result<(), WebhookError> {
    let registered = registrations.registration(tenant).await?;
    if let Some(problem) = Shown::new(registered.as_ref(), tenant, base).problem() {
        output.progress(&format!("WARNING: {problem}"))?;
    }
    let began = Instant::now();
    let correlation_id = loop {
        match registrations.send_test_event(tenant).await {
            Err(error) if may_pass(&error) && began.elapsed() + pace.turn() < pace.patience => {
                let why = if error.diagnosis() == Some(Diagnosis::Throttled) {
                    "Microsoft sends two a minute at most".to_owned()
                } else {
                    format!("Microsoft did not take it ({})", runtime::chain(&error))
                };
                output.progress(&format!("{why}: trying again in {} seconds", pace.turn().as_secs()))?;
                tokio::time::sleep(pace.turn()).await;
            }
            answer => break answer?,
        }
    };
    output.progress(&format!("test event {} was asked for", printable(&correlation_id)))?;
    let mut told = 0;
    loop {
        let late = began.elapsed() >= pace.patience;
        let event = match registrations.test_event(tenant, &correlation_id).await {
            Ok(event) => shown(event),
            Err(error) if may_pass(&error) && !late => {
                output.progress(&format!(
                    "Microsoft did not say how it fares ({}): looking again",
                    runtime::chain(&error)
                ))?;
                tokio::time::sleep(pace.turn()).await;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        for attempt in &event.results[told.min(event.results.len())..] {
            told += 1;
            output.progress(&format!("attempt {told}: {}", in_words(attempt)))?;
        }
        let over = !is_under_way(&event);
        if over || late {
            let arrived = has_arrived(&event);
            output.say(&Followed { correlation_id, event }, |followed| ending(followed, over))?;
            return if arrived { Ok(()) } else { Err(WebhookError::NotArrived) };
        }
        tokio::time::sleep(pace.every).await;
    }
}

/// Whether it passes by itself.
fn may_pass(error: &MicrosoftError) -> bool {
    matches!(error.diagnosis(), Some(Diagnosis::Throttled | Diagnosis::Unavailable))
}

/// Whether our endpoint took it: what Microsoft calls completed may have been refused to the last.
fn has_arrived(event: &TestEvent) -> bool {
    let last = event.results.last().and_then(|attempt| attempt.response_code.as_deref());
    event.status.eq_ignore_ascii_case("completed") && last == Some("OK")
}

/// A test event as it is shown: Microsoft repeats the address that it was sent to, path key and all.
pub(super) fn shown(event: TestEvent) -> TestEvent {
    TestEvent { callback_url: event.callback_url.as_deref().map(address::shown), ..event }
}

/// Statuses are an open set: what is neither of the two that mean an end may still change.
fn is_under_way(event: &TestEvent) -> bool {
    !["completed", "failed"].iter().any(|end| event.status.eq_ignore_ascii_case(end))
}

fn ending(followed: &Followed, over: bool) -> String {
    let status = printable(&followed.event.status);
    if over {
        format!("The test event is {status} after {} attempts.", followed.event.results.len())
    } else {
        let id = printable(&followed.correlation_id);
        format!("The test event is still {status}: `webhook status` with {id} shows how it goes on.")
    }
}

pub(super) fn text_of(event: &TestEvent) -> String {
    let attempts = event.results.iter().enumerate();
    let mut lines = vec![format!("status   {}", printable(&event.status))];
    lines.extend(attempts.map(|(place, attempt)| format!("attempt {}: {}", place + 1, in_words(attempt))));
    lines.join("\n")
}

/// What Microsoft says that our endpoint answered, in words.
fn in_words(attempt: &Attempt) -> String {
    let code = attempt.response_code.as_deref().unwrap_or("none");
    let meaning = match code {
        "OK" => "taken",
        "BadRequest" => "refused as malformed: the log of webhook says why",
        "Forbidden" => "turned away before it reached the function: does something stand before the address?",
        "NotFound" => "no tenant has this path: the address or its key is wrong, or not valid any more",
        "RequestEntityTooLarge" => "too large",
        "ServiceUnavailable" => "not decided, so Microsoft tries again: the log of webhook says why",
        "TooManyRequests" => "too many at once: CallbackRate and CallbackBurst",
        "Unauthorized" => "refused as not authentic: the log of webhook says why",
        _ if attempt.system_error => "trouble on Microsoft's side",
        _ => "no answer that we give",
    };
    let when = attempt.date_time_utc.as_deref().map_or(String::new(), |when| format!("{} UTC, ", printable(when)));
    format!("{when}{} ({meaning})", printable(code))
}
