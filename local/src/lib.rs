//! Partner Alerts on one machine, with no account: the functions as they are deployed, behind a local gateway, over an embedded
//! DynamoDB on a file; queue, streams, schedules and topics as AWS would run them; `simulator` as Microsoft.
//!
//! Promises: the functions run unchanged, wired by the same code, and only addresses differ. Everything binds to loopback.
//! The AWS endpoint answers nobody but this process and its owner's command line: it asks for a key that is made at each start, and
//! refuses web pages.
//! State survives a restart and a kill. Leaves to others: what it is like on AWS (`tests/`, the emulated deployment).

mod aws;
mod config;
mod demonstration;
mod environment;
mod functions;
mod gateway;
mod invocation;
mod loopback;
mod names;
mod schedule;
mod seed;
mod state;
mod stop;
mod streams;
mod system;
mod welcome;

pub use aws::control::AccountControl;
pub use aws::sns::{Published, Subscriber};
pub use config::{LocalConfig, VARIABLES};
pub use seed::{Seed, SeedError};
pub use system::{LocalError, System, stop_signal};
pub use welcome::show;
