//! Who is let in, and who is not.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod browser;
mod callers;
mod keys;
mod properties;
mod roles;
mod sealing;
mod support;
mod tokens;
