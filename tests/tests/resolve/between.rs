//! Somebody else decides between what was asked for and its end: at Microsoft after we have looked there, or here while it waits.

use jiff::SignedDuration;
use models::{Act, Chain, Happened, OperationState, Tenant, history};
use serde_json::json;
use simulator::{AlertChange, ErrorBody, Fault, FaultKind, Lag, RetryAfter, Target};
use store::{KeepOperations as _, ReadActivity as _, ReadTenants as _, WriteTenants as _};

use crate::support::Desk;

/// Somebody resolves the alert for this reason, which the next look does not show yet; and Microsoft refuses, since it was changed.
fn resolved_unseen(desk: &Desk, reason: &str, status: u16) {
    desk.system.change(
        "a",
        AlertChange {
            status: Some("resolved".to_owned()),
            resolved_reason: Some(reason.to_owned()),
            lag: Lag { get: 1, list: 0 },
            ..AlertChange::default()
        },
    );
    refuse(desk, status);
}

fn refuse(desk: &Desk, status: u16) {
    let kind = FaultKind::Answer { status, body: ErrorBody::Graph, retry_after: RetryAfter::Absent };
    desk.system.microsoft.set_fault(Fault::new(Target::Patch, kind)).unwrap();
}

/// Nothing of ours waits for anything, neither here nor at Microsoft.
async fn assert_nothing_is_left(desk: &Desk) {
    assert!(desk.system.store().unfinished(&desk.tenant()).await.unwrap().is_empty());
    let kept = desk.kept("a").await.stored.known;
    assert_eq!((kept.decision, kept.not_accepted), (None, false));
    assert!(desk.queued().is_empty());
}

/// What happened to the alert, ours and Microsoft's, in the order of time.
async fn happened(desk: &Desk) -> Vec<String> {
    let chain = Chain { tenant: desk.tenant(), alert: Some("a".parse().unwrap()) };
    let kept = desk.system.store().kept_chain(&chain).await.unwrap();
    let lines: Vec<_> = kept.lines.iter().map(|line| line.read().unwrap()).collect();
    let alert = desk.kept("a").await.stored.known.alert;
    let words = |one: &Happened<'_>| match one {
        Happened::AtMicrosoft(entry) => format!("{} at Microsoft", entry.updated_by.as_deref().unwrap()),
        Happened::Here(line) => format!("{:?}", line.entry.act),
    };
    history(&lines, &lines, &alert).iter().map(words).collect()
}

#[tokio::test]
async fn where_microsoft_refuses_what_was_changed_meanwhile_whoever_asked_is_told_what_happened() {
    for status in [409, 412] {
        let desk = Desk::with(&["a"]).await;
        resolved_unseen(&desk, "legitimate", status);
        let reply = desk.resolve_as("a", "fraud").await;
        assert_eq!((reply.status, reply.problem()), (409, "changed-meanwhile"), "{reply:?}");
        assert_eq!(reply.body["now"], json!({ "status": "resolved", "reason": "legitimate" }));
        assert_eq!(desk.operation(&reply.operation()).await.state, OperationState::Done);
        desk.system.microsoft.clear_faults();
        desk.system.complete(1, 1).await;
        assert_eq!(desk.at_microsoft("a").1.as_deref(), Some("legitimate"), "theirs stays");
        assert_nothing_is_left(&desk).await;
        assert_eq!(happened(&desk).await, ["someone@partner.example at Microsoft", "StatusAsked", "StatusSuperseded"]);
    }
}

#[tokio::test]
async fn where_microsoft_refuses_since_somebody_has_done_the_same_it_is_so_and_theirs() {
    let desk = Desk::with(&["a"]).await;
    resolved_unseen(&desk, "fraud", 409);
    let reply = desk.resolve_as("a", "fraud").await;
    assert_eq!((reply.status, &reply.body["result"]), (200, &json!({ "kind": "already_so" })), "{reply:?}");
    desk.system.microsoft.clear_faults();
    desk.system.complete(1, 1).await;
    assert_nothing_is_left(&desk).await;
    assert_eq!(happened(&desk).await, ["someone@partner.example at Microsoft", "StatusAsked", "StatusAlreadySo"]);
}

#[tokio::test]
async fn where_microsoft_refuses_and_shows_nothing_else_its_refusal_is_told() {
    let desk = Desk::with(&["a"]).await;
    refuse(&desk, 409);
    let reply = desk.resolve_as("a", "fraud").await;
    assert_eq!((reply.status, reply.problem()), (422, "microsoft-refused"), "{reply:?}");
    assert_eq!(reply.body["meaning"], "changed-meanwhile");
    assert_nothing_is_left(&desk).await;
}

#[tokio::test]
async fn where_microsoft_takes_ours_on_top_it_is_done_and_what_they_did_shows_beside_it() {
    let desk = Desk::with(&["a"]).await;
    desk.system.microsoft.set_fault(Fault::new(Target::Patch, FaultKind::ResolvedBetween)).unwrap();
    let reply = desk.resolve_as("a", "fraud").await;
    assert_eq!(
        (reply.status, &reply.body["result"]["kind"]),
        (200, &json!("done")),
        "what Microsoft was told last counts"
    );
    assert_eq!(desk.at_microsoft("a").1.as_deref(), Some("fraud"));
    assert_eq!(desk.acts("a").await, [Act::StatusAsked, Act::StatusDone]);
    desk.system.complete(1, 1).await;
    assert_nothing_is_left(&desk).await;
    assert_eq!(happened(&desk).await, ["someone@partner.example at Microsoft", "StatusAsked", "StatusDone"]);
}

