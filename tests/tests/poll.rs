//! `poll` as it is deployed, against Microsoft's stand-in and the embedded database: what it writes, what it asks, and what it
//! does when either side fails.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use messaging::ReconcileQueue;
use models::{
    AlertSource, Cloud, Delta, FraudThreshold, ReconcileCause, ReconcileRequest, StatisticsKey, Tenant, contribution,
};
use partner_center::{ListAlerts, Listing, MicrosoftError};
use poll::{Poll, ReconcileError, Reconciled, Settings};
use runtime::chain;
use serde_json::{Value, json};
use simulator::{AlertChange, Fault, FaultKind, NewAlert, RetryAfter, Target};
use store::{LeaseTerms, ReadAlerts as _, WriteTenants as _};
use tests::{ByHand, Setup, TENANT, number, text};

const PAGES_OF_TWO: Setup<'static> = Setup { page_size: 2, variables: &[] };

fn named(id: &str) -> NewAlert {
    NewAlert { id: Some(id.to_owned()), ..NewAlert::default() }
}

fn of_severity(id: &str, severity: &str) -> NewAlert {
    NewAlert { severity: Some(severity.to_owned()), ..named(id) }
}

fn raise_many(system: &ByHand, prefix: &str, count: usize) {
    for number in 0..count {
        system.raise(&format!("{prefix}-{number:03}"));
    }
}

fn resolved(reason: &str) -> AlertChange {
    let (status, reason) = (Some("resolved".to_owned()), Some(reason.to_owned()));
    AlertChange { status, resolved_reason: reason, ..AlertChange::default() }
}

fn status(status: &str) -> AlertChange {
    AlertChange { status: Some(status.to_owned()), ..AlertChange::default() }
}

fn severity(severity: &str) -> AlertChange {
    AlertChange { severity: Some(severity.to_owned()), ..AlertChange::default() }
}

fn fault(system: &ByHand, target: Target, kind: FaultKind) {
    system.microsoft.set_fault(Fault::new(target, kind)).unwrap();
}

fn fault_once(system: &ByHand, target: Target, kind: FaultKind) {
    system.microsoft.set_fault(Fault::new(target, kind).times(1)).unwrap();
}

/// The error of a run, and its words with all causes.
async fn failed(system: &ByHand) -> (ReconcileError, String) {
    let error = system.reconcile().await.unwrap_err();
    let words = chain(&error);
    (error, words)
}

/// The message by which the schedule asks for a run of a tenant.
fn request(tenant: &str) -> String {
    json!({ "tenant": tenant, "cause": "schedule" }).to_string()
}

/// The message by which a callback does.
fn rung(tenant: &str) -> String {
    json!({ "tenant": tenant, "cause": { "callback": { "event": "e".repeat(64) } } }).to_string()
}

/// The digests of the outbox: reason, total, and the ids that they list.
async fn digests(system: &ByHand) -> Vec<(String, u64, Vec<String>)> {
    let outbox = system.outbox().await;
    let digests = outbox.iter().filter_map(|item| item.notice.get("digest"));
    let listed = |digest: &Value| -> Vec<String> {
        let alerts = digest["alerts"].as_array().unwrap().iter();
        alerts.map(|alert| alert["id"].as_str().unwrap().to_owned()).collect()
    };
    digests
        .map(|digest| {
            (digest["reason"].as_str().unwrap().to_owned(), digest["total"].as_u64().unwrap(), listed(digest))
        })
        .collect()
}

async fn to_be_published(system: &ByHand) -> Vec<String> {
    system.outbox().await.iter().filter(|item| item.publish).map(ToString::to_string).collect()
}

fn is_free(state: &tests::Item) -> bool {
    number(state, "lease_until") == 0
}

// ---- paging --------------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn every_page_is_read_and_every_alert_lands_once() {
    let system = ByHand::with(PAGES_OF_TWO).await;
    raise_many(&system, "alert", 5);

    system.complete(5, 5).await;

    assert_eq!(system.microsoft.requests().list, 3);
    let landed: Vec<_> = (0..5).map(|number| (format!("alert-{number:03}"), 1)).collect();
    assert_eq!(system.alerts().await, landed);
}

#[tokio::test]
async fn an_empty_page_with_a_next_link_is_not_the_end() {
    let system = ByHand::with(PAGES_OF_TWO).await;
    raise_many(&system, "alert", 3);
    fault_once(&system, Target::List, FaultKind::EmptyPage);

    system.complete(3, 3).await;

    assert_eq!(system.microsoft.requests().list, 3);
}

