//! Somebody else is quicker, Microsoft refuses or can't be reached, keys are used again.

use jiff::SignedDuration;
use models::{Act, OperationState, Standing, Status, Tenant};
use serde_json::json;
use simulator::{AlertChange, ErrorBody, Fault, FaultKind, Lag, RetryAfter, Target};
use store::{KeepOperations as _, ReadTenants as _, WriteTenants as _};
use tests::Lines;

use crate::support::Desk;

fn resolved(reason: &str) -> AlertChange {
    AlertChange {
        status: Some("resolved".to_owned()),
        resolved_reason: Some(reason.to_owned()),
        ..AlertChange::default()
    }
}

fn refused(status: u16) -> FaultKind {
    FaultKind::Answer { status, body: ErrorBody::Graph, retry_after: RetryAfter::Absent }
}

#[tokio::test]
async fn who_saw_an_older_version_is_told_where_it_stands_and_nothing_is_done() {
    let desk = Desk::with(&["a"]).await;
    assert_eq!(desk.resolve_as("a", "legitimate").await.status, 200);
    let late = desk.act("a", "resolve", &json!({ "version": 1, "reason": "fraud" })).await;
    assert_eq!((late.status, late.problem()), (409, "changed-meanwhile"), "{late:?}");
    assert_eq!(late.body["now"], json!({ "status": "resolved", "reason": "legitimate" }));
    assert_eq!((desk.version("a").await, desk.acts("a").await.len()), (3, 2));
    assert_eq!(desk.at_microsoft("a").2, 1);
}

#[tokio::test]
async fn who_is_overtaken_at_microsoft_is_told_so_and_changes_nothing_there() {
    let desk = Desk::with(&["a"]).await;
    desk.system.change("a", resolved("legitimate"));
    let reply = desk.resolve_as("a", "fraud").await;
    assert_eq!((reply.status, reply.problem()), (409, "changed-meanwhile"), "{reply:?}");
    assert_eq!(reply.body["now"], json!({ "status": "resolved", "reason": "legitimate" }));
    assert_eq!(desk.at_microsoft("a").1.as_deref(), Some("legitimate"));
    assert_eq!(desk.acts("a").await, [Act::StatusAsked, Act::StatusSuperseded]);
    assert_eq!(desk.kept("a").await.stored.known.alert.status, Status::Active, "the next run brings it");
    let operation = desk.operation(&reply.operation()).await;
    assert_eq!(operation.state, OperationState::Done);
    desk.system.complete(1, 1).await;
    let same = desk.resolve_as("a", "legitimate").await;
    assert_eq!(same.body["result"], json!({ "kind": "already_so" }));
}

#[tokio::test]
async fn what_stands_at_microsoft_already_stays_as_it_is_there() {
    let desk = Desk::with(&["a"]).await;
    desk.system.change("a", resolved("fraud"));
    let before = desk.at_microsoft("a");
    let reply = desk.resolve_as("a", "fraud").await;
    assert_eq!((reply.status, &reply.body["result"]["kind"]), (200, &json!("done")), "{reply:?}");
    assert_eq!(desk.at_microsoft("a"), before);
}

#[tokio::test]
async fn a_look_that_lags_behind_our_own_decision_is_no_conflict() {
    let desk = Desk::with(&["a"]).await;
    desk.system.change("a", AlertChange { lag: Lag { get: 9, list: 9 }, ..AlertChange::default() });
    assert_eq!(desk.resolve_as("a", "fraud").await.status, 200);
    let reopened = desk.act("a", "reopen", &json!({ "version": 3 })).await;
    assert_eq!(reopened.status, 200, "{reopened:?}");
    assert_eq!(desk.kept("a").await.stored.known.alert.status, Status::Active);
    assert_eq!(desk.at_microsoft("a").0, "active");
}

#[tokio::test]
async fn microsofts_refusal_is_told_with_its_code_and_what_to_do_and_ends_the_operation() {
    for (fault, status, meaning) in [
        (refused(400), "microsoft-refused", Some("change-refused")),
        (FaultKind::MissingMfa, "microsoft-refused", None),
    ] {
        let desk = Desk::with(&["a"]).await;
        desk.system.microsoft.set_fault(Fault::new(Target::Patch, fault)).unwrap();
        let body = json!({ "version": 1, "reason": "fraud" });
        let reply = desk.act_by("k", "a", "resolve", &body).await;
        assert_eq!((reply.status, reply.problem()), (422, status), "{reply:?}");
        assert!(!reply.body["code"].as_str().unwrap().is_empty());
        assert!(reply.body["what_to_do"].as_str().unwrap().len() > 20);
        if let Some(meaning) = meaning {
            assert_eq!(reply.body["meaning"], meaning);
        }
        let acts = desk.acts("a").await;
        assert!(matches!(acts[..], [Act::StatusAsked, Act::StatusRefused(_)]), "{acts:?}");
        assert_eq!(desk.kept("a").await.stored.known.alert.status, Status::Active);
        assert_eq!(desk.operation(&reply.operation()).await.state, OperationState::Done);
        desk.system.microsoft.clear_faults();
        let again = desk.act_by("k", "a", "resolve", &body).await;
        assert_eq!((again.status, &again.body["code"]), (422, &reply.body["code"]), "as the first time");
        assert_eq!(desk.acts("a").await.len(), 2);
    }
}

