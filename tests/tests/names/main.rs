//! Names for display: in the background, within what Partner Center gives, and never in an alert's way.
//!
//! One binary, since each would link the same libraries again.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

mod apart;
mod asking;
mod changes;
mod hostile;
mod in_the_way;
mod moments;
mod reading;
mod support;
