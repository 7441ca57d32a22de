//! People and programs: who is let in, who is not, and how it ends.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

mod authorizer;
mod bearers;
mod browser;
mod documents;
mod flow;
mod hostile;
mod sessions;
mod troubles;
