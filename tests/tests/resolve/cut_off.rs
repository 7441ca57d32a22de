//! Cut off at each step, before and after it is done, and asked for again: finished once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use api::Gate;
use jiff::SignedDuration;
use messaging::OperationsQueue;
use models::{Act, Known};
use partner_center::Change;
use resolve::{Outcome, Resolve, Set, Settings};
use serde_json::json;
use store::{KeepOperations as _, Store};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::support::{Desk, about, agent};

/// Where Microsoft is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    After,
    Before,
}

/// A Microsoft that nobody comes back from, once.
struct CutOff {
    cut: Cut,
    calls: Arc<AtomicUsize>,
    reached: Arc<Notify>,
    microsoft: resolve::Deployed,
}

impl Set for CutOff {
    async fn look(&self, tenant: &models::Tenant, known: &Known, wish: Change) -> Option<Outcome> {
        self.microsoft.microsoft().look(tenant, known, wish).await
    }

    async fn set(&self, tenant: &models::Tenant, known: &Known, wish: Change, request: Uuid) -> Outcome {
        let is_first = self.calls.fetch_add(1, Ordering::Relaxed) == 0;
        if is_first && self.cut == Cut::After {
            let outcome = self.microsoft.microsoft().set(tenant, known, wish, request).await;
            assert!(matches!(outcome, Outcome::Taken), "{outcome:?}");
        }
        if is_first {
            self.reached.notify_one();
            std::future::pending::<()>().await;
        }
        self.microsoft.microsoft().set(tenant, known, wish, request).await
    }
}

fn body() -> serde_json::Value {
    json!({ "version": 1, "reason": "fraud", "note": "Seen." })
}

/// All is done, once.
async fn assert_done_once(desk: &Desk, what: &str) {
    assert_eq!(desk.acts("a").await, [Act::StatusAsked, Act::StatusDone], "{what}");
    assert_eq!(desk.at_microsoft("a"), ("resolved".to_owned(), Some("fraud".to_owned()), 1), "{what}");
    assert_eq!(desk.version("a").await, 3, "{what}");
    let outbox = desk.system.outbox_lines().await;
    assert_eq!(outbox.iter().filter(|line| line.contains("#resolved")).count(), 1, "{what}: {outbox:?}");
    assert!(desk.system.store().unfinished(&desk.tenant()).await.unwrap().is_empty(), "{what}");
}

/// Begins the request, and ends it before the AWS request after so many others. False where it has ended by itself before.
async fn cut_at(desk: &Desk, request: usize) -> bool {
    let gate = desk.system.tap.hold_after(request);
    let asked = about("a", "resolve", Some("k"), &body(), agent());
    tokio::select! {
        _ = desk.send(&asked) => false,
        () = gate.reached() => true,
    }
}

#[tokio::test]
async fn cut_off_at_each_request_to_aws_the_repeated_request_finishes_it_once() {
    let mut cuts = 0;
    loop {
        let desk = Desk::with(&["a"]).await;
        let what = format!("before request {cuts}");
        if !cut_at(&desk, cuts).await {
            break;
        }
        let again = desk.act_by("k", "a", "resolve", &body()).await;
        assert_eq!(
            (again.status, &again.body["result"]),
            (200, &json!({ "kind": "done", "version": 3 })),
            "{what}: {again:?}"
        );
        assert_done_once(&desk, &what).await;
        cuts += 1;
    }
    assert!(cuts >= 9, "tenant, operation, alert, line, alert, secret, telling, alert, result: {cuts}");
}

#[tokio::test]
async fn cut_off_at_each_request_to_aws_the_sweep_finishes_it_once_if_it_was_written_down() {
    let mut written = 0;
    for cuts in 0.. {
        let desk = Desk::with(&["a"]).await;
        let what = format!("before request {cuts}");
        if !cut_at(&desk, cuts).await {
            break;
        }
        desk.system.clock.advance(SignedDuration::from_mins(2));
        let _ = desk.queued();
        desk.sweep().await.unwrap();
        let found = desk.queued();
        if found.is_empty() {
            let acts = desk.acts("a").await.len();
            assert!(acts == 0 && desk.at_microsoft("a").2 == 0, "{what}: nothing was written, and nothing done");
            continue;
        }
        assert!(desk.deliver(&found).await, "{what}");
        assert_done_once(&desk, &what).await;
        written += 1;
    }
    assert!(written >= 3, "{written}");
}

#[tokio::test]
async fn cut_off_at_microsoft_before_and_after_it_is_done_the_repeated_request_finishes_it_once() {
    for cut in [Cut::Before, Cut::After] {
        let desk = Desk::with(&["a"]).await;
        let (calls, reached) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let parts = &desk.system.parts;
        let microsoft = CutOff {
            cut,
            calls: Arc::clone(&calls),
            reached: Arc::clone(&reached),
            microsoft: resolve::wire(parts).unwrap(),
        };
        let config = resolve::Config::read(&parts.variables).unwrap();
        let store = Store::new(aws_sdk_dynamodb::Client::new(&parts.aws), config.tables);
        let queue = OperationsQueue::new(aws_sdk_sqs::Client::new(&parts.aws), config.queue_url);
        let settings = Settings { ..config.settings };
        let clock = Arc::clone(&parts.clock);
        let function = Resolve::new(
            store,
            (microsoft, queue),
            Gate::new(config.origin),
            clock,
            Arc::new(runtime::random_id),
            settings,
        );
        let asked = about("a", "resolve", Some("k"), &body(), agent());
        tokio::select! {
            answer = function.answer(&asked) => panic!("{answer:?}"),
            () = reached.notified() => {}
        }
        assert_eq!(desk.acts("a").await, [Act::StatusAsked], "{cut:?}: the line is there before Microsoft is asked");
        let again = crate::support::Reply::of(&function.answer(&asked).await);
        assert_eq!(
            (again.status, &again.body["result"]),
            (200, &json!({ "kind": "done", "version": 3 })),
            "{cut:?}: {again:?}"
        );
        assert_eq!(calls.load(Ordering::Relaxed), 2);
        assert_done_once(&desk, &format!("{cut:?}")).await;
    }
}

#[tokio::test]
async fn a_request_whose_time_is_over_leaves_the_rest_to_the_queue() {
    let desk = Desk::with(&["a"]).await;
    let parts = runtime::Parts {
        variables: desk.system.parts.variables.clone().led_by([("REQUEST_SECONDS", "4".to_owned())]),
        ..desk.system.parts.clone()
    };
    let function = resolve::wire(&parts).unwrap();
    desk.system
        .microsoft
        .set_fault(simulator::Fault::new(simulator::Target::Patch, simulator::FaultKind::Silent))
        .unwrap();
    let asked = about("a", "resolve", Some("k"), &body(), agent());
    let reply = crate::support::Reply::of(&function.answer(&asked).await);
    assert_eq!((reply.status, &reply.body["result"]), (202, &json!({ "kind": "pending" })), "{reply:?}");
    let queued = desk.queued();
    desk.system.microsoft.clear_faults();
    assert!(desk.deliver(&queued).await);
    assert_done_once(&desk, "after the time").await;
}
