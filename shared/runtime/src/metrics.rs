//! Metrics, in CloudWatch's embedded metric format: a line of the log that CloudWatch turns into metrics, so that a function needs
//! neither a permission nor a request to report them.
//!
//! All counts of an invocation are one line. Source of the format:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::{fmt, io::Write as _, sync::Arc};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The namespace of all metrics.
pub const METRICS_NAMESPACE: &str = "PartnerAlerts";

/// What was counted in one invocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    counts: Vec<(&'static str, usize)>,
    reason: Option<&'static str>,
}

impl Counts {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With this many of these. None of them is worth a line, too: a metric without data can't be told from a function that does not
    /// run.
    #[must_use]
    pub fn with(mut self, name: &'static str, count: usize) -> Self {
        self.counts.push((name, count));
        self
    }

    /// With a reason, by which the counts can be told apart. It has to be one of a few constants: each is a metric of its own.
    #[must_use]
    pub fn because(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// What was counted.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<usize> {
        self.counts.iter().find(|(known, _)| *known == name).map(|(_, count)| *count)
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
        Self::to(move |now, counts| {
            let mut line = line(&function_name, now, counts).to_string();
            line.push('\n');
            // One write, so that no other line comes between. A metric that can't be written is not worth a failure.
            let _ = std::io::stdout().write_all(line.as_bytes());
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

/// One line. With a reason the counts are given twice: in all, and by reason.
fn line(function_name: &str, now: Timestamp, counts: &Counts) -> Value {
    let mut dimensions = vec![json!(["FunctionName"])];
    if counts.reason.is_some() {
        dimensions.push(json!(["FunctionName", "Reason"]));
    }
    let metrics: Vec<Value> = counts.counts.iter().map(|(name, _)| json!({ "Name": name, "Unit": "Count" })).collect();
    let directive = json!({ "Namespace": METRICS_NAMESPACE, "Dimensions": dimensions, "Metrics": metrics });
    let mut line = Map::new();
    line.insert("_aws".to_owned(), json!({ "Timestamp": now.as_millisecond(), "CloudWatchMetrics": [directive] }));
    line.insert("FunctionName".to_owned(), json!(function_name));
    line.extend(counts.reason.map(|reason| ("Reason".to_owned(), json!(reason))));
    line.extend(counts.counts.iter().map(|(name, count)| ((*name).to_owned(), json!(count))));
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(line("a-function", noon(), &counts), expected);
    }

    #[test]
    fn a_reason_is_a_second_set_of_dimensions() {
        let line = line("a-function", noon(), &Counts::new().with("CallbacksRefused", 1).because("signature-mismatch"));
        let sets = &line["_aws"]["CloudWatchMetrics"][0]["Dimensions"];
        assert_eq!(*sets, json!([["FunctionName"], ["FunctionName", "Reason"]]));
        assert_eq!(line["Reason"], "signature-mismatch");
        assert_eq!(line["CallbacksRefused"], 1);
    }
}
