//! The open alerts of a subscription, whole.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, civil::date};
use models::{Alert, KeptStatistics, SubscriptionId};
use store::{FindOpenAlerts as _, ReadStatistics as _};

use crate::support::{Bench, alert, new, noon, resolved, tenant};

fn subscription() -> SubscriptionId {
    "subscription-1".parse().unwrap()
}

fn at(number: i64) -> Alert {
    Alert { last_observed: noon() + SignedDuration::from_secs(number), ..alert(&format!("a-{number:03}")) }
}

#[tokio::test]
async fn all_that_are_open_are_read_whole_in_their_order_however_many_are_resolved() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    let mut alerts: Vec<_> = (0..150).map(at).collect();
    for alert in alerts.iter_mut().filter(|alert| !alert.id.as_str().ends_with('0')) {
        *alert = resolved(alert, "2026-03-02T12:30:00Z");
    }
    let elsewhere = Alert { subscription_id: Some("subscription-2".parse().unwrap()), ..alert("elsewhere") };
    let writes: Vec<_> = alerts.iter().chain([&elsewhere]).map(new).collect();
    bench.write_all(&grant, &writes).await;
    let found = bench.store.open_alerts_of(&tenant(), &"SUBSCRIPTION-1".parse().unwrap(), 20).await.unwrap();
    let expected: Vec<_> = (0..15).rev().map(|number| at(number * 10)).collect();
    let read: Vec<_> = found.alerts.iter().map(|alert| alert.as_ref().clone()).collect();
    assert_eq!((read, found.unreadable), (expected, 0));
}

#[tokio::test]
async fn one_that_can_not_be_read_is_counted_and_holds_up_no_other() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    bench.write_all(&grant, &[new(&at(1)), new(&at(2))]).await;
    let mut item = bench.alert_item("a-002").await;
    item.insert(
        "detail".to_owned(),
        AttributeValue::M(HashMap::from([("activity".to_owned(), AttributeValue::Bool(true))])),
    );
    bench.client.put_item().table_name(&bench.tables.alerts).set_item(Some(item)).send().await.unwrap();
    for limit in [1, 20] {
        let found = bench.store.open_alerts_of(&tenant(), &subscription(), limit).await.unwrap();
        assert_eq!((found.alerts.len(), found.unreadable), (1, 1), "it takes nobody's place, either: {limit}");
    }
}

#[tokio::test]
async fn statistics_are_read_of_the_days_that_are_asked_for_and_of_now() {
    let bench = Bench::new().await;
    assert_eq!(
        bench.store.statistics(&tenant(), date(2026, 3, 1), date(2026, 3, 2)).await.unwrap(),
        KeptStatistics::default()
    );
    let grant = bench.grant(&tenant(), noon()).await;
    let detected =
        |day: i64| Alert { detected: noon() - SignedDuration::from_hours(24 * day), ..alert(&format!("d{day}")) };
    let writes = [0, 1, 1, 2, -1]
        .iter()
        .enumerate()
        .map(|(place, day)| new(&Alert { id: format!("d{place}").parse().unwrap(), ..detected(*day) }));
    bench.write_all(&grant, &writes.collect::<Vec<_>>()).await;
    bench.wire.forget();
    let kept = bench.store.statistics(&tenant(), date(2026, 3, 1), date(2026, 3, 2)).await.unwrap();
    assert_eq!(bench.wire.operations().len(), 2, "two requests");
    let new: Vec<_> = kept.days.iter().map(|(day, counters)| (*day, counters["new"])).collect();
    assert_eq!(new, [(date(2026, 3, 1), 2), (date(2026, 3, 2), 1)]);
    assert_eq!(kept.gauge["open"], 5);
}
