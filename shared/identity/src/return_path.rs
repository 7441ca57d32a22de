//! Where a browser is sent after signing in: to a page of ours, or to the first one.

use std::fmt;

/// The longest path that is remembered, in bytes: it travels in a cookie.
const MOST_BYTES: usize = 1_024;

/// A path of ours, with its query. Never an address: a browser that is sent there stays with us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnPath(String);

impl ReturnPath {
    /// The path that is asked for, or `otherwise` where it could lead elsewhere: only `/` and printable ASCII without blanks, no `//` and
    /// no `\` (which browsers take for `/`) anywhere, and no page that would sign in or out again.
    #[must_use]
    pub fn read(asked: &str, otherwise: &'static str) -> Self {
        let plain = asked.len() <= MOST_BYTES && asked.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let path = asked.split(['?', '#']).next().unwrap_or_default();
        let loops = path != otherwise && (path.starts_with("/sign-in") || path.starts_with("/sign-out"));
        let ours = plain && asked.starts_with('/') && !asked.contains("//") && !loops;
        Self(if ours { asked } else { otherwise }.to_owned())
    }

    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReturnPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
