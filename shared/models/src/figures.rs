//! The four figures of the dashboard with what they are compared with, and the chart: sums over the statistics of tenants.
//!
//! Promises: pure, and the same whatever order tenants come in. Days are UTC days, today included as far as it has come. Leaves to
//! others: that the statistics are what the alerts add up to ([`contribution`](crate::contribution)), and where they lie (`store`).

use std::collections::BTreeMap;

use jiff::{ToSpan as _, civil::Date};

use crate::BUCKET_UPPER_BOUNDS_SECONDS;

/// How many days the chart shows, and so how many are read: today and the sixty before, as far back as Microsoft's daily summary of
/// active alerts goes, and enough for thirty days and the thirty before them.
pub const CHART_DAYS: i32 = 61;
/// What the average and the resolved alerts are of, in days: as Microsoft's card says.
pub const MONTH_DAYS: i32 = 30;
/// What new alerts are of, in days: as Microsoft's card says.
pub const WEEK_DAYS: i32 = 7;

/// What each figure is, in words that belong next to the numbers.
pub const DEFINITIONS: [(&str, &str); 5] = [
    (
        "average_response",
        "From Microsoft's detection to the resolution, of alerts resolved in the last 30 days, today included; compared with the 30 days before. \
         A resolution dated before the detection counts as no time. Median and 90th percentile are upper bounds, since response times are \
         counted in steps.",
    ),
    ("new", "Alerts that Microsoft detected in the last 7 days, today included; compared with the 7 days before."),
    (
        "resolved",
        "Alerts that are resolved, whenever that was; beside it those resolved in the last 30 days, today included, compared with the 30 days \
         before. An alert that is open again is not counted.",
    ),
    (
        "unresolved",
        "Alerts that need attention now; compared with those, as far as is known today, that did so when the last 7 days began.",
    ),
    ("tests", "Alerts made for tests, which no other figure counts. Days are days of UTC."),
];

/// Counters as they are kept, by name.
pub type KeptCounters = BTreeMap<String, i64>;

/// The statistics of a tenant as they are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptStatistics {
    /// By UTC day. A day without an item is a day without alerts.
    pub days: BTreeMap<Date, KeptCounters>,
    /// The totals of now.
    pub gauge: KeptCounters,
}

/// A count, and the one that it is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// The count.
    pub now: i64,
    /// The one before.
    pub before: i64,
}

/// A share of response times, as far as their steps tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantile {
    /// At most so many seconds.
    AtMost(i64),
    /// More than so many seconds: the last step has no end.
    MoreThan(i64),
}

/// How long it took to respond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResponseTimes {
    /// How many alerts were resolved.
    pub resolved: i64,
    /// The mean in seconds; none where none was resolved.
    pub mean: Option<i64>,
    /// The median.
    pub median: Option<Quantile>,
    /// The 90th percentile.
    pub ninetieth: Option<Quantile>,
    /// How many of them are dated before their detection.
    pub negative: i64,
}

/// A day of the chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChartDay {
    /// The day.
    pub day: Date,
    /// Alerts that were detected on it.
    pub new: i64,
    /// Alerts that were resolved on it, and still are.
    pub resolved: i64,
    /// How long those took from their detection in the mean, in seconds; none where none was resolved.
    pub mean_response: Option<i64>,
}

/// All figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Of the last thirty days.
    pub response: ResponseTimes,
    /// Of the thirty before.
    pub response_before: ResponseTimes,
    /// New in the last seven days.
    pub new: Compared,
    /// All that are resolved.
    pub resolved: i64,
    /// Resolved in the last thirty days.
    pub resolved_lately: Compared,
    /// Open now, and a week ago as far as is known today.
    pub unresolved: Compared,
    /// Test alerts.
    pub tests: i64,
    /// The chart, the oldest day first.
    pub chart: Vec<ChartDay>,
}

/// The first day of so many, of which this is the last.
#[must_use]
pub fn first_of(days: i32, last: Date) -> Date {
    last.saturating_sub((days - 1).days())
}

/// The figures of these tenants together.
#[must_use]
pub fn figures<'a>(of: impl IntoIterator<Item = &'a KeptStatistics>, today: Date) -> Figures {
    let mut days: BTreeMap<Date, KeptCounters> = BTreeMap::new();
    let mut gauge = KeptCounters::new();
    for tenant in of {
        add(&mut gauge, &tenant.gauge);
        for (day, counters) in &tenant.days {
            add(days.entry(*day).or_default(), counters);
        }
    }
    let span = |length: i32, last: Date| sum(&days, first_of(length, last), last);
    let before = |length: i32| first_of(length, today).saturating_sub(1.day());
    let (month, month_before) = (span(MONTH_DAYS, today), span(MONTH_DAYS, before(MONTH_DAYS)));
    let (week, week_before) = (span(WEEK_DAYS, today), span(WEEK_DAYS, before(WEEK_DAYS)));
    let open = get(&gauge, "open");
    let grown = get(&week, "new").saturating_sub(get(&week, "resolved"));
    let chart_day = |day| {
        let counter = |name| days.get(&day).map_or(0, |counters| get(counters, name));
        let mean_response = days.get(&day).and_then(|counters| response_times(counters).mean);
        ChartDay { day, new: counter("new"), resolved: counter("resolved"), mean_response }
    };
    Figures {
        response: response_times(&month),
        response_before: response_times(&month_before),
        new: Compared { now: get(&week, "new"), before: get(&week_before, "new") },
        resolved: get(&gauge, "resolved"),
        resolved_lately: Compared { now: get(&month, "resolved"), before: get(&month_before, "resolved") },
        // What was resolved before it was detected, or at a moment that Microsoft does not say, is on one side alone.
        unresolved: Compared { now: open, before: open.saturating_sub(grown).max(0) },
        tests: get(&gauge, "test"),
        chart: (0..CHART_DAYS).map(|back| chart_day(today.saturating_sub((CHART_DAYS - 1 - back).days()))).collect(),
    }
}

fn response_times(counters: &KeptCounters) -> ResponseTimes {
    let resolved = get(counters, "resolved");
    let quantile = |percent: i64| {
        // The place of the one that so many percent come up to, from 1 on.
        let place = resolved.saturating_mul(percent).saturating_add(99) / 100;
        let mut seen: i64 = 0;
        let within = BUCKET_UPPER_BOUNDS_SECONDS.into_iter().find(|bound| {
            seen = seen.saturating_add(get(counters, &format!("response_le_{bound}")));
            seen >= place
        });
        let last = BUCKET_UPPER_BOUNDS_SECONDS[BUCKET_UPPER_BOUNDS_SECONDS.len() - 1];
        (resolved > 0).then(|| within.map_or(Quantile::MoreThan(last), Quantile::AtMost))
    };
    ResponseTimes {
        resolved,
        mean: (resolved > 0).then(|| get(counters, "response_seconds") / resolved),
        median: quantile(50),
        ninetieth: quantile(90),
        negative: get(counters, "response_negative"),
    }
}

fn sum(days: &BTreeMap<Date, KeptCounters>, first: Date, last: Date) -> KeptCounters {
    let mut all = KeptCounters::new();
    for (_, counters) in days.range(first..=last) {
        add(&mut all, counters);
    }
    all
}

fn add(to: &mut KeptCounters, counters: &KeptCounters) {
    for (name, value) in counters {
        let sum = to.entry(name.clone()).or_default();
        *sum = sum.saturating_add(*value);
    }
}

fn get(counters: &KeptCounters, name: &str) -> i64 {
    counters.get(name).copied().unwrap_or(0)
}
