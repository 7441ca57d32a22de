//! What an error body says of itself, whichever of Microsoft's services it is of.

use serde::Deserialize;

use crate::support_ids::harmless;

/// What an error body says of itself.
pub(crate) struct ErrorWords {
    /// Microsoft's code, or [`NO_CODE`]; behind Entra ID's word its number, as in `invalid_grant AADSTS70008`.
    pub(crate) code: String,
    pub(crate) trace_id: Option<String>,
}

impl ErrorWords {
    pub(crate) fn of(body: &[u8]) -> Self {
        let none = || NO_CODE.to_owned();
        let Ok(body) = serde_json::from_slice::<ErrorBody>(body) else { return Self { code: none(), trace_id: None } };
        let word =
            body.error.map(|(ErrorCode::Graph { code } | ErrorCode::Entra(code))| code).or(body.code.map(Into::into));
        let code = match (word, body.error_codes.first()) {
            (Some(word), Some(number)) => format!("{} AADSTS{number}", harmless(&word)),
            (Some(word), None) => harmless(&word),
            (None, _) => none(),
        };
        Self { code, trace_id: body.trace_id }
    }
}

/// The error bodies of Graph (both), Entra ID and Partner Center: each has some of these.
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
}
