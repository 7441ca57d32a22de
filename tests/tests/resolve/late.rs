//! What comes late overwrites nothing newer: neither at Microsoft nor here, and what it did do is said.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use models::{Act, Alert, AlertResult, Status, Tenant};
use partner_center::{Answer, Change, LookAtAlerts, MicrosoftError, SetStatus, SetStatusError, Sight};
use resolve::Microsoft;
use serde_json::json;
use simulator::{AlertChange, ErrorBody, Fault, FaultKind, RetryAfter, Target};
use tests::TENANT;
use uuid::Uuid;

use crate::{
    held_up::function,
    support::{Desk, Reply, about, agent},
};

/// Microsoft can't be told once, and has it done later.
fn fail_once(desk: &Desk) {
    let throttled = FaultKind::Throttle { retry_after: RetryAfter::Seconds(300) };
    desk.system.microsoft.set_fault(Fault::new(Target::Patch, throttled).times(1)).unwrap();
}

fn change(status: &str) -> AlertChange {
    AlertChange { status: Some(status.to_owned()), ..AlertChange::default() }
}

fn resolved_as(reason: &str) -> (String, Option<String>) {
    ("resolved".to_owned(), Some(reason.to_owned()))
}

fn at_microsoft(desk: &Desk) -> (String, Option<String>) {
    let (status, reason, _) = desk.at_microsoft("a");
    (status, reason)
}

async fn run(desk: &Desk) {
    desk.system.clock.advance(SignedDuration::from_mins(1));
    let _ = desk.system.reconcile().await.unwrap();
}

#[tokio::test]
async fn a_wish_that_waited_overwrites_no_decision_that_was_made_meanwhile_whether_a_run_has_seen_it_or_not() {
    for (act, body) in
        [("resolve", json!({ "version": 1, "reason": "legitimate" })), ("investigate", json!({ "version": 1 }))]
    {
        for is_seen in [true, false] {
            let desk = Desk::with(&["a"]).await;
            fail_once(&desk);
            assert_eq!(desk.act("a", act, &body).await.status, 202);
            let waiting = desk.queued();
            desk.system.clock.advance(SignedDuration::from_mins(2));
            assert_eq!(desk.resolve_as("a", "fraud").await.status, 200);
            if is_seen {
                run(&desk).await;
            }
            assert!(desk.deliver(&waiting).await);
            assert_eq!(at_microsoft(&desk), resolved_as("fraud"), "{act}, seen by a run: {is_seen}");
            let asked = [Act::StatusAsked, Act::StatusAsked, Act::StatusDone, Act::StatusSuperseded];
            assert_eq!(desk.acts("a").await, asked);
            assert_eq!(desk.at_microsoft("a").2, 1, "nobody is told twice");
            let kept = desk.kept("a").await.stored.known;
            assert_eq!((&kept.alert.status, kept.decision.is_none()), (&Status::Resolved, is_seen));
        }
    }
}

#[tokio::test]
async fn what_somebody_opened_again_at_microsoft_stays_open_though_the_first_answer_was_lost() {
    let desk = Desk::with(&["a"]).await;
    desk.system.microsoft.set_fault(Fault::new(Target::Patch, FaultKind::Reset)).unwrap();
    let body = json!({ "version": 1, "reason": "legitimate" });
    assert_eq!(desk.act("a", "resolve", &body).await.status, 202);
    let waiting = desk.queued();
    assert_eq!(at_microsoft(&desk), resolved_as("legitimate"), "done, and the answer was lost");
    desk.system.microsoft.clear_faults();
    run(&desk).await;
    desk.system.change("a", change("active"));
    run(&desk).await;
    assert!(desk.deliver(&waiting).await);
    assert_eq!(at_microsoft(&desk).0, "active");
    assert_eq!(desk.acts("a").await, [Act::StatusAsked, Act::StatusOverlapped], "it was told, and that is said");
}