#[tokio::test]
async fn whichever_page_fails_for_good_nothing_of_the_list_is_believed_and_the_next_run_has_all_of_it_once() {
    let system = ByHand::with(PAGES_OF_TWO).await;
    system.baseline().await;
    raise_many(&system, "alert", 6);
    for page in 0..3 {
        let before = system.microsoft.requests().list;
        if page > 0 {
            let whole = Fault::new(Target::List, FaultKind::Slow { milliseconds: 0 });
            system.microsoft.set_fault(whole.times(page)).unwrap();
        }
        fault(&system, Target::List, FaultKind::Truncated);

        let (error, words) = failed(&system).await;

        assert!(matches!(error, ReconcileError::Microsoft(MicrosoftError::BadAnswer { .. })), "page {page}: {words}");
        assert_eq!(system.microsoft.requests().list - before, u64::from(page) + 1);
        assert_eq!(system.alerts().await, []);
        system.microsoft.clear_faults();
    }

    system.complete(6, 6).await;

    assert_eq!(system.alerts().await.len(), 6);
    assert_eq!(to_be_published(&system).await.len(), 6);
}

#[tokio::test]
async fn a_page_that_breaks_off_once_is_asked_for_again() {
    let system = ByHand::with(PAGES_OF_TWO).await;
    raise_many(&system, "alert", 4);
    for kind in [FaultKind::Reset, FaultKind::Fail { status: 503 }] {
        fault_once(&system, Target::List, kind);
    }

    system.complete(4, 4).await;

    assert_eq!(system.microsoft.requests().list, 4, "two that failed and two pages");
}

// ---- the baseline --------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn the_first_complete_run_tells_one_digest_of_what_is_open_and_of_fraud_severity_and_of_no_single_alert() {
    let system = ByHand::start().await;
    let detected = |alert: NewAlert, text: &str| NewAlert { detected_date_time: Some(text.parse().unwrap()), ..alert };
    system.raise_as(detected(named("open"), "2026-03-01T12:00:00Z"));
    system.raise_as(detected(of_severity("of-a-new-severity", "catastrophic"), "2026-03-01T11:00:00Z"));
    system.raise_as(of_severity("low", "low"));
    system.raise_as(NewAlert { is_test: true, ..named("test") });
    system.raise("closed");
    system.change("closed", resolved("fraud"));

    system.complete(5, 5).await;

    let of_fraud_severity = vec!["of-a-new-severity".to_owned(), "open".to_owned()];
    assert_eq!(digests(&system).await, [("baseline".to_owned(), 2, of_fraud_severity)]);
    assert_eq!(
        system.outbox_lines().await,
        [
            " outbox#000000000001#digest-baseline to be published",
            "low outbox#000000000001#opened kept",
            "of-a-new-severity outbox#000000000001#opened kept",
            "open outbox#000000000001#opened kept",
            "test outbox#000000000001#opened kept",
        ]
    );
    assert_eq!(text(&system.state().await, "baseline"), "2026-03-02T09:01:00.000Z");
}

#[tokio::test]
async fn a_first_complete_run_that_finds_nothing_of_fraud_severity_open_tells_nothing() {
    let system = ByHand::start().await;
    system.raise_as(of_severity("low", "low"));
    system.raise("closed");
    system.change("closed", resolved("legitimate"));

    system.complete(2, 2).await;

    assert_eq!(system.outbox_lines().await, ["low outbox#000000000001#opened kept"]);
    assert_eq!(text(&system.state().await, "baseline"), "2026-03-02T09:01:00.000Z");
}

#[tokio::test]
async fn a_baseline_whose_list_is_cut_off_is_still_pending_and_the_next_complete_run_makes_it() {
    let system = ByHand::with(PAGES_OF_TWO).await;
    raise_many(&system, "alert", 3);
    fault_once(&system, Target::List, FaultKind::EmptyPage);
    fault_once(&system, Target::List, FaultKind::Truncated);

    failed(&system).await;
    assert_eq!(system.state().await.get("baseline"), None);
    assert_eq!(system.outbox_lines().await, Vec::<String>::new());

    system.complete(3, 3).await;
    assert_eq!(to_be_published(&system).await, [" outbox#000000000002#digest-baseline to be published"]);
    assert_eq!(digests(&system).await[0].1, 3);
}

#[tokio::test]
async fn a_baseline_that_is_cut_off_while_it_writes_tells_all_that_is_open_in_the_one_digest_of_the_next_run() {
    let system = ByHand::start().await;
    raise_many(&system, "alert", 60);
    system.tap.pass("TransactWriteItems");
    system.tap.refuse("TransactWriteItems", "AccessDeniedException");

    let (error, words) = failed(&system).await;
    assert!(matches!(error, ReconcileError::Store(_)), "{words}");
    let landed = system.alerts().await.len();
    assert_eq!(landed, 45, "one transaction");
    assert_eq!(system.state().await.get("baseline"), None);

    system.complete(60, 60 - landed).await;
    assert_eq!(to_be_published(&system).await, [" outbox#000000000002#digest-baseline to be published"]);
    let (reason, total, listed) = digests(&system).await.remove(0);
    assert_eq!((reason.as_str(), total, listed.len()), ("baseline", 60, 50));
}

