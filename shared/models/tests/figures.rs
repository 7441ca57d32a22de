//! The four figures and the chart, by the definitions that are printed next to them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use models::{
    Alert, AlertState, ChartDay, Compared, Figures, KeptStatistics, Quantile, Resolution, ResolvedReason,
    StatisticsKey, Status, contribution, figures, first_of,
};
use proptest::{collection::vec, prelude::*};

const NOON: Timestamp = Timestamp::constant(1_772_452_800, 0);

fn today() -> Date {
    day(0)
}

fn day(ago: i64) -> Date {
    TimeZone::UTC.to_datetime(hours_ago(24 * ago)).date()
}

fn hours_ago(hours: i64) -> Timestamp {
    NOON - SignedDuration::from_hours(hours)
}

fn open(detected: Timestamp) -> Alert {
    Alert { detected, ..made_alerts::alert("a") }
}

fn resolved(detected: Timestamp, seconds: i64) -> Alert {
    let on = Some(detected + SignedDuration::from_secs(seconds));
    let resolution = Resolution { reason: Some(ResolvedReason::Fraud), on, by: None };
    Alert { status: Status::Resolved, resolution, ..open(detected) }
}

/// The statistics of a tenant that has these alerts.
fn kept(alerts: &[Alert]) -> KeptStatistics {
    let mut kept = KeptStatistics::default();
    for (key, counters) in alerts.iter().map(contribution).flat_map(|delta| delta.items().collect::<Vec<_>>()) {
        let item = match key {
            StatisticsKey::Day(day) => kept.days.entry(day).or_default(),
            StatisticsKey::Gauge => &mut kept.gauge,
        };
        for (name, value) in counters {
            *item.entry(name.to_owned()).or_default() += value;
        }
    }
    kept
}

fn of(alerts: &[Alert]) -> Figures {
    figures([&kept(alerts)], today())
}

#[test]
fn without_alerts_every_figure_is_zero_and_no_response_time_is_made_up() {
    let none = figures([], today());
    assert_eq!(none, of(&[]));
    assert_eq!(none.response, models::ResponseTimes::default());
    assert_eq!(
        (none.new, none.unresolved, none.resolved, none.tests),
        (Compared::default(), Compared::default(), 0, 0)
    );
    assert_eq!((none.chart.len(), none.chart[0].day, none.chart[60].day), (61, day(60), today()));
}

#[test]
fn each_period_begins_and_ends_with_its_day() {
    for (ago, new, resolved_lately, in_chart) in [
        (0, (1, 0), (1, 0), true),
        (6, (1, 0), (1, 0), true),
        (7, (0, 1), (1, 0), true),
        (13, (0, 1), (1, 0), true),
        (14, (0, 0), (1, 0), true),
        (29, (0, 0), (1, 0), true),
        (30, (0, 0), (0, 1), true),
        (59, (0, 0), (0, 1), true),
        (60, (0, 0), (0, 0), true),
        (61, (0, 0), (0, 0), false),
        (-1, (0, 0), (0, 0), false),
    ] {
        let figures = of(&[resolved(hours_ago(24 * ago), 60)]);
        assert_eq!((figures.new.now, figures.new.before), new, "new, {ago} days ago");
        let lately = figures.resolved_lately;
        assert_eq!((lately.now, lately.before), resolved_lately, "resolved, {ago} days ago");
        assert_eq!((figures.response.resolved, figures.response_before.resolved), resolved_lately);
        assert_eq!(figures.resolved, 1, "whenever it was");
        let expected: Vec<_> = in_chart
            .then(|| ChartDay { day: day(ago), new: 1, resolved: 1, mean_response: Some(60) })
            .into_iter()
            .collect();
        let shown: Vec<_> = figures.chart.into_iter().filter(|day| (day.new, day.resolved) != (0, 0)).collect();
        assert_eq!(shown, expected, "chart, {ago} days ago");
    }
}

#[test]
fn response_times_are_a_mean_and_bounds_of_median_and_ninetieth_percentile() {
    let at_most = |seconds| Some(Quantile::AtMost(seconds));
    for (seconds, mean, median, ninetieth, negative) in [
        (vec![60], 60, at_most(300), at_most(300), 0),
        (vec![300, 301], 300, at_most(300), at_most(900), 0),
        (vec![3_600; 10], 3_600, at_most(3_600), at_most(3_600), 0),
        (vec![60, 60, 60, 60, 60, 60, 60, 60, 60, 86_400], 8_694, at_most(300), at_most(300), 0),
        (vec![60, 60, 60, 60, 60, 60, 60, 60, 86_400, 86_400], 17_328, at_most(300), at_most(86_400), 0),
        (vec![-5, 10], 5, at_most(300), at_most(300), 1),
    ] {
        let alerts: Vec<_> = seconds.iter().map(|seconds| resolved(hours_ago(30), *seconds)).collect();
        let found = of(&alerts).response;
        assert_eq!(found.mean, Some(mean), "{seconds:?}");
        assert_eq!((found.median, found.ninetieth, found.negative), (median, ninetieth, negative), "{seconds:?}");
    }
    let longer = of(&[resolved(hours_ago(24 * 45), 24 * 3_600 * 40)]).response;
    assert_eq!(longer.median, Some(Quantile::MoreThan(2_592_000)));
}

#[test]
fn a_test_alert_is_in_no_figure_but_its_own() {
    let test = Alert { is_test: true, ..resolved(hours_ago(1), 60) };
    let figures = of(&[test]);
    assert_eq!(figures.tests, 1);
    assert_eq!(Figures { tests: 0, ..figures }, of(&[]));
}

#[test]
fn what_is_kept_wrongly_gives_no_figure_below_zero_where_there_is_none() {
    let gauge = BTreeMap::from([("open".to_owned(), 1)]);
    let days = BTreeMap::from([(today(), BTreeMap::from([("new".to_owned(), i64::MAX), ("resolved".to_owned(), 0)]))]);
    let found = figures(
        [&KeptStatistics { days: days.clone(), gauge: gauge.clone() }, &KeptStatistics { days, gauge }],
        today(),
    );
    assert_eq!(found.unresolved, Compared { now: 2, before: 0 });
    assert_eq!(found.new.now, i64::MAX);
}

fn any_alert() -> impl Strategy<Value = Alert> {
    (0_i64..24 * 70, proptest::option::of(0_i64..24 * 70 * 3_600)).prop_map(|(hours, seconds)| {
        let detected = hours_ago(hours);
        // Nothing is resolved in the future.
        let seconds = seconds.filter(|seconds| detected + SignedDuration::from_secs(*seconds) <= NOON);
        seconds.map_or_else(|| open(detected), |seconds| resolved(detected, seconds))
    })
}

proptest! {
    #[test]
    fn tenants_add_up_and_a_week_ago_is_what_a_count_says(alerts in vec(any_alert(), 0..60), split in 0_usize..60) {
        let whole = of(&alerts);
        let (one, other) = alerts.split_at(split.min(alerts.len()));
        prop_assert_eq!(&figures([&kept(one), &kept(other)], today()), &whole);
        let week: Timestamp = first_of(7, today()).to_zoned(TimeZone::UTC).unwrap().timestamp();
        let open_then = alerts.iter().filter(|alert| {
            alert.detected < week && alert.resolution.on.is_none_or(|on| on >= week)
        });
        prop_assert_eq!(whole.unresolved.before, i64::try_from(open_then.count()).unwrap());
        let open_now = alerts.iter().filter(|alert| alert.state() == AlertState::Open);
        prop_assert_eq!(whole.unresolved.now, i64::try_from(open_now.count()).unwrap());
    }
}
