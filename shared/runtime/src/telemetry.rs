//! Structured logs: one JSON object a line on standard output, where Lambda reads them.
//!
//! One spelling a field everywhere: `tenant.id`, `alert.id`, `event.id`, `reason`, `duration_ms`. A message stands alone and
//! its values are fields. Never a token, a signature, a body or personal data.

use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use crate::{ConfigError, Variable, Variables};

/// How much is logged.
pub const LOG_LEVEL: Variable =
    Variable { name: "LOG_LEVEL", meaning: "one of error, warn, info, debug, trace", default: Some("info") };

/// Starts logging as Lambda wants it. Only the first call of a process has an effect.
///
/// # Errors
///
/// [`ConfigError`] where `LOG_LEVEL` is none.
pub fn start_logging(
    variables: &Variables,
    writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static,
) -> Result<(), ConfigError> {
    let level: tracing::Level = variables.read(&LOG_LEVEL)?;
    // The SDK and the HTTP stack say more than anybody wants below `warn`.
    let filter = EnvFilter::new(format!("warn,{}", ours(level)));
    let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(true).with_span_list(false);
    let _ = subscriber.with_env_filter(filter).with_writer(writer).with_target(false).try_init();
    Ok(())
}

fn ours(level: tracing::Level) -> String {
    let crates = ["callback", "messaging", "notify", "partner_center", "poll", "runtime", "store", "webhook"];
    crates.map(|name| format!("{name}={level}")).join(",")
}