/// Microsoft turned the call away, was not even looked at, or gave no answer to the call, which then may have been taken.
const WAITS: [(Target, FaultKind, bool); 3] = [
    (Target::Patch, FaultKind::Throttle { retry_after: RetryAfter::Seconds(300) }, false),
    (Target::Get, FaultKind::Fail { status: 503 }, false),
    (Target::Patch, FaultKind::Fail { status: 503 }, true),
];

#[tokio::test]
async fn what_somebody_has_done_meanwhile_is_theirs_unless_microsoft_may_have_been_told_of_ours() {
    for (target, fault, may_be_told) in WAITS {
        let desk = Desk::with(&["a"]).await;
        desk.system.microsoft.set_fault(Fault::new(target, fault)).unwrap();
        let asked = desk.resolve_as("a", "fraud").await;
        assert_eq!(asked.status, 202);
        let waiting = desk.queued();
        desk.system.microsoft.clear_faults();
        let by_somebody = AlertChange { resolved_reason: Some("fraud".to_owned()), ..change("resolved") };
        desk.system.change("a", by_somebody);
        run(&desk).await;
        let before = desk.at_microsoft("a");
        assert!(desk.deliver(&waiting).await);
        assert_eq!(desk.at_microsoft("a"), before, "nobody is told again");
        let end = if may_be_told { Act::StatusDone } else { Act::StatusAlreadySo };
        assert_eq!(desk.acts("a").await, [Act::StatusAsked, end], "{target:?}");
        let operation = desk.operation(&asked.operation()).await;
        let is_theirs = operation.results.values().all(|result| *result == AlertResult::AlreadySo);
        assert_eq!((is_theirs, theirs(&desk).await.len()), (!may_be_told, usize::from(!may_be_told)), "{target:?}");
    }
}

#[tokio::test]
async fn what_microsoft_may_have_been_told_of_before_somebody_was_quicker_there_is_said_to_be() {
    for (target, fault, may_be_told) in WAITS {
        let desk = Desk::with(&["a"]).await;
        desk.system.microsoft.set_fault(Fault::new(target, fault)).unwrap();
        let body = json!({ "version": 1, "reason": "fraud" });
        assert_eq!(desk.act_by("k", "a", "resolve", &body).await.status, 202);
        desk.system.microsoft.clear_faults();
        let by_somebody = AlertChange { resolved_reason: Some("legitimate".to_owned()), ..change("resolved") };
        desk.system.change("a", by_somebody);
        desk.system.clock.advance(SignedDuration::from_mins(6));
        let reply = desk.act_by("k", "a", "resolve", &body).await;
        assert_eq!((reply.status, &reply.body["told"]), (409, &json!(may_be_told)), "{target:?}: {reply:?}");
        assert_eq!(reply.body["now"], json!({ "status": "resolved", "reason": "legitimate" }));
        let end = if may_be_told { Act::StatusOverlapped } else { Act::StatusSuperseded };
        assert_eq!(desk.acts("a").await, [Act::StatusAsked, end], "{target:?}");
    }
}

#[tokio::test]
async fn a_refusal_says_no_more_than_no_answer_where_a_call_before_it_may_have_been_taken() {
    for (target, fault, may_be_told) in WAITS {
        let desk = Desk::with(&["a"]).await;
        desk.system.microsoft.set_fault(Fault::new(target, fault)).unwrap();
        let body = json!({ "version": 1, "reason": "fraud" });
        assert_eq!(desk.act_by("k", "a", "resolve", &body).await.status, 202);
        desk.system.microsoft.clear_faults();
        let refused = FaultKind::Answer { status: 400, body: ErrorBody::Graph, retry_after: RetryAfter::Absent };
        desk.system.microsoft.set_fault(Fault::new(Target::Patch, refused)).unwrap();
        desk.system.clock.advance(SignedDuration::from_mins(6));
        let reply = desk.act_by("k", "a", "resolve", &body).await;
        assert_eq!((reply.status, reply.problem()), (422, "microsoft-refused"), "{reply:?}");
        let acts = desk.acts("a").await;
        let Some(Act::StatusRefused(refusal)) = acts.last() else { panic!("{acts:?}") };
        assert_eq!(refusal.is_no_answer(), may_be_told, "{target:?}: {refusal:?}");
    }
}

