//! `template.yaml` and the compiled functions, deployed in an emulator that we did not write, with IAM enforced.
//!
//! What an emulator does is no evidence of what AWS does. It shows that the template creates what the functions need and that
//! they are allowed what they do, to somebody else who read the same documents. What is changed for it stands in
//! `tests/emulated/deploy.py`. Run it with `tests/with-ministack`.
//!
//! One stack is the template as it is; the others, in the same account, lack a permission each (`permissions.rs`).
//!
//! Microsoft is our simulator; everything between it and the queues of a subscriber is deployed. The emulator's scheduler fires
//! the schedules, each with the function and the input that it was deployed with, but not after five minutes: when a test says.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

mod deployment;
mod operators;
mod people;
mod permissions;

use models::EventId;
use serde_json::{Value, json};
use simulator::{Alert, Forgery};
use tests::{
    PATIENCE,
    account::{Queue, json_of},
    text,
};

use deployment::{CALLED, FORGED, NAMED, RENEWED, REPEATED, SCHEDULED, SWEPT, World, act_secret, in_world};

const FRAUD: &str = "FraudTopicArn";
const EVENTS: &str = "EventsTopicArn";

/// The one message in the queue, which is about this alert.
async fn told(world: &World, queue: &Queue, alert: &Alert) -> Value {
    let message = json_of(&world.account.receive(queue, 1).await[0]);
    assert_eq!(message["alert"]["id"], alert.id);
    message
}

#[test]
fn a_signed_callback_is_answered_200_and_its_alert_reaches_those_who_asked_for_its_like() {
    in_world(async |world| {
        let high = world.hears(FRAUD, CALLED, "high", json!({ "severity": ["high"], "kind": ["opened"] })).await;
        let low = world.hears(FRAUD, CALLED, "low", json!({ "severity": ["low"] })).await;
        let events = world.hears(EVENTS, CALLED, "events", json!({})).await;

        let alert = world.raise(CALLED);
        assert_eq!(world.post(&world.whole, CALLED, &world.callback(&alert)).await, 200);

        told(world, &high, &alert).await;
        let event = json_of(&world.account.receive(&events, 1).await[0]);
        assert_eq!(event["eventName"], "azure-fraud-event-detected");
        assert_eq!(event["tenantId"], CALLED);
        world.account.assert_empty(&low).await;
    });
}

#[test]
fn a_repeated_callback_is_answered_200_and_nothing_more_comes_of_it() {
    in_world(async |world| {
        let fraud = world.hears(FRAUD, REPEATED, "fraud", json!({})).await;
        let events = world.hears(EVENTS, REPEATED, "events", json!({})).await;
        let first = world.raise(REPEATED);
        let callback = world.callback(&first);
        assert_eq!(world.post(&world.whole, REPEATED, &callback).await, 200);
        told(world, &fraud, &first).await;
        world.account.receive(&events, 1).await;

        assert_eq!(world.post(&world.whole, REPEATED, &callback).await, 200);

        let second = world.raise(REPEATED);
        let next = world.callback(&second);
        assert_eq!(world.post(&world.whole, REPEATED, &next).await, 200);
        told(world, &fraud, &second).await;
        let event = json_of(&world.account.receive(&events, 1).await[0]);
        assert_eq!(event["id"], EventId::of_body(&next.body).to_string());
        assert_eq!(world.items(&world.whole, "EventsTableName", REPEATED).await.len(), 2);
    });
}

#[test]
fn a_forged_callback_is_answered_401_and_leaves_nothing() {
    in_world(async |world| {
        let alert = world.raise(FORGED);
        let body = world.microsoft.fraud_callback(&alert);
        for forgery in [Forgery::Body, Forgery::Key] {
            let callback = world.microsoft.forge(&body, forgery).unwrap();
            assert_eq!(world.post(&world.whole, FORGED, &callback).await, 401);
        }
        assert_eq!(world.items(&world.whole, "EventsTableName", FORGED).await, []);
    });
}

#[test]
fn the_schedule_finds_an_alert_that_no_callback_announced() {
    in_world(async |world| {
        let fraud = world.hears(FRAUD, SCHEDULED, "fraud", json!({})).await;
        let alert = world.raise(SCHEDULED);
        world.whole.fire("PollFunctionSchedule");
        told(world, &fraud, &alert).await;
        assert_eq!(world.items(&world.whole, "EventsTableName", SCHEDULED).await, []);
    });
}

#[test]
fn names_are_read_from_a_queue_of_their_own_after_the_alert() {
    in_world(async |world| {
        let alert = world.raise(NAMED);
        assert_eq!(world.post(&world.whole, NAMED, &world.callback(&alert)).await, 200);
        let named = async {
            let is_named =
                |item: &tests::Item| text(item, "pk") == format!("{NAMED}#names") && item.contains_key("name");
            while !world.items(&world.whole, "TenantsTableName", NAMED).await.iter().any(is_named) {
                tokio::task::yield_now().await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, named).await.is_ok(), "no names of {}", alert.id);
    });
}

#[test]
fn the_sweep_publishes_what_the_stream_left_behind_under_the_same_id() {
    in_world(async |world| {
        let fraud = world.hears(FRAUD, SWEPT, "fraud", json!({})).await;
        let alert = world.raise(SWEPT);
        assert_eq!(world.post(&world.whole, SWEPT, &world.callback(&alert)).await, 200);
        let first = told(world, &fraud, &alert).await;

        let outbox = world.outbox(SWEPT).await;
        world.leave_unpublished(&world.whole, &outbox).await;
        world.whole.fire("NotifyFunctionSweep");
        let second = told(world, &fraud, &alert).await;
        assert_eq!(second["id"], first["id"]);
    });
}

#[test]
fn a_tick_of_renew_keeps_the_new_refresh_token_and_notes_that_the_credentials_work() {
    in_world(async |world| {
        let name = act_secret(RENEWED);
        let token = async |label: &str| {
            let request = world.account.secrets.get_secret_value().secret_id(&name).version_stage(label);
            let read: Value = serde_json::from_str(request.send().await.unwrap().secret_string().unwrap()).unwrap();
            read["refresh_token"].clone()
        };
        let before = token("AWSCURRENT").await;

        let answer = world.whole.invoke("RenewFunction", &json!({ "task": "renew" }));

        assert_eq!((answer.error, answer.payload), (None, Value::Null));
        assert_ne!(token("AWSCURRENT").await, before);
        assert_eq!(token("AWSPREVIOUS").await, before);
        let items = world.items(&world.whole, "TenantsTableName", RENEWED).await;
        let outcomes = items.iter().filter(|item| text(item, "sk").starts_with("credential#"));
        assert_eq!(outcomes.map(|item| text(item, "outcome")).collect::<Vec<_>>(), ["ok", "ok"]);
    });
}
