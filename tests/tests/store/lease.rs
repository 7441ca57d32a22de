//! One run per tenant at a time.

use std::sync::Arc;

use jiff::Timestamp;
use store::{Acquired, Grant, LastRun, Lease as _, Outcome, ReadLastRuns as _, Rung, WriteAlerts as _};
use tokio::task::JoinSet;

use crate::support::{Bench, COMPLETE, TERMS, granted, holder, noon, seconds, tenant, text};

const GAP: i64 = 15;
const DURATION: i64 = 120;
const HOUR: i64 = 3600;

async fn acquire(bench: &Bench, now: Timestamp) -> Acquired {
    bench.store.acquire(&tenant(), TERMS, &holder(), now).await.unwrap()
}

async fn release(bench: &Bench, grant: &Grant, now: Timestamp) -> bool {
    bench.store.release(grant, COMPLETE, 0, now).await.unwrap()
}

#[tokio::test]
async fn the_first_who_asks_gets_the_lease_of_a_tenant_that_nobody_looked_at() {
    let bench = Bench::new().await;
    let expected = Grant {
        tenant: tenant(),
        fence: 1,
        started: noon(),
        baseline_pending: true,
        trusts_hint: false,
        resumes: false,
        last_callback: None,
        since: Some(noon()),
    };
    assert_eq!(acquire(&bench, noon()).await, Acquired::Granted(expected));
}

#[tokio::test]
async fn who_asks_for_a_held_lease_leaves_word_and_the_holder_learns_of_it() {
    let bench = Bench::new().await;
    let grant = granted(acquire(&bench, noon()).await);
    for later in [0, 1, DURATION - 1] {
        assert_eq!(acquire(&bench, noon() + seconds(later)).await, Acquired::Held);
    }
    assert!(release(&bench, &grant, noon() + seconds(DURATION - 1)).await);
}

#[tokio::test]
async fn a_holder_that_nobody_rang_learns_that() {
    let bench = Bench::new().await;
    let grant = granted(acquire(&bench, noon()).await);
    assert!(!release(&bench, &grant, noon() + seconds(1)).await);
}

#[tokio::test]
async fn word_that_was_left_is_gone_with_the_next_grant() {
    let bench = Bench::new().await;
    let first = granted(acquire(&bench, noon()).await);
    assert_eq!(acquire(&bench, noon()).await, Acquired::Held);
    assert!(release(&bench, &first, noon() + seconds(1)).await);
    let second = granted(acquire(&bench, noon() + seconds(GAP)).await);
    assert!(!release(&bench, &second, noon() + seconds(GAP + 1)).await);
}

#[tokio::test]
async fn who_comes_too_soon_is_told_how_long_to_wait_and_only_the_first_comes_back() {
    let bench = Bench::new().await;
    let grant = granted(acquire(&bench, noon()).await);
    release(&bench, &grant, noon() + seconds(1)).await;
    let too_soon = |wait, rung| Acquired::TooSoon { wait: seconds(wait), rung };
    assert_eq!(acquire(&bench, noon() + seconds(5)).await, too_soon(10, Rung::ByUs));
    assert_eq!(acquire(&bench, noon() + seconds(6)).await, too_soon(9, Rung::Before));
    // A wait of no time would be no wait.
    assert_eq!(acquire(&bench, noon() + seconds(GAP) - seconds(1) / 2).await, too_soon(1, Rung::Before));
    assert_eq!(granted(acquire(&bench, noon() + seconds(GAP)).await).fence, 2);
}

#[tokio::test]
async fn a_lease_that_ran_out_passes_on_with_a_higher_fence() {
    let bench = Bench::new().await;
    let old = granted(acquire(&bench, noon()).await);
    assert_eq!(acquire(&bench, noon() + seconds(DURATION - 1)).await, Acquired::Held);
    let new = granted(acquire(&bench, noon() + seconds(DURATION)).await);
    assert_eq!((old.fence, new.fence), (1, 2));
}

#[tokio::test]
async fn a_release_by_an_old_holder_does_nothing() {
    let bench = Bench::new().await;
    let old = granted(acquire(&bench, noon()).await);
    let new = granted(acquire(&bench, noon() + seconds(DURATION)).await);
    assert_eq!(acquire(&bench, noon() + seconds(DURATION)).await, Acquired::Held);
    let state = bench.item(&bench.tables.tenants, tenant().as_str(), "state").await.unwrap();
    assert!(!release(&bench, &old, noon() + seconds(DURATION + 1)).await, "the word was left for the new holder");
    assert_eq!(bench.item(&bench.tables.tenants, tenant().as_str(), "state").await.unwrap(), state);
    assert!(release(&bench, &new, noon() + seconds(DURATION + 2)).await);
}

#[tokio::test]
async fn only_a_complete_run_is_a_success() {
    let bench = Bench::new().await;
    let grant = granted(acquire(&bench, noon()).await);
    bench.store.release(&grant, Outcome::Failed, 0, noon() + seconds(1)).await.unwrap();
    let state = bench.item(&bench.tables.tenants, tenant().as_str(), "state").await.unwrap();
    assert_eq!(text(&state, "last_attempt"), "2026-03-02T12:00:01.250Z");
    assert!(!state.contains_key("last_success"));
    let grant = granted(acquire(&bench, noon() + seconds(GAP)).await);
    bench.store.release(&grant, COMPLETE, 0, noon() + seconds(GAP + 1)).await.unwrap();
    let state = bench.item(&bench.tables.tenants, tenant().as_str(), "state").await.unwrap();
    assert_eq!(text(&state, "last_success"), "2026-03-02T12:00:16.250Z");
}

