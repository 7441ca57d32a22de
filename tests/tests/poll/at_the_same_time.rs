//! Runs and people at the same time.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use poll::{ReconcileError, Reconciled};
use serde_json::{Value, json};
use tests::{ByHand, Lines, Setup, TENANT, number, text};

use crate::statistics::assert_statistics_add_up;
use crate::support::{is_free, raise_many, resolved, to_be_published};

#[tokio::test]
async fn two_runs_at_the_same_time_are_one_listing_and_the_first_rings_for_a_later_one() {
    let system = ByHand::start().await;
    system.raise("alert");
    system.clock.advance(SignedDuration::from_mins(1));
    let writing = system.tap.hold("TransactWriteItems");

    let (first, (second, third)) = tokio::join!(system.reconcile_at_once(), async {
        writing.reached().await;
        let covered = (system.reconcile_at_once().await.unwrap(), system.reconcile_at_once().await.unwrap());
        assert_eq!(number(&system.state().await, "fence"), 1);
        writing.open();
        covered
    });

    assert_eq!(first.unwrap(), Reconciled::Done { listed: 1, changed: 1 });
    assert_eq!((second, third), (Reconciled::Covered, Reconciled::Covered));
    assert_eq!(system.microsoft.requests().list, 1);
    let rung = system.tap.take_bodies("SendMessage");
    assert_eq!(rung.len(), 1, "{rung:?}");
    let rung: Value = serde_json::from_str(&rung[0]).unwrap();
    let body: Value = serde_json::from_str(rung["MessageBody"].as_str().unwrap()).unwrap();
    assert_eq!(body, json!({ "tenant": TENANT, "cause": "again", "hops": 1 }));
    assert_eq!(rung["DelaySeconds"], 1, "the gap between the starts of two runs");
}

#[tokio::test]
async fn a_run_that_others_ring_during_asks_for_the_next_until_the_chain_is_long_enough_and_then_leaves_it_to_the_schedule()
 {
    let system = ByHand::start().await;
    for (hops, next) in [(0, Some(1)), (12, Some(13)), (13, None), (14, None)] {
        system.clock.advance(SignedDuration::from_mins(1));
        let _ = system.tap.take();
        system.raise(&format!("after {hops}"));
        let writing = system.tap.hold("TransactWriteItems");
        let message = json!({ "tenant": TENANT, "cause": "again", "hops": hops }).to_string();
        let message = [("m", message.as_str())];
        let (failed, ()) = tokio::join!(system.deliver(&message), async {
            writing.reached().await;
            assert_eq!(system.reconcile_at_once().await.unwrap(), Reconciled::Covered);
            writing.open();
        });
        assert_eq!(failed, Vec::<String>::new());
        let rung = system.tap.take_bodies("SendMessage");
        let rung: Vec<Value> = rung.iter().map(|rung| serde_json::from_str(rung).unwrap()).collect();
        let expected = next.map(|hops| json!({ "tenant": TENANT, "cause": "again", "hops": hops }).to_string());
        let rung: Vec<_> = rung.iter().map(|rung| without_trace(&rung["MessageBody"])).collect();
        assert_eq!(rung, Vec::from_iter(expected), "after {hops} hops");
    }
    // What rang last is found by the tick.
    system.raise("alert");
    system.complete(5, 1).await;
}

fn without_trace(message: &Value) -> String {
    let mut message: Value = serde_json::from_str(message.as_str().unwrap()).unwrap();
    message.as_object_mut().unwrap().remove("trace");
    message.to_string()
}

#[tokio::test]
async fn runs_that_follow_too_soon_wait_for_one_that_comes_after_the_gap() {
    let setup = Setup { variables: &[("RECONCILE_GAP_SECONDS", "15")], ..Setup::default() };
    let system = ByHand::with(setup).await;
    system.complete(0, 0).await;
    system.clock.advance(SignedDuration::from_secs(4));
    let _ = system.tap.take();

    for _ in 0..3 {
        assert_eq!(system.reconcile_at_once().await.unwrap(), Reconciled::Covered);
    }

    let rung = system.tap.take_bodies("SendMessage");
    assert_eq!(rung.len(), 1, "the first of them rings, the others know it: {rung:?}");
    let rung: Value = serde_json::from_str(&rung[0]).unwrap();
    assert_eq!(rung["DelaySeconds"], 11);
    assert_eq!(system.microsoft.requests().list, 1);

    system.clock.advance(SignedDuration::from_secs(11));
    assert_eq!(system.reconcile_at_once().await.unwrap(), Reconciled::Done { listed: 0, changed: 0 });
}

