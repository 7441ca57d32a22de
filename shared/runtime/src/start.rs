//! What a `main.rs` does first, and what it does when it can't go on.

use std::error::Error;

use crate::{ConfigError, Variables, start_logging};

/// Reads the variables of the process and starts logging.
///
/// # Errors
///
/// [`ConfigError`], after it was written to standard error.
pub fn start(function: &'static str) -> Result<Variables, ConfigError> {
    let variables = Variables::of_process();
    or_stop(start_logging(&variables, std::io::stdout))?;
    tracing::debug!(function, version = env!("CARGO_PKG_VERSION"), "starting");
    Ok(variables)
}

/// Says what keeps a function from starting, in words, before the runtime reports it.
///
/// # Errors
///
/// The error that it is given.
pub fn or_stop<T, E: Error>(result: Result<T, E>) -> Result<T, E> {
    result.inspect_err(|error| {
        tracing::error!(reason = chain(error), "the function can't start");
        eprintln!("the function can't start: {}", chain(error));
    })
}

/// An error with all its causes, in one line.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
