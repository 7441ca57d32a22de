//! What changed between two runs, and what is told of it.

use std::collections::BTreeSet;

use simulator::{AlertChange, NewAlert};
use tests::{ByHand, Setup, number, text};

use crate::support::{named, of_severity, resolved, severity, status, to_be_published};

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