#[tokio::test]
async fn after_the_baseline_an_alert_is_news() {
    let system = ByHand::start().await;
    system.raise("old");
    system.complete(1, 1).await;
    system.raise("new");

    system.complete(2, 1).await;

    let told = to_be_published(&system).await;
    assert_eq!(
        told,
        [" outbox#000000000001#digest-baseline to be published", "new outbox#000000000001#opened to be published"]
    );
}

// ---- what changed --------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn each_change_that_people_are_told_of_is_one_outbox_item_with_its_version() {
    let system = ByHand::start().await;
    system.baseline().await;
    let mut expected = Vec::new();
    let steps: [(&str, Option<AlertChange>, Option<&str>); 6] = [
        ("appears", None, Some("000000000001#opened to be published")),
        ("is looked into", Some(status("investigating")), None),
        ("is resolved", Some(resolved("fraud")), Some("000000000003#resolved to be published")),
        ("is open again", Some(status("active")), Some("000000000004#reopened to be published")),
        ("is lowered", Some(severity("low")), None),
        ("is raised", Some(severity("high")), Some("000000000006#severity_raised to be published")),
    ];
    for (version, (what, change, told)) in (1..).zip(steps) {
        match change {
            None => system.raise("alert"),
            Some(change) => system.change("alert", change),
        }
        system.complete(1, 1).await;
        expected.extend(told.map(|told| format!("alert outbox#{told}")));
        assert_eq!(system.outbox_lines().await, expected, "{what}");
        assert_eq!(system.alerts().await, [("alert".to_owned(), version)], "{what}");
    }
}

