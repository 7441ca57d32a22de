//! What an error body says of itself, whichever of Microsoft's services it is of.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::{patience::whole_seconds, support_ids::harmless};

/// What an error body says of itself.
pub(crate) struct ErrorWords {
    /// Microsoft's code, or [`NO_CODE`]; behind Entra ID's word its number, as in `invalid_grant AADSTS70008`.
    pub(crate) code: String,
    pub(crate) trace_id: Option<String>,
    /// How long it asks to wait, which some say here and in no header.
    pub(crate) wait: Option<Duration>,
}

impl ErrorWords {
    pub(crate) fn of(body: &[u8]) -> Self {
        let none = || NO_CODE.to_owned();
        let Ok(body) = serde_json::from_slice::<ErrorBody>(body) else {
            return Self { code: none(), trace_id: None, wait: None };
        };
        let wait = body.message.as_ref().and_then(Value::as_str).and_then(wait);
        let word =
            body.error.map(|(ErrorCode::Graph { code } | ErrorCode::Entra(code))| code).or(body.code.map(Into::into));
        let code = match (word, body.error_codes.first()) {
            (Some(word), Some(number)) => format!("{} AADSTS{number}", harmless(&word)),
            (Some(word), None) => harmless(&word),
            (None, _) => none(),
        };
        Self { code, trace_id: body.trace_id, wait }
    }
}

/// The wait in the words of what throttles calls of Partner Center: "Rate limit is exceeded. Try again in 57 seconds." (Microsoft: "API
/// throttling guidance for partners calling Partner Center APIs").
fn wait(message: &str) -> Option<Duration> {
    let (_, rest) = message.split_once("Try again in ")?;
    let (seconds, _) = rest.split_once(" second")?;
    whole_seconds(seconds)
}

/// The error bodies of Graph (both), Entra ID and Partner Center, and of what throttles calls of the last: each has some of these.
#[derive(Deserialize)]
struct ErrorBody {
    #[serde(alias = "Error")]
    error: Option<ErrorCode>,
    /// Entra ID's numbers, the most exact first.
    #[serde(default)]
    error_codes: Vec<u64>,
    /// Partner Center's.
    code: Option<Code>,
    /// Entra ID's id of the answer.
    trace_id: Option<String>,
    /// Words for people: whatever else it is, the code counts.
    message: Option<Value>,
}

/// A number, as a text by the documents.
#[derive(Deserialize)]
#[serde(untagged)]
enum Code {
    Number(u64),
    Text(String),
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        match code {
            Code::Number(number) => number.to_string(),
            Code::Text(text) => text,
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ErrorCode {
    Graph {
        #[serde(alias = "Code")]
        code: String,
    },
    Entra(String),
}

/// The code of an error that has none: nobody's, or that of something in front of Microsoft's services.
pub(crate) const NO_CODE: &str = "none";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_read_from_each_of_microsofts_error_bodies() {
        for (body, code) in [
            (include_str!("../tests/data/graph-error-standard.json"), "TooManyRequests"),
            (include_str!("../tests/data/graph-error-missing-mfa.json"), "Unauthorized_MissingMFA"),
            (include_str!("../tests/data/error-partner-center.json"), "900421"),
            (include_str!("../tests/data/error-throttled.json"), "none"),
            (r#"{"error":"invalid_client","error_description":"AADSTS7000215: x"}"#, "invalid_client"),
            (r#"{"error":"invalid_grant","error_codes":[70008,1]}"#, "invalid_grant AADSTS70008"),
            (r#"{"error_codes":[70008]}"#, "none"),
            (r#"{"error":{"code":"a\n{\"level\":\"forged\"}"}}"#, "alevelforged"),
            (r#"{"code":900421,"description":"a number"}"#, "900421"),
            ("<html>", "none"),
            ("", "none"),
        ] {
            assert_eq!(ErrorWords::of(body.as_bytes()).code, code, "{body}");
        }
    }

    #[test]
    fn a_wait_that_stands_in_the_body_is_read_in_the_words_that_are_documented() {
        for (body, seconds) in [
            (include_str!("../tests/data/error-throttled.json"), Some(57)),
            (r#"{"statusCode":429,"message":"Rate limit is exceeded. Try again in 1 second."}"#, Some(1)),
            (r#"{"message":"Try again in 99999999999999999999 seconds."}"#, Some(u64::MAX)),
            (r#"{"message":"Try again in -5 seconds."}"#, None),
            (r#"{"message":"Try again in 5 minutes."}"#, None),
            (r#"{"message":"Try again later."}"#, None),
            (r#"{"message":57}"#, None),
            (r#"{"description":"Try again in 57 seconds."}"#, None),
            (include_str!("../tests/data/graph-error-standard.json"), None),
            (include_str!("../tests/data/error-partner-center.json"), None),
            ("Try again in 57 seconds.", None),
        ] {
            assert_eq!(ErrorWords::of(body.as_bytes()).wait, seconds.map(Duration::from_secs), "{body}");
        }
        let odd = ErrorWords::of(br#"{"message":{"value":1},"code":900421}"#);
        assert_eq!((odd.code.as_str(), odd.wait), ("900421", None));
    }
}
