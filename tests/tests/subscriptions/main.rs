//! Cancelling and reactivating subscriptions: what is done, what is written, and what becomes of it where it is cut off, refused or stuck.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

mod asking;
#[path = "../people/browser.rs"]
mod browser;
mod cut_off;
mod flow;
mod pages;
mod requests;
mod silent;
mod stepping_up;
mod stuck;
mod support;
mod telling;
mod tokens;
