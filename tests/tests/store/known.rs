//! The hint of what is known.

use models::{Alert, AlertId, TenantId};
use serde_json::json;
use store::{AlertFingerprint, Grant, KnownAlerts, ReadAlerts as _, WriteAlerts as _};

use crate::support::{Bench, TERMS, alert, noon, tenant};

fn print(alert: &Alert) -> AlertFingerprint {
    AlertFingerprint::of(alert)
}

fn numbered(number: usize) -> Alert {
    alert(&format!("a{number}"))
}

async fn known(bench: &Bench) -> KnownAlerts {
    bench.store.known(&tenant()).await.unwrap()
}

/// Notes these alerts on top of what is known.
async fn remember(bench: &Bench, grant: &Grant, alerts: &[Alert]) {
    let mut hint = known(bench).await;
    for alert in alerts {
        hint.note(&alert.id, print(alert));
    }
    bench.store.remember(grant, &mut hint).await.unwrap();
}

#[tokio::test]
async fn nothing_is_known_at_first() {
    let bench = Bench::new().await;
    assert!(!known(&bench).await.knows(&alert("a").id, print(&alert("a"))));
}

#[tokio::test]
async fn what_was_remembered_is_known_and_what_differs_is_not() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    let alerts: Vec<_> = (0..200).map(numbered).collect();
    remember(&bench, &grant, &alerts).await;
    let hint = known(&bench).await;
    for alert in &alerts {
        assert!(hint.knows(&alert.id, print(alert)));
        let differs = Alert { display_name: "another".to_owned(), ..alert.clone() };
        assert!(!hint.knows(&alert.id, print(&differs)));
    }
    let other: AlertId = "other".parse().unwrap();
    assert!(!hint.knows(&other, print(&alerts[0])));
    let other: TenantId = "0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a11".parse().unwrap();
    let hint = bench.store.known(&other).await.unwrap();
    assert!(!hint.knows(&alerts[0].id, print(&alerts[0])));
}

#[test]
fn every_field_of_an_alert_is_in_its_fingerprint() {
    let (alert, later) = (alert("a"), jiff::SignedDuration::from_nanos(1));
    let entry = || models::ActivityEntry { status_from: None, status_to: None, updated_by: None, updated: None };
    let resource = |id: &str, kind: Option<&str>| models::AffectedResource {
        resource_id: id.to_owned(),
        resource_type: kind.map(str::to_owned),
    };
    let mut alerts = vec![alert.clone()];
    let mut with = |change: &dyn Fn(&mut Alert)| {
        let mut other = alert.clone();
        change(&mut other);
        alerts.push(other);
    };
    with(&|alert| alert.id = "b".parse().unwrap());
    with(&|alert| alert.display_name.push('x'));
    with(&|alert| alert.description = None);
    with(&|alert| alert.description = Some(String::new()));
    with(&|alert| alert.alert_type.0.push('x'));
    with(&|alert| alert.status = models::Status::Resolved);
    with(&|alert| alert.severity = models::Severity::Low);
    with(&|alert| alert.confidence = Some(models::Confidence::High));
    with(&|alert| alert.customer_id = None);
    with(&|alert| alert.subscription_id = None);
    with(&|alert| alert.reseller_id = Some("one".to_owned()));
    with(&|alert| alert.catalog_offer_id = Some("one".to_owned()));
    with(&|alert| alert.detected += later);
    with(&|alert| alert.first_observed += later);
    with(&|alert| alert.last_observed += later);
    with(&|alert| alert.resolution.reason = Some(models::ResolvedReason::Fraud));
    with(&|alert| alert.resolution.on = Some(alert.detected));
    with(&|alert| alert.resolution.by = Some("one".to_owned()));
    with(&|alert| alert.is_test = !alert.is_test);
    // A text that moves on from one field into the next.
    with(&|alert| {
        let last = alert.display_name.pop().unwrap();
        alert.alert_type.0.insert(0, last);
    });
    with(&|alert| alert.affected_resources = vec![resource("one", Some("two"))]);
    with(&|alert| alert.affected_resources = vec![resource("onetwo", Some(""))]);
    with(&|alert| alert.affected_resources = vec![resource("onetwo", None)]);
    with(&|alert| alert.affected_resources = vec![resource("one", None), resource("two", None)]);
    with(&|alert| alert.activity = vec![entry()]);
    with(&|alert| alert.activity = vec![entry(), entry()]);
    with(&|alert| {
        alert.activity = vec![models::ActivityEntry { status_from: Some(models::Status::Active), ..entry() }];
    });
    with(&|alert| alert.activity = vec![models::ActivityEntry { status_to: Some(models::Status::Active), ..entry() }]);
    with(&|alert| alert.activity = vec![models::ActivityEntry { updated_by: Some("one".to_owned()), ..entry() }]);
    with(&|alert| alert.activity = vec![models::ActivityEntry { updated: Some(alert.detected), ..entry() }]);
    for value in [
        json!(null),
        json!(false),
        json!(true),
        json!(1),
        json!(-1),
        json!(1.0),
        json!("1"),
        json!(["1"]),
        json!([["1"]]),
        json!(["", "1"]),
        json!({ "1": null }),
        json!({ "1": {} }),
    ] {
        with(&|alert| drop(alert.additional_details.insert("x".to_owned(), value.clone())));
    }
    for (place, alert) in alerts.iter().enumerate() {
        assert_eq!(print(&alert.clone()), print(alert));
        for other in &alerts[..place] {
            assert_ne!(print(other), print(alert), "{other:?} {alert:?}");
        }
    }
}

