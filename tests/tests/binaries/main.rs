//! The compiled functions, driven as Lambda drives them: started as processes of their own with the variables of
//! `template.yaml` and nothing else, given events, and read from outside. Everything that the other suites reach past (`main`,
//! the environment, the Lambda runtime, the log on standard output) is on the way here.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

#[cfg(target_os = "linux")]
mod core_dumps;
mod end;
mod logs;
mod notify;
mod poll;
mod renew;
mod start;
mod support;
mod webhook;
