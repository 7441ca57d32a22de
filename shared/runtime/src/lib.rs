//! What every `main.rs` needs: configuration, logs, traces, metrics, clients, the clock.
//!
//! Promises: configuration is read once, at start, and a missing or malformed variable stops the start with a message that
//! names it; configuration can replace an address, a list or a limit, never switch a check off. Outgoing TLS trusts the
//! bundled Mozilla roots or the file that configuration names, and nothing of the machine.
//! Leaves to others: what the variables of a function are (its `config.rs`).

mod addresses;
mod clients;
mod clock;
mod config;
mod metrics;
mod start;
mod telemetry;

pub use clients::{
    AWS_OPERATION_LIMIT, ClientError, OutgoingTls, Schemes, aws_config_loader, download_client, http_client,
};
pub use clock::{Clock, FixedClock, SharedClock, SystemClock};
pub use config::{ConfigError, Seconds, Variable, Variables};
pub use metrics::{Counts, METRICS_NAMESPACE, Metrics};
pub use start::{Parts, StartError, chain, start};
pub use telemetry::{LOG_LEVEL, invocation_span, linked_span, log_subscriber, start_logging};
