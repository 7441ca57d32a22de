//! Open alerts that the list shows no longer: asked for one by one before anything is concluded.

use jiff::SignedDuration;
use models::AlertSource;
use simulator::{AlertChange, FaultKind, Lag, Target};
use tests::{ByHand, Setup, number, text};

use crate::{
    statistics::assert_statistics_add_up,
    support::{
        fault, fault_once, id_of, of_source, raise_many, raise_of_s, resolved, severity, to_be_published, turn_to,
    },
};

fn gone(is_gone: bool) -> AlertChange {
    AlertChange { gone: Some(is_gone), ..AlertChange::default() }
}

/// Whether an alert is marked as gone.
async fn is_gone(system: &ByHand, id: &str) -> bool {
    let alert = system.alert(id).await.unwrap();
    alert["summary"].as_m().unwrap().contains_key("gone")
}

/// How often Microsoft was asked for one alert since this was asked last.
fn asked(system: &ByHand, before: &mut u64) -> u64 {
    let all = system.microsoft.requests().get;
    all - std::mem::replace(before, all)
}

#[tokio::test]
async fn what_microsoft_knows_no_longer_is_marked_stays_as_it_was_seen_last_and_is_not_asked_for_again() {
    let system = ByHand::start().await;
    system.baseline().await;
    raise_many(&system, "alert", 3);
    system.complete(3, 3).await;
    let (before, published) = (system.statistics().await, to_be_published(&system).await);
    system.change("alert-001", gone(true));
    let mut get = 0;

    system.complete(2, 1).await;

    assert!(is_gone(&system, "alert-001").await && !is_gone(&system, "alert-000").await);
    let alert = system.alert("alert-001").await.unwrap();
    assert_eq!(
        (number(&alert, "version"), text(&alert["summary"].as_m().unwrap().clone(), "status")),
        (2, "active".into())
    );
    assert_eq!(asked(&system, &mut get), 1);
    assert_eq!((system.statistics().await, to_be_published(&system).await), (before, published));
    assert_eq!(system.counted.take().last().unwrap().of("AlertsVanished"), Some(1));

    system.complete(2, 0).await;
    assert_eq!(asked(&system, &mut get), 0);

    // It may come back at any time; within a day it is asked for again, whatever the list says.
    system.change("alert-001", gone(false));
    system.complete(3, 1).await;
    assert!(!is_gone(&system, "alert-001").await);
    assert_eq!(number(&system.alert("alert-001").await.unwrap(), "version"), 3);
    assert_statistics_add_up(&system).await;
}

#[tokio::test]
async fn one_that_the_list_leaves_out_and_microsoft_shows_by_its_id_is_taken_as_it_is_shown_for_as_long_as_it_is_left_out()
 {
    let system = ByHand::start().await;
    system.baseline().await;
    raise_many(&system, "alert", 2);
    system.complete(2, 2).await;
    // Gone from the list alone: what it shows by its id is older than that, and then newer.
    system.change("alert-001", severity("medium"));
    system.complete(2, 1).await;
    let left_out = |get| AlertChange { lag: Lag { list: 0, get }, ..gone(true) };
    system.change("alert-001", left_out(2));
    let mut get = 0;

    system.complete(1, 0).await;
    system.complete(1, 0).await;
    assert_eq!(asked(&system, &mut get), 2);
    assert!(!is_gone(&system, "alert-001").await);

    system.complete(1, 1).await;
    assert!(is_gone(&system, "alert-001").await);
}

#[tokio::test]
async fn while_microsoft_gives_no_answer_nothing_is_concluded_and_the_next_run_asks_again() {
    let system = ByHand::start().await;
    system.baseline().await;
    raise_many(&system, "alert", 3);
    system.complete(3, 3).await;
    for id in ["alert-000", "alert-002"] {
        system.change(id, gone(true));
    }
    let later = FaultKind::Throttle { retry_after: simulator::RetryAfter::Seconds(120) };
    for (kind, asked_for) in [(FaultKind::MissingMfa, 2), (later, 1)] {
        fault(&system, Target::Get, kind);
        let mut before = system.microsoft.requests().get;
        system.complete(1, 0).await;
        assert_eq!(asked(&system, &mut before), asked_for, "{kind:?}");
        system.microsoft.clear_faults();
        assert!(!is_gone(&system, "alert-000").await && !is_gone(&system, "alert-002").await, "{kind:?}");
    }
    // Of somebody in front of Graph, who may mean this address alone: the other one is asked for.
    let (body, retry_after) = (simulator::ErrorBody::Html, simulator::RetryAfter::Absent);
    fault_once(&system, Target::Get, FaultKind::Answer { status: 404, body, retry_after });
    system.complete(1, 1).await;
    assert_ne!(is_gone(&system, "alert-000").await, is_gone(&system, "alert-002").await);

    system.complete(1, 1).await;

    assert!(is_gone(&system, "alert-000").await && is_gone(&system, "alert-002").await);
}