#[tokio::test]
async fn a_notice_tells_the_alert_as_it_is_after_the_change() {
    let system = ByHand::start().await;
    system.baseline().await;
    system.raise("alert");
    system.complete(1, 1).await;
    system.change("alert", resolved("legitimate"));
    system.complete(1, 1).await;

    let outbox = system.outbox().await;
    let told: Vec<_> = outbox
        .iter()
        .map(|item| {
            let notice = &item.notice["alert"];
            let alert = &notice["alert"];
            (
                notice["kind"].as_str(),
                notice["version"].as_u64(),
                alert["status"].as_str(),
                alert["resolvedReason"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (Some("opened"), Some(1), Some("active"), None),
            (Some("resolved"), Some(2), Some("resolved"), Some("legitimate")),
        ]
    );
}

#[tokio::test]
async fn a_moved_last_observed_date_is_written_and_told_to_nobody() {
    let system = ByHand::start().await;
    system.baseline().await;
    system.raise("alert");
    system.complete(1, 1).await;
    let later = Some("2026-03-02T10:00:00Z".parse().unwrap());
    system.change("alert", AlertChange { last_observed_date_time: later, ..AlertChange::default() });

    system.complete(1, 1).await;

    assert_eq!(system.outbox_lines().await, ["alert outbox#000000000001#opened to be published"]);
    let alert = system.alert("alert").await.unwrap();
    assert_eq!(text(&alert, "last_observed"), "2026-03-02T10:00:00.000Z");
    assert_eq!(number(&alert, "version"), 2);
}

#[tokio::test]
async fn what_is_not_of_fraud_severity_is_kept_and_not_published() {
    let system = ByHand::start().await;
    system.baseline().await;
    for name in ["informational", "low", "medium"] {
        system.raise_as(of_severity(name, name));
    }
    system.raise_as(NewAlert { is_test: true, ..named("test") });

    system.complete(4, 4).await;

    assert_eq!(
        system.outbox_lines().await,
        [
            "informational outbox#000000000001#opened kept",
            "low outbox#000000000001#opened kept",
            "medium outbox#000000000001#opened kept",
            "test outbox#000000000001#opened kept",
        ]
    );
    let kept = system.outbox().await;
    let expiries: BTreeSet<i64> = kept.iter().map(|item| number(&item.item, "expires_at")).collect();
    let thirty_days = system.now().as_second() + 30 * 86_400;
    assert_eq!(expiries, BTreeSet::from([thirty_days]));
}

#[tokio::test]
async fn the_configured_severity_moves_the_threshold() {
    let system = ByHand::with(Setup { variables: &[("FRAUD_SEVERITY", "medium")], ..Setup::default() }).await;
    system.baseline().await;
    for name in ["low", "medium"] {
        system.raise_as(of_severity(name, name));
    }

    system.complete(2, 2).await;

    assert_eq!(to_be_published(&system).await, ["medium outbox#000000000001#opened to be published"]);
}

#[tokio::test]
async fn an_alert_that_is_resolved_when_first_seen_is_kept_and_told_to_nobody() {
    let system = ByHand::start().await;
    system.baseline().await;
    system.raise("alert");
    system.change("alert", resolved("fraud"));

    system.complete(1, 1).await;

    assert_eq!(system.alerts().await, [("alert".to_owned(), 1)]);
    assert_eq!(system.outbox_lines().await, Vec::<String>::new());
}

// ---- many at once --------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn twenty_changes_of_fraud_severity_are_twenty_messages_however_many_others_there_are() {
    let system = ByHand::start().await;
    system.baseline().await;
    raise_many(&system, "fraud", 20);
    for number in 0..30 {
        system.raise_as(of_severity(&format!("low-{number:03}"), "low"));
    }

    system.complete(50, 50).await;

    let told: Vec<_> =
        (0..20).map(|number| format!("fraud-{number:03} outbox#000000000001#opened to be published")).collect();
    assert_eq!(to_be_published(&system).await, told);
}

#[tokio::test]
async fn twenty_one_changes_of_fraud_severity_are_one_digest() {
    let system = ByHand::start().await;
    system.baseline().await;
    raise_many(&system, "fraud", 21);

    system.complete(21, 21).await;

    assert_eq!(to_be_published(&system).await, [" outbox#000000000002#digest-burst to be published"]);
    let (reason, total, listed) = digests(&system).await.remove(0);
    assert_eq!((reason.as_str(), total), ("burst", 21));
    let all: Vec<_> = (0..21).map(|number| format!("fraud-{number:03}")).collect();
    assert_eq!(listed, all);
    assert_eq!(system.outbox().await.len(), 22, "the single changes are kept as a record");
}

#[tokio::test]
async fn a_burst_that_is_cut_off_loses_no_message() {
    let system = ByHand::start().await;
    system.baseline().await;
    raise_many(&system, "fraud", 60);
    system.tap.pass("TransactWriteItems");
    system.tap.refuse("TransactWriteItems", "AccessDeniedException");
    failed(&system).await;

    system.complete(60, 15).await;

    // The digest of all 60 stood in the first transaction; the 15 that came after are few enough to be told one by one.
    let told = to_be_published(&system).await;
    assert_eq!(told[0], " outbox#000000000002#digest-burst to be published");
    assert_eq!(told.len(), 1 + 15);
    assert_eq!(digests(&system).await[0].1, 60);
}

#[tokio::test]
async fn a_burst_in_which_many_alerts_are_changed_by_somebody_else_is_still_one_digest_of_all_of_them() {
    let system = ByHand::start().await;
    system.baseline().await;
    for number in 0..43 {
        system.raise_as(of_severity(&format!("fraud-{number:03}"), "low"));
    }
    system.complete(43, 43).await;
    for number in 0..43 {
        system.change(&format!("fraud-{number:03}"), severity("high"));
    }
    system.clock.advance(SignedDuration::from_mins(1));
    let writing = system.tap.hold("TransactWriteItems");

    let (run, ()) = tokio::join!(system.reconcile_at_once(), async {
        writing.reached().await;
        for number in 0..22 {
            write_by_hand(&system, &format!("fraud-{number:03}")).await;
        }
        writing.open();
    });

    assert_eq!(run.unwrap(), Reconciled::Done { listed: 43, changed: 43 });
    assert_eq!(to_be_published(&system).await, [" outbox#000000000003#digest-burst to be published"]);
    let (reason, total, listed) = digests(&system).await.remove(0);
    assert_eq!((reason.as_str(), total, listed.len()), ("burst", 43, 43));
}

#[tokio::test]
async fn changes_that_come_up_after_the_digest_of_a_run_are_told_one_by_one_and_the_digest_stays() {
    let system = ByHand::start().await;
    raise_many(&system, "known", 21);
    system.complete(21, 21).await;
    raise_many(&system, "new", 21);
    let later = Some("2026-03-02T10:00:00Z".parse().unwrap());
    for number in 0..21 {
        let moved = AlertChange { last_observed_date_time: later, ..AlertChange::default() };
        system.change(&format!("known-{number:03}"), moved);
    }
    system.clock.advance(SignedDuration::from_mins(1));
    let writing = system.tap.hold("TransactWriteItems");

    let (run, ()) = tokio::join!(system.reconcile_at_once(), async {
        writing.reached().await;
        // Somebody resolves the known ones here, of which Microsoft does not know yet.
        for number in 0..21 {
            resolve_by_hand(&system, &format!("known-{number:03}")).await;
        }
        writing.open();
    });

    assert_eq!(run.unwrap(), Reconciled::Done { listed: 42, changed: 42 });
    let mut expected = vec![
        " outbox#000000000001#digest-baseline to be published".to_owned(),
        " outbox#000000000002#digest-burst to be published".to_owned(),
    ];
    expected.extend((0..21).map(|number| format!("known-{number:03} outbox#000000000003#reopened to be published")));
    assert_eq!(to_be_published(&system).await, expected);
    let (_, total, listed) = digests(&system).await.remove(1);
    assert_eq!((total, listed[0].as_str()), (21, "new-000"));
}

// ---- nothing new ---------------------------------------------------------------------------------------------------------

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

// ---- Microsoft fails -----------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_server_error_for_ever_fails_the_message_after_three_attempts_and_gives_the_lease_back() {
    let system = ByHand::start().await;
    system.baseline().await;
    system.raise("alert");
    let (success, listed) = (text(&system.state().await, "last_success"), system.microsoft.requests().list);
    fault(&system, Target::List, FaultKind::Fail { status: 500 });
    system.clock.advance(SignedDuration::from_mins(1));

    assert_eq!(system.deliver(&[("m-1", &rung(TENANT))]).await, ["m-1"]);

    assert_eq!(system.microsoft.requests().list - listed, 3);
    let state = system.state().await;
    assert!(is_free(&state));
    assert_eq!(text(&state, "last_success"), success);
    assert_eq!(text(&state, "last_attempt"), "2026-03-02T09:02:00.000Z");
    assert_eq!(system.alerts().await, []);

    system.microsoft.clear_faults();
    system.complete(1, 1).await;
}

