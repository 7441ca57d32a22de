//! What people and programs do about alerts: the function as it is deployed, against the simulated Microsoft.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

mod acts;
mod between;
mod bulk;
mod cut_off;
mod forms;
mod held_up;
mod late;
mod support;
mod tenants;
mod together;
mod trouble;
mod views;
