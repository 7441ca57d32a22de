//! Credentials are kept alive by one writer, whatever goes wrong, and what is wrong with them is seen.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

mod calls;
mod failures;
mod figures;
mod idle_year;
mod news;
mod one_writer;
mod support;
