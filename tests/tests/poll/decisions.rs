//! What a person decided, against what Microsoft goes on showing.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use models::{Alert, AlertSource, Decision, FraudThreshold, ResolvedReason, Status};
use simulator::{AlertChange, ErrorBody, Fault, FaultKind, Lag, RetryAfter, Target};
use store::{AlertWrite, ReadAlerts as _, StoredAlert, WriteAlerts as _};
use tests::{ByHand, Setup, TENANT, text};
use tokio::task::JoinSet;

use crate::{
    statistics::assert_statistics_add_up,
    support::{digests, failed, fault, id_of, of_s, of_source, raise_many, resolved, to_be_published},
};

async fn stored(system: &ByHand, id: &str) -> StoredAlert {
    let id = id.parse().unwrap();
    let found = system.store().alerts(&system.tenant, std::slice::from_ref(&id)).await.unwrap();
    found.readable.into_values().next().unwrap()
}

/// Somebody resolves an alert as fraud, here alone. False where somebody else changed it meanwhile.
async fn decide(system: &ByHand, seen: &StoredAlert) -> bool {
    let decision = Decision { status: Status::Resolved, reason: Some(ResolvedReason::Fraud), at: system.now() };
    let known = seen.known.decided(decision, Some("someone@contoso.example".to_owned()));
    let (tenant, now) = (&system.tenant, system.now());
    let write = AlertWrite::between(tenant, Some(seen), known, FraudThreshold::High, true, now, None);
    system.store().decide(tenant, &write, now).await.unwrap()
}

/// A system whose one alert somebody resolved as fraud just now.
async fn decided() -> ByHand {
    let system = ByHand::start().await;
    system.baseline().await;
    system.raise("alert");
    system.complete(1, 1).await;
    assert!(decide(&system, &stored(&system, "alert").await).await);
    system
}

async fn state(system: &ByHand) -> (Status, bool, bool) {
    let known = stored(system, "alert").await.known;
    (known.alert.status.clone(), known.decision.is_some(), known.not_accepted)
}

#[tokio::test]
async fn a_decision_stays_while_microsoft_shows_what_was_before_and_is_settled_when_it_shows_it() {
    let system = decided().await;
    assert_statistics_add_up(&system).await;
    let published = to_be_published(&system).await;
    assert!(published.last().unwrap().contains("#resolved"), "{published:?}");
    for _ in 0..14 {
        // A minute each. The hint knows the alert as it is listed, and it is looked at all the same.
        system.complete(1, 0).await;
        assert_eq!(state(&system).await, (Status::Resolved, true, false));
    }
    system.change("alert", resolved("fraud"));

    system.complete(1, 1).await;

    assert_eq!(state(&system).await, (Status::Resolved, false, false));
    assert_eq!(to_be_published(&system).await, published, "it is told once");
    assert_statistics_add_up(&system).await;
    let _ = system.tap.take();
    system.complete(1, 0).await;
    assert!(!system.tap.take_operations().contains(&"BatchGetItem".to_owned()), "nothing is waited for");
}

#[tokio::test]
async fn what_microsoft_has_not_taken_in_a_quarter_of_an_hour_counts_as_microsoft_shows_it_and_is_told() {
    let system = decided().await;
    for _ in 0..14 {
        system.complete(1, 0).await;
    }
    let _ = system.counted.take();

    system.complete(1, 1).await;

    assert_eq!(state(&system).await, (Status::Active, false, true));
    assert_eq!(system.counted.take().last().unwrap().of("DecisionsNotAccepted"), Some(1));
    let published = to_be_published(&system).await;
    assert!(published.last().unwrap().contains("outbox#000000000003#reopened"), "{published:?}");
    assert_statistics_add_up(&system).await;

    system.complete(1, 0).await;
    assert_eq!(state(&system).await, (Status::Active, false, true), "and stays said");
    system.change("alert", resolved("legitimate"));
    system.complete(1, 1).await;
    assert_eq!(state(&system).await, (Status::Resolved, false, false));
}

#[tokio::test]
async fn a_list_that_lags_behind_the_decision_takes_nothing_back() {
    let system = decided().await;
    system.change("alert", AlertChange { lag: Lag { list: 3, get: 0 }, ..resolved("fraud") });

    for _ in 0..3 {
        system.complete(1, 0).await;
        assert_eq!(state(&system).await, (Status::Resolved, true, false));
    }
    system.complete(1, 1).await;

    assert_eq!(state(&system).await, (Status::Resolved, false, false));
}