#[tokio::test]
async fn a_run_that_outlives_its_lease_writes_nothing_and_leaves_the_next_ones_work_alone() {
    let system = ByHand::start().await;
    system.baseline().await;
    system.raise("alert");
    system.clock.advance(SignedDuration::from_mins(1));
    let writing = system.tap.hold("TransactWriteItems");

    let (paused, ()) = tokio::join!(system.reconcile_at_once(), async {
        writing.reached().await;
        system.clock.advance(SignedDuration::from_secs(150));
        system.complete(1, 1).await;
        writing.open();
    });

    assert!(matches!(paused, Err(ReconcileError::LeaseLost)), "{paused:?}");
    assert_eq!(system.alerts().await, [("alert".to_owned(), 1)]);
    assert_eq!(system.outbox_lines().await, ["alert outbox#000000000001#opened to be published"]);
    let state = system.state().await;
    assert!(is_free(&state));
    assert_eq!(number(&state, "fence"), 3);
    assert_eq!(system.statistics().await["gauge"], BTreeMap::from([("open".to_owned(), 1)]));
}

#[tokio::test]
async fn a_clock_that_was_set_back_locks_no_tenant_out() {
    let system = ByHand::start().await;
    system.baseline().await;
    system.clock.advance(-SignedDuration::from_hours(1));

    system.complete(0, 0).await;
}

#[tokio::test]
async fn an_alert_that_somebody_changes_meanwhile_is_read_again_and_settled_and_their_work_stays() {
    let system = ByHand::start().await;
    system.baseline().await;
    raise_many(&system, "alert", 3);
    system.complete(3, 3).await;
    system.change("alert-001", resolved("fraud"));
    system.change("alert-002", resolved("fraud"));
    system.clock.advance(SignedDuration::from_mins(1));
    let writing = system.tap.hold("TransactWriteItems");

    let (run, ()) = tokio::join!(system.reconcile_at_once(), async {
        writing.reached().await;
        write_by_hand(&system, "alert-001").await;
        writing.open();
    });

    assert_eq!(run.unwrap(), Reconciled::Done { listed: 3, changed: 2 });
    let versions = [("alert-000".to_owned(), 1), ("alert-001".to_owned(), 3), ("alert-002".to_owned(), 2)];
    assert_eq!(system.alerts().await, versions);
    let alert = system.alert("alert-001").await.unwrap();
    assert_eq!(alert["work"], work());
    assert_eq!(text(&alert, "tenant_state"), format!("{TENANT}#resolved"));
    assert_eq!(
        system.outbox_lines().await,
        [
            "alert-000 outbox#000000000001#opened to be published",
            "alert-001 outbox#000000000001#opened to be published",
            "alert-001 outbox#000000000003#resolved to be published",
            "alert-002 outbox#000000000001#opened to be published",
            "alert-002 outbox#000000000002#resolved to be published",
        ]
    );
    assert_statistics_add_up(&system).await;
}

#[tokio::test]
async fn an_alert_that_is_changed_again_and_again_fails_the_run_and_the_next_one_settles_it() {
    let system = ByHand::start().await;
    system.baseline().await;
    raise_many(&system, "alert", 2);
    system.complete(2, 2).await;
    system.change("alert-000", resolved("fraud"));
    system.change("alert-001", resolved("fraud"));
    system.clock.advance(SignedDuration::from_mins(1));
    // Both, then the one that did not collide, then the other one on its own twice more.
    let gates = [(); 4].map(|()| system.tap.hold("TransactWriteItems"));

    let (run, ()) = tokio::join!(system.reconcile_at_once(), async {
        for (place, gate) in gates.iter().enumerate() {
            gate.reached().await;
            if place != 1 {
                write_by_hand(&system, "alert-000").await;
            }
            gate.open();
        }
    });

    assert!(matches!(run, Err(ReconcileError::Unsettled(1))), "{run:?}");
    assert_eq!(system.alerts().await, [("alert-000".to_owned(), 4), ("alert-001".to_owned(), 2)]);

    system.complete(2, 1).await;
    assert_eq!(system.alerts().await, [("alert-000".to_owned(), 5), ("alert-001".to_owned(), 2)]);
    assert_eq!(system.alert("alert-000").await.unwrap()["work"], work());
    assert_statistics_add_up(&system).await;
}

