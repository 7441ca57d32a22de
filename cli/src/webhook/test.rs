//! A test event, followed attempt by attempt.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use models::Tenant;
use partner_center::{Attempt, Registrations, SecretsManager, TestEvent};
use serde::Serialize;

use super::{WebhookError, without_key};
use crate::output::{Output, printable};

/// What became of a test event.
#[derive(Debug, Serialize)]
struct Followed {
    correlation_id: String,
    #[serde(flatten)]
    event: TestEvent,
}

pub(super) async fn run(
    tenant: &Tenant,
    registrations: &Registrations<SecretsManager>,
    every: Duration,
    patience: Duration,
    output: &mut Output<impl Write>,
) -> Result<(), WebhookError> {
    let correlation_id = registrations.send_test_event(tenant).await?;
    output.progress(&format!("test event {} was asked for", printable(&correlation_id)))?;
    let began = Instant::now();
    let mut told = 0;
    loop {
        let event = shown(registrations.test_event(tenant, &correlation_id).await?);
        for attempt in &event.results[told.min(event.results.len())..] {
            told += 1;
            output.progress(&format!("attempt {told}: {}", in_words(attempt)))?;
        }
        let over = !is_under_way(&event);
        if over || began.elapsed() >= patience {
            let arrived = event.status.eq_ignore_ascii_case("completed");
            output.say(&Followed { correlation_id, event }, |followed| ending(followed, over))?;
            return if arrived { Ok(()) } else { Err(WebhookError::NotArrived) };
        }
        tokio::time::sleep(every).await;
    }
}

/// A test event as it is shown: Microsoft repeats the address that it was sent to, path key and all.
pub(super) fn shown(event: TestEvent) -> TestEvent {
    TestEvent { callback_url: event.callback_url.as_deref().map(without_key), ..event }
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