#[tokio::test]
async fn nothing_is_concluded_from_a_list_that_broke_off() {
    let system = ByHand::with(Setup { page_size: 1, ..Setup::default() }).await;
    system.baseline().await;
    raise_many(&system, "alert", 3);
    system.complete(3, 3).await;
    fault(&system, Target::List, FaultKind::Truncated);

    system.reconcile().await.unwrap_err();

    assert_eq!(system.microsoft.requests().get, 0);
    system.microsoft.clear_faults();
    system.complete(3, 0).await;
    assert_eq!(system.microsoft.requests().get, 0, "what was met is not missing");
}

#[tokio::test]
async fn a_resolved_alert_that_is_listed_no_longer_is_nobodys_business() {
    let system = ByHand::start().await;
    raise_many(&system, "alert", 2);
    system.change("alert-000", resolved("fraud"));
    system.complete(2, 2).await;
    system.change("alert-000", gone(true));

    system.complete(1, 0).await;
    system.complete(1, 0).await;

    assert_eq!(system.microsoft.requests().get, 0);
    assert!(!is_gone(&system, "alert-000").await);
}

#[tokio::test]
async fn twenty_are_asked_for_in_one_run_and_the_rest_in_those_that_follow() {
    let system = ByHand::start().await;
    raise_many(&system, "alert", 50);
    system.complete(50, 50).await;
    for number in 0..45 {
        system.change(&format!("alert-{number:03}"), gone(true));
    }

    system.complete(5, 20).await;
    system.complete(5, 20).await;
    system.complete(5, 5).await;
    system.complete(5, 0).await;

    assert_eq!(system.microsoft.requests().get, 45);
}

#[tokio::test]
async fn within_a_day_all_that_is_open_and_not_listed_is_asked_for_again() {
    let system = ByHand::start().await;
    raise_many(&system, "alert", 2);
    system.complete(2, 2).await;
    system.change("alert-000", gone(true));
    system.complete(1, 1).await;
    // It is back, and no list shows it.
    system.change("alert-000", AlertChange { lag: Lag { list: 1_000, get: 0 }, ..gone(false) });
    system.complete(1, 0).await;
    assert!(is_gone(&system, "alert-000").await);

    system.clock.advance(SignedDuration::from_hours(24));
    system.complete(1, 1).await;

    assert!(!is_gone(&system, "alert-000").await);
}

#[tokio::test]
async fn a_source_that_cannot_be_asked_for_one_alert_lets_nothing_be_concluded() {
    let system = of_source(AlertSource::FraudEvents, Setup::default()).await;
    raise_of_s(&system, 2);
    system.complete(2, 2).await;
    system.change("alert-000", gone(true));

    system.complete(1, 0).await;
    let _ = system.tap.take();
    system.complete(1, 0).await;

    assert_eq!(
        system.tap.take_operations(),
        ["Query", "UpdateItem", "Query", "UpdateItem"],
        "nor is it looked for again"
    );
    assert!(!is_gone(&system, &id_of(AlertSource::FraudEvents, "alert-000")).await);
}

#[tokio::test]
async fn alerts_of_the_source_before_are_not_asked_for_at_the_source_of_today_and_stay_as_they_are() {
    for (before, after) in
        [(AlertSource::FraudEvents, AlertSource::Graph), (AlertSource::Graph, AlertSource::FraudEvents)]
    {
        let system = of_source(before, Setup::default()).await;
        system.baseline().await;
        raise_of_s(&system, 6);
        system.complete(6, 6).await;
        let _ = system.counted.take();

        turn_to(&system, after).await;
        for days in [0, 2] {
            system.clock.advance(SignedDuration::from_hours(24 * days));
            system.complete(6, if days == 0 { 6 } else { 0 }).await;
        }

        assert_eq!(system.microsoft.requests().get, 0, "{after:?}");
        let vanished = system.counted.take().iter().filter_map(|counts| counts.of("AlertsVanished")).sum::<usize>();
        assert_eq!(vanished, 0, "{after:?}");
        // What is listed no longer leaves the hint, too: nothing is looked for in vain.
        let _ = system.tap.take();
        system.complete(6, 0).await;
        assert_eq!(system.tap.take_operations(), ["Query", "UpdateItem", "Query", "UpdateItem"]);
    }
}

#[tokio::test]
async fn however_many_are_gone_those_that_go_after_them_are_asked_for() {
    let system = ByHand::start().await;
    system.baseline().await;
    raise_many(&system, "alert", 200);
    raise_many(&system, "later", 3);
    system.complete(203, 203).await;
    for number in 0..200 {
        system.change(&format!("alert-{number:03}"), gone(true));
    }
    for left in (0..10).rev() {
        system.complete(3, 20).await;
        assert_eq!(system.microsoft.requests().get, 200 - 20 * left);
    }
    system.complete(3, 0).await;

    for number in 0..3 {
        system.change(&format!("later-{number:03}"), gone(true));
    }
    system.complete(0, 3).await;
    let mut get = 203;
    assert_eq!(asked(&system, &mut get), 0, "they alone were asked for");
    system.complete(0, 0).await;
    assert_eq!(asked(&system, &mut get), 0);

    // Once a day some of those that are gone are asked for, too, and each day others.
    for _ in 0..2 {
        system.clock.advance(SignedDuration::from_hours(25));
        system.complete(0, 0).await;
        assert_eq!(asked(&system, &mut get), 20);
        system.complete(0, 0).await;
        assert_eq!(asked(&system, &mut get), 0);
    }
}
