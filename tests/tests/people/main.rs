//! People and programs: who is let in, who is not, and how it ends.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

mod authorizer;
mod bearers;
#[expect(dead_code, reason = "what is not needed here is there for subscriptions")]
mod browser;
mod documents;
mod flow;
mod hostile;
mod sessions;
mod troubles;
