//! Where something that is kept was made, so that whoever works on it later can say so.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize};

/// The trace and the span in which something was made: the `traceparent` of W3C Trace Context (version 00), which is how it
/// is written. It goes with events, alerts, outbox items and messages; the span that works on one of them names it as its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TraceContext {
    trace_id: u128,
    parent_id: u64,
    sampled: bool,
}

/// A text that is no trace context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a trace context of the form 00-{{32 hexadecimal digits}}-{{16}}-{{2}}")]
pub struct TraceContextError;

impl TraceContext {
    /// A context of these ids. None where one of them is zero, which both W3C and X-Ray take for "none".
    #[must_use]
    pub fn new(trace_id: u128, parent_id: u64, sampled: bool) -> Option<Self> {
        (trace_id != 0 && parent_id != 0).then_some(Self { trace_id, parent_id, sampled })
    }

    /// Reads the tracing header of AWS X-Ray, which Lambda gives with each invocation:
    /// `Root=1-{8 digits}-{24 digits};Parent={16 digits};Sampled={0 or 1}`, in any order and with other fields between.
    ///
    /// None where root or parent is missing or malformed: tracing is never worth a failure.
    #[must_use]
    pub fn of_xray(header: &str) -> Option<Self> {
        let field = |name: &str| {
            header.split(';').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('=')).map(str::trim)
        };
        let (epoch, unique) = field("Root")?.strip_prefix("1-")?.split_once('-')?;
        let trace_id = (u128::from(hexadecimal(epoch, 8)?) << 96) | wide(unique, 24)?;
        Self::new(trace_id, hexadecimal(field("Parent")?, 16)?, field("Sampled") == Some("1"))
    }

    /// The id of the trace: 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }

    /// Reads what may be absent. What is malformed counts as absent: nothing that is kept is lost for its trace.
    ///
    /// # Errors
    ///
    /// Where the value is no text.
    pub fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.and_then(|text| text.parse().ok()))
    }
}

fn wide(digits: &str, length: usize) -> Option<u128> {
    let well_formed = digits.len() == length && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    well_formed.then(|| u128::from_str_radix(digits, 16).ok()).flatten()
}

fn hexadecimal(digits: &str, length: usize) -> Option<u64> {
    wide(digits, length).and_then(|number| u64::try_from(number).ok())
}

impl fmt::Display for TraceContext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.parent_id, u8::from(self.sampled))
    }
}

impl FromStr for TraceContext {
    type Err = TraceContextError;

    fn from_str(text: &str) -> Result<Self, TraceContextError> {
        let mut parts = text.split('-');
        let mut part = || parts.next().ok_or(TraceContextError);
        let (version, trace_id, parent_id, flags) = (part()?, part()?, part()?, part()?);
        let read = || {
            let trace_id = wide(trace_id, 32)?;
            Self::new(trace_id, hexadecimal(parent_id, 16)?, hexadecimal(flags, 2)? & 1 == 1)
        };
        match (version, parts.next()) {
            ("00", None) => read().ok_or(TraceContextError),
            _ => Err(TraceContextError),
        }
    }
}

impl TryFrom<String> for TraceContext {
    type Error = TraceContextError;

    fn try_from(text: String) -> Result<Self, TraceContextError> {
        text.parse()
    }
}

impl From<TraceContext> for String {
    fn from(context: TraceContext) -> Self {
        context.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const XRAY: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    const W3C: &str = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";

    #[test]
    fn a_header_of_xray_is_a_traceparent() {
        for header in [
            XRAY,
            "Self=1-67891234-12456789abcdef0123456789;Root=1-5759e988-bd862e3fe1be46a994272793;\
             Lineage=a:1; Parent=53995c3f42cd8ad8; Sampled=1",
        ] {
            let context = TraceContext::of_xray(header).unwrap();
            assert_eq!(context.to_string(), W3C);
            assert_eq!(context.trace_id(), "5759e988bd862e3fe1be46a994272793");
        }
        for unsampled in [XRAY.replace("Sampled=1", "Sampled=0"), XRAY.replace(";Sampled=1", "")] {
            assert_eq!(TraceContext::of_xray(&unsampled).unwrap().to_string(), W3C.replace("-01", "-00"));
        }
    }

    #[test]
    fn a_malformed_header_is_none() {
        for header in [
            "",
            "Root",
            "Root=;Parent=;Sampled=",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
            "Parent=53995c3f42cd8ad8;Sampled=1",
            &XRAY.replace("Root=1-", "Root=2-"),
            &XRAY.replace("5759e988-", "5759e98-"),
            &XRAY.replace("bd862e3f", "bd862e3é"),
            &XRAY.replace("53995c3f42cd8ad8", "0000000000000000"),
            &XRAY.replace("53995c3f42cd8ad8", "+3995c3f42cd8ad8"),
            &XRAY.replace("5759e988-bd862e3fe1be46a994272793", "00000000-000000000000000000000000"),
        ] {
            assert_eq!(TraceContext::of_xray(header), None, "{header}");
        }
    }

    #[test]
    fn a_traceparent_is_read_as_it_is_written_and_nothing_else_is_read() {
        let context: TraceContext = W3C.parse().unwrap();
        assert_eq!(context.to_string(), W3C);
        assert_eq!(serde_json::to_string(&context).unwrap(), format!("\"{W3C}\""));
        for bad in [
            "",
            "00",
            &W3C.replace("00-", "01-"),
            &W3C.replace("-01", ""),
            &format!("{W3C}-01"),
            &W3C.to_uppercase(),
            &W3C.replace("5759", "57 9"),
            "00-00000000000000000000000000000000-53995c3f42cd8ad8-01",
        ] {
            assert_eq!(bad.parse::<TraceContext>(), Err(TraceContextError), "{bad}");
        }
    }

    #[test]
    fn what_is_malformed_where_it_may_be_absent_counts_as_absent() {
        let read = |json: &str| TraceContext::lenient(&mut serde_json::Deserializer::from_str(json)).ok();
        assert_eq!(read("null"), Some(None));
        assert_eq!(read("\"something else\""), Some(None));
        assert_eq!(read(&format!("\"{W3C}\"")), Some(W3C.parse().ok()));
    }
}