#[tokio::test]
async fn a_run_of_the_schedule_that_fails_is_done_since_the_next_tick_is_its_retry() {
    let system = ByHand::start().await;
    fault(&system, Target::List, FaultKind::MissingMfa);
    let again = json!({ "tenant": TENANT, "cause": "again" }).to_string();

    for message in [request(TENANT), again] {
        system.clock.advance(SignedDuration::from_mins(1));
        assert_eq!(system.deliver(&[("m-1", &message)]).await, Vec::<String>::new());
    }

    assert_eq!(system.microsoft.requests().list, 2);
    let state = system.state().await;
    assert!(is_free(&state));
    assert_eq!(state.get("last_success"), None);
}

#[tokio::test]
async fn a_run_that_takes_too_long_ends_itself_and_gives_the_lease_back() {
    struct Never;
    impl ListAlerts for Never {
        async fn list(&self, _: &Tenant) -> Result<Listing, MicrosoftError> {
            std::future::pending().await
        }
    }
    let system = ByHand::start().await;
    let lease = LeaseTerms { duration: SignedDuration::from_secs(150), gap: SignedDuration::from_secs(1) };
    let run_limit = std::time::Duration::from_millis(20);
    let settings = Settings { lease, run_limit, threshold: FraudThreshold::High };
    let queue = ReconcileQueue::new(aws_sdk_sqs::Client::new(&system.parts.aws), "http://127.0.0.1:9/none".to_owned());
    let poll = Poll::new(system.store(), Never, queue, system.clock.clone(), settings);
    let request = ReconcileRequest { tenant: system.tenant.clone(), cause: ReconcileCause::Schedule };

    let error = poll.reconcile(&request).await.unwrap_err();

    assert!(matches!(error, ReconcileError::OutOfTime { .. }), "{error:?}");
    let state = system.state().await;
    assert!(is_free(&state));
    assert_eq!(state.get("last_success"), None);
    system.complete(0, 0).await;
}

#[tokio::test]
async fn what_microsoft_says_for_good_is_not_asked_again() {
    let system = ByHand::start().await;
    system.baseline().await;
    let too_long = FaultKind::Throttle { retry_after: RetryAfter::Seconds(120) };
    for (kind, requests, words) in [
        (FaultKind::MissingMfa, 1, "was refused with status 403 and code Unauthorized_MissingMFA after 1 attempts"),
        (FaultKind::Truncated, 1, "gave an answer that can't be used: no page of alerts (Eof error)"),
        (FaultKind::ForeignNextLink, 1, "gave an answer that can't be used: a next link that leaves Graph's host"),
        (too_long, 1, "was refused with status 429 and code TooManyRequests after 1 attempts"),
        // A new token is asked for once.
        (
            FaultKind::ExpiredToken,
            2,
            "was refused with status 401 and code InvalidAuthenticationToken after 1 attempts",
        ),
    ] {
        let before = system.microsoft.requests().list;
        fault(&system, Target::List, kind);

        let (error, text) = failed(&system).await;

        assert!(matches!(error, ReconcileError::Microsoft(_)), "{kind:?}");
        let expected = format!(
            "Microsoft's list of alerts could not be read: listing security alerts for tenant {TENANT} {words}"
        );
        assert!(text.starts_with(&expected), "{kind:?}: {text}");
        assert_eq!(system.microsoft.requests().list - before, requests, "{kind:?}");
        assert!(is_free(&system.state().await), "{kind:?}");
        system.microsoft.clear_faults();
    }
}

#[tokio::test]
async fn a_token_that_is_refused_once_is_renewed() {
    let system = ByHand::start().await;
    system.baseline().await;
    system.raise("alert");
    let before = system.microsoft.requests();
    fault_once(&system, Target::List, FaultKind::ExpiredToken);

    system.complete(1, 1).await;

    let after = system.microsoft.requests();
    assert_eq!((after.list - before.list, after.token - before.token), (2, 1));
}

#[tokio::test]
async fn a_token_that_expires_between_two_pages_is_renewed_and_no_page_is_lost() {
    let system = ByHand::with(PAGES_OF_TWO).await;
    raise_many(&system, "alert", 5);
    fault_once(&system, Target::List, FaultKind::Slow { milliseconds: 0 });
    fault_once(&system, Target::List, FaultKind::ExpiredToken);

    system.complete(5, 5).await;

    let requests = system.microsoft.requests();
    assert_eq!((requests.list, requests.token), (4, 2));
}

