//! A made-up history is what a partner would find, and the same each time.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use simulator::{Alert, AlertError, History};

use crate::support::{FIRST, World, json};

const NOW: Timestamp = Timestamp::constant(1_772_442_000, 0);

fn weeks(seed: u64, alerts: u64) -> Vec<Alert> {
    History::of_weeks(seed, NOW, alerts).alerts().collect()
}

fn share(alerts: &[Alert], is_meant: impl Fn(&Alert) -> bool) -> usize {
    alerts.iter().filter(|alert| is_meant(alert)).count() * 1_000 / alerts.len()
}

#[test]
fn the_same_seed_moment_and_number_make_the_same_history_and_another_seed_another() {
    assert_eq!(weeks(1, 500), weeks(1, 500));
    let ids = |seed| weeks(seed, 500).into_iter().map(|alert| alert.id).collect::<BTreeSet<_>>();
    assert_eq!((ids(1).len(), ids(1).intersection(&ids(2)).count()), (500, 0));
}

#[test]
fn with_as_much_time_between_alerts_the_latest_of_a_short_history_are_those_of_a_long_one() {
    let of = |alerts| History { seed: 7, now: NOW, alerts, every: SignedDuration::from_mins(1) };
    let long: Vec<Alert> = of(5_000).alerts().take(800).collect();
    assert_eq!(of(800).alerts().collect::<Vec<_>>(), long);
}

#[test]
fn a_demonstration_has_alerts_of_every_kind_over_two_months_some_of_which_are_to_be_answered_within_the_hour() {
    let alerts = weeks(1, 80);
    let kinds: BTreeMap<&str, usize> = alerts.iter().fold(BTreeMap::new(), |mut kinds, alert| {
        *kinds.entry(alert.alert_type.as_str()).or_default() += 1;
        kinds
    });
    assert_eq!(kinds.len(), 14, "{kinds:?}");
    let open = |alert: &&Alert| alert.status != "resolved";
    let fresh = |alert: &&Alert| NOW.duration_since(alert.detected_date_time) < SignedDuration::from_hours(1);
    assert!((3..=6).contains(&alerts.iter().filter(fresh).count()));
    assert!(alerts.iter().filter(fresh).all(|alert| open(&alert)), "time is left to answer them");
    let late = alerts.iter().filter(open).filter(|alert| !fresh(alert)).count();
    assert!((2..=15).contains(&late), "{late} are late");
    let oldest = alerts.iter().map(|alert| alert.detected_date_time).min().unwrap();
    assert!(NOW.duration_since(oldest) > SignedDuration::from_hours(24 * 61), "{oldest}");
    assert!(alerts.iter().any(|alert| alert.status == "investigating") && alerts.iter().any(|alert| alert.is_test));
    assert!(alerts.iter().any(|alert| alert.resolved_on_date_time < Some(alert.detected_date_time) && !open(&alert)));
}

#[test]
fn most_alerts_of_many_are_resolved_and_most_of_those_within_the_hour() {
    let alerts = weeks(3, 10_000);
    let resolved: Vec<Alert> = alerts.iter().filter(|alert| alert.status == "resolved").cloned().collect();
    let high = share(&alerts, |alert| alert.severity == "high");
    assert!((940..=980).contains(&share(&alerts, |alert| alert.status == "resolved")));
    assert!((450..=650).contains(&high), "{high}");
    assert_eq!(share(&alerts, |alert| alert.is_test), 25);
    let took = |alert: &Alert| alert.resolved_on_date_time.map(|on| on.duration_since(alert.detected_date_time));
    let within = |least, most| share(&resolved, |alert| took(alert).is_some_and(|it| (least..=most).contains(&it)));
    let hours = SignedDuration::from_hours;
    assert!((650..=750).contains(&within(SignedDuration::ZERO, hours(1))));
    assert!((10..=60).contains(&within(hours(8), hours(30))));
    assert!((5..=15).contains(&share(&resolved, |alert| took(alert).is_some_and(|took| took.is_negative()))));
    assert!((5..=15).contains(&share(&resolved, |alert| took(alert).is_none())));
    for reason in ["fraud", "legitimate", "ignore"] {
        assert!(share(&resolved, |alert| alert.resolved_reason.as_deref() == Some(reason)) > 100, "{reason}");
    }
}

#[test]
fn nothing_lies_in_the_future_or_out_of_order() {
    for alert in weeks(5, 5_000) {
        let (first, detected) = (alert.first_observed_date_time, alert.detected_date_time);
        assert!(first <= detected && detected <= alert.last_observed_date_time, "{}", alert.id);
        assert!(alert.last_observed_date_time <= NOW && alert.resolved_on_date_time <= Some(NOW), "{}", alert.id);
        let logged: Vec<_> = alert.activity_logs.iter().map(|entry| entry.updated_date_time).collect();
        assert!(logged.is_sorted() && logged.last() <= Some(&NOW), "{}", alert.id);
    }
}

#[test]
fn nobody_is_in_it_and_no_address_that_could_be_somebodys() {
    let alerts = serde_json::to_string(&weeks(9, 2_000)).unwrap();
    for mail in alerts.split('"').filter(|text| text.contains('@')) {
        assert!(mail.ends_with("@partner.example"), "{mail}");
    }
    let address = |text: &str| text.split('.').count() == 4 && text.split('.').all(|part| part.parse::<u8>().is_ok());
    for text in alerts.split(['"', '\\']).filter(|text| address(text)) {
        assert!(["10.20.", "198.51.100.", "203.0.113."].iter().any(|range| text.starts_with(range)), "{text}");
    }
    assert!(alerts.contains("203.0.113."), "there are addresses to look at");
}

#[tokio::test]
async fn a_history_is_raised_whole_with_its_customers_and_not_twice() {
    let world = World::start().await;
    let (simulator, history) = (&world.simulator, History::of_weeks(1, NOW, 60));
    simulator.raise_all(FIRST, history).unwrap();
    simulator.describe_customers(FIRST, history).unwrap();
    let mut expected: Vec<Alert> = history.alerts().collect();
    expected.reverse();
    assert_eq!(simulator.alerts(FIRST), expected, "the oldest first");
    let token = world.partner_token(FIRST).await;
    let path = format!("/v1/customers/{}", expected[0].customer_tenant_id);
    let customer = json(world.partner("GET", &path, &token, None).await).await;
    let name = customer["companyProfile"]["companyName"].as_str().unwrap();
    assert!(history.customers(FIRST).any(|customer| customer.company_name.as_deref() == Some(name)), "{name}");

    assert!(matches!(simulator.raise_all(FIRST, history), Err(AlertError::Duplicate(_))));
    assert_eq!(simulator.alerts(FIRST).len(), 60);
}
