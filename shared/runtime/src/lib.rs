//! What every `main.rs` needs: configuration, logs, traces, metrics, clients, the clock, randomness.
//!
//! Promises: configuration is read once, at start, and a missing or malformed variable stops the start with a message that
//! names it; configuration can replace an address, a list or a limit, never switch a check off. Outgoing TLS trusts the
//! bundled Mozilla roots or the file that configuration names, and nothing of the machine. A process that starts here leaves no core dump.
//! Leaves to others: what the variables of a function are (its `config.rs`).

mod addresses;
mod clients;
mod clock;
mod config;
mod core_dump;
mod gateway;
mod kept;
mod metrics;
mod random;
mod start;
mod telemetry;

pub use clients::{
    AWS_OPERATION_LIMIT, ClientError, OutgoingTls, Schemes, aws_config_loader, download_client, http_client,
};
pub use clock::{Clock, FixedClock, SharedClock, SystemClock};
pub use config::{ConfigError, Seconds, Variable, Variables, base_address, base_addresses, together};
pub use core_dump::forbid_core_dumps;
pub use gateway::{addressable, gateway_request};
pub use kept::{Kept, NotKept};
pub use metrics::{Counts, METRICS_NAMESPACE, Metrics};
pub use random::{random_bytes, random_id};
pub use start::{Parts, StartError, chain, start};
pub use telemetry::{LOG_LEVEL, invocation_span, linked_span, log_subscriber, start_logging};
