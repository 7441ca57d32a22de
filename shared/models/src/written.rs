//! Text that people write: bounded where it comes in, and kept as it was written.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What somebody wrote, of at most `BYTES` bytes as JSON, in which a quotation mark, a backslash, a tab or an end of line counts
/// twice: so much room does it take wherever it is kept.
///
/// Made by parsing, and nothing else makes one of a request. What is kept is read back as it is, so that another release may have another
/// bound.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Written<const BYTES: usize>(String);

/// A note: some two hundred words. With it a line of the activity log stays below 4 kB.
pub type Note = Written<1_200>;
/// A reason in a sentence.
pub type ShortText = Written<300>;
/// A name that somebody gives to something.
pub type Label = Written<100>;

/// Why a text is not taken. Holds nothing of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrittenError {
    /// There is nothing in it.
    #[error("there is no text in it")]
    Blank,
    /// It has control characters other than tabs and ends of lines.
    #[error("it has control characters other than tabs and ends of lines: take them out")]
    Control,
    /// It is too long.
    #[error("it takes {bytes} bytes, and {limit} is the most: shorten it")]
    TooLong {
        /// The bytes that it takes.
        bytes: usize,
        /// The most that are accepted.
        limit: usize,
    },
}

impl<const BYTES: usize> Written<BYTES> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const BYTES: usize> FromStr for Written<BYTES> {
    type Err = WrittenError;

    fn from_str(text: &str) -> Result<Self, WrittenError> {
        let text = text.trim().replace("\r\n", "\n");
        if text.is_empty() {
            return Err(WrittenError::Blank);
        }
        if text.chars().any(|mark| mark.is_control() && !matches!(mark, '\n' | '\t')) {
            return Err(WrittenError::Control);
        }
        let escaped = text.bytes().filter(|byte| matches!(byte, b'"' | b'\\' | b'\n' | b'\t')).count();
        let bytes = text.len() + escaped;
        if bytes > BYTES { Err(WrittenError::TooLong { bytes, limit: BYTES }) } else { Ok(Self(text)) }
    }
}

impl<const BYTES: usize> fmt::Debug for Written<BYTES> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Written({} bytes)", self.0.len())
    }
}
