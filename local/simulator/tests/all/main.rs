//! The simulator from outside: over TLS and http, with clients that know nothing of its insides.
//!
//! One binary, since each would link the same libraries again.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "tests, of which clippy sees the test functions only")]

mod alerts;
mod audit_records;
mod certificates;
mod changes;
mod client_proof;
mod connecting;
mod consent;
mod control;
mod customers;
mod denials;
mod entitlements;
mod faults;
mod fraud_events;
mod history;
mod ids;
mod lag;
mod openid;
mod refresh_tokens;
mod registrations;
mod support;
mod test_events;
mod tokens;