#[tokio::test]
async fn a_token_is_kept_for_as_long_as_it_is_good_and_renewed_before_its_end() {
    let system = ByHand::start().await;
    system.baseline().await;
    assert_eq!(system.microsoft.requests().token, 1);
    system.complete(0, 0).await;
    assert_eq!(system.microsoft.requests().token, 1);

    // It lives 59:59, and five minutes before that it is renewed.
    system.clock.advance(SignedDuration::from_mins(54));
    system.complete(0, 0).await;
    assert_eq!(system.microsoft.requests().token, 2);
}

#[tokio::test]
async fn trouble_at_the_token_endpoint_is_an_error_of_the_sign_in_and_asks_for_no_list() {
    let system = ByHand::start().await;
    for (kind, requests, words) in [
        (FaultKind::Truncated, 1, "gave an answer that can't be used: no access_token and expires_in"),
        (
            FaultKind::Throttle { retry_after: RetryAfter::Seconds(21) },
            1,
            "was refused with status 429 and code temporarily_unavailable after 1 attempts",
        ),
        (FaultKind::Fail { status: 502 }, 3, "was refused with status 502 and code none after 3 attempts"),
        (FaultKind::Reset, 3, "got no whole answer after 3 attempts"),
    ] {
        let before = system.microsoft.requests().token;
        fault(&system, Target::Token, kind);

        let (_, text) = failed(&system).await;

        let expected =
            format!("Microsoft's list of alerts could not be read: sign-in (token) for tenant {TENANT} {words}");
        assert!(text.starts_with(&expected), "{kind:?}: {text}");
        assert_eq!(system.microsoft.requests().token - before, requests, "{kind:?}");
        assert!(is_free(&system.state().await), "{kind:?}");
        system.microsoft.clear_faults();
    }
    assert_eq!(system.microsoft.requests().list, 0);
    assert_eq!(system.state().await.get("last_success"), None);

    system.complete(0, 0).await;
}

#[tokio::test]
async fn throttling_is_waited_out_as_microsoft_asks_or_else_for_a_moment() {
    let system = ByHand::start().await;
    system.raise("alert");
    for retry_after in [RetryAfter::Seconds(1), RetryAfter::Garbage] {
        fault_once(&system, Target::List, FaultKind::Throttle { retry_after });
    }
    fault_once(&system, Target::Token, FaultKind::Throttle { retry_after: RetryAfter::Seconds(0) });
    let began = std::time::Instant::now();

    system.complete(1, 1).await;

    assert!(began.elapsed() >= std::time::Duration::from_secs(1), "the second that Microsoft asked for");
    let requests = system.microsoft.requests();
    assert_eq!((requests.token, requests.list), (2, 3));
}

#[tokio::test]
async fn throttling_without_end_stops_after_three_attempts() {
    let system = ByHand::start().await;
    fault(&system, Target::List, FaultKind::Throttle { retry_after: RetryAfter::Absent });

    let (_, words) = failed(&system).await;

    assert!(words.contains("was refused with status 429 and code TooManyRequests after 3 attempts"), "{words}");
    assert_eq!(system.microsoft.requests().list, 3);
}

#[tokio::test]
async fn an_answer_that_is_too_late_is_none() {
    let setup = Setup { variables: &[("MICROSOFT_TIMEOUT_SECONDS", "1")], ..Setup::default() };
    let system = ByHand::with(setup).await;
    system.raise("alert");
    fault_once(&system, Target::List, FaultKind::Slow { milliseconds: 30_000 });

    system.complete(1, 1).await;

    assert_eq!(system.microsoft.requests().list, 2);
}

#[tokio::test]
async fn a_list_of_more_pages_than_the_bound_is_an_error_and_nothing_of_it_lands() {
    let setup = Setup { page_size: 1, variables: &[("GRAPH_MAX_PAGES", "3")] };
    let system = ByHand::with(setup).await;
    raise_many(&system, "alert", 4);

    let (_, words) = failed(&system).await;

    assert!(words.ends_with("gave an answer that can't be used: more than 3 pages"), "{words}");
    assert_eq!(system.microsoft.requests().list, 3);
    assert_eq!(system.alerts().await, []);
}

#[tokio::test]
async fn an_alert_with_odd_members_lands_with_the_rest_of_it_and_as_one_that_needs_somebody() {
    let system = ByHand::start().await;
    system.baseline().await;
    raise_many(&system, "alert", 20);
    // The first: a status that is a number, and a date of detection that is none.
    fault_once(&system, Target::List, FaultKind::MalformedAlert);

    system.complete(20, 20).await;

    let odd = system.alert("alert-000").await.unwrap();
    let summary = odd["summary"].as_m().unwrap();
    assert_eq!((text(summary, "status").as_str(), text(summary, "severity").as_str()), ("unknown", "high"));
    assert_eq!(text(summary, "detected"), text(summary, "first_observed"));
    assert_eq!(text(&odd, "tenant_state"), format!("{TENANT}#open"));
    assert_eq!(to_be_published(&system).await.len(), 20);

    // As it really is, it is the same open alert: nothing to tell.
    system.complete(20, 1).await;
    assert_eq!(number(&system.alert("alert-000").await.unwrap(), "version"), 2);
    assert_eq!(to_be_published(&system).await.len(), 20);
}