#[tokio::test]
async fn a_decision_about_an_alert_that_is_listed_no_longer_is_asked_for_and_not_waited_for_for_ever() {
    let system = decided().await;
    system.change("alert", AlertChange { gone: Some(true), ..AlertChange::default() });

    system.complete(0, 1).await;
    let known = stored(&system, "alert").await.known;
    assert!(known.gone.is_some() && known.decision.is_some());
    system.clock.advance(SignedDuration::from_mins(15));
    system.complete(0, 1).await;

    assert_eq!(stored(&system, "alert").await.known.decision, None);
    let asked = system.microsoft.requests().get;
    system.complete(0, 0).await;
    assert_eq!(system.microsoft.requests().get, asked);
}

#[tokio::test]
async fn what_a_run_finds_before_its_list_breaks_off_is_counted_and_no_run_counts_it_again() {
    let system = ByHand::with(Setup { page_size: 1, variables: &[] }).await;
    system.baseline().await;
    system.raise("alert");
    system.raise("other");
    system.complete(2, 2).await;
    assert!(decide(&system, &stored(&system, "alert").await).await);
    assert!(decide(&system, &stored(&system, "other").await).await);
    system.clock.advance(SignedDuration::from_mins(15));
    system.microsoft.set_fault(Fault::new(Target::List, FaultKind::MissingMfa).after(1)).unwrap();
    let _ = system.counted.take();

    failed(&system).await;

    let sum = |name: &str| -> usize { system.counted.take().iter().filter_map(|counts| counts.of(name)).sum() };
    assert_eq!(sum("DecisionsNotAccepted"), 1);
    system.microsoft.clear_faults();
    system.complete(2, 1).await;
    assert_eq!(sum("DecisionsNotAccepted"), 1);
}

/// A system whose one alert, of this source, somebody resolved as fraud just now.
async fn decided_of(source: AlertSource) -> (ByHand, String) {
    let system = of_source(source, Setup::default()).await;
    system.baseline().await;
    system.raise_as(of_s("alert"));
    system.complete(1, 1).await;
    let id = id_of(source, "alert");
    assert!(decide(&system, &stored(&system, &id).await).await);
    (system, id)
}

/// The sort keys of all marks of decisions.
async fn marks(system: &ByHand) -> Vec<String> {
    let items = system.items(&system.test.system.tables().tenants).await;
    items.iter().map(|item| text(item, "sk")).filter(|sort| sort.starts_with("decision#")).collect()
}

/// A complete run that found so many, and what it counted as not accepted.
async fn not_accepted(system: &ByHand, listed: usize, changed: usize) -> Option<usize> {
    system.complete(listed, changed).await;
    system.counted.take().last().unwrap().of("DecisionsNotAccepted")
}

#[tokio::test]
async fn a_decision_of_which_nothing_is_ever_seen_is_told_once_and_not_waited_for_for_ever() {
    let gone = || AlertChange { gone: Some(true), ..AlertChange::default() };
    let graphs = FaultKind::Answer { status: 422, body: ErrorBody::Graph, retry_after: RetryAfter::Absent };
    for (source, is_gone, target, kind, listed) in [
        // It leaves the alert out, and can't be asked.
        (AlertSource::FraudEvents, true, Target::FraudEvents, FaultKind::Slow { milliseconds: 0 }, 0),
        // What it lists can't be read.
        (AlertSource::FraudEvents, false, Target::FraudEvents, FaultKind::UnreadableAlert, 0),
        (AlertSource::Graph, true, Target::Get, graphs, 0),
    ] {
        let (system, id) = decided_of(source).await;
        if is_gone {
            system.change("alert", gone());
        }
        fault(&system, target, kind);
        for _ in 0..14 {
            assert_eq!(not_accepted(&system, listed, 0).await, Some(0), "{source:?}, {kind:?}");
        }
        assert_eq!(marks(&system).await, [format!("decision#{id}")], "{source:?}, {kind:?}");
        let published = to_be_published(&system).await;

        assert_eq!(not_accepted(&system, listed, 1).await, Some(1), "{source:?}, {kind:?}");

        let known = stored(&system, &id).await.known;
        assert_eq!((known.alert.status.clone(), known.decision, known.not_accepted), (Status::Resolved, None, false));
        assert_eq!(marks(&system).await, Vec::<String>::new(), "{source:?}, {kind:?}");
        assert_eq!(not_accepted(&system, listed, 0).await, Some(0), "{source:?}, {kind:?}: it is told once");
        assert_eq!(to_be_published(&system).await, published);
        assert_statistics_add_up(&system).await;

        // What is seen in the end counts.
        system.microsoft.clear_faults();
        system.change("alert", AlertChange { gone: Some(false), ..AlertChange::default() });
        system.complete(1, 1).await;
        assert_eq!(stored(&system, &id).await.known.alert.status, Status::Active);
    }
}