#[tokio::test]
async fn what_came_of_the_last_run_is_told_apart_also_while_the_next_one_is_under_way() {
    let bench = Bench::new().await;
    let mut start = noon();
    let last = async || bench.store.last_runs(&tenant()).await.unwrap().last();
    assert_eq!(last().await, LastRun::Complete, "there was none");
    for (outcome, expected) in [
        (Outcome::Failed, LastRun::Failed),
        (COMPLETE, LastRun::Complete),
        (Outcome::Cut { hint_is_whole: true }, LastRun::Cut),
        (Outcome::Cut { hint_is_whole: false }, LastRun::Cut),
        (Outcome::Failed, LastRun::Failed),
        (COMPLETE, LastRun::Complete),
    ] {
        let before = last().await;
        let grant = granted(acquire(&bench, start).await);
        assert_eq!(last().await, before, "one that is under way");
        bench.store.release(&grant, outcome, 0, start + seconds(1)).await.unwrap();
        assert_eq!(last().await, expected, "{outcome:?}");
        start += seconds(GAP);
    }
}

#[tokio::test]
async fn a_baseline_is_pending_until_it_is_finished() {
    let bench = Bench::new().await;
    let first = granted(acquire(&bench, noon()).await);
    release(&bench, &first, noon()).await;
    let second = granted(acquire(&bench, noon() + seconds(GAP)).await);
    assert!(second.baseline_pending);
    assert!(!bench.store.finish_baseline(&first, None, noon()).await.unwrap(), "its lease has passed on");
    assert!(bench.store.finish_baseline(&second, None, noon()).await.unwrap());
    release(&bench, &second, noon() + seconds(GAP)).await;
    assert!(!granted(acquire(&bench, noon() + seconds(2 * GAP)).await).baseline_pending);
}

#[tokio::test]
async fn the_hint_is_believed_after_a_complete_run_and_for_a_day_after_a_full_comparison() {
    let bench = Bench::new().await;
    let day = 24 * HOUR;
    // When each run starts, how it ends, and whether it may believe the hint.
    for (later, outcome, trusts) in [
        (0, Outcome::Failed, false),
        (60, COMPLETE, false),
        (120, COMPLETE, true),
        (180, Outcome::Failed, true),
        (240, COMPLETE, false),
        (day, COMPLETE, true),
        (day + 239, COMPLETE, true),
        (day + 300, COMPLETE, false),
        (day + 360, COMPLETE, true),
    ] {
        let now = noon() + seconds(later);
        let grant = granted(acquire(&bench, now).await);
        assert_eq!(grant.trusts_hint, trusts, "the run {later} s after noon");
        bench.store.release(&grant, outcome, 0, now).await.unwrap();
    }
}

#[tokio::test]
async fn the_hint_is_not_believed_after_a_run_that_was_cut_off() {
    let bench = Bench::new().await;
    let grant = granted(acquire(&bench, noon()).await);
    release(&bench, &grant, noon()).await;
    assert!(granted(acquire(&bench, noon() + seconds(GAP)).await).trusts_hint);
    assert!(!granted(acquire(&bench, noon() + seconds(GAP + DURATION)).await).trusts_hint);
}

#[tokio::test]
async fn a_clock_that_was_set_back_by_an_hour_locks_nobody_out_of_a_lease_that_was_given_back() {
    let bench = Bench::new().await;
    let grant = granted(acquire(&bench, noon()).await);
    release(&bench, &grant, noon() + seconds(1)).await;
    assert_eq!(granted(acquire(&bench, noon() - seconds(HOUR)).await).fence, 2);
}

#[tokio::test]
async fn a_clock_that_was_set_back_by_an_hour_locks_nobody_out_of_a_lease_that_was_not() {
    let bench = Bench::new().await;
    granted(acquire(&bench, noon()).await);
    assert_eq!(granted(acquire(&bench, noon() - seconds(HOUR)).await).fence, 2);
}

#[tokio::test]
async fn a_clock_that_is_a_little_behind_the_holder_s_does_not_take_the_lease_from_it() {
    let bench = Bench::new().await;
    let grant = granted(acquire(&bench, noon()).await);
    // The two started in one order and got through in the other, or their machines differ.
    for behind in [seconds(1) / 1000, seconds(1), seconds(5)] {
        assert_eq!(acquire(&bench, noon() - behind).await, Acquired::Held);
    }
    assert!(release(&bench, &grant, noon() + seconds(1)).await);
    for behind in [seconds(1) / 1000, seconds(1), seconds(5)] {
        let acquired = acquire(&bench, noon() - behind).await;
        assert_eq!(acquired, Acquired::TooSoon { wait: seconds(GAP), rung: Rung::Before });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_thirty_two_who_ask_at_once_one_gets_the_lease() {
    let bench = Arc::new(Bench::new().await);
    let mut under_way = JoinSet::new();
    for number in 0..32 {
        let bench = Arc::clone(&bench);
        // Clocks are never quite the same.
        let now = noon() + seconds(number % 4) / 100;
        under_way.spawn(async move { acquire(&bench, now).await });
    }
    let acquired = under_way.join_all().await;
    let (granted, others): (Vec<_>, Vec<_>) =
        acquired.into_iter().partition(|acquired| matches!(acquired, Acquired::Granted(_)));
    assert_eq!(granted.len(), 1, "{granted:?}");
    assert_eq!(others, vec![Acquired::Held; 31]);
}
