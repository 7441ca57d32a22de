//! Bytes, written as a list of pieces.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// What bytes are made of, one piece after the other.
pub type Pieces = Vec<Piece>;

/// A piece.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Piece {
    /// This text.
    Text(String),
    /// A moment this many seconds after now, as Microsoft writes it.
    Date {
        /// The seconds.
        date: i64,
    },
    /// What has this name, more than once if it says so.
    Named {
        /// The name.
        named: String,
        /// How often.
        #[serde(default = "once")]
        times: usize,
    },
    /// These bytes, more than once if it says so.
    Bytes {
        /// Their hexadecimal digits.
        hex: String,
        /// How often.
        #[serde(default = "once")]
        times: usize,
    },
    /// This text more than once.
    Repeated {
        /// The text.
        text: String,
        /// How often.
        times: usize,
    },
    /// The pieces in UTF-16, by the order of its bytes.
    Utf16 {
        /// The pieces.
        utf16: Pieces,
        /// Whether the high byte comes first.
        big_endian: bool,
    },
}

fn once() -> usize {
    1
}

/// The bytes that the pieces make.
#[must_use]
pub fn bytes(pieces: &[Piece], now: Timestamp, names: &BTreeMap<&str, Vec<u8>>) -> Vec<u8> {
    pieces.iter().flat_map(|piece| piece.bytes(now, names)).collect()
}

impl Piece {
    fn bytes(&self, now: Timestamp, names: &BTreeMap<&str, Vec<u8>>) -> Vec<u8> {
        match self {
            Self::Text(text) => text.as_bytes().to_vec(),
            Self::Date { date } => {
                let date = now + SignedDuration::from_secs(*date);
                date.strftime("%Y-%m-%dT%H:%M:%S%.7f+00:00").to_string().into_bytes()
            }
            Self::Named { named, times } => {
                names.get(named.as_str()).unwrap_or_else(|| panic!("nothing is named {named}")).repeat(*times)
            }
            Self::Bytes { hex, times } => hex::decode(hex).expect("hexadecimal digits").repeat(*times),
            Self::Repeated { text, times } => text.repeat(*times).into_bytes(),
            Self::Utf16 { utf16, big_endian } => {
                let text = String::from_utf8(bytes(utf16, now, names)).expect("text");
                let units = text.encode_utf16();
                units.flat_map(|unit| if *big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
            }
        }
    }
}
