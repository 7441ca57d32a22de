//! What an alert adds to the figures of the dashboard.
//!
//! The figures are sums, so a change of an alert is the difference of two contributions, and no history is needed to get
//! reopening, back-dating, test flags and late corrections right. Days are UTC days.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::{Alert, AlertState};

/// Upper bounds of the response-time histogram in seconds; one bucket more holds what is longer. Chosen so that the
/// one-hour answer that Microsoft asks for falls on a bound, and the median and 90th percentile can be read within a
/// factor of about two.
pub const BUCKET_UPPER_BOUNDS_SECONDS: [i64; 11] =
    [300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400, 172_800, 604_800, 2_592_000];

/// The version of the formula below. It is kept with each alert, so that a later formula can take back what this one added.
pub const STATISTICS_FORMULA: u32 = 1;

/// The name of every counter, whichever item it is of.
pub const COUNTER_NAMES: [&str; 18] = [
    "new",
    "open",
    "resolved",
    "response_le_300",
    "response_le_900",
    "response_le_1800",
    "response_le_3600",
    "response_le_7200",
    "response_le_14400",
    "response_le_28800",
    "response_le_86400",
    "response_le_172800",
    "response_le_604800",
    "response_le_2592000",
    "response_longer",
    "response_negative",
    "response_seconds",
    "test",
];

/// Counters by name. The names are attribute names of the table.
pub type Counters = BTreeMap<&'static str, i64>;

/// Which statistics item a counter belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatisticsKey {
    /// One UTC day.
    Day(Date),
    /// The totals of now.
    Gauge,
}

/// Changes to statistics items, summed: a contribution, or the difference of two.
///
/// A sorted list without zeros, since a run holds one for each alert that changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta(Vec<((StatisticsKey, &'static str), i64)>);

impl Delta {
    /// The difference that a change from `stored` to `observed` makes.
    #[must_use]
    pub fn between(stored: Option<&Alert>, observed: &Alert) -> Self {
        let mut delta = contribution(observed);
        if let Some(stored) = stored {
            delta.add_scaled(&contribution(stored), -1);
        }
        delta
    }

    /// Adds another delta to this one.
    pub fn add(&mut self, other: &Self) {
        self.add_scaled(other, 1);
    }

    /// The items that change, each with the counters that are not zero.
    pub fn items(&self) -> impl Iterator<Item = (StatisticsKey, Counters)> {
        let items = self.0.chunk_by(|((one, _), _), ((other, _), _)| one == other);
        items.map(|item| (item[0].0.0, item.iter().map(|((_, name), value)| (*name, *value)).collect()))
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn count(&mut self, key: StatisticsKey, name: &'static str, value: i64) {
        match self.0.binary_search_by_key(&(key, name), |(place, _)| *place) {
            Ok(place) => {
                self.0[place].1 += value;
                if self.0[place].1 == 0 {
                    self.0.remove(place);
                }
            }
            Err(_) if value == 0 => {}
            Err(place) => self.0.insert(place, ((key, name), value)),
        }
    }

    fn add_scaled(&mut self, other: &Self, factor: i64) {
        for ((key, name), value) in &other.0 {
            self.count(*key, name, value * factor);
        }
    }
}

/// What one alert adds: to the gauge `open` or `resolved` (a test alert only `test`), to the day of its detection `new`, and
/// to the day of its resolution `resolved`, `response_seconds` and one bucket `response_le_…`. A response that ends before
/// the detection counts as zero seconds, and `response_negative` says that there was one.
#[must_use]
pub fn contribution(alert: &Alert) -> Delta {
    let mut delta = Delta::default();
    if alert.is_test {
        delta.count(StatisticsKey::Gauge, "test", 1);
        return delta;
    }
    delta.count(StatisticsKey::Day(utc_day(alert.detected)), "new", 1);
    match alert.state() {
        AlertState::Open => delta.count(StatisticsKey::Gauge, "open", 1),
        AlertState::Resolved => {
            delta.count(StatisticsKey::Gauge, "resolved", 1);
            if let Some(on) = alert.resolution.on {
                count_response(&mut delta, alert.detected, on);
            }
        }
    }
    delta
}

fn count_response(delta: &mut Delta, detected: Timestamp, resolved: Timestamp) {
    let day = StatisticsKey::Day(utc_day(resolved));
    let seconds = resolved.as_second() - detected.as_second();
    delta.count(day, "resolved", 1);
    delta.count(day, "response_seconds", seconds.max(0));
    if seconds < 0 {
        delta.count(day, "response_negative", 1);
    }
    delta.count(day, bucket(seconds), 1);
}

fn bucket(seconds: i64) -> &'static str {
    const NAMES: [&str; 12] = [
        "response_le_300",
        "response_le_900",
        "response_le_1800",
        "response_le_3600",
        "response_le_7200",
        "response_le_14400",
        "response_le_28800",
        "response_le_86400",
        "response_le_172800",
        "response_le_604800",
        "response_le_2592000",
        "response_longer",
    ];
    NAMES[BUCKET_UPPER_BOUNDS_SECONDS.partition_point(|bound| *bound < seconds)]
}

fn utc_day(moment: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(moment).date()
}