#[tokio::test]
async fn an_alert_of_monstrous_size_lands_cut_to_what_an_item_holds_and_keeps_no_other_from_landing() {
    let system = ByHand::start().await;
    system.baseline().await;
    system.raise("before");
    let resource = |number| simulator::AffectedResource {
        resource_id: format!("/subscriptions/monster/{number:05}/{}", "r".repeat(200)),
        resource_type: "AzureResource".to_owned(),
    };
    let details = (0..2_000).map(|number| (format!("member{number}"), "d".repeat(1_000))).collect();
    system.raise_as(NewAlert {
        description: Some("\u{1f4a3}".repeat(250_000)),
        display_name: Some("\u{1f4a3}".repeat(5_000)),
        affected_resources: Some((0..5_000).map(resource).collect()),
        additional_details: Some(details),
        ..named("monster")
    });
    system.raise("behind");

    system.complete(3, 3).await;

    assert_eq!(system.alerts().await, [("before".to_owned(), 1), ("behind".to_owned(), 1), ("monster".to_owned(), 1)]);
    let size = tests::typed(&system.alert("monster").await.unwrap()).to_string().len();
    assert!((150_000..400_000).contains(&size), "{size}");
    system.complete(3, 0).await;
}

// ---- at the same time ----------------------------------------------------------------------------------------------------

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
    assert_eq!(body, json!({ "tenant": TENANT, "cause": "again" }));
    assert_eq!(rung["DelaySeconds"], 1, "the gap between the starts of two runs");
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

fn work() -> AttributeValue {
    let note = AttributeValue::S("called the customer".to_owned());
    AttributeValue::M([("note".to_owned(), note)].into())
}

/// What a person's note does to an alert.
async fn write_by_hand(system: &ByHand, id: &str) {
    let key = AttributeValue::S(format!("{TENANT}#{id}"));
    let request = system.dynamodb.update_item().table_name(&system.test.system.tables().alerts);
    let request = request.key("pk", key).key("sk", AttributeValue::S("alert".to_owned()));
    let request = request.update_expression("SET #work = :work ADD #version :one");
    let request = request.expression_attribute_names("#work", "work").expression_attribute_names("#version", "version");
    let request = request.expression_attribute_values(":work", work());
    request.expression_attribute_values(":one", AttributeValue::N("1".to_owned())).send().await.unwrap();
}

