//! An alert that can't be read: what is wrong with it, and its bytes.

use std::fmt;

use models::AlertId;

/// Most bytes that are kept of an alert that can't be read: beside them an item has room to spare (DynamoDB takes 400 kB).
const KEPT_BYTES: usize = 64_000;

/// An alert that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("an alert (id {id}) can't be read: {problem}")]
pub struct UnreadableAlert {
    /// Its id; where that can't be read either, one made of its bytes ([`AlertId::of_bytes`]).
    pub id: AlertId,
    /// What is wrong with it. Names members and places, never values.
    pub problem: String,
    /// What Microsoft sent.
    pub body: RawBody,
}

/// The bytes of an alert as they came, up to 64,000 of them. Never printed: they hold personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct RawBody {
    bytes: Vec<u8>,
    whole: usize,
}

impl RawBody {
    fn new(json: &[u8]) -> Self {
        Self { bytes: json[..json.len().min(KEPT_BYTES)].to_vec(), whole: json.len() }
    }

    /// The bytes that are kept: the first 64,000.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many bytes there were.
    #[must_use]
    pub fn whole(&self) -> usize {
        self.whole
    }
}

impl fmt::Debug for RawBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RawBody").field("whole", &self.whole).finish_non_exhaustive()
    }
}

impl UnreadableAlert {
    /// One that the parser refuses.
    pub(super) fn new(id: Option<AlertId>, error: &serde_json::Error, json: &[u8]) -> Self {
        // The parser's own words may repeat values; the place and the class of the problem do not.
        let problem = format!("{:?} error at line {}, column {}", error.classify(), error.line(), error.column());
        Self { id: id.unwrap_or_else(|| AlertId::of_bytes(json)), problem, body: RawBody::new(json) }
    }

    /// One that can be read, and has nothing to date it by.
    pub(super) fn undated(id: AlertId, json: &[u8]) -> Self {
        Self { id, problem: "it has no date".to_owned(), body: RawBody::new(json) }
    }
}
