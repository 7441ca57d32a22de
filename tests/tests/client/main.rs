//! The client of Microsoft, over HTTP: both sources of alerts (pages, places, patience, one alert), changes of alerts, and what people do to
//! subscriptions.
//!
//! What comes of it in the tables is the suite `poll`'s.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

mod entitlements;
mod one_alert;
mod patience;
mod people;
mod places;
mod set_status;
mod step_up;
mod support;
mod walks;
