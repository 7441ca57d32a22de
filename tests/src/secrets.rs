//! The marks by which the secrets of tests are recognised, and the search for them in whatever a program writes.
//!
//! `tests/secret-marks` is the one list, and `./check` searches the output of all tests for it: the word of the simulator's secrets and of
//! those that tests choose, the beginning of path keys (which are hexadecimal), the beginning of what is a JSON web token (access
//! tokens and assertions), the head of a private key. To these come the lines of the one private key that is in a file.

use std::process::Output;

/// The certificate of an application.
pub const APPLICATION_CERTIFICATE: &str =
    include_str!("../../shared/partner-center/tests/data/test-only-application-certificate.pem");
/// Its private key.
pub const APPLICATION_KEY: &str = include_str!("../../shared/partner-center/tests/data/test-only-application-key.pem");
/// The list.
const MARKS: &str = include_str!("../secret-marks");

/// Everything that a secret is recognised by.
fn marks() -> impl Iterator<Item = &'static str> {
    MARKS.lines().chain(APPLICATION_KEY.lines().filter(|line| !line.starts_with("-----")))
}

/// The mark of a secret that stands in this text.
#[must_use]
pub fn secret_in(text: &str) -> Option<&'static str> {
    marks().find(|mark| text.contains(mark))
}

/// Sees to it that no secret stands in what was written.
///
/// # Panics
///
/// Where one does.
#[track_caller]
pub fn assert_no_secret(text: &str) {
    for line in text.lines() {
        if let Some(mark) = secret_in(line) {
            panic!("a secret ({mark}) stands in: {line}");
        }
    }
}

/// The same for what a process left on both outputs.
///
/// # Panics
///
/// Where a secret stands in it.
#[track_caller]
pub fn assert_no_secret_in(output: &Output) {
    assert_no_secret(&String::from_utf8_lossy(&output.stdout));
    assert_no_secret(&String::from_utf8_lossy(&output.stderr));
}

#[cfg(test)]
mod tests {
    use simulator::MARKER;

    use super::*;
    use crate::{CLIENT_SECRET, PATH_KEY};

    #[test]
    fn what_tests_choose_as_secrets_is_recognised() {
        for secret in [MARKER, CLIENT_SECRET, PATH_KEY, APPLICATION_KEY] {
            assert!(secret_in(&format!("before {secret} after")).is_some(), "{secret}");
        }
        // Each line of the key for itself, and the whole of it as JSON has it.
        assert!(APPLICATION_KEY.lines().all(|line| secret_in(line).is_some() || line.contains("END PRIVATE KEY")));
        assert!(secret_in(&serde_json::json!({ "private_key": APPLICATION_KEY }).to_string()).is_some());
    }

    #[test]
    fn no_mark_is_in_every_text() {
        assert!(marks().count() > 20);
        assert!(marks().all(|mark| mark.len() >= 8), "{MARKS}");
        assert_eq!(secret_in("private_key is not an RSA key in PEM (BEGIN PRIVATE KEY)"), None);
    }
}
