//! `template.yaml` and the code say the same: tables, routes, variables, schedules, filters, permissions, alarms, and the settings
//! that depend on each other.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

mod alarms;
mod functions;
mod people;
mod permissions;
mod sources;
mod support;
mod tables;
mod watched;