#[tokio::test]
async fn what_microsoft_can_not_be_told_now_the_queue_tells_it_later() {
    let desk = Desk::with(&["a"]).await;
    desk.system
        .microsoft
        .set_fault(Fault::new(Target::Patch, FaultKind::Throttle { retry_after: RetryAfter::Seconds(300) }))
        .unwrap();
    let body = json!({ "version": 1, "reason": "fraud" });
    let reply = desk.act_by("k", "a", "resolve", &body).await;
    assert_eq!((reply.status, &reply.body["result"]), (202, &json!({ "kind": "pending" })), "{reply:?}");
    let place = format!("/api/v1/tenants/{}/operations/{}", desk.tenant(), reply.operation());
    assert_eq!(reply.location, Some(place));
    assert_eq!(desk.acts("a").await, [Act::StatusAsked]);
    let queued = desk.queued();
    assert_eq!(queued.len(), 1, "{queued:?}");
    assert!(desk.deliver(&queued).await, "it goes on by another message");
    let next = desk.queued();
    assert_eq!(next.len(), 1, "{next:?}");
    desk.system.microsoft.clear_faults();
    desk.system.clock.advance(SignedDuration::from_mins(10));
    assert!(desk.deliver(&next).await);
    assert_eq!(desk.queued(), Vec::<String>::new());
    assert_eq!(desk.acts("a").await, [Act::StatusAsked, Act::StatusDone]);
    assert_eq!(desk.at_microsoft("a").1.as_deref(), Some("fraud"));
    let again = desk.act_by("k", "a", "resolve", &body).await;
    assert_eq!((again.status, &again.body["result"]), (200, &json!({ "kind": "done", "version": 3 })));
    assert!(desk.deliver(&next).await, "a message that comes twice does nothing");
    assert_eq!(desk.acts("a").await.len(), 2);
}

#[tokio::test]
async fn the_sweep_finds_what_even_the_queue_has_lost_and_leaves_what_is_fresh() {
    let desk = Desk::with(&["a"]).await;
    desk.system
        .microsoft
        .set_fault(Fault::new(Target::Patch, FaultKind::Throttle { retry_after: RetryAfter::Seconds(300) }))
        .unwrap();
    assert_eq!(desk.resolve_as("a", "fraud").await.status, 202);
    let _lost = desk.queued();
    desk.sweep().await.unwrap();
    assert_eq!(desk.queued(), Vec::<String>::new(), "somebody may still be at it");
    desk.system.clock.advance(SignedDuration::from_mins(10));
    desk.system.microsoft.clear_faults();
    desk.sweep().await.unwrap();
    let found = desk.queued();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(desk.deliver(&found).await);
    assert_eq!(desk.acts("a").await, [Act::StatusAsked, Act::StatusDone]);
    desk.system.clock.advance(SignedDuration::from_mins(10));
    desk.sweep().await.unwrap();
    assert_eq!(desk.queued(), Vec::<String>::new(), "nothing is left");
}

