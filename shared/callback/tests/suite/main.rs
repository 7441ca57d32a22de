//! The promises of the verifier, one test each. Every refusal starts from something valid and spoils one thing.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

mod certificate_bytes;
mod certificate_chains;
mod certificate_forms;
mod certificate_table;
mod certificate_urls;
mod headers;
mod hostile_certificates;
mod issuers;
mod microsoft_chain;
mod oracle;
mod policies;
mod properties;
mod signatures;
mod support;
mod vectors;
