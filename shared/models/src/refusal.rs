//! How Microsoft refused something, as it is kept and shown.
//!
//! Promises: bounded, so that neither an item nor a line of the log grows by what Microsoft says; its words never print. Leaves to others: what a refusal
//! means, and what to do about it (`partner-center`).

use serde::{Deserialize, Serialize};

/// The meaning of a refusal that is none: Microsoft gave no answer until the wish was [given up](crate::GIVEN_UP_AFTER).
const NO_ANSWER: &str = "no-answer";
/// The same where Microsoft could not be told at all.
const NOT_TOLD: &str = "not-told";

/// How Microsoft refused something, in what Microsoft's support asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MicrosoftRefusal {
    /// Their code.
    pub code: String,
    /// Their id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Their id of all that belongs to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// What it means, by our name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meaning: Option<String>,
    /// Microsoft's words, where they are kept: to be shown to whoever asked, and never logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Words>,
}

/// Words of Microsoft's: up to 1,024 bytes without control characters. They may name people and things of customers, so they don't print.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words(String);

impl Words {
    /// The most that is kept, in bytes.
    pub const MOST_BYTES: usize = 1_024;

    /// What of this text is kept. None where nothing is left.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let mut kept: String = text.chars().map(|mark| if mark.is_control() { ' ' } else { mark }).collect();
        let end = (0..=kept.len().min(Self::MOST_BYTES)).rev().find(|end| kept.is_char_boundary(*end));
        kept.truncate(end.unwrap_or_default());
        let kept = kept.trim();
        (!kept.is_empty()).then(|| Self(kept.to_owned()))
    }

    /// The words. Whoever shows them escapes them.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Words {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Words")
    }
}

impl MicrosoftRefusal {
    /// A refusal; each member is cut to 64 characters of ASCII.
    #[must_use]
    pub fn new(code: &str, request_id: Option<&str>, correlation_id: Option<&str>) -> Self {
        let plain = |text: &str| text.chars().filter(|mark| mark.is_ascii_graphic() || *mark == ' ').take(64).collect();
        let (request_id, correlation_id) = (request_id.map(plain), correlation_id.map(plain));
        Self { code: plain(code), request_id, correlation_id, meaning: None, description: None }
    }

    /// What is given up, since Microsoft gave no answer: nobody knows whether it was done.
    #[must_use]
    pub fn no_answer() -> Self {
        Self::new(NO_ANSWER, None, None).meaning(Some(NO_ANSWER))
    }

    /// What is given up, since Microsoft could not be told: nothing was done.
    #[must_use]
    pub fn not_told() -> Self {
        Self::new(NOT_TOLD, None, None).meaning(Some(NOT_TOLD))
    }

    /// What is known where a call was refused so, and one before it may have been taken: no more than without an answer, by Microsoft's ids of this one.
    #[must_use]
    pub fn of_a_later_call(self) -> Self {
        Self { request_id: self.request_id, correlation_id: self.correlation_id, ..Self::no_answer() }
    }

    /// Whether it is no refusal, but the want of an answer.
    #[must_use]
    pub fn is_no_answer(&self) -> bool {
        self.meaning.as_deref() == Some(NO_ANSWER)
    }

    /// The same, which means this: a name that does not change.
    #[must_use]
    pub fn meaning(self, meaning: Option<&'static str>) -> Self {
        Self { meaning: meaning.map(str::to_owned), ..self }
    }

    /// The same in these words of Microsoft's.
    #[must_use]
    pub fn described(self, description: Option<Words>) -> Self {
        Self { description, ..self }
    }

    /// The same as the log of what people did has it, where every line has its bound: without Microsoft's words.
    #[must_use]
    pub fn for_log(&self) -> Self {
        Self { description: None, ..self.clone() }
    }
}