#[tokio::test]
async fn trouble_in_front_of_graph_is_no_sight_of_nothing() {
    let (system, id) = decided_of(AlertSource::Graph).await;
    system.change("alert", AlertChange { gone: Some(true), ..AlertChange::default() });
    let html = FaultKind::Answer { status: 404, body: ErrorBody::Html, retry_after: RetryAfter::Absent };
    fault(&system, Target::Get, html);
    system.clock.advance(SignedDuration::from_mins(55));

    assert_eq!(not_accepted(&system, 0, 0).await, Some(0));

    assert!(stored(&system, &id).await.known.decision.is_some());
    assert_eq!(marks(&system).await.len(), 1);
    // Nobody waits longer than an hour for an answer that can't be had.
    system.clock.advance(SignedDuration::from_mins(5));
    assert_eq!(not_accepted(&system, 0, 1).await, Some(1));
    assert!(stored(&system, &id).await.known.decision.is_none());
}

#[tokio::test]
async fn a_mark_whose_alert_has_no_decision_or_is_not_there_is_taken_away_ten_in_a_run() {
    let (system, id) = decided_of(AlertSource::Graph).await;
    let tables = system.test.system.tables();
    let value = |text: String| AttributeValue::S(text);
    // Somebody has deleted the item of the first by hand; the others are marks of the release before, which said less.
    let (partition, sort) = (value(format!("{TENANT}#{id}")), value("alert".to_owned()));
    let delete = system.dynamodb.delete_item().table_name(&tables.alerts).key("pk", partition).key("sk", sort);
    delete.send().await.unwrap();
    for number in 0..11 {
        let put = system.dynamodb.put_item().table_name(&tables.tenants).item("pk", value(TENANT.to_owned()));
        put.item("sk", value(format!("decision#gone-{number}"))).send().await.unwrap();
    }

    system.complete(1, 1).await;
    assert_eq!(marks(&system).await.len(), 2);
    system.complete(1, 0).await;

    assert_eq!(marks(&system).await, Vec::<String>::new());
    assert_eq!(system.counted.take().last().unwrap().of("DecisionsNotAccepted"), Some(0));
    assert!(stored(&system, &id).await.known.decision.is_none(), "it is an alert as Microsoft lists it");
}

