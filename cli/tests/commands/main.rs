//! `partner-alerts`, as an operator runs it: the binary itself, over a local system and the simulated Microsoft.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

mod activity;
mod alerts;
mod consent;
mod getting_started;
mod keep;
mod meanwhile;
mod operations;
mod sessions;
mod statistics;
mod subscriptions;
mod support;
mod tenants;
mod webhook;
