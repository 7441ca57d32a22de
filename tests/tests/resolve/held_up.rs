//! Microsoft answers late, or never: what waits is given up in its time, and holds no other up.

use api::Gate;
use jiff::SignedDuration;
use messaging::OperationsQueue;
use models::{Act, AlertId, Known, Tenant};
use partner_center::Change;
use resolve::{Outcome, Resolve, Set, Settings};
use serde_json::{Value, json};
use simulator::{AlertChange, Fault, FaultKind, RetryAfter, Target};
use std::{sync::Arc, time::Duration};
use store::Store;
use tests::{TENANT, queue_record};
use uuid::Uuid;

use crate::support::{Desk, Reply, about, agent, request};

/// The function as it is deployed, but for Microsoft and some settings.
pub(crate) fn function<M: Set>(
    desk: &Desk,
    microsoft: M,
    settings: impl FnOnce(Settings) -> Settings,
) -> Resolve<Store, M, OperationsQueue> {
    let parts = &desk.system.parts;
    let config = resolve::Config::read(&parts.variables).unwrap();
    let store = Store::new(aws_sdk_dynamodb::Client::new(&parts.aws), config.tables);
    let queue = OperationsQueue::new(aws_sdk_sqs::Client::new(&parts.aws), config.queue_url);
    let clock = Arc::clone(&parts.clock);
    let new_id = Arc::new(runtime::random_id);
    Resolve::new(store, (microsoft, queue), Gate::new(config.origin), clock, new_id, settings(config.settings))
}

/// A Microsoft that never answers to what is about some alerts.
struct Hangs {
    on: Vec<AlertId>,
    microsoft: resolve::Deployed,
}

impl Set for Hangs {
    async fn look(&self, tenant: &Tenant, known: &Known, wish: Change) -> Option<Outcome> {
        self.microsoft.microsoft().look(tenant, known, wish).await
    }

    async fn set(&self, tenant: &Tenant, known: &Known, wish: Change, request: Uuid) -> Outcome {
        if self.on.contains(&known.alert.id) {
            std::future::pending::<()>().await;
        }
        self.microsoft.microsoft().set(tenant, known, wish, request).await
    }
}

fn bulk(alerts: &[&str]) -> api::Request {
    let item = |alert: &&str| json!({ "tenant": TENANT, "alert": alert, "version": 1 });
    let body = json!({ "alerts": alerts.iter().map(item).collect::<Vec<_>>(), "reason": "fraud" });
    request("POST /api/v1/alerts/resolve", &json!({}), "", Some("bulk"), &body, agent())
}