/// What a resolution here does to an alert, as far as `poll` sees it.
async fn resolve_by_hand(system: &ByHand, id: &str) {
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

// ---- statistics ----------------------------------------------------------------------------------------------------------

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
async fn assert_statistics_add_up(system: &ByHand) {
    let ids: Vec<_> = system.alerts().await.iter().map(|(id, _)| id.parse().unwrap()).collect();
    let kept = system.store().alerts(&system.tenant, &ids).await.unwrap();
    assert_eq!(kept.len(), ids.len());
    let mut sum = Delta::default();
    for stored in kept.values() {
        sum.add(&contribution(&stored.alert));
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

// ---- who asks ------------------------------------------------------------------------------------------------------------

const OTHER: &str = "00000000-0000-4000-8000-00000000000a";

fn tenant(id: &str) -> Tenant {
    Tenant {
        id: id.parse().unwrap(),
        display_name: "Fabrikam Partner (made up)".to_owned(),
        cloud: Cloud::Global,
        alert_source: AlertSource::Graph,
        path_key_hashes: Vec::new(),
        read_secret: "partner-alerts/read/local".to_owned(),
        act_secret: None,
        active: true,
    }
}

#[tokio::test]
async fn a_queue_message_that_cannot_be_read_fails_alone() {
    let system = ByHand::start().await;
    system.raise("alert");
    let canary = r#"{"tenant":"not a tenant","cause":"schedule"}"#;

    let failures = system.deliver(&[("m-1", canary), ("m-2", &request(TENANT)), ("m-3", ""), ("m-4", "{}")]).await;

    assert_eq!(failures, ["m-1", "m-3", "m-4"]);
    assert_eq!(system.alerts().await, [("alert".to_owned(), 1)]);
}

#[tokio::test]
async fn a_callback_and_the_schedule_ask_for_the_same_run() {
    let system = ByHand::start().await;
    system.baseline().await;
    for (number, cause) in
        [json!("schedule"), json!("again"), json!({ "callback": { "event": "a".repeat(64) } })].into_iter().enumerate()
    {
        system.raise(&format!("alert-{number}"));
        system.clock.advance(SignedDuration::from_mins(1));
        let message = json!({ "tenant": TENANT, "cause": cause }).to_string();
        assert_eq!(system.deliver(&[("m-1", &message)]).await, Vec::<String>::new());
        assert_eq!(system.alerts().await.len(), number + 1, "{cause}");
    }
}

#[tokio::test]
async fn an_unknown_tenant_and_an_inactive_one_are_done_and_nobody_is_asked() {
    let system = ByHand::start().await;
    let inactive = Tenant { active: false, ..tenant(OTHER) };
    system.store().put_tenant(&inactive).await.unwrap();
    let unknown = "00000000-0000-4000-8000-00000000000b";

    assert_eq!(system.deliver(&[("m-1", &request(OTHER)), ("m-2", &request(unknown))]).await, Vec::<String>::new());

    assert_eq!(system.tap.take_operations(), ["Query", "Query"]);
    let requests = system.microsoft.requests();
    assert_eq!((requests.token, requests.list), (0, 0));
}

#[tokio::test]
async fn one_tenants_trouble_touches_no_other() {
    let system = ByHand::start().await;
    let without_secret = Tenant { read_secret: "partner-alerts/read/none".to_owned(), ..tenant(OTHER) };
    system.store().put_tenant(&without_secret).await.unwrap();
    system.raise("alert");

    let failures = system.deliver(&[("m-1", &rung(OTHER)), ("m-2", &rung(TENANT))]).await;

    assert_eq!(failures, ["m-1"]);
    assert_eq!(system.alerts().await, [("alert".to_owned(), 1)]);
    let state = system.item(&system.test.system.tables().tenants, OTHER, "state").await.unwrap();
    assert!(is_free(&state));
    assert_eq!(state.get("last_success"), None);
}

#[tokio::test]
async fn a_tenant_whose_configuration_cannot_be_read_keeps_no_other_from_being_looked_at() {
    let system = ByHand::start().await;
    system.raise("alert");
    let request = system.dynamodb.put_item().table_name(&system.test.system.tables().tenants);
    let request = request.item("pk", AttributeValue::S("tenants".to_owned()));
    let request = request.item("sk", AttributeValue::S(OTHER.to_owned()));
    request.item("cloud", AttributeValue::S("of another planet".to_owned())).send().await.unwrap();

    assert_eq!(system.deliver(&[("m-1", &rung(OTHER)), ("m-2", &rung(TENANT))]).await, Vec::<String>::new());
    assert_eq!(system.alerts().await, [("alert".to_owned(), 1)]);

    let _ = system.tap.take();
    system.tick().await.unwrap();
    let batches = system.tap.take_bodies("SendMessageBatch");
    assert_eq!(batches.iter().flat_map(|batch| messages_of(batch)).count(), 1);
}

#[tokio::test]
async fn the_schedule_asks_for_one_run_of_each_active_tenant_and_looks_at_none_itself() {
    let system = ByHand::start().await;
    let ids = put_tenants(&system).await;
    let _ = system.tap.take();

    system.tick().await.unwrap();

    let batches = system.tap.take_bodies("SendMessageBatch");
    let asked: Vec<Vec<Value>> = batches.iter().map(|body| messages_of(body)).collect();
    assert_eq!(asked.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5]);
    let mut tenants: Vec<String> = Vec::new();
    for message in asked.iter().flatten() {
        assert_eq!(message["cause"], "schedule");
        tenants.push(message["tenant"].as_str().unwrap().to_owned());
    }
    tenants.sort();
    assert_eq!(tenants, ids);
    let requests = system.microsoft.requests();
    assert_eq!((requests.token, requests.list), (0, 0));
}

#[tokio::test]
async fn a_batch_of_the_schedule_that_fails_keeps_no_other_from_being_sent_and_is_an_error() {
    let system = ByHand::start().await;
    put_tenants(&system).await;
    system.tap.refuse("SendMessageBatch", "AccessDeniedException");

    let error = system.tick().await.unwrap_err();

    assert_eq!(error.to_string(), "the schedule could not ask for all runs");
    assert_eq!(system.tap.take_bodies("SendMessageBatch").len(), 3);
}

/// 24 tenants beside the seed tenant, and one that is switched off; the ids of the active ones, in order.
async fn put_tenants(system: &ByHand) -> Vec<String> {
    let store = system.store();
    let mut ids = vec![TENANT.to_owned()];
    for number in 0..24 {
        let id = format!("00000000-0000-4000-8000-{number:012}");
        store.put_tenant(&tenant(&id)).await.unwrap();
        ids.push(id);
    }
    store.put_tenant(&Tenant { active: false, ..tenant(OTHER) }).await.unwrap();
    ids.sort();
    ids
}

fn messages_of(batch: &str) -> Vec<Value> {
    let batch: Value = serde_json::from_str(batch).unwrap();
    let entries = batch["Entries"].as_array().unwrap().iter();
    entries.map(|entry| serde_json::from_str(entry["MessageBody"].as_str().unwrap()).unwrap()).collect()
}
