//! Many alerts in one request: a result for each, whatever becomes of the others.

use models::{Act, AlertSource, Cloud, Tenant};
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, RetryAfter, Target};
use store::{KeepOperations as _, WriteTenants as _};
use tests::TENANT;

use crate::support::{Desk, OTHER, Reply, agent, request};

const ROUTE: &str = "POST /api/v1/alerts/resolve";

fn item(alert: &str, version: u64) -> Value {
    json!({ "tenant": TENANT, "alert": alert, "version": version })
}

async fn send(desk: &Desk, key: Option<&str>, alerts: &[Value]) -> Reply {
    let body = json!({ "alerts": alerts, "reason": "fraud" });
    desk.send(&request(ROUTE, &json!({}), "", key, &body, agent())).await
}

fn kinds(reply: &Reply) -> Vec<&str> {
    let results = reply.body["results"].as_array().unwrap();
    results.iter().map(|result| result["result"]["kind"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn each_alert_has_its_result_in_the_order_of_the_request_and_repeating_it_changes_nothing() {
    let desk = Desk::with(&["a", "b", "c"]).await;
    assert_eq!(desk.resolve_as("b", "legitimate").await.status, 200);
    let elsewhere = json!({ "tenant": OTHER, "alert": "a", "version": 1 });
    let alerts = [item("c", 1), item("b", 1), item("nowhere", 1), item("a", 1), elsewhere];
    let reply = send(&desk, Some("bulk"), &alerts).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(kinds(&reply), ["done", "changed_meanwhile", "not_found", "done", "not_found"], "{reply:?}");
    assert_eq!(reply.body["results"][1]["result"]["now"], json!({ "status": "resolved", "reason": "legitimate" }));
    for alert in ["a", "c"] {
        assert_eq!(desk.at_microsoft(alert).1.as_deref(), Some("fraud"));
        assert_eq!(desk.acts(alert).await, [Act::StatusAsked, Act::StatusDone]);
    }
    assert_eq!(desk.at_microsoft("b").1.as_deref(), Some("legitimate"));
    assert_eq!(send(&desk, Some("bulk"), &alerts).await, reply, "as the first time");
    assert_eq!(desk.acts("a").await.len(), 2);
    let other = send(&desk, Some("bulk"), &[item("a", 3)]).await;
    assert_eq!((other.status, other.problem()), (422, "idempotency-key-used"));
}

#[tokio::test]
async fn one_alert_that_microsoft_can_not_be_told_of_holds_no_other_up() {
    let desk = Desk::with(&["a", "b", "c", "d"]).await;
    let throttled = FaultKind::Throttle { retry_after: RetryAfter::Seconds(300) };
    desk.system.microsoft.set_fault(Fault::new(Target::Patch, throttled).after(1).times(1)).unwrap();
    let alerts = ["a", "b", "c", "d"].map(|alert| item(alert, 1));
    let reply = send(&desk, None, &alerts).await;
    assert_eq!((reply.status, kinds(&reply)), (202, vec!["done", "pending", "done", "done"]), "{reply:?}");
    let queued = desk.queued();
    desk.system.clock.advance(jiff::SignedDuration::from_mins(10));
    assert!(desk.deliver(&queued).await);
    assert_eq!(desk.at_microsoft("b").1.as_deref(), Some("fraud"));
    assert!(desk.system.store().unfinished(&desk.tenant()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_tenant_that_can_not_be_acted_in_holds_no_other_up() {
    let desk = Desk::with(&["a"]).await;
    let tenant = Tenant {
        id: OTHER.parse().unwrap(),
        display_name: "Another partner (made up)".to_owned(),
        cloud: Cloud::Global,
        alert_source: AlertSource::Graph,
        path_key_hashes: Vec::new(),
        read_secret: "partner-alerts/read/other".to_owned(),
        act_secret: None,
        active: true,
    };
    desk.system.store().put_tenant(&tenant).await.unwrap();
    let reply = send(&desk, None, &[json!({ "tenant": OTHER, "alert": "x", "version": 1 }), item("a", 1)]).await;
    assert_eq!((reply.status, kinds(&reply)), (200, vec!["not_possible", "done"]), "{reply:?}");
}

#[tokio::test]
async fn a_bulk_is_of_one_to_a_hundred_alerts_and_of_none_twice() {
    let desk = Desk::with(&["a"]).await;
    let many: Vec<_> = (0..101).map(|n| item(&format!("a{n}"), 1)).collect();
    for alerts in [
        &[][..],
        &many,
        &[item("a", 1), item("a", 2)],
        &[item("a", 0)],
        &[json!({ "tenant": "x", "alert": "a", "version": 1 })],
    ] {
        let reply = send(&desk, None, alerts).await;
        assert_eq!((reply.status, reply.problem()), (422, "value-refused"), "{reply:?}");
    }
    assert_eq!(desk.version("a").await, 1);
    assert_eq!(kinds(&send(&desk, None, &many[..100]).await), ["not_found"; 100]);
}

#[tokio::test]
async fn a_key_stands_for_one_request_whatever_tenants_the_other_names() {
    let desk = Desk::with(&["a"]).await;
    assert_eq!(send(&desk, Some("bulk"), &[item("a", 1)]).await.status, 200);
    let elsewhere = json!({ "tenant": OTHER, "alert": "a", "version": 1 });
    let other = send(&desk, Some("bulk"), &[elsewhere]).await;
    assert_eq!((other.status, other.problem()), (422, "idempotency-key-used"), "{other:?}");
    assert_eq!(send(&desk, Some("another"), &[item("a", 1)]).await.status, 200);
}