#[tokio::test]
async fn a_transaction_that_collides_or_is_throttled_is_tried_again() {
    let system = ByHand::start().await;
    system.baseline().await;
    system.raise("alert");
    for code in ["TransactionConflict", "ThrottlingError"] {
        let reasons = json!([{ "Code": "None" }, { "Code": code, "Message": "made up" }]);
        let body = json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled",
            "CancellationReasons": reasons,
        });
        system.tap.refuse_with("TransactWriteItems", body.to_string());
    }

    system.complete(1, 1).await;

    assert_eq!(system.outbox_lines().await, ["alert outbox#000000000001#opened to be published"]);
}

#[tokio::test]
async fn an_alert_that_the_table_does_not_take_keeps_no_other_from_landing_and_is_tried_again() {
    let system = ByHand::start().await;
    system.baseline().await;
    raise_many(&system, "alert", 3);
    // The lease, and three alerts.
    let reasons = ["None", "None", "ValidationError", "None"].map(|code| json!({ "Code": code, "Message": "made up" }));
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": reasons,
    });
    system.tap.refuse_with("TransactWriteItems", body.to_string());
    system.tap.pass("TransactWriteItems");
    let lines = Lines::capture("error");

    system.complete(3, 2).await;

    let ids = |kept: Vec<(String, u64)>| kept.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    assert_eq!(ids(system.alerts().await), ["alert-000", "alert-002"]);
    assert_eq!(to_be_published(&system).await.len(), 2);
    assert_eq!(system.counted.take().last().unwrap().of("AlertsBroken"), Some(1));
    let line = lines.take();
    for part in
        [r#""alert.id":"alert-001""#, r#""customer.id":""#, r#""subscription.id":""#, "#alert-001 alert): made up"]
    {
        assert!(line.contains(part), "{part}: {line}");
    }

    system.complete(3, 1).await;

    assert_eq!(system.alerts().await.len(), 3);
    assert_eq!(to_be_published(&system).await.len(), 3);
    assert_statistics_add_up(&system).await;
}

fn work() -> AttributeValue {
    let note = AttributeValue::S("called the customer".to_owned());
    AttributeValue::M([("note".to_owned(), note)].into())
}

/// What a person's note does to an alert.
pub(crate) async fn write_by_hand(system: &ByHand, id: &str) {
    let key = AttributeValue::S(format!("{TENANT}#{id}"));
    let request = system.dynamodb.update_item().table_name(&system.test.system.tables().alerts);
    let request = request.key("pk", key).key("sk", AttributeValue::S("alert".to_owned()));
    let request = request.update_expression("SET #work = :work ADD #version :one");
    let request = request.expression_attribute_names("#work", "work").expression_attribute_names("#version", "version");
    let request = request.expression_attribute_values(":work", work());
    request.expression_attribute_values(":one", AttributeValue::N("1".to_owned())).send().await.unwrap();
}

/// What a resolution here does to an alert, as far as `poll` sees it.
pub(crate) async fn resolve_by_hand(system: &ByHand, id: &str) {
    let key = AttributeValue::S(format!("{TENANT}#{id}"));
    let request = system.dynamodb.update_item().table_name(&system.test.system.tables().alerts);
    let request = request.key("pk", key).key("sk", AttributeValue::S("alert".to_owned()));
    let request = request.update_expression("SET #summary.#status = :status ADD #version :one");
    let request =
        request.expression_attribute_names("#summary", "summary").expression_attribute_names("#status", "status");
    let request = request.expression_attribute_names("#version", "version");
    let request = request.expression_attribute_values(":status", AttributeValue::S("resolved".to_owned()));
    request.expression_attribute_values(":one", AttributeValue::N("1".to_owned())).send().await.unwrap();
}
