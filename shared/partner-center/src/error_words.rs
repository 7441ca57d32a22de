//! What an error body says of itself, whichever of Microsoft's services it is of.

use std::time::Duration;

use models::Words;
use serde::Deserialize;
use serde_json::Value;

use crate::{patience::whole_seconds, support_ids::harmless};

/// What a refusal came as, which tells whether a service of Microsoft's has made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalBody {
    /// In one of the forms that Microsoft's services have for errors.
    Microsofts,
    /// Nothing.
    Empty,
    /// Something else.
    Other,
    /// A web page.
    WebPage,
}

impl RefusalBody {
    /// What stands behind the code: nothing, where that is one.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Microsofts => "",
            Self::Empty => " (an empty body, and no error in Microsoft's form)",
            Self::Other => " (no error in Microsoft's form)",
            Self::WebPage => " (a web page, and no error in Microsoft's form)",
        }
    }

    /// Of one that has no code, and asks for no pause in the words of Microsoft's that are known.
    fn of_stranger(body: &[u8]) -> Self {
        let start = body[..body.len().min(PAGE_START)].to_ascii_lowercase();
        let has = |mark: &[u8]| start.windows(mark.len()).any(|part| part == mark);
        if body.trim_ascii().is_empty() {
            Self::Empty
        } else if has(b"<html") || has(b"<!doctype html") {
            Self::WebPage
        } else {
            Self::Other
        }
    }
}

/// Within how many bytes a web page says that it is one.
const PAGE_START: usize = 1_024;

/// What an error body says of itself.
pub(crate) struct ErrorWords {
    pub(crate) body: RefusalBody,
    /// Microsoft's code, or [`NO_CODE`]; behind Entra ID's word its number, as in `invalid_grant AADSTS70008`.
    pub(crate) code: String,
    pub(crate) trace_id: Option<String>,
    /// What it says to people, where that is Partner Center's.
    pub(crate) description: Option<Words>,
    /// How long it asks to wait, which some say here and in no header.
    pub(crate) wait: Option<Duration>,
}

impl ErrorWords {
    pub(crate) fn of(body: &[u8]) -> Self {
        let none = || NO_CODE.to_owned();
        let stranger = || RefusalBody::of_stranger(body);
        let Ok(body) = serde_json::from_slice::<ErrorBody>(body) else {
            return Self { body: stranger(), code: none(), trace_id: None, description: None, wait: None };
        };
        let wait = body.message.as_ref().and_then(Value::as_str).and_then(wait);
        let word =
            body.error.map(|(ErrorCode::Graph { code } | ErrorCode::Entra(code))| code).or(body.code.map(Into::into));
        let code = match (word, body.error_codes.first()) {
            (Some(word), Some(number)) => format!("{} AADSTS{number}", harmless(&word)),
            (Some(word), None) => harmless(&word),
            (None, _) => none(),
        };
        let is_known = code != NO_CODE || wait.is_some();
        let body_is = if is_known { RefusalBody::Microsofts } else { stranger() };
        let description = body.description.as_ref().and_then(Value::as_str).and_then(Words::of);
        Self { body: body_is, code, trace_id: body.trace_id, description, wait }
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
    /// Partner Center's words for people.
    description: Option<Value>,
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
    fn what_no_service_of_microsofts_has_made_is_told_from_its_errors() {
        use RefusalBody::{Empty, Microsofts, Other, WebPage};
        for (body, expected) in [
            (include_str!("../tests/data/graph-error-standard.json"), Microsofts),
            (include_str!("../tests/data/error-partner-center.json"), Microsofts),
            (include_str!("../tests/data/error-throttled.json"), Microsofts),
            (r#"{"error":"invalid_client"}"#, Microsofts),
            ("\r\n<!-- proxy -->\n<!DOCTYPE HTML><title>Blocked</title>", WebPage),
            ("<HTML><body>{}</body>", WebPage),
            ("", Empty),
            (" \r\n", Empty),
            ("Blocked", Other),
            ("{}", Other),
            (r#"{"statusCode":404,"message":"Resource not found"}"#, Other),
        ] {
            assert_eq!(ErrorWords::of(body.as_bytes()).body, expected, "{body}");
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
