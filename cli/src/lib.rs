//! The commands of `partner-alerts`, apart from the process around them.
//!
//! Promises: nothing of the local system or of the tests is in it, and a command that only judges needs no network and no account.

mod account;
pub mod activity;
pub mod alerts;
mod arguments;
pub mod callback;
pub mod completions;
pub mod doctor;
pub mod operations;
mod output;
mod secret_names;
pub mod sessions;
mod stack;
pub mod statistics;
pub mod subscriptions;
pub mod tenants;
pub mod webhook;

pub use account::{Account, AccountError, Microsoft, VARIABLES};
pub use arguments::{Arguments, Command};
pub use output::{Output, printable, table};
