//! The client of Microsoft's two sources of alerts, over HTTP: pages, places, patience, and one alert.
//!
//! What comes of it in the tables is the suite `poll`'s.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

mod one_alert;
mod patience;
mod places;
mod support;
mod walks;
