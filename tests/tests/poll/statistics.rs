//! The figures add up.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use simulator::{AlertChange, NewAlert};
use store::{Recount as _, Recounted};
use tests::{ByHand, Lines, TENANT};

use crate::support::{named, raise_many, resolved, status, to_be_published};

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
    let counted = system.store().recount(&system.tenant).await.unwrap();
    let expected = Recounted { alerts: system.alerts().await.len(), ..Recounted::default() };
    assert!(expected.alerts > 0);
    assert_eq!(counted, expected);
}

#[tokio::test]
async fn a_counter_that_is_no_number_holds_up_no_alert_and_is_said_counted_and_mended() {
    let system = ByHand::start().await;
    system.baseline().await;
    let tenants = &system.test.system.tables().tenants;
    let key = |value: &str| AttributeValue::S(value.to_owned());
    let update = system.dynamodb.update_item().table_name(tenants);
    let update = update.key("pk", key(&format!("{TENANT}#stats"))).key("sk", key("gauge"));
    let update = update.update_expression("SET #open = :text").expression_attribute_names("#open", "open");
    update.expression_attribute_values(":text", key("two")).send().await.unwrap();
    raise_many(&system, "alert", 2);
    let lines = Lines::capture("error");

    system.complete(2, 2).await;

    assert_eq!(to_be_published(&system).await.len(), 2);
    assert_eq!(system.counted.take().last().unwrap().of("StatisticsRejected"), Some(1));
    let log = lines.take();
    let said: Vec<&str> =
        log.lines().filter(|line| line.contains("the figures of a tenant could not be moved")).collect();
    let [line] = said.as_slice() else { panic!("{log}") };
    for part in [
        format!(r#""tenant.id":"{TENANT}""#),
        format!("{TENANT}#stats gauge"),
        "partner-alerts statistics recount --mend".to_owned(),
    ] {
        assert!(line.contains(&part), "{part}: {line}");
    }
    let drift = system.store().recount(&system.tenant).await.unwrap().drift;
    assert!(!drift.is_empty());
    assert!(system.store().mend(&system.tenant, &drift).await.unwrap());
    assert_statistics_add_up(&system).await;

    system.change("alert-000", resolved("fraud"));
    system.complete(2, 1).await;
    assert_eq!(system.counted.take().last().unwrap().of("StatisticsRejected"), Some(0));
    assert_statistics_add_up(&system).await;
}
