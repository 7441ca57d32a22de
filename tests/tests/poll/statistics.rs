//! The figures add up.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use models::{Delta, StatisticsKey, contribution};
use simulator::{AlertChange, NewAlert};
use store::ReadAlerts as _;
use tests::ByHand;

use crate::support::{named, raise_many, resolved, status};

#[tokio::test]
async fn the_figures_of_a_run_are_exact() {
    let system = ByHand::start().await;
    let detected = |id: &str, text: &str| NewAlert { detected_date_time: Some(text.parse().unwrap()), ..named(id) };
    system.raise_as(detected("open", "2026-03-01T10:00:00Z"));
    system.raise_as(detected("closed", "2026-03-01T23:30:00Z"));
    system.raise_as(detected("closed-before", "2026-03-02T10:00:00Z"));
    system.raise_as(NewAlert { is_test: true, ..detected("test", "2026-03-01T10:00:00Z") });
    // At nine, when the clock stands.
    system.change("closed", resolved("fraud"));
    system.change("closed-before", resolved("fraud"));

    system.complete(4, 4).await;

    let counters = |pairs: &[(&str, i64)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    let expected: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::from([
        ("2026-03-01".to_owned(), counters(&[("new", 2)])),
        (
            "2026-03-02".to_owned(),
            counters(&[
                ("new", 1),
                ("resolved", 2),
                ("response_le_300", 1),
                ("response_le_86400", 1),
                ("response_negative", 1),
                ("response_seconds", 34_200),
            ]),
        ),
        ("gauge".to_owned(), counters(&[("open", 1), ("resolved", 2), ("test", 1)])),
    ]);
    assert_eq!(system.statistics().await, expected);
}

#[tokio::test]
async fn after_any_changes_the_figures_are_the_sum_of_what_the_alerts_contribute() {
    let system = ByHand::start().await;
    raise_many(&system, "alert", 12);
    system.complete(12, 12).await;
    assert_statistics_add_up(&system).await;

    for number in 0..6 {
        system.change(&format!("alert-{number:03}"), resolved("fraud"));
    }
    let earlier = Some("2026-02-27T05:00:00Z".parse().unwrap());
    system.change("alert-007", AlertChange { detected_date_time: earlier, ..AlertChange::default() });
    system.change("alert-008", AlertChange { is_test: Some(true), ..AlertChange::default() });
    system.complete(12, 8).await;
    assert_statistics_add_up(&system).await;

    system.change("alert-000", status("active"));
    system.change("alert-001", status("active"));
    system.clock.advance(SignedDuration::from_hours(30));
    system.change("alert-001", resolved("legitimate"));
    system.change("alert-008", AlertChange { is_test: Some(false), ..AlertChange::default() });
    system.complete(12, 3).await;
    assert_statistics_add_up(&system).await;
}

/// The statistics items are what all kept alerts contribute, no more and no less.
pub(crate) async fn assert_statistics_add_up(system: &ByHand) {
    let ids: Vec<_> = system.alerts().await.iter().map(|(id, _)| id.parse().unwrap()).collect();
    let kept = system.store().alerts(&system.tenant, &ids).await.unwrap().readable;
    assert_eq!(kept.len(), ids.len());
    let mut sum = Delta::default();
    for stored in kept.values() {
        sum.add(&contribution(&stored.known.alert));
    }
    let mut expected: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for (key, counters) in sum.items() {
        let item = match key {
            StatisticsKey::Day(day) => day.to_string(),
            StatisticsKey::Gauge => "gauge".to_owned(),
        };
        expected.insert(item, counters.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect());
    }
    // A negative response leaves `response_seconds` at zero, which is not written.
    for counters in expected.values_mut() {
        counters.retain(|_, value| *value != 0);
    }
    assert!(expected.contains_key("gauge"));
    assert_eq!(system.statistics().await, expected);
}
