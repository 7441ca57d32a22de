//! Names have a queue of their own: whatever becomes of them there, what rings is answered at once.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use models::NameId;
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, NewAlert, RetryAfter, Target};
use store::{ReadNames as _, Store};
use tests::{ByHand, HandQueue, PATIENCE, TENANT, TestSystem};

use crate::support::{Message, ONE_ATTEMPT, asked, customer, deliver, name, old, raise_of, sent, subscription};

/// Microsoft has an alert, and rings for it.
async fn rings(system: &ByHand, id: &str) {
    let alert = system.microsoft.raise(NewAlert { id: Some(id.to_owned()), ..NewAlert::default() }).unwrap();
    let callback = system.microsoft.sign(&system.microsoft.fraud_callback(&alert)).unwrap();
    assert_eq!(system.receive(&callback).await, 200);
}

/// A callback rings, and is looked after, without a moment's wait, with nothing else on its queue.
async fn is_answered_at_once(system: &ByHand, queue: &mut HandQueue, id: &str) {
    let (before, delivered) = (system.now(), queue.delivered);
    rings(system, id).await;
    queue.collect(system);
    assert_eq!(queue.waiting.len(), 1, "nothing waits before the look: {:?}", queue.waiting);
    queue.deliver(system).await;
    assert_eq!(queue.delivered, delivered + 1);
    assert!(system.alert(id).await.is_some());
    assert_eq!(system.now(), before);
    assert!(queue.waiting.iter().all(|message| message.body.contains("callback")), "{:?}", queue.waiting);
    // Its other looks are none of this test's.
    queue.waiting.clear();
}

#[tokio::test]
async fn a_callback_is_looked_after_at_once_while_nobody_serves_names_and_they_pile_up() {
    let system = ByHand::start().await;
    system.baseline().await;
    let mut queue = HandQueue::default();
    for round in 0..10 {
        raise_of(&system, &format!("alert-{round}"), &customer(round), &subscription(round));
        system.reconcile().await.unwrap();
        queue.collect(&system);
        assert_eq!(queue.names.len(), 2 * round + 1);
        system.clock.advance(SignedDuration::from_mins(1));

        is_answered_at_once(&system, &mut queue, &format!("rung-{round}")).await;
    }
    assert_eq!((asked(&system), queue.dead.len()), ([0; 3], 0));
}

#[tokio::test]
async fn a_callback_is_looked_after_at_once_while_names_fail_for_ever() {
    let system = ByHand::with(ONE_ATTEMPT).await;
    system.baseline().await;
    let trouble = FaultKind::Throttle { retry_after: RetryAfter::Seconds(57) };
    system.microsoft.set_fault(Fault::new(Target::Customer, trouble)).unwrap();
    let mut queue = HandQueue::default();
    raise_of(&system, "alert", &customer(1), &subscription(1));
    system.reconcile().await.unwrap();
    for round in 0..12 {
        system.clock.advance(SignedDuration::from_mins(15));
        queue.deliver_names(&system).await;
        assert!(!queue.names.is_empty(), "they are tried again: {round}");

        is_answered_at_once(&system, &mut queue, &format!("rung-{round}")).await;
    }
    assert!(name(&system, &customer(1)).await.is_none());
    assert_eq!(queue.dead, [""; 0], "no name is a dead letter");
}

/// What a message asks for, and on which queue.
const NAMES: &str = "names, on names";
const RUNS: &str = "runs, on reconcile";

/// The same of each message since the last time.
fn queues(system: &ByHand) -> Vec<String> {
    let mut found = Vec::new();
    for call in system.tap.take().into_iter().filter(|call| call.operation.starts_with("SendMessage")) {
        let request: Value = serde_json::from_str(&call.body).unwrap();
        let queue = request["QueueUrl"].as_str().unwrap().rsplit('/').next().unwrap();
        let messages = request["Entries"].as_array().cloned().unwrap_or_else(|| vec![request.clone()]);
        found.extend(messages.iter().map(|message| {
            let is_about_names = message["MessageBody"].as_str().unwrap().contains("\"names\"");
            format!("{}, on {queue}", if is_about_names { "names" } else { "runs" })
        }));
    }
    found
}

