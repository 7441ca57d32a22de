//! The reading half of the API over the whole local system: through the gateway and `authorize`, by tokens of the stand-in for Entra ID.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

mod document;
mod exports;
mod gates;
mod jobs;
mod lists;
mod pages;
mod saved;
mod support;
mod whole;
