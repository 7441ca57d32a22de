//! More changes than a person reads.

use jiff::SignedDuration;
use poll::Reconciled;
use simulator::AlertChange;
use tests::ByHand;

use crate::at_the_same_time::{resolve_by_hand, write_by_hand};
use crate::support::{digests, failed, of_severity, raise_many, severity, to_be_published};

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
async fn changes_that_come_up_while_a_run_writes_are_in_its_one_digest() {
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
    let expected =
        [" outbox#000000000001#digest-baseline to be published", " outbox#000000000002#digest-burst to be published"];
    assert_eq!(to_be_published(&system).await, expected);
    let (_, total, listed) = digests(&system).await.remove(1);
    assert_eq!((total, listed.len()), (42, 42));
}
