//! Many at the same time, on one alert.

use std::{collections::BTreeSet, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use models::Act;
use poll::{ReconcileError, Reconciled};
use serde_json::json;
use simulator::AlertChange;
use tests::START;

use crate::support::Desk;

/// Resolves an alert, and opens it again where it is resolved, until that is what comes of it.
async fn decide(desk: &Desk) {
    loop {
        let seen = desk.kept("a").await.stored;
        let is_open = seen.known.alert.state() == models::AlertState::Open;
        let (act, body) = if is_open {
            ("resolve", json!({ "version": seen.version, "reason": "fraud" }))
        } else {
            ("reopen", json!({ "version": seen.version }))
        };
        let reply = desk.act("a", act, &body).await;
        match (reply.status, reply.problem()) {
            (200, _) => return,
            (409, "changed-meanwhile") => {}
            other => panic!("{other:?} {reply:?}"),
        }
    }
}

/// Sixteen times Microsoft says something new of the alert, and a run looks. How many times it was written.
async fn polls(desk: &Desk) -> usize {
    let start: Timestamp = START.parse().unwrap();
    let mut written = 0;
    for number in 0..16 {
        let last_observed_date_time = Some(start + SignedDuration::from_secs(number));
        desk.system.change("a", AlertChange { last_observed_date_time, ..AlertChange::default() });
        match desk.system.reconcile().await {
            Ok(Reconciled::Done { changed, .. }) => written += changed,
            // People were quicker three times in a row: the next run writes it.
            Err(ReconcileError::Unsettled(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    written
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_resolves_notes_and_runs_on_one_alert_nothing_is_lost_and_each_moves_the_version_by_one() {
    let desk = Arc::new(Desk::with(&["a"]).await);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..48 {
        let desk = Arc::clone(&desk);
        tasks.spawn(async move {
            if number % 3 == 0 {
                decide(&desk).await;
            } else {
                let reply = desk.act("a", "notes", &json!({ "note": format!("Note {number}.") })).await;
                assert_eq!(reply.status, 200, "{reply:?}");
            }
        });
    }
    let written_by_runs = polls(&desk).await;
    tasks.join_all().await;

    let kept = desk.kept("a").await;
    let notes: BTreeSet<_> = kept.work.notes.iter().map(|note| note.text.as_str().to_owned()).collect();
    let expected: BTreeSet<_> =
        (0..48).filter(|number| number % 3 > 0).map(|number| format!("Note {number}.")).collect();
    assert_eq!(notes, expected);
    let acts = desk.acts("a").await;
    let count = |wanted: Act| acts.iter().filter(|act| **act == wanted).count();
    assert_eq!(count(Act::Noted), 32);
    assert_eq!(
        count(Act::StatusAsked),
        count(Act::StatusDone) + count(Act::StatusSuperseded) + count(Act::StatusOverlapped),
        "{acts:?}"
    );
    assert!(count(Act::StatusDone) > 0);
    // The first sight of the alert, and each thing that was written since.
    assert_eq!(kept.stored.version, 1 + u64::try_from(acts.len() + written_by_runs).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_request_that_comes_sixteen_times_at_once_is_done_once() {
    let desk = Arc::new(Desk::with(&["a"]).await);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let desk = Arc::clone(&desk);
        tasks.spawn(async move {
            desk.act_by("double-click", "a", "resolve", &json!({ "version": 1, "reason": "fraud" })).await
        });
    }
    for reply in tasks.join_all().await {
        assert_eq!((reply.status, &reply.body["result"]), (200, &json!({ "kind": "done", "version": 3 })), "{reply:?}");
    }
    assert_eq!(desk.acts("a").await, [Act::StatusAsked, Act::StatusDone]);
    assert_eq!(desk.version("a").await, 3);
}
