//! Headers of callbacks, written as what is wrong with them.

use std::collections::BTreeMap;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE},
};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

use crate::Key;

/// A callback that is valid but for what `set` says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderCase {
    /// The kind of attack.
    pub threat: String,
    /// What is wrong.
    pub why: String,
    /// The values of each header, none to leave it out. Names in braces are filled in.
    pub set: BTreeMap<String, Vec<String>>,
    /// `accepted`, or the reason of the refusal.
    pub expected: String,
    /// The status of the answer.
    pub status: u16,
    /// Reason and status behind a REST API, which hands over the last of several values alone.
    pub rest: Option<(String, u16)>,
}

/// Names and values, as they are sent.
pub type Sent = Vec<(String, String)>;

impl HeaderCase {
    /// The headers, a line for each value.
    #[must_use]
    pub fn sent(&self, fill: &Fill) -> Sent {
        let usual = [
            ("authorization", "Signature {signature}"),
            ("x-ms-certificate-url", "{url}"),
            ("x-ms-signature-algorithm", "rsa-sha256"),
        ];
        let mut headers: BTreeMap<&str, Vec<&str>> =
            usual.into_iter().map(|(name, value)| (name, vec![value])).collect();
        for (name, values) in &self.set {
            headers.insert(name, values.iter().map(String::as_str).collect());
        }
        let lines = headers.into_iter().flat_map(|(name, values)| values.into_iter().map(move |value| (name, value)));
        lines.map(|(name, value)| (name.to_owned(), fill.fill(value))).collect()
    }

    /// The headers as a REST API's list has them, a line for each value.
    #[must_use]
    pub fn lines(&self, fill: &Fill) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in self.sent(fill) {
            map.append(name_of(&name), value_of(&value));
        }
        map
    }

    /// The headers as an HTTP API hands them over, with the values of a name in one line.
    #[must_use]
    pub fn joined(&self, fill: &Fill, comma: &str) -> HeaderMap {
        let mut joined: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in self.sent(fill) {
            joined.entry(name).and_modify(|before| *before = format!("{before}{comma}{value}")).or_insert(value);
        }
        joined.iter().map(|(name, value)| (name_of(name), value_of(value))).collect()
    }
}

fn name_of(name: &str) -> HeaderName {
    name.parse().expect("a header name")
}

fn value_of(value: &str) -> HeaderValue {
    HeaderValue::from_bytes(value.as_bytes()).expect("a header value")
}

/// What the names in braces stand for.
#[derive(Debug)]
pub struct Fill {
    signature: Vec<u8>,
    other_signature: Vec<u8>,
    url: String,
}

impl Fill {
    /// The names for a body that this key of 2048 bits signs, and the address of its certificate.
    #[must_use]
    pub fn new(key: &Key, body: &[u8], url: &str) -> Self {
        Self { signature: key.sign(body), other_signature: key.sign(b"another body"), url: url.to_owned() }
    }

    fn fill(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').expect("a closing brace");
            filled = filled + before + &self.word(name);
            rest = after;
        }
        filled + rest
    }

    fn word(&self, name: &str) -> String {
        let signature = &self.signature;
        let right = STANDARD.encode(signature);
        let bytes = |length: usize| STANDARD.encode(signature.iter().copied().cycle().take(length).collect::<Vec<_>>());
        match name {
            "url" => self.url.clone(),
            "signature" => right,
            "other-signature" => STANDARD.encode(&self.other_signature),
            "signature-without-padding" => STANDARD_NO_PAD.encode(signature),
            "signature-with-more-padding" => right + "==",
            "signature-url-safe" => URL_SAFE.encode(signature),
            // The last digit before the padding carries four bits of nothing, which have to be zero.
            "signature-non-canonical" => format!("{}{}==", &right[..341], char::from(right.as_bytes()[341] + 1)),
            "signature-with-blank-inside" => format!("{} {}", &right[..76], &right[76..]),
            "signature-with-blank-before-padding" => right.replacen("==", " ==", 1),
            "signature-in-two-pieces" => STANDARD.encode(&signature[..128]) + &STANDARD.encode(&signature[128..]),
            "signature-255-bytes" => bytes(255),
            "signature-257-bytes" => bytes(257),
            "signature-512-bytes" => bytes(512),
            "signature-513-bytes" => bytes(513),
            "signature-megabyte" => bytes(1024 * 1024),
            other => panic!("nothing is named {other}"),
        }
    }
}
