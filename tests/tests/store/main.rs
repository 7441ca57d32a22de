//! `store` over the embedded engine, its wire tapped: what is kept, what is not, and what becomes of a collision.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

mod acts;
mod alerts;
mod aside;
mod credentials;
mod events;
mod faults;
mod known;
mod lease;
mod lists;
mod outbox;
mod sessions;
mod statistics;
mod subscriptions;
mod support;
mod tenants;
mod walk;
