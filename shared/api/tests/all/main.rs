//! What every route has in common.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

mod cursors;
mod problems;
mod requests;
mod support;
mod wire;
