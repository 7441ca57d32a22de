//! `partner-alerts doctor`: what is wrong, and what to do.

mod finding;
mod refused;
pub mod tenant;

pub use finding::{Finding, State};
