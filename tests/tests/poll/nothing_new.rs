//! A run that finds nothing new, and when it looks closer all the same.

use jiff::SignedDuration;
use serde_json::{Value, json};
use simulator::{FaultKind, Target};
use tests::{ByHand, TENANT, text};

use crate::support::{failed, fault_once, raise_many, resolved};

#[tokio::test]
async fn a_run_that_finds_nothing_new_reads_no_alert_and_writes_nothing_but_its_lease() {
    let system = ByHand::start().await;
    raise_many(&system, "alert", 30);
    system.complete(30, 30).await;
    let before = system.items(&system.test.system.tables().alerts).await;
    let _ = system.tap.take();

    system.complete(30, 0).await;

    // Tenants, lease, hint, lease.
    assert_eq!(system.tap.take_operations(), ["Query", "UpdateItem", "Query", "UpdateItem"]);
    assert_eq!(system.items(&system.test.system.tables().alerts).await, before);
    assert_eq!(text(&system.state().await, "last_success"), "2026-03-02T09:02:00.000Z");
}

#[tokio::test]
async fn one_change_among_many_reads_and_writes_one_alert() {
    let system = ByHand::start().await;
    raise_many(&system, "alert", 30);
    system.complete(30, 30).await;
    system.change("alert-007", resolved("fraud"));
    let _ = system.tap.take();

    system.complete(30, 1).await;

    let calls = system.tap.take();
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(
        operations,
        ["Query", "UpdateItem", "Query", "BatchGetItem", "TransactWriteItems", "PutItem", "UpdateItem"]
    );
    let read: Value = serde_json::from_str(&calls[3].body).unwrap();
    let keys = &read["RequestItems"][&system.test.system.tables().alerts]["Keys"];
    assert_eq!(*keys, json!([{ "pk": { "S": format!("{TENANT}#alert-007") }, "sk": { "S": "alert" } }]));
}

#[tokio::test]
async fn the_hint_of_what_is_known_can_be_lost_and_nothing_changes() {
    let system = ByHand::start().await;
    raise_many(&system, "alert", 20);
    system.complete(20, 20).await;
    let tables = system.test.system.tables();
    let (alerts, statistics) = (system.items(&tables.alerts).await, system.statistics().await);
    for item in system.items(&tables.tenants).await {
        if text(&item, "sk").starts_with("digest#") {
            let request = system.dynamodb.delete_item().table_name(&tables.tenants);
            request.key("pk", item["pk"].clone()).key("sk", item["sk"].clone()).send().await.unwrap();
        }
    }

    system.complete(20, 0).await;

    assert_eq!(system.items(&tables.alerts).await, alerts);
    assert_eq!(system.statistics().await, statistics);
    let _ = system.tap.take();
    system.complete(20, 0).await;
    assert_eq!(system.tap.take_operations(), ["Query", "UpdateItem", "Query", "UpdateItem"], "the hint is back");
}

#[tokio::test]
async fn after_a_run_that_failed_and_after_a_day_every_alert_is_compared_in_full() {
    let system = ByHand::start().await;
    raise_many(&system, "alert", 3);
    system.complete(3, 3).await;
    let compares = async || {
        let _ = system.tap.take();
        system.complete(3, 0).await;
        system.tap.take_operations().contains(&"BatchGetItem".to_owned())
    };
    assert!(!compares().await);

    fault_once(&system, Target::List, FaultKind::Truncated);
    failed(&system).await;
    assert!(compares().await);
    assert!(!compares().await);

    system.clock.advance(SignedDuration::from_hours(24) - SignedDuration::from_mins(3));
    assert!(!compares().await);
    system.clock.advance(SignedDuration::from_mins(2));
    assert!(compares().await);
    assert!(!compares().await);
}

#[tokio::test]
async fn a_table_that_was_set_back_is_found_out_within_a_day() {
    let system = ByHand::start().await;
    system.raise("alert");
    system.complete(1, 1).await;
    let table = &system.test.system.tables().alerts;
    let before = system.alert("alert").await.unwrap();
    system.change("alert", resolved("fraud"));
    system.complete(1, 1).await;
    system.dynamodb.put_item().table_name(table).set_item(Some(before)).send().await.unwrap();

    system.complete(1, 0).await;
    system.clock.advance(SignedDuration::from_hours(24));
    system.complete(1, 1).await;

    let alert = system.alert("alert").await.unwrap();
    assert_eq!(text(&alert, "tenant_state"), format!("{TENANT}#resolved"));
}

#[tokio::test]
async fn a_hint_that_is_wrong_hides_no_change_for_longer_than_until_the_next_one() {
    let system = ByHand::start().await;
    system.baseline().await;
    system.raise("alert");
    system.complete(1, 1).await;
    // The hint could not be written: what is known lags behind, and never runs ahead.
    system.change("alert", resolved("fraud"));
    system.tap.refuse("PutItem", "AccessDeniedException");
    failed(&system).await;
    assert_eq!(system.alerts().await, [("alert".to_owned(), 2)]);

    system.complete(1, 0).await;

    assert_eq!(
        system.outbox_lines().await,
        ["alert outbox#000000000001#opened to be published", "alert outbox#000000000002#resolved to be published"]
    );
}