#[test]
fn a_fingerprint_is_what_it_was_or_else_every_alert_is_compared_in_full_once() {
    // Not to be changed without a higher number of the formula.
    let known = "AlertFingerprint([107, 117, 154, 128, 115, 245, 196, 140, 221, 203, 37, 121, 54, 206, 226, 17])";
    assert_eq!(format!("{:?}", print(&alert("a"))), known);
}

#[tokio::test]
async fn only_what_changed_is_written() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    let alerts: Vec<_> = (0..200).map(numbered).collect();
    remember(&bench, &grant, &alerts).await;
    bench.wire.forget();
    remember(&bench, &grant, &alerts).await;
    assert_eq!(bench.wire.operations(), ["Query"]);
    bench.wire.forget();
    remember(&bench, &grant, &[Alert { is_test: true, ..numbered(0) }]).await;
    assert_eq!(bench.wire.operations(), ["Query", "PutItem"]);
}

#[tokio::test]
async fn an_older_run_never_overwrites_what_a_newer_one_remembered() {
    let bench = Bench::new().await;
    let old = bench.grant(&tenant(), noon()).await;
    let mut stale = known(&bench).await;
    let new = bench.grant(&tenant(), noon() + TERMS.duration).await;
    let now = Alert { is_test: true, ..alert("a") };
    remember(&bench, &new, std::slice::from_ref(&now)).await;
    stale.note(&alert("a").id, print(&alert("a")));
    bench.store.remember(&old, &mut stale).await.unwrap();
    let hint = known(&bench).await;
    assert!(hint.knows(&now.id, print(&now)));
    assert!(!hint.knows(&now.id, print(&alert("a"))));
    // The newer run itself may write again.
    remember(&bench, &new, &[alert("a")]).await;
    assert!(known(&bench).await.knows(&now.id, print(&alert("a"))));
}

#[tokio::test]
async fn what_is_listed_no_longer_is_forgotten() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    let alerts: Vec<_> = (0..50).map(numbered).collect();
    remember(&bench, &grant, &alerts).await;
    let mut hint = known(&bench).await;
    for alert in &alerts[..20] {
        assert!(hint.meet(&alert.id) && !hint.meet(&alert.id));
    }
    hint.keep_met_and(alerts[20..25].iter().map(|alert| &alert.id));
    bench.store.remember(&grant, &mut hint).await.unwrap();
    let hint = known(&bench).await;
    for (number, alert) in alerts.iter().enumerate() {
        assert_eq!(hint.knows(&alert.id, print(alert)), number < 25, "{number}");
    }
}
