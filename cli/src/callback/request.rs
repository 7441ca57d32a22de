//! A callback as it stands in a line.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use serde::Deserialize;

/// A line. A member that nobody knows is refused: misspelled, it would silently be a default.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    pub(crate) certificate: Base64,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Values>,
    pub(crate) body: Base64,
    pub(crate) now: Option<Timestamp>,
    pub(crate) intermediates: Option<Vec<Base64>>,
    pub(crate) trust_anchors: Option<Vec<Base64>>,
    pub(crate) certificate_names: Option<Vec<String>>,
    pub(crate) certificate_hosts: Option<Vec<String>>,
}

/// Bytes, written as base64.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub(crate) struct Base64(pub(crate) Vec<u8>);

impl TryFrom<String> for Base64 {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        STANDARD.decode(text.trim_ascii()).map(Self).map_err(|error| format!("no base64: {error}"))
    }
}

/// The values of a header: one, or a list where it came more than once.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Values {
    One(String),
    Many(Vec<String>),
}

impl Request {
    /// The headers as a function gets them.
    pub(crate) fn headers(&self) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        for (name, values) in &self.headers {
            let name = HeaderName::try_from(name).map_err(|_| format!("{name:?} is no header name"))?;
            let values = match values {
                Values::One(value) => std::slice::from_ref(value),
                Values::Many(values) => values,
            };
            for value in values {
                let value =
                    HeaderValue::try_from(value).map_err(|_| format!("the header {name} can't have such a value"))?;
                headers.append(&name, value);
            }
        }
        Ok(headers)
    }
}
