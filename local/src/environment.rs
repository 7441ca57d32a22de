//! What the command line needs to work on the running local system, as a file for a shell to read.
//!
//! The file holds the key of the AWS endpoint, so only its owner may read it, and it goes with the system.

use std::fs;

use crate::{LocalError, state::State};

/// Its name in the folder of state.
pub(crate) const FILE: &str = "environment";

/// Writes the variables as lines of a shell.
pub(crate) fn write(state: &State, variables: &[(String, String)]) -> Result<(), LocalError> {
    let line = |(name, value): &(String, String)| format!("export {name}={}\n", quoted(value));
    let lines: String = variables.iter().map(line).collect();
    state.write(FILE, &lines).map(drop)
}

/// Takes the file away. Where it is gone already, all is as it should be.
pub(crate) fn remove(state: &State) {
    let _ = fs::remove_file(state.path(FILE));
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    let plain = |mark: char| mark.is_ascii_alphanumeric() || "-_./:,".contains(mark);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_value_is_more_than_a_value_to_a_shell() {
        for (text, expected) in [
            ("http://127.0.0.1:4566", "http://127.0.0.1:4566"),
            ("", "''"),
            ("a b", "'a b'"),
            ("$(rm x)", "'$(rm x)'"),
            ("it's", r"'it'\''s'"),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }
}
