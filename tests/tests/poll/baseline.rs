//! A tenant's first complete run.

use jiff::SignedDuration;
use poll::ReconcileError;
use simulator::{Fault, FaultKind, NewAlert, Target};
use tests::{ByHand, text};

use crate::support::{
    PAGES_OF_TWO, digests, failed, fault_once, named, of_severity, raise_many, resolved, to_be_published,
};

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
async fn a_baseline_that_gives_up_waiting_tells_what_any_run_before_it_had_read() {
    let system = ByHand::with(PAGES_OF_TWO).await;
    raise_many(&system, "alert", 6);
    let refused_after = |pages| {
        system.microsoft.clear_faults();
        system.microsoft.set_fault(Fault::new(Target::List, FaultKind::MissingMfa).after(pages)).unwrap();
    };
    refused_after(2);
    failed(&system).await;
    assert_eq!((system.alerts().await.len(), digests(&system).await.len()), (4, 0));

    system.clock.advance(SignedDuration::from_hours(1));
    refused_after(1);
    failed(&system).await;

    let four = ["alert-000", "alert-001", "alert-002", "alert-003"].map(str::to_owned).to_vec();
    assert_eq!(digests(&system).await, [("baseline".to_owned(), 4, four)]);
    system.microsoft.clear_faults();
    system.complete(6, 2).await;
    let published = to_be_published(&system).await;
    assert_eq!(published.len(), 3, "the other two are news: {published:?}");
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