#[tokio::test]
async fn what_waits_for_microsoft_does_not_undo_what_somebody_has_decided_since() {
    for seen_by_a_run in [false, true] {
        let desk = Desk::with(&["a"]).await;
        let throttled = FaultKind::Throttle { retry_after: RetryAfter::Seconds(300) };
        desk.system.microsoft.set_fault(Fault::new(Target::Patch, throttled)).unwrap();
        let first = desk.resolve_as("a", "fraud").await;
        assert_eq!(first.status, 202, "{first:?}");
        let queued = desk.queued();
        desk.system.microsoft.clear_faults();
        desk.system.clock.advance(SignedDuration::from_mins(6));
        assert_eq!(desk.resolve_as("a", "legitimate").await.status, 200);
        if seen_by_a_run {
            desk.system.complete(1, 1).await;
            assert_eq!(desk.kept("a").await.stored.known.decision, None);
        }
        assert!(desk.deliver(&queued).await);
        assert_eq!(desk.at_microsoft("a").1.as_deref(), Some("legitimate"), "seen by a run: {seen_by_a_run}");
        let acts = [Act::StatusAsked, Act::StatusAsked, Act::StatusDone, Act::StatusSuperseded];
        assert_eq!(desk.acts("a").await, acts);
        let operation = desk.operation(&first.operation()).await;
        assert_eq!(operation.state, OperationState::Done);
        assert!(desk.queued().is_empty());
    }
}

#[tokio::test]
async fn where_what_took_the_place_of_an_older_wish_is_refused_it_is_said_that_neither_is_left() {
    let desk = Desk::with(&["a"]).await;
    let throttled = FaultKind::Throttle { retry_after: RetryAfter::Seconds(300) };
    desk.system.microsoft.set_fault(Fault::new(Target::Patch, throttled)).unwrap();
    let older = desk.resolve_as("a", "fraud").await;
    assert_eq!(older.status, 202, "{older:?}");
    let queued = desk.queued();
    desk.system.microsoft.clear_faults();
    desk.system.clock.advance(SignedDuration::from_mins(6));
    refuse(&desk, 400);
    let newer = desk.resolve_as("a", "legitimate").await;
    assert_eq!((newer.status, newer.problem()), (422, "microsoft-refused"), "{newer:?}");
    let superseded = json!({ "operation": older.operation().as_str(), "now": { "status": "active" }, "told": false });
    assert_eq!(newer.body["superseded"], superseded);
    desk.system.microsoft.clear_faults();
    assert!(desk.deliver(&queued).await);
    let lines = desk.lines(Some("a")).await;
    let [.., refused, not_resumed, ended] = &lines[..] else { panic!("{lines:?}") };
    assert!(matches!(refused.act, Act::StatusRefused(_)), "{refused:?}");
    assert_eq!(not_resumed.act, Act::StatusNotResumed { superseded: older.operation() });
    assert_eq!(not_resumed.to.as_ref().unwrap().status, models::Status::Active);
    assert_eq!(ended.act, Act::StatusSuperseded);
    assert_eq!(desk.at_microsoft("a").2, 0, "the older one is not taken up again");
    // What took no wish's place says nothing of the kind.
    refuse(&desk, 400);
    let last = desk.resolve_as("a", "fraud").await;
    assert_eq!((last.status, last.body.get("superseded")), (422, None));
}

#[tokio::test]
async fn of_an_older_wish_that_microsoft_may_have_taken_it_is_said_that_it_may_stand() {
    let desk = Desk::with(&["a"]).await;
    desk.system.microsoft.set_fault(Fault::new(Target::Patch, FaultKind::Fail { status: 503 })).unwrap();
    let older = desk.resolve_as("a", "fraud").await;
    assert_eq!(older.status, 202, "{older:?}");
    desk.system.microsoft.clear_faults();
    desk.system.clock.advance(SignedDuration::from_mins(6));
    refuse(&desk, 400);
    let newer = desk.resolve_as("a", "legitimate").await;
    assert_eq!((newer.status, &newer.body["superseded"]["told"]), (422, &json!(true)), "{newer:?}");
    assert_eq!(newer.body["superseded"]["operation"], older.operation().as_str());
}

#[tokio::test]
async fn what_waits_in_a_tenant_that_is_switched_off_waits_until_it_is_on_again() {
    let desk = Desk::with(&["a"]).await;
    refuse(&desk, 503);
    assert_eq!(desk.resolve_as("a", "fraud").await.status, 202);
    let queued = desk.queued();
    desk.system.microsoft.clear_faults();
    let store = desk.system.store();
    let tenant = store.tenants().await.unwrap().remove(0);
    store.put_tenant(&Tenant { active: false, ..tenant.clone() }).await.unwrap();
    desk.system.clock.advance(SignedDuration::from_mins(10));
    assert!(desk.deliver(&queued).await);
    desk.sweep().await.unwrap();
    assert_eq!((desk.at_microsoft("a").2, desk.queued().len()), (0, 0), "nothing of it is looked at");
    store.put_tenant(&tenant).await.unwrap();
    desk.sweep().await.unwrap();
    assert!(desk.deliver(&desk.queued()).await);
    assert_eq!(desk.at_microsoft("a").1.as_deref(), Some("fraud"));
}