#[tokio::test]
async fn what_microsoft_turns_away_for_an_hour_is_given_up_and_nothing_was_done() {
    let desk = Desk::with(&["a"]).await;
    desk.system
        .microsoft
        .set_fault(Fault::new(Target::Patch, FaultKind::Throttle { retry_after: RetryAfter::Seconds(90) }))
        .unwrap();
    let reply = desk.resolve_as("a", "fraud").await;
    assert_eq!(reply.status, 202);
    let queued = desk.queued();
    desk.system.clock.advance(SignedDuration::from_mins(59));
    assert!(desk.deliver(&queued).await);
    assert_eq!(desk.acts("a").await, [Act::StatusAsked]);
    desk.system.clock.advance(SignedDuration::from_mins(2));
    assert!(desk.deliver(&queued).await);
    let acts = desk.acts("a").await;
    assert!(
        matches!(&acts[..], [Act::StatusAsked, Act::StatusRefused(refusal)] if refusal.code == "not-told"),
        "{acts:?}"
    );
    let left = desk.system.store().unfinished(&desk.tenant()).await.unwrap();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn each_sweep_counts_what_has_got_no_further_for_a_quarter_of_an_hour_and_names_it() {
    let desk = Desk::with(&["a", "b"]).await;
    desk.system
        .microsoft
        .set_fault(Fault::new(Target::Patch, FaultKind::Throttle { retry_after: RetryAfter::Seconds(90) }))
        .unwrap();
    let operation = desk.resolve_as("a", "fraud").await.operation();
    assert_eq!(desk.act("b", "notes", &json!({ "note": "Done at once." })).await.status, 200);
    let _ = desk.system.counted.take();
    let lines = Lines::capture("warn");
    let swept = async |minutes| {
        desk.system.clock.advance(SignedDuration::from_mins(minutes));
        desk.sweep().await.unwrap();
        desk.system.counted.take().iter().map(|counts| counts.of("OperationsStuck")).collect::<Vec<_>>()
    };
    assert_eq!(swept(14).await, [Some(0)]);
    assert_eq!(lines.take(), "");
    assert_eq!(swept(1).await, [Some(1)]);
    let line = lines.take();
    assert!(line.contains("an operation has got no further") && line.contains(operation.as_str()), "{line}");
    desk.system.microsoft.clear_faults();
    assert!(desk.deliver(&desk.queued()).await);
    assert_eq!(swept(0).await, [Some(0)]);
    desk.system.tap.refuse("Query", "AccessDeniedException");
    desk.sweep().await.unwrap_err();
    assert!(desk.system.counted.take().is_empty(), "where nobody has looked there is no figure");
}

#[tokio::test]
async fn a_key_stands_for_one_request_of_one_caller() {
    let desk = Desk::with(&["a"]).await;
    let body = json!({ "note": "Once." });
    let first = desk.act_by("k", "a", "notes", &body).await;
    let again = desk.act_by("k", "a", "notes", &body).await;
    assert_eq!((first.status, &first), (200, &again));
    assert_eq!(desk.kept("a").await.work.notes.len(), 1);
    for (act, body) in [("notes", json!({ "note": "Twice." })), ("resolve", json!({ "version": 2, "reason": "fraud" }))]
    {
        let other = desk.act_by("k", "a", act, &body).await;
        assert_eq!((other.status, other.problem()), (422, "idempotency-key-used"), "{act}: {other:?}");
    }
    assert_eq!(desk.version("a").await, 2);
    let somebody =
        crate::support::person("88888888-2222-4333-8444-555555555555", &["AdminAgent"], identity::How::Bearer);
    let theirs =
        desk.send(&crate::support::about("a", "notes", Some("k"), &json!({ "note": "Mine." }), somebody)).await;
    assert_eq!(theirs.status, 200, "another caller's key is another");
    assert_eq!(desk.kept("a").await.work.notes.len(), 2);
}

#[tokio::test]
async fn a_tenant_without_a_secret_to_act_with_is_told_and_nothing_is_written() {
    let desk = Desk::with(&["a"]).await;
    let store = desk.system.store();
    let tenant = store.tenants().await.unwrap().remove(0);
    for (tenant, act, body) in [
        (Tenant { act_secret: None, ..tenant.clone() }, "resolve", json!({ "version": 1, "reason": "fraud" })),
        (Tenant { active: false, ..tenant.clone() }, "resolve", json!({ "version": 1, "reason": "fraud" })),
        (
            Tenant { alert_source: models::AlertSource::FraudEvents, ..tenant.clone() },
            "reopen",
            json!({ "version": 1 }),
        ),
    ] {
        store.put_tenant(&tenant).await.unwrap();
        let reply = desk.act("a", act, &body).await;
        assert_eq!((reply.status, reply.problem()), (422, "not-possible"), "{reply:?}");
    }
    assert_eq!((desk.version("a").await, desk.acts("a").await.len()), (1, 0));
    assert_eq!(Standing::of(&desk.kept("a").await.stored.known.alert), Standing::new(&Status::Active, None));
}

#[tokio::test]
async fn what_fraud_events_is_told_once_more_is_the_same_work() {
    let desk = Desk::with(&[]).await;
    let store = desk.system.store();
    let tenant = store.tenants().await.unwrap().remove(0);
    store.put_tenant(&Tenant { alert_source: models::AlertSource::FraudEvents, ..tenant }).await.unwrap();
    desk.system.raise("a");
    desk.system.complete(1, 1).await;
    let _for_other_queues = desk.queued();
    let alert = desk.system.alerts().await.remove(0).0;
    let throttled = FaultKind::Throttle { retry_after: RetryAfter::Seconds(300) };
    desk.system.microsoft.set_fault(Fault::new(Target::FraudEventStatus, throttled)).unwrap();
    assert_eq!(desk.resolve_as(&alert, "fraud").await.status, 202);
    let queued = desk.queued();
    desk.system.microsoft.clear_faults();
    desk.system.clock.advance(SignedDuration::from_mins(10));
    assert!(desk.deliver(&queued).await);
    let told = desk.system.microsoft.recorded().into_iter().filter(|asked| asked.path.ends_with("/status"));
    let told: Vec<_> = told.map(|asked| asked.request_id.unwrap()).collect();
    assert_eq!((told.len(), &told[0]), (2, &told[1]), "{told:?}");
    assert_eq!(desk.at_microsoft("a").1.as_deref(), Some("fraud"));
}
