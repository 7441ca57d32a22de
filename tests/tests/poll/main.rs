//! `poll` as it is deployed, against Microsoft's stand-in and the embedded database: what it writes, what it asks, and what it
//! does when either side fails.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

mod at_the_same_time;
mod baseline;
mod brought_in;
mod changes;
mod cut_off;
mod decisions;
mod looks;
mod many_at_once;
mod microsoft_fails;
mod nothing_new;
mod old_list;
mod paging;
mod resumed;
mod signal;
mod sources;
mod statistics;
mod support;
mod told;
mod trouble;
mod unreadable;
mod vanished;
mod who_asks;
