//! How old, and how far ahead, a change may be.

use jiff::{SignedDuration, Timestamp};

use crate::support::{FRAUD, Fixture, event_body};

const OLDEST: SignedDuration = SignedDuration::from_hours(29 * 24);
const AHEAD: SignedDuration = SignedDuration::from_mins(10);
const SECOND: SignedDuration = SignedDuration::from_secs(1);

async fn told(here: &Fixture, changed: Timestamp) -> (&'static str, u16) {
    here.told(&here.genuine(&event_body(FRAUD, changed, 0))).await
}

#[tokio::test]
async fn a_change_of_29_days_ago_is_the_oldest_that_is_kept() {
    let here = Fixture::new().await;
    assert_eq!(told(&here, here.now - OLDEST - SECOND).await, ("out-of-time", 401));
    assert_eq!(told(&here, here.now - OLDEST - SignedDuration::from_nanos(1)).await, ("out-of-time", 401));
    assert_eq!(here.events().await.len(), 0);
    assert_eq!(told(&here, here.now - OLDEST).await, ("kept", 200));
}

#[tokio::test]
async fn a_change_that_lies_10_minutes_ahead_is_the_latest_that_is_kept() {
    let here = Fixture::new().await;
    assert_eq!(told(&here, here.now + AHEAD + SECOND).await, ("out-of-time", 401));
    assert_eq!(told(&here, here.now + AHEAD + SignedDuration::from_nanos(1)).await, ("out-of-time", 401));
    assert_eq!(told(&here, "9999-12-30T22:00:00Z".parse().unwrap()).await, ("out-of-time", 401));
    assert_eq!(told(&here, "-009999-01-02T01:59:59Z".parse().unwrap()).await, ("out-of-time", 401));
    assert_eq!(here.events().await.len(), 0);
    assert_eq!(told(&here, here.now + AHEAD).await, ("kept", 200));
}

#[tokio::test]
async fn a_callback_that_is_out_of_time_rings_nobody() {
    let here = Fixture::new().await;
    told(&here, here.now - OLDEST - SECOND).await;
    assert_eq!(here.wire.operations(), ["Query"]);
}

#[tokio::test]
async fn a_replay_is_a_duplicate_until_it_is_too_old_and_never_new_again() {
    let here = Fixture::new().await;
    let request = here.genuine(&event_body(FRAUD, here.now, 0));
    assert_eq!(here.told(&request).await, ("kept", 200));
    for _ in 0..29 {
        here.advance(24 * 3600);
        assert_eq!(here.told(&request).await, ("duplicate", 200));
    }
    here.advance(1);
    // Its record is still there, and would be for most of a day.
    assert_eq!(here.told(&request).await, ("out-of-time", 401));
    for _ in 0..3 {
        here.advance(24 * 3600);
        assert_eq!(here.told(&request).await, ("out-of-time", 401));
    }
    assert_eq!(here.wire.count("SendMessage"), 1);
}

#[tokio::test]
async fn a_callback_of_the_near_future_is_not_new_again_at_its_oldest() {
    let here = Fixture::new().await;
    let request = here.genuine(&event_body(FRAUD, here.now + AHEAD, 0));
    assert_eq!(here.told(&request).await, ("kept", 200));
    // The latest moment at which it is still accepted, 29 days and 10 minutes after it came.
    here.clock.advance(AHEAD + OLDEST);
    assert_eq!(here.told(&request).await, ("duplicate", 200));
}
