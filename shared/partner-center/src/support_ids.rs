//! What Microsoft calls an answer: the ids that its support asks for.

use std::fmt;

use reqwest::header::HeaderMap;

/// The headers that Microsoft's services name an answer in: Partner Center's three, Graph's, Entra ID's.
const HEADERS: [&str; 5] = ["MS-RequestId", "MS-CorrelationId", "MS-CV", "request-id", "x-ms-request-id"];
/// The headers that we name a request in: Partner Center's two, Graph's.
const OURS: [&str; 3] = ["MS-RequestId", "MS-CorrelationId", "client-request-id"];
/// The member that Entra ID's error bodies name it in.
const TRACE_ID: &str = "trace_id";
/// The most that is kept of a text of Microsoft's, in characters: more than any of its ids and codes has.
const MOST: usize = 80;

/// The ids of an answer, each by the name that Microsoft gives it; those of the request, where nobody answered, or somebody in between.
/// None of a request to Entra ID, which has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SupportIds(Box<[(&'static str, String)]>);

impl SupportIds {
    /// Of an answer.
    pub(crate) fn of_headers(headers: &HeaderMap) -> Self {
        Self::read(&HEADERS, headers)
    }

    /// Of a request, which we have given it.
    pub(crate) fn given(headers: &HeaderMap) -> Self {
        Self::read(&OURS, headers)
    }

    fn read(names: &[&'static str], headers: &HeaderMap) -> Self {
        let value = |name: &&'static str| Some((*name, harmless(headers.get(*name)?.to_str().ok()?)));
        Self(names.iter().filter_map(value).collect())
    }

    /// The request as Partner Center or Graph names it, and all that belongs to it as Partner Center does.
    #[must_use]
    pub fn request_and_correlation(&self) -> (Option<&str>, Option<&str>) {
        let named = |names: &[&str]| self.0.iter().find(|(name, _)| names.contains(name)).map(|(_, id)| id.as_str());
        (named(&["MS-RequestId", "request-id", "x-ms-request-id"]), named(&["MS-CorrelationId"]))
    }

    /// These, or others where there are none.
    pub(crate) fn or(self, others: Self) -> Self {
        if self.0.is_empty() { others } else { self }
    }

    /// The same with the id of an error body, which mostly is the one of the header.
    pub(crate) fn with_trace_id(mut self, id: Option<&str>) -> Self {
        if let Some(id) = id.map(harmless).filter(|id| self.0.iter().all(|(_, known)| known != id)) {
            self.0 = self.0.into_iter().chain([(TRACE_ID, id)]).collect();
        }
        self
    }
}

impl fmt::Display for SupportIds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return formatter.write_str("no request id");
        }
        for (place, (name, id)) in self.0.iter().enumerate() {
            let between = if place == 0 { "" } else { ", " };
            write!(formatter, "{between}{name} {id}")?;
        }
        Ok(())
    }
}

/// What of a text can stand in a log line: letters, digits and a few marks (those of base64 among them, which `MS-CV` is made of),
/// and not many.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().filter(|mark| mark.is_ascii_alphanumeric() || "_-. +/".contains(*mark)).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn each_service_names_its_answer_in_its_own_headers() {
        for (pairs, expected) in [
            (
                &[("ms-requestid", "r"), ("ms-correlationid", "c"), ("ms-cv", "aB+/9.0"), ("ms-serverid", "s")][..],
                "MS-RequestId r, MS-CorrelationId c, MS-CV aB+/9.0",
            ),
            (&[("request-id", "g"), ("client-request-id", "ours")], "request-id g"),
            (&[("x-ms-request-id", "e")], "x-ms-request-id e"),
            (&[], "no request id"),
        ] {
            assert_eq!(SupportIds::of_headers(&headers(pairs)).to_string(), expected);
        }
    }

    #[test]
    fn what_answers_without_a_name_is_told_by_the_names_that_we_gave_the_request() {
        let ours =
            || SupportIds::given(&headers(&[("ms-requestid", "r"), ("ms-correlationid", "c"), ("request-id", "no")]));
        assert_eq!(SupportIds::of_headers(&headers(&[])).or(ours()).to_string(), "MS-RequestId r, MS-CorrelationId c");
        assert_eq!(SupportIds::of_headers(&headers(&[("request-id", "g")])).or(ours()).to_string(), "request-id g");
        assert_eq!(SupportIds::given(&headers(&[("client-request-id", "own")])).to_string(), "client-request-id own");
    }

    #[test]
    fn the_id_of_an_error_body_is_told_where_the_header_has_another_or_none() {
        let known = SupportIds::of_headers(&headers(&[("x-ms-request-id", "e")]));
        assert_eq!(known.clone().with_trace_id(Some("e")), known);
        assert_eq!(known.clone().with_trace_id(None), known);
        assert_eq!(known.with_trace_id(Some("t")).to_string(), "x-ms-request-id e, trace_id t");
        assert_eq!(SupportIds::default().with_trace_id(Some("t")).to_string(), "trace_id t");
    }

    #[test]
    fn what_would_forge_a_line_does_not_stand_in_one() {
        let long = "x".repeat(200);
        let ids = SupportIds::of_headers(&headers(&[("request-id", "a\"},{\"level\":\t\"b"), ("ms-cv", &long)]));
        assert_eq!(ids.to_string(), format!("MS-CV {}, request-id alevelb", &long[..80]));
        assert_eq!(SupportIds::default().with_trace_id(Some("a\nb")).to_string(), "trace_id ab");
    }
}
