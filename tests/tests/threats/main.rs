//! Every threat through the whole `webhook` function: what strangers send, as data, each with its exact outcome.
//!
//! The tables are in `tests/tests/data/threats` and `shared/callback/tests/data`. `register.rs` lists every threat and where it is
//! held; `place.rs` holds every refusal to what a stranger may cost us at most.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

mod addresses;
mod bodies;
mod certificates;
mod downloads;
mod foreign_customers;
mod headers;
mod kept_issuers;
mod place;
mod register;
mod scenarios;
mod shelf;
mod signatures;
