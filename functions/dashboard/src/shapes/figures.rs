//! The four figures and the chart.

use std::collections::BTreeMap;

use models::{Compared, Figures, Quantile, ResponseTimes};
use serde::Serialize;
use utoipa::ToSchema;

/// The figures of some tenants together.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Statistics {
    /// The tenants.
    pub(crate) tenants: Vec<String>,
    /// How long it took to respond.
    average_response: Responses,
    /// New alerts of the last seven days.
    new: Count,
    /// Resolved alerts.
    resolved: Resolved,
    /// Alerts that need attention.
    unresolved: Count,
    /// Test alerts, which no other figure counts.
    tests: i64,
    /// Sixty-one days, the oldest first.
    chart: Vec<Day>,
    /// What each figure is, in words that belong next to it.
    #[schema(value_type = BTreeMap<String, String>)]
    definitions: BTreeMap<&'static str, &'static str>,
}

/// A count, and the one that it is compared with.
#[derive(Debug, Serialize, ToSchema)]
struct Count {
    /// The count.
    now: i64,
    /// The one before.
    before: i64,
}

/// Response times of the last thirty days, and of the thirty before.
#[derive(Debug, Serialize, ToSchema)]
struct Responses {
    /// Of the last thirty days.
    now: Response,
    /// Of the thirty before.
    before: Response,
}

/// Response times of a period.
#[derive(Debug, Serialize, ToSchema)]
struct Response {
    /// How many alerts were resolved.
    alerts: i64,
    /// The mean in seconds. Absent where none was resolved.
    mean_seconds: Option<i64>,
    /// The median.
    median: Option<Bound>,
    /// The 90th percentile.
    ninetieth: Option<Bound>,
    /// How many resolutions are dated before the detection.
    negative: i64,
}

/// A response time, as far as it is told apart.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Bound {
    /// At most so many seconds.
    AtMostSeconds(i64),
    /// More than so many seconds.
    MoreThanSeconds(i64),
}

/// Resolved alerts.
#[derive(Debug, Serialize, ToSchema)]
struct Resolved {
    /// All of them.
    all: i64,
    /// Those of the last thirty days, and of the thirty before.
    lately: Count,
}

/// A day of the chart.
#[derive(Debug, Serialize, ToSchema)]
struct Day {
    /// The UTC day.
    #[serde(rename = "day")]
    #[schema(format = Date)]
    date: String,
    /// Alerts that were detected on it.
    new: i64,
    /// Alerts that were resolved on it, and still are.
    resolved: i64,
    /// How long those took from their detection in the mean, in seconds. Absent where none was resolved.
    mean_response_seconds: Option<i64>,
}

impl Statistics {
    pub(crate) fn of(tenants: Vec<String>, figures: &Figures) -> Self {
        let day = |day: &models::ChartDay| Day {
            date: day.day.to_string(),
            new: day.new,
            resolved: day.resolved,
            mean_response_seconds: day.mean_response,
        };
        Self {
            tenants,
            average_response: Responses { now: (&figures.response).into(), before: (&figures.response_before).into() },
            new: figures.new.into(),
            resolved: Resolved { all: figures.resolved, lately: figures.resolved_lately.into() },
            unresolved: figures.unresolved.into(),
            tests: figures.tests,
            chart: figures.chart.iter().map(day).collect(),
            definitions: models::DEFINITIONS.into(),
        }
    }
}

impl From<Compared> for Count {
    fn from(Compared { now, before }: Compared) -> Self {
        Self { now, before }
    }
}

impl From<&ResponseTimes> for Response {
    fn from(times: &ResponseTimes) -> Self {
        let bound = |quantile| match quantile {
            Quantile::AtMost(seconds) => Bound::AtMostSeconds(seconds),
            Quantile::MoreThan(seconds) => Bound::MoreThanSeconds(seconds),
        };
        Self {
            alerts: times.resolved,
            mean_seconds: times.mean,
            median: times.median.map(bound),
            ninetieth: times.ninetieth.map(bound),
            negative: times.negative,
        }
    }
}
