//! The hint of what is known.

use models::{Alert, AlertId, TenantId};
use store::{AlertFingerprint, Grant, KnownAlerts, ReadAlerts as _, WriteAlerts as _};

use crate::support::{Bench, TERMS, alert, noon, tenant};

fn print(alert: &Alert) -> AlertFingerprint {
    AlertFingerprint::of(alert).unwrap()
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
    let alert = alert("a");
    let changes: [fn(&mut Alert); 9] = [
        |alert| alert.display_name.push('x'),
        |alert| alert.description = None,
        |alert| alert.status = models::Status::Resolved,
        |alert| alert.severity = models::Severity::Low,
        |alert| alert.last_observed += jiff::SignedDuration::from_nanos(1),
        |alert| alert.resolution.by = Some("someone".to_owned()),
        |alert| alert.is_test = true,
        |alert| alert.customer_id = None,
        |alert| drop(alert.additional_details.insert(String::new(), serde_json::Value::Null)),
    ];
    for change in changes {
        let mut other = alert.clone();
        change(&mut other);
        assert_ne!(print(&other), print(&alert), "{other:?}");
    }
    assert_eq!(print(&alert.clone()), print(&alert));
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
