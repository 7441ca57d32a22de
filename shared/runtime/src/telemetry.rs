//! Structured logs: one JSON object a line on standard output, where Lambda reads them; and traces, as far as logs tell them.
//!
//! One spelling a field everywhere; `docs/operations.md` lists them all, and a test holds the list and the lines together. A message
//! stands alone and its values are fields. Never a token, a signature, a body or personal data.
//!
//! Lambda gives each invocation a trace. What a function keeps or sends holds the context of the invocation that made it, and
//! the span of whoever works on it later names that as its link: so the way of an alert can be followed back through the
//! logs, from the message over the run to the callback.

use models::TraceContext;
use tracing::{Span, Subscriber, field::Empty};
use tracing_subscriber::{Layer as _, filter::Targets, fmt::MakeWriter, layer::SubscriberExt as _, registry};

use crate::{ConfigError, Variable, Variables};

/// How much is logged.
pub const LOG_LEVEL: Variable =
    Variable { name: "LOG_LEVEL", meaning: "one of error, warn, info, debug, trace", default: Some("info") };

/// The crates that `LOG_LEVEL` is about.
const OURS: [&str; 15] = [
    "api",
    "authorize",
    "callback",
    "identity",
    "messaging",
    "notify",
    "partner_center",
    "poll",
    "renew",
    "resolve",
    "runtime",
    "sign_in",
    "store",
    "subscriptions",
    "webhook",
];

/// Starts logging as Lambda wants it. Only the first call of a process has an effect.
///
/// # Errors
///
/// [`ConfigError`] where `LOG_LEVEL` is none.
pub fn start_logging(
    variables: &Variables,
    writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static,
) -> Result<(), ConfigError> {
    let _ = tracing::subscriber::set_global_default(log_subscriber(variables.read(&LOG_LEVEL)?, writer));
    Ok(())
}

/// What writes the lines.
pub fn log_subscriber(
    level: tracing::Level,
    writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static,
) -> impl Subscriber + Send + Sync {
    // The SDK and the HTTP stack say more than anybody wants below `warn`.
    let filter = Targets::new().with_default(tracing::Level::WARN).with_targets(OURS.map(|name| (name, level)));
    let lines =
        tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(true);
    registry().with(lines.with_writer(writer).with_target(false).with_filter(filter))
}

/// The span of one invocation: of this request id, in this trace. It is of the highest level, so that it names every line.
#[must_use]
pub fn invocation_span(request_id: &str, trace: Option<TraceContext>) -> Span {
    let span = tracing::error_span!("invocation", request.id = request_id, trace.id = Empty);
    if let Some(trace) = trace {
        span.record("trace.id", trace.trace_id());
    }
    span
}

/// The span of work on something that was made elsewhere, which it names as its link. None where nobody knows where.
#[must_use]
pub fn linked_span(link: Option<TraceContext>) -> Span {
    link.map_or_else(Span::none, |link| tracing::error_span!("work", link.trace.id = link.trace_id()))
}
