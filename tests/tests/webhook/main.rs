//! `webhook` over the local system: the function as it is deployed, its clock in the test's hand and its wire to AWS tapped.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

mod certificates;
mod gateway;
mod issuers;
mod keeping;
mod path_keys;
mod refusing;
mod ringing;
mod support;