/// What the merged history shows as done at Microsoft.
async fn theirs(desk: &Desk) -> Vec<Status> {
    let alert = desk.kept("a").await.stored.known.alert;
    let chain = models::Chain { tenant: desk.tenant(), alert: Some("a".parse().unwrap()) };
    let kept = store::ReadActivity::kept_chain(&desk.system.store(), &chain).await.unwrap().lines;
    let lines: Vec<_> = kept.iter().map(|line| line.read().unwrap()).collect();
    let theirs = models::history(&lines, &lines, &alert).into_iter().filter_map(|happened| match happened {
        models::Happened::AtMicrosoft(entry) => entry.status_to.clone(),
        models::Happened::Here(_) => None,
    });
    theirs.collect()
}

/// A Microsoft that takes a first change late: after it was looked at, and after somebody else here has decided and was told that it is done.
struct Meanwhile {
    desk: Arc<Desk>,
    is_first: AtomicBool,
}

impl SetStatus for Meanwhile {
    async fn set(&self, tenant: &Tenant, alert: &Alert, wish: Change, request: Uuid) -> Result<Answer, SetStatusError> {
        if self.is_first.swap(false, Ordering::Relaxed) {
            assert_eq!(self.desk.resolve_as("a", "fraud").await.status, 200);
        }
        self.desk.resolve.microsoft().act.set(tenant, alert, wish, request).await
    }
}

/// What is to be seen at Microsoft.
struct Sights(Arc<Desk>);

impl LookAtAlerts for Sights {
    async fn look_at(&self, tenant: &Tenant, alert: &Alert) -> Result<Sight, MicrosoftError> {
        self.0.resolve.microsoft().look.look_at(tenant, alert).await
    }
}

#[tokio::test]
async fn of_two_on_their_way_at_once_the_later_one_counts_here_and_the_log_says_that_microsoft_was_told_of_both() {
    let desk = Arc::new(Desk::with(&["a"]).await);
    let act = Meanwhile { desk: Arc::clone(&desk), is_first: AtomicBool::new(true) };
    let microsoft = Microsoft { act, look: Sights(Arc::clone(&desk)) };
    let function = function(&desk, microsoft, |settings| settings);
    let body = json!({ "version": 1, "reason": "legitimate" });
    let reply = Reply::of(&function.answer(&about("a", "resolve", None, &body, agent())).await);
    assert_eq!((reply.status, reply.problem()), (409, "changed-meanwhile"), "{reply:?}");
    let fraud = json!({ "status": "resolved", "reason": "fraud" });
    assert_eq!((&reply.body["now"], &reply.body["told"]), (&fraud, &json!(true)));
    let acts = [Act::StatusAsked, Act::StatusAsked, Act::StatusDone, Act::StatusOverlapped];
    assert_eq!(desk.acts("a").await, acts);
    let kept = desk.kept("a").await.stored.known;
    assert_eq!(kept.alert.resolution.reason, Some(models::ResolvedReason::Fraud), "our copy is not set over it");
    // Microsoft has the other: that is not hidden, but told when it had the time to show the decision.
    assert_eq!(at_microsoft(&desk), resolved_as("legitimate"));
    desk.system.clock.advance(SignedDuration::from_mins(16));
    let _ = desk.system.reconcile().await.unwrap();
    let kept = desk.kept("a").await.stored.known;
    assert_eq!(
        (kept.alert.resolution.reason.clone(), kept.not_accepted),
        (Some(models::ResolvedReason::Legitimate), true)
    );
}