fn kinds(reply: &Reply) -> Vec<&str> {
    let results = reply.body["results"].as_array().unwrap();
    results.iter().map(|result| result["result"]["kind"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn alerts_on_which_microsoft_hangs_go_to_the_back_and_the_others_have_their_turn() {
    let alerts = ["a", "b", "c", "d", "e"];
    let desk = Desk::with(&alerts).await;
    let microsoft = Hangs {
        on: ["a", "b", "c"].map(|id| id.parse().unwrap()).to_vec(),
        microsoft: resolve::wire(&desk.system.parts).unwrap(),
    };
    let limit = Duration::from_millis(20);
    let function = function(&desk, microsoft, |settings| Settings { alert_limit: limit, ..settings });
    let asked = bulk(&alerts);
    let first = Reply::of(&function.answer(&asked).await);
    assert_eq!((first.status, kinds(&first)), (202, vec!["pending"; 5]), "three that hang are enough for one look");
    let look = desk.queued();
    let records: Vec<_> = look.iter().map(|body| queue_record("message", body)).collect();
    let invocation = serde_json::from_value(json!({ "Records": records })).unwrap();
    assert!(function.follow(invocation, "follow-1", None).await.unwrap().batch_item_failures.is_empty());
    for (alert, is_done) in [("a", false), ("b", false), ("c", false), ("d", true), ("e", true)] {
        assert_eq!(desk.at_microsoft(alert).0 == "resolved", is_done, "{alert}");
    }
    let delays = delays(&desk);
    assert_eq!(delays, [0], "a look that got further is followed by another at once");
}

/// How many seconds the looks wait that were asked for since.
fn delays(desk: &Desk) -> Vec<u64> {
    let batches = desk.system.tap.take_bodies("SendMessageBatch");
    let batches = batches.iter().map(|batch| serde_json::from_str::<Value>(batch).unwrap());
    let entries = batches.flat_map(|batch| batch["Entries"].as_array().unwrap().clone());
    entries.map(|entry| entry["DelaySeconds"].as_u64().unwrap_or_default()).collect()
}

#[tokio::test]
async fn what_microsoft_never_answers_to_is_given_up_after_an_hour_and_nobody_is_called_for_that() {
    let desk = Desk::with(&["a"]).await;
    desk.system.microsoft.set_fault(Fault::new(Target::Patch, FaultKind::Silent)).unwrap();
    let microsoft = resolve::wire(&desk.system.parts).unwrap();
    let limit = Duration::from_millis(200);
    let function =
        function(&desk, Hangs { on: vec![], microsoft }, |settings| Settings { alert_limit: limit, ..settings });
    let body = json!({ "version": 1, "reason": "fraud" });
    let first = Reply::of(&function.answer(&about("a", "resolve", None, &body, agent())).await);
    assert_eq!(first.status, 202, "{first:?}");
    let queued = desk.queued();
    desk.system.clock.advance(SignedDuration::from_mins(60));
    // As it is deployed: a call would take longer than the whole look.
    assert!(desk.deliver(&queued).await);
    let acts = desk.acts("a").await;
    assert!(matches!(&acts[..], [Act::StatusAsked, Act::StatusRefused(refusal)] if refusal.is_no_answer()), "{acts:?}");
    assert_eq!(desk.queued(), Vec::<String>::new(), "nothing is left");
}

#[tokio::test]
async fn a_bulk_that_is_looked_at_all_the_time_and_gets_no_further_is_counted_as_such() {
    let alerts = ["a", "b"];
    let desk = Desk::with(&alerts).await;
    let throttled = FaultKind::Throttle { retry_after: RetryAfter::Seconds(300) };
    desk.system.microsoft.set_fault(Fault::new(Target::Patch, throttled)).unwrap();
    assert_eq!(kinds(&desk.send(&bulk(&alerts)).await), ["pending"; 2]);
    let mut counted = Vec::new();
    for _ in 0..3 {
        desk.system.clock.advance(SignedDuration::from_mins(5));
        assert!(desk.deliver(&desk.queued()).await);
        let _ = desk.system.counted.take();
        desk.sweep().await.unwrap();
        counted.extend(desk.system.counted.take().iter().map(|counts| counts.of("OperationsStuck")));
    }
    assert_eq!(counted, [Some(0), Some(0), Some(1)]);
}

#[tokio::test]
async fn what_waits_in_a_bulk_minds_no_change_that_says_nothing_of_where_it_stands() {
    let alerts = ["a", "b", "c", "d", "e"];
    let desk = Desk::with(&alerts).await;
    let throttled = FaultKind::Throttle { retry_after: RetryAfter::Seconds(300) };
    desk.system.microsoft.set_fault(Fault::new(Target::Patch, throttled).times(3)).unwrap();
    let reply = desk.send(&bulk(&alerts)).await;
    assert_eq!(kinds(&reply), ["pending"; 5]);
    let queued = desk.queued();
    // Meanwhile a run sees of one that it was observed again, and of another that somebody resolved and opened it again.
    let seen = |status: &str| AlertChange { status: Some(status.to_owned()), ..AlertChange::default() };
    let later = Some(desk.system.now() + SignedDuration::from_mins(1));
    desk.system.change("d", AlertChange { last_observed_date_time: later, ..AlertChange::default() });
    for status in ["resolved", "active"] {
        desk.system.change("e", seen(status));
        desk.system.clock.advance(SignedDuration::from_mins(1));
        let _ = desk.system.reconcile().await.unwrap();
    }
    assert!(desk.version("d").await > 1 && desk.version("e").await > 1);
    desk.system.clock.advance(SignedDuration::from_mins(5));
    assert!(desk.deliver(&queued).await);
    assert_eq!(kinds(&desk.send(&bulk(&alerts)).await), ["done", "done", "done", "done", "changed_meanwhile"]);
    assert_eq!(desk.at_microsoft("e").0, "active");
}

#[tokio::test]
async fn who_asks_again_adds_one_look_and_not_another_chain() {
    let desk = Desk::with(&["a"]).await;
    let throttled = FaultKind::Throttle { retry_after: RetryAfter::Seconds(300) };
    desk.system.microsoft.set_fault(Fault::new(Target::Patch, throttled)).unwrap();
    let body = json!({ "version": 1, "reason": "fraud" });
    let mut behind = Vec::new();
    for _ in 0..2 {
        assert_eq!(desk.act_by("k", "a", "resolve", &body).await.status, 202);
        let looks = desk.queued().into_iter().map(|look| serde_json::from_str::<models::FollowUp>(&look).unwrap());
        behind.extend(looks.map(|look| look.behind));
        desk.system.clock.advance(SignedDuration::from_mins(1));
    }
    assert_eq!(behind, [Some(1), None]);
}
