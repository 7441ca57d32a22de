//! One run at a time looks at a credential, and only that run notes what it found.

use jiff::Timestamp;
use models::{CredentialDates, Purpose};
use store::{CredentialState, Look, Looking, ReadCredentials as _, WatchCredentials as _};
use tests::wire::Fault;

use crate::support::{Bench, noon, seconds, tenant};

const TERM: i64 = 150;

async fn begin(bench: &Bench, run: &str, now: Timestamp) -> Looking {
    bench.store.begin_look(&tenant(), Purpose::Read, run, seconds(TERM), now).await.unwrap()
}

fn granted(looking: Looking) -> Look {
    match looking {
        Looking::Granted(look) => look,
        Looking::Held(known) => panic!("held: {known:?}"),
    }
}

async fn end(bench: &Bench, look: &Look, outcome: &str, now: Timestamp) -> Option<CredentialState> {
    bench.store.end_look(look, outcome, Some(dates()), now).await.unwrap()
}

fn dates() -> CredentialDates {
    CredentialDates {
        refresh_token_obtained: Some(noon() - seconds(86_400)),
        proof_expires: Some("2027-03-02T00:00:00Z".parse().unwrap()),
    }
}

fn found(outcome: &str, now: Timestamp) -> CredentialState {
    let CredentialDates { refresh_token_obtained, proof_expires } = dates();
    CredentialState { checked: Some(now), outcome: Some(outcome.to_owned()), refresh_token_obtained, proof_expires }
}

#[tokio::test]
async fn what_a_run_finds_is_known_to_whoever_asks_of_that_tenant_and_secret() {
    let bench = Bench::new().await;
    assert!(bench.store.credentials(&tenant()).await.unwrap().is_empty());
    let look = granted(begin(&bench, "a", noon()).await);
    assert_eq!(end(&bench, &look, "ok", noon()).await, Some(found("ok", noon())));
    let known = bench.store.credentials(&tenant()).await.unwrap();
    assert_eq!(known.into_iter().collect::<Vec<_>>(), [(Purpose::Read, found("ok", noon()))]);
    let other = "0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a11".parse().unwrap();
    assert!(bench.store.credentials(&other).await.unwrap().is_empty());
}

#[tokio::test]
async fn while_one_run_is_at_it_another_is_told_what_was_known_before() {
    let bench = Bench::new().await;
    let first = granted(begin(&bench, "a", noon()).await);
    assert_eq!(begin(&bench, "b", noon()).await, Looking::Held(CredentialState::default()));
    end(&bench, &first, "throttled", noon()).await;
    let second = granted(begin(&bench, "b", noon() + seconds(1)).await);
    assert_eq!(begin(&bench, "c", noon() + seconds(1)).await, Looking::Held(found("throttled", noon())));
    assert!(end(&bench, &second, "ok", noon() + seconds(2)).await.is_some());
    granted(begin(&bench, "c", noon() + seconds(2)).await);
}

#[tokio::test]
async fn the_two_secrets_of_a_tenant_and_those_of_two_tenants_are_looked_at_side_by_side() {
    let bench = Bench::new().await;
    granted(begin(&bench, "a", noon()).await);
    granted(bench.store.begin_look(&tenant(), Purpose::Act, "b", seconds(TERM), noon()).await.unwrap());
    let other = "0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a11".parse().unwrap();
    granted(bench.store.begin_look(&other, Purpose::Read, "c", seconds(TERM), noon()).await.unwrap());
}

#[tokio::test]
async fn who_dies_locks_nobody_out_and_who_wakes_up_late_notes_nothing() {
    let bench = Bench::new().await;
    let paused = granted(begin(&bench, "a", noon()).await);
    assert!(matches!(begin(&bench, "b", noon() + seconds(TERM - 1)).await, Looking::Held(_)));
    let look = granted(begin(&bench, "b", noon() + seconds(TERM)).await);
    assert_eq!(end(&bench, &paused, "ok", noon() + seconds(TERM)).await, None);
    assert!(matches!(begin(&bench, "c", noon() + seconds(TERM)).await, Looking::Held(_)), "it gave nothing back");
    let later = noon() + seconds(TERM + 1);
    assert_eq!(end(&bench, &look, "mfa-missing", later).await, Some(found("mfa-missing", later)));
    assert_eq!(end(&bench, &paused, "ok", later).await, None, "nor after it was given back");
}

#[tokio::test]
async fn a_clock_that_was_set_back_locks_nobody_out() {
    let bench = Bench::new().await;
    let hour = 3_600;
    granted(begin(&bench, "a", noon() + seconds(hour)).await);
    granted(begin(&bench, "b", noon()).await);
    // A minute is what two clocks may differ.
    let bench = Bench::new().await;
    granted(begin(&bench, "a", noon() + seconds(60)).await);
    assert!(matches!(begin(&bench, "b", noon()).await, Looking::Held(_)));
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for_again_and_is_the_same() {
    let bench = Bench::new().await;
    bench.wire.plan("UpdateItem", 1, Fault::AnswerLost);
    let look = granted(begin(&bench, "a", noon()).await);
    assert_eq!(bench.wire.count("UpdateItem"), 2);
    bench.wire.plan("UpdateItem", 1, Fault::AnswerLost);
    assert_eq!(end(&bench, &look, "ok", noon()).await, Some(found("ok", noon())));
    assert_eq!(bench.wire.count("UpdateItem"), 4);
}

#[tokio::test]
async fn dates_that_could_not_be_read_stay_and_those_that_are_gone_go() {
    let bench = Bench::new().await;
    let look = granted(begin(&bench, "a", noon()).await);
    end(&bench, &look, "ok", noon()).await;
    let unread = bench.store.end_look(&look, "secret-not-read", None, noon()).await.unwrap();
    assert_eq!(unread, Some(found("secret-not-read", noon())));
    let gone = bench.store.end_look(&look, "ok", Some(CredentialDates::default()), noon()).await.unwrap().unwrap();
    assert_eq!((gone.refresh_token_obtained, gone.proof_expires), (None, None));
}

#[tokio::test]
async fn a_store_that_refuses_says_on_what_it_failed() {
    let bench = Bench::new().await;
    bench.wire.plan_always("UpdateItem", Fault::access_denied());
    let error = bench.store.begin_look(&tenant(), Purpose::Read, "a", seconds(TERM), noon()).await.unwrap_err();
    assert_eq!(error.to_string(), "UpdateItem (credential) on the tenants table failed (AccessDeniedException)");
}