#[tokio::test]
async fn an_alert_that_a_former_release_has_written_is_carried_on_as_ever() {
    let desk = Desk::with(&["a"]).await;
    fail_once(&desk);
    assert_eq!(desk.resolve_as("a", "fraud").await.status, 202);
    let waiting = desk.queued();
    let text = |text: &str| AttributeValue::S(text.to_owned());
    aws_sdk_dynamodb::Client::new(&desk.system.parts.aws)
        .update_item()
        .table_name(resolve::Config::read(&desk.system.parts.variables).unwrap().tables.alerts)
        .key("pk", text(&format!("{TENANT}#a")))
        .key("sk", text("alert"))
        .update_expression("REMOVE begun, summary.turned")
        .send()
        .await
        .unwrap();
    assert!(desk.deliver(&waiting).await);
    assert_eq!(desk.acts("a").await, [Act::StatusAsked, Act::StatusDone]);
    assert_eq!(at_microsoft(&desk), resolved_as("fraud"));
}

#[tokio::test]
async fn who_meets_a_conflict_at_microsoft_is_told_where_it_stands() {
    for (status, meanwhile) in [(409, "investigating"), (412, "investigating")] {
        let desk = Desk::with(&["a"]).await;
        let refused = FaultKind::Answer { status, body: ErrorBody::Graph, retry_after: RetryAfter::Absent };
        desk.system.microsoft.set_fault(Fault::new(Target::Patch, refused)).unwrap();
        desk.system.change("a", change(meanwhile));
        let reply = desk.resolve_as("a", "fraud").await;
        assert_eq!((reply.status, reply.problem()), (409, "changed-meanwhile"), "{reply:?}");
        assert_eq!(reply.body["now"]["status"], meanwhile);
        assert_eq!(desk.acts("a").await, [Act::StatusAsked, Act::StatusSuperseded]);
    }
}

#[tokio::test]
async fn what_microsoft_recorded_of_our_own_acts_is_not_shown_twice_however_late_they_were_done() {
    let desk = Desk::with(&["a"]).await;
    fail_once(&desk);
    assert_eq!(desk.resolve_as("a", "fraud").await.status, 202);
    let waiting = desk.queued();
    desk.system.clock.advance(SignedDuration::from_mins(40));
    desk.system.microsoft.clear_faults();
    assert!(desk.deliver(&waiting).await);
    run(&desk).await;
    let version = desk.version("a").await;
    assert_eq!(desk.act("a", "reopen", &json!({ "version": version })).await.status, 200);
    run(&desk).await;
    desk.system.change("a", change("investigating"));
    run(&desk).await;
    let alert = desk.kept("a").await.stored.known.alert;
    assert!(alert.activity.len() >= 2, "Microsoft recorded it: {:?}", alert.activity);
    let theirs: Vec<_> = theirs(&desk).await.into_iter().filter(|status| *status != Status::Investigating).collect();
    assert_eq!(theirs, [], "{:?}", alert.activity);
}

#[tokio::test]
async fn a_note_or_a_sight_of_what_was_decided_makes_nobodys_version_old() {
    let desk = Desk::with(&["a"]).await;
    assert_eq!(desk.act("a", "notes", &json!({ "note": "It mines." })).await.status, 200);
    let resolve = json!({ "version": 1, "reason": "legitimate" });
    let done = desk.act("a", "resolve", &resolve).await;
    assert_eq!(done.status, 200, "{done:?}");
    let version = done.body["result"]["version"].as_u64().unwrap();
    run(&desk).await;
    assert!(desk.version("a").await > version, "the run has seen it");
    assert_eq!(desk.act("a", "reopen", &json!({ "version": version })).await.status, 200);
    let stale = desk.act("a", "resolve", &resolve).await;
    assert_eq!((stale.status, stale.problem()), (409, "changed-meanwhile"), "where it stands has turned since");
}