#[tokio::test]
async fn a_decision_that_is_made_while_an_old_mark_is_taken_away_keeps_its_own() {
    let (system, id) = decided_of(AlertSource::Graph).await;
    system.change("alert", resolved("fraud"));
    // What was decided is seen; the mark is left, as by somebody who restored an item.
    let mark = system.items(&system.test.system.tables().tenants).await;
    let mark = mark.into_iter().find(|item| text(item, "sk") == format!("decision#{id}")).unwrap();
    system.complete(1, 1).await;
    let tables = system.test.system.tables();
    system.dynamodb.put_item().table_name(&tables.tenants).set_item(Some(mark)).send().await.unwrap();
    system.clock.advance(SignedDuration::from_mins(1));
    let deleting = system.tap.hold("DeleteItem");

    let (run, ()) = tokio::join!(system.reconcile_at_once(), async {
        deleting.reached().await;
        assert!(decide(&system, &stored(&system, &id).await).await);
        deleting.open();
    });

    run.unwrap();
    assert_eq!(marks(&system).await, [format!("decision#{id}")]);
    assert!(stored(&system, &id).await.known.decision.is_some());
    system.complete(1, 1).await;
    assert_eq!(marks(&system).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_mark_that_a_transaction_holds_is_taken_away_a_moment_later_and_one_that_stays_ends_no_run() {
    for (refusals, left) in [(5, 0), (6, 1)] {
        let (system, id) = decided_of(AlertSource::Graph).await;
        let tables = system.test.system.tables();
        let key = |value: String| AttributeValue::S(value);
        let delete = system.dynamodb.delete_item().table_name(&tables.alerts);
        let delete = delete.key("pk", key(format!("{TENANT}#{id}"))).key("sk", key("alert".to_owned()));
        delete.send().await.unwrap();
        for _ in 0..refusals {
            system.tap.refuse("DeleteItem", "TransactionConflictException");
        }

        system.complete(1, 1).await;

        assert_eq!(marks(&system).await.len(), left, "after {refusals} refusals");
        system.complete(1, 0).await;
        assert_eq!(marks(&system).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn of_a_person_and_a_run_that_change_an_alert_at_once_neither_takes_anything_from_the_other() {
    let system = ByHand::start().await;
    system.baseline().await;
    system.raise("alert");
    system.complete(1, 1).await;
    system.change("alert", AlertChange { severity: Some("medium".to_owned()), ..AlertChange::default() });
    system.clock.advance(SignedDuration::from_mins(1));
    let writing = system.tap.hold("TransactWriteItems");

    let (run, ()) = tokio::join!(system.reconcile_at_once(), async {
        writing.reached().await;
        assert!(decide(&system, &stored(&system, "alert").await).await);
        writing.open();
    });

    // The run meets the decision when it reads the alert anew: what it saw is from before.
    run.unwrap();
    assert_eq!(state(&system).await, (Status::Resolved, true, false));
    assert_eq!(stored(&system, "alert").await.version, 2);
    assert_statistics_add_up(&system).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_sixty_four_people_and_runs_on_one_alert_every_change_counts_once() {
    let system = std::sync::Arc::new(ByHand::start().await);
    system.baseline().await;
    raise_many(&system, "alert", 1);
    system.complete(1, 1).await;
    let mut people = JoinSet::new();
    for number in 0..64 {
        let system = std::sync::Arc::clone(&system);
        people.spawn(async move {
            if number % 8 == 0 {
                system.clock.advance(SignedDuration::from_secs(2));
                // One that is covered by another is as good; one that lost is tried again by the next.
                let _ = system.reconcile_at_once().await;
                return 0;
            }
            let mut seen = stored(&system, "alert-000").await;
            while !decide(&system, &seen).await {
                seen = stored(&system, "alert-000").await;
            }
            1
        });
    }
    let decided: u64 = people.join_all().await.into_iter().sum();

    assert_eq!(decided, 56);
    assert_eq!(stored(&system, "alert-000").await.version, 1 + decided, "one version a change");
    assert_eq!(digests(&system).await, []);
    assert_statistics_add_up(&system).await;
}

#[tokio::test]
async fn an_alert_that_is_not_kept_as_it_should_be_hides_no_other_and_is_left_as_it_is() {
    let system = ByHand::start().await;
    system.baseline().await;
    raise_many(&system, "alert", 3);
    system.complete(3, 3).await;
    let table = &system.test.system.tables().alerts;
    let mut broken = system.alert("alert-001").await.unwrap();
    broken.insert("summary".to_owned(), AttributeValue::S("no map".to_owned()));
    system.dynamodb.put_item().table_name(table).set_item(Some(broken.clone())).send().await.unwrap();
    for number in 0..3 {
        system.change(&format!("alert-{number:03}"), resolved("fraud"));
    }

    system.complete(3, 2).await;

    assert_eq!(system.counted.take().last().unwrap().of("AlertsBroken"), Some(1));
    assert_eq!(system.alert("alert-001").await.unwrap(), broken);
    let kept: Alert = stored(&system, "alert-002").await.known.alert.as_ref().clone();
    assert_eq!(kept.status, Status::Resolved);
    system.complete(3, 0).await;
    assert_eq!(system.counted.take().last().unwrap().of("AlertsBroken"), Some(1), "it is said until it is mended");
    assert_eq!(text(&system.state().await, "last_success"), text(&system.state().await, "last_attempt"));
}
