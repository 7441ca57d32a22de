//! Metrics, in CloudWatch's embedded metric format: a line of the log that CloudWatch turns into metrics, so that a function needs
//! neither a permission nor a request to report them.
//!
//! All counts of an invocation are one line. Source of the format:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::{fmt, io::Write as _, sync::Arc};

use jiff::Timestamp;
use serde::{Serialize, Serializer};

/// The namespace of all metrics.
pub const METRICS_NAMESPACE: &str = "PartnerAlerts";

/// What was counted in one invocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    counts: Vec<(&'static str, usize)>,
    /// The one of them that has a reason, and the reason.
    reason: Option<(&'static str, &'static str)>,
}

impl Counts {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With this many of these. Zero is worth a line, too: a metric without data can't be told from a function that does not run.
    #[must_use]
    pub fn with(mut self, name: &'static str, count: usize) -> Self {
        self.counts.push((name, count));
        self
    }

    /// How many of these there are. None where they are not counted.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<usize> {
        self.counts.iter().find(|(counted, _)| *counted == name).map(|(_, count)| *count)
    }

    /// With one of these, for a reason by which they can be told apart. It has to be one of a few constants: each is a metric of
    /// its own, to be paid for.
    #[must_use]
    pub fn because(mut self, name: &'static str, reason: &'static str) -> Self {
        self.reason = Some((name, reason));
        self.with(name, 1)
    }
}

/// Where counts go. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Sink>);

type Sink = dyn Fn(Timestamp, &Counts) + Send + Sync;

impl Metrics {
    /// Counts go to whoever asks: for tests.
    #[must_use]
    pub fn to(sink: impl Fn(Timestamp, &Counts) + Send + Sync + 'static) -> Self {
        Self(Arc::new(sink))
    }

    /// Counts go nowhere.
    #[must_use]
    pub fn none() -> Self {
        Self::to(|_, _| ())
    }

    /// Counts go to standard output, which Lambda gives to CloudWatch, as those of this function.
    #[must_use]
    pub fn to_stdout(function_name: String) -> Self {
        // One write, so that no other line comes between. A metric that can't be written is not worth a failure.
        Self::to_lines(function_name, |line| drop(std::io::stdout().write_all(line)))
    }

    /// Counts are lines for somebody else to write.
    #[must_use]
    pub fn to_lines(function_name: String, write: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        Self::to(move |now, counts| {
            // Texts and numbers: writing them to memory has no way to fail.
            if let Ok(mut line) = line(&function_name, now, counts) {
                line.push('\n');
                write(line.as_bytes());
            }
        })
    }

    /// Reports what was counted.
    pub fn report(&self, now: Timestamp, counts: &Counts) {
        (self.0)(now, counts);
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Metrics")
    }
}

/// One line. What has a reason is given twice: in all, and by reason.
fn line(function_name: &str, now: Timestamp, counts: &Counts) -> serde_json::Result<String> {
    let all = Directive::of(&["FunctionName"], counts.counts.iter().map(|(name, _)| *name));
    let by_reason = counts.reason.map(|(name, _)| Directive::of(&["FunctionName", "Reason"], [name]));
    let directives = [Some(all), by_reason].into_iter().flatten().collect();
    serde_json::to_string(&Line {
        aws: Aws { timestamp: now.as_millisecond(), directives },
        function_name,
        reason: counts.reason.map(|(_, reason)| reason),
        counts: &counts.counts,
    })
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(rename = "_aws")]
    aws: Aws,
    #[serde(rename = "FunctionName")]
    function_name: &'a str,
    #[serde(rename = "Reason", skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(flatten, serialize_with = "as_members")]
    counts: &'a [(&'static str, usize)],
}

#[derive(Serialize)]
struct Aws {
    #[serde(rename = "Timestamp")]
    timestamp: i64,
    #[serde(rename = "CloudWatchMetrics")]
    directives: Vec<Directive>,
}

/// Which members of the line are metrics, and by which dimensions.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    namespace: &'static str,
    dimensions: [&'static [&'static str]; 1],
    metrics: Vec<Metric>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    name: &'static str,
    unit: &'static str,
}

impl Directive {
    fn of(dimensions: &'static [&'static str], names: impl IntoIterator<Item = &'static str>) -> Self {
        let metrics = names.into_iter().map(|name| Metric { name, unit: "Count" }).collect();
        Self { namespace: METRICS_NAMESPACE, dimensions: [dimensions], metrics }
    }
}

fn as_members<S: Serializer>(counts: &[(&'static str, usize)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(counts.iter().copied())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(counts: &Counts) -> Value {
        serde_json::from_str(&line("a-function", noon(), counts).unwrap()).unwrap()
    }

    fn noon() -> Timestamp {
        "2026-03-02T12:00:00.250Z".parse().unwrap()
    }

    #[test]
    fn counts_are_one_line_in_the_embedded_metric_format() {
        let counts = Counts::new().with("AlertsListed", 7).with("AlertsChanged", 0);
        let expected = json!({
            "_aws": {
                "Timestamp": 1_772_452_800_250_i64,
                "CloudWatchMetrics": [{
                    "Namespace": "PartnerAlerts",
                    "Dimensions": [["FunctionName"]],
                    "Metrics": [
                        { "Name": "AlertsListed", "Unit": "Count" },
                        { "Name": "AlertsChanged", "Unit": "Count" },
                    ],
                }],
            },
            "FunctionName": "a-function",
            "AlertsListed": 7,
            "AlertsChanged": 0,
        });
        assert_eq!(read(&counts), expected);
    }

    #[test]
    fn only_what_has_a_reason_is_a_second_metric_by_that_reason() {
        let counts = Counts::new().with("CallbacksReceived", 1).because("CallbacksRefused", "signature-mismatch");
        let line = read(&counts);
        let count = |name: &str| json!({ "Name": name, "Unit": "Count" });
        let expected = json!([
            {
                "Namespace": "PartnerAlerts",
                "Dimensions": [["FunctionName"]],
                "Metrics": [count("CallbacksReceived"), count("CallbacksRefused")],
            },
            {
                "Namespace": "PartnerAlerts",
                "Dimensions": [["FunctionName", "Reason"]],
                "Metrics": [count("CallbacksRefused")],
            },
        ]);
        assert_eq!(line["_aws"]["CloudWatchMetrics"], expected);
        assert_eq!(line["Reason"], "signature-mismatch");
        assert_eq!([&line["CallbacksReceived"], &line["CallbacksRefused"]], [1, 1]);
    }
}
