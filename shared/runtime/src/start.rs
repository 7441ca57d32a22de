//! What a `main.rs` does first, and what it does when it can't go on.

use std::{error::Error, sync::Arc};

use aws_config::SdkConfig;

use crate::{
    ClientError, ConfigError, Metrics, OutgoingTls, SharedClock, SystemClock, Variable, Variables, aws_config_loader,
    forbid_core_dumps, start_logging,
};

/// What Lambda calls the function, by which its metrics are told from those of other deployments.
const FUNCTION_NAME: Variable =
    Variable { name: "AWS_LAMBDA_FUNCTION_NAME", meaning: "the name of the function, set by Lambda", default: None };

/// What a function is wired from: everything that comes from outside.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The configuration.
    pub variables: Variables,
    /// What outgoing TLS trusts.
    pub tls: OutgoingTls,
    /// AWS: region, credentials, endpoint.
    pub aws: SdkConfig,
    /// The time.
    pub clock: SharedClock,
    /// Where counts go.
    pub metrics: Metrics,
}

/// Why a function can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A client can't be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The configuration can't be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The process would leave a core dump.
    #[error("core dumps, which would hold secrets, can't be forbidden")]
    CoreDumps(#[source] std::io::Error),
}

/// Starts a deployed function: without core dumps, with logging, then the parts of this process, then the function that `wire` makes of them.
///
/// # Errors
///
/// [`StartError`], after it was logged in words.
pub async fn start<T>(wire: impl FnOnce(&Parts) -> Result<T, StartError>) -> Result<T, StartError> {
    let started = match forbid_core_dumps().map_err(StartError::CoreDumps).and_then(|()| configured()) {
        Ok(variables) => parts(variables).await.and_then(|parts| wire(&parts)),
        Err(error) => Err(error),
    };
    // Written by hand and not logged: the log level may be what is wrong.
    started.inspect_err(|error| eprintln!("the function can't start: {}", chain(error)))
}

/// The configuration, and logging as it says.
fn configured() -> Result<Variables, StartError> {
    let variables = Variables::of_process();
    start_logging(&variables, std::io::stdout)?;
    Ok(variables)
}

async fn parts(variables: Variables) -> Result<Parts, StartError> {
    let tls = OutgoingTls::read(&variables)?;
    let aws = aws_config_loader(&tls)?.load().await;
    let metrics = Metrics::to_stdout(variables.read(&FUNCTION_NAME)?);
    Ok(Parts { variables, tls, aws, clock: Arc::new(SystemClock), metrics })
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
