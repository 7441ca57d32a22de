//! `partner-alerts doctor`, as an operator runs it, over a local system in which everything is as it should be, and then one thing
//! is not. What it says is held by snapshots.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

mod deployment;
mod elsewhere;
mod people;
mod report;
mod support;
mod tenants;