#[tokio::test]
async fn whatever_asks_for_names_asks_on_their_queue_and_whatever_asks_for_runs_on_the_other() {
    let system = ByHand::with(ONE_ATTEMPT).await;
    // A run that has written alerts, and the schedule, on a day on which it asks for what is old three times.
    for number in 0..90 {
        raise_of(&system, &number.to_string(), &customer(number), &subscription(number));
    }
    system.complete(90, 90).await;
    assert_eq!(queues(&system), [NAMES]);
    for _ in 0..288 {
        system.tick().await.unwrap();
        system.clock.advance(SignedDuration::from_mins(5));
    }
    let ticks = queues(&system);
    let count = |what| ticks.iter().filter(|found| *found == what).count();
    assert_eq!((count(RUNS), count(NAMES), ticks.len()), (288, 3, 291));
    // More than there is room for, and somebody else at work.
    let all: Vec<_> = (0..90)
        .map(|number| json!({ "id": customer(number), "subscriptions": [{ "id": subscription(number) }] }))
        .collect();
    let all = json!({ "tenant": TENANT, "cause": "again", "names": { "of_alerts": { "customers": all } } });
    for _ in 0..2 {
        assert!(system.deliver(&[("m", &all.to_string())]).await.is_empty());
        assert_eq!(queues(&system), [NAMES]);
    }
    // What fails, at Partner Center and in the table.
    system.clock.advance(SignedDuration::from_hours(8 * 24));
    system.microsoft.set_fault(Fault::new(Target::Customer, FaultKind::Fail { status: 503 })).unwrap();
    assert!(system.deliver(&[("m", &old().body.to_string())]).await.is_empty());
    assert_eq!(queues(&system), [NAMES]);
    system.tap.refuse("Query", "AccessDeniedException");
    assert!(system.deliver(&[("m", &old().body.to_string())]).await.is_empty());
    assert_eq!(queues(&system), [NAMES]);
    system.tap.pass("Query");
    // A callback, its look, and who comes while a run has just been.
    rings(&system, "rung").await;
    assert_eq!(queues(&system), [RUNS]);
    let again = json!({ "tenant": TENANT, "cause": "again" }).to_string();
    system.reconcile().await.unwrap();
    let _ = queues(&system);
    assert!(system.deliver(&[("m", &again)]).await.is_empty());
    assert_eq!(queues(&system), [RUNS]);
}

#[tokio::test]
async fn names_that_the_release_before_asked_for_on_the_queue_of_runs_are_read_too() {
    let system = ByHand::start().await;
    raise_of(&system, "a", &customer(1), &subscription(1));
    system.complete(1, 1).await;
    let body = sent(&system).remove(0).body.to_string();
    let mut queue = HandQueue::default();
    queue.put(&system, &body);

    queue.deliver(&system).await;

    assert!(name(&system, &customer(1)).await.is_some());
    assert_eq!((queue.waiting.len(), queue.names.len(), queue.dead.len()), (0, 0, 0));
    // And nobody asks for them again.
    let again = Message { delay: 0, body: serde_json::from_str(&body).unwrap() };
    assert_eq!(deliver(&system, &[again]).await, []);
    assert_eq!(asked(&system), [1; 3]);
}

#[tokio::test]
async fn the_local_system_serves_the_queue_of_names_as_well() {
    let test = TestSystem::start(&[("LOCAL_SCHEDULE", "off")]).await.unwrap();
    let store = Store::new(aws_sdk_dynamodb::Client::new(&test.system.parts().aws), test.system.tables().clone());
    let simulator = test.system.simulator();
    let alert = NewAlert { customer_tenant_id: Some(customer(1)), ..NewAlert::default() };
    let alert = simulator.raise(alert).unwrap();
    let callback = simulator.sign(&simulator.fraud_callback(&alert)).unwrap();
    assert_eq!(simulator.deliver(test.system.callback_url(), callback).await.unwrap(), 200);

    let wanted = BTreeSet::from([NameId::customer(&customer(1).parse().unwrap())]);
    let named = async {
        while store.names(&TENANT.parse().unwrap(), &wanted).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, named).await.is_ok(), "nobody serves it");
    test.system.stop().await;
}
