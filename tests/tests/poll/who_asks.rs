//! The schedule, the queue and many tenants.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use models::{AlertSource, Cloud, Tenant};
use serde_json::{Value, json};
use store::WriteTenants as _;
use tests::{ByHand, Setup, TENANT};

use crate::support::{is_free, request, rung};

const OTHER: &str = "00000000-0000-4000-8000-00000000000a";

pub(crate) fn tenant(id: &str) -> Tenant {
    Tenant {
        id: id.parse().unwrap(),
        display_name: "Fabrikam Partner (made up)".to_owned(),
        cloud: Cloud::Global,
        alert_source: AlertSource::Graph,
        path_key_hashes: Vec::new(),
        read_secret: "partner-alerts/read/local".to_owned(),
        act_secret: None,
        active: true,
    }
}

#[tokio::test]
async fn a_queue_message_that_cannot_be_read_fails_alone() {
    let system = ByHand::start().await;
    system.raise("alert");
    let canary = r#"{"tenant":"not a tenant","cause":"schedule"}"#;

    let failures = system.deliver(&[("m-1", canary), ("m-2", &request(TENANT)), ("m-3", ""), ("m-4", "{}")]).await;

    assert_eq!(failures, ["m-1", "m-3", "m-4"]);
    assert_eq!(system.alerts().await, [("alert".to_owned(), 1)]);
}

#[tokio::test]
async fn a_callback_and_the_schedule_ask_for_the_same_run() {
    let system = ByHand::start().await;
    system.baseline().await;
    for (number, cause) in
        [json!("schedule"), json!("again"), json!({ "callback": { "event": "a".repeat(64) } })].into_iter().enumerate()
    {
        system.raise(&format!("alert-{number}"));
        system.clock.advance(SignedDuration::from_mins(1));
        let message = json!({ "tenant": TENANT, "cause": cause }).to_string();
        assert_eq!(system.deliver(&[("m-1", &message)]).await, Vec::<String>::new());
        assert_eq!(system.alerts().await.len(), number + 1, "{cause}");
    }
}

#[tokio::test]
async fn an_unknown_tenant_and_an_inactive_one_are_done_and_nobody_is_asked() {
    let system = ByHand::start().await;
    let inactive = Tenant { active: false, ..tenant(OTHER) };
    system.store().put_tenant(&inactive).await.unwrap();
    let unknown = "00000000-0000-4000-8000-00000000000b";

    assert_eq!(system.deliver(&[("m-1", &request(OTHER)), ("m-2", &request(unknown))]).await, Vec::<String>::new());

    assert_eq!(system.tap.take_operations(), ["Query", "Query"]);
    let requests = system.microsoft.requests();
    assert_eq!((requests.token, requests.list), (0, 0));
}

#[tokio::test]
async fn one_tenants_trouble_touches_no_other() {
    let system = ByHand::start().await;
    let without_secret = Tenant { read_secret: "partner-alerts/read/none".to_owned(), ..tenant(OTHER) };
    system.store().put_tenant(&without_secret).await.unwrap();
    system.raise("alert");

    let failures = system.deliver(&[("m-1", &rung(OTHER)), ("m-2", &rung(TENANT))]).await;

    assert_eq!(failures, ["m-1"]);
    assert_eq!(system.alerts().await, [("alert".to_owned(), 1)]);
    let state = system.item(&system.test.system.tables().tenants, OTHER, "state").await.unwrap();
    assert!(is_free(&state));
    assert_eq!(state.get("last_success"), None);
}

#[tokio::test]
async fn a_tenant_whose_configuration_cannot_be_read_keeps_no_other_from_being_looked_at() {
    let system = ByHand::start().await;
    system.raise("alert");
    let request = system.dynamodb.put_item().table_name(&system.test.system.tables().tenants);
    let request = request.item("pk", AttributeValue::S("tenants".to_owned()));
    let request = request.item("sk", AttributeValue::S(OTHER.to_owned()));
    request.item("cloud", AttributeValue::S("of another planet".to_owned())).send().await.unwrap();

    assert_eq!(system.deliver(&[("m-1", &rung(OTHER)), ("m-2", &rung(TENANT))]).await, Vec::<String>::new());
    assert_eq!(system.alerts().await, [("alert".to_owned(), 1)]);

    let _ = system.tap.take();
    system.tick().await.unwrap();
    let batches = system.tap.take_bodies("SendMessageBatch");
    assert_eq!(batches.iter().flat_map(|batch| messages_of(batch)).count(), 1);
}

#[tokio::test]
async fn the_schedule_asks_for_one_run_of_each_active_tenant_and_looks_at_none_itself() {
    let system = ByHand::start().await;
    let ids = put_tenants(&system).await;
    let _ = system.tap.take();

    system.tick().await.unwrap();

    let batches = system.tap.take_bodies("SendMessageBatch");
    let asked: Vec<Vec<Value>> = batches.iter().map(|body| messages_of(body)).collect();
    assert_eq!(asked.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5]);
    let mut tenants: Vec<String> = Vec::new();
    for message in asked.iter().flatten() {
        assert_eq!(message["cause"], "schedule");
        tenants.push(message["tenant"].as_str().unwrap().to_owned());
    }
    tenants.sort();
    assert_eq!(tenants, ids);
    let requests = system.microsoft.requests();
    assert_eq!((requests.token, requests.list), (0, 0));
}

#[tokio::test]
async fn a_tick_is_good_for_as_long_as_the_next_one_has_not_asked_again() {
    let system = ByHand::start().await;
    system.baseline().await;
    // Ago, in seconds; one that lies in the future comes of a clock that was set back.
    for (ago, runs) in [(0, true), (300, true), (301, false), (86_400, false), (-86_400, true)] {
        system.clock.advance(SignedDuration::from_hours(1));
        let _ = system.tap.take();
        system.tick().await.unwrap();
        let tick = messages_of(&system.tap.take_bodies("SendMessageBatch")[0]).remove(0).to_string();
        let before = system.microsoft.requests().list;
        system.clock.advance(SignedDuration::from_secs(ago));
        let _ = system.tap.take();

        assert_eq!(system.deliver(&[("m", &tick)]).await, Vec::<String>::new());

        assert_eq!(system.microsoft.requests().list - before, u64::from(runs), "{ago} seconds ago");
        assert_eq!(system.tap.take_operations().is_empty(), !runs, "{ago} seconds ago");
        system.clock.advance(SignedDuration::from_secs((-ago).max(0)));
    }
}

#[tokio::test]
async fn what_others_than_the_schedule_ask_for_and_what_does_not_say_when_stays_good() {
    let system = ByHand::start().await;
    system.baseline().await;
    let long_ago = system.now() - SignedDuration::from_hours(20);
    let callback = json!({ "callback": { "event": "a".repeat(64) } });
    for message in [
        json!({ "tenant": TENANT, "cause": "schedule" }),
        json!({ "tenant": TENANT, "cause": "again", "asked": long_ago }),
        json!({ "tenant": TENANT, "cause": callback, "asked": long_ago }),
    ] {
        system.clock.advance(SignedDuration::from_mins(1));
        let before = system.microsoft.requests().list;
        assert_eq!(system.deliver(&[("m", &message.to_string())]).await, Vec::<String>::new());
        assert_eq!(system.microsoft.requests().list - before, 1, "{message}");
    }
}

#[tokio::test]
async fn a_tick_that_comes_too_soon_after_a_run_stays_good_since_others_count_on_it_and_its_chain_has_an_end() {
    let setup = Setup { variables: &[("RECONCILE_GAP_SECONDS", "15")], ..Setup::default() };
    for (hops, next) in [(0, Some(1)), (12, Some(13)), (13, None)] {
        let system = ByHand::with(setup).await;
        system.complete(0, 0).await;
        let _ = system.tap.take();
        let tick = json!({ "tenant": TENANT, "cause": "schedule", "asked": system.now(), "hops": hops });

        assert_eq!(system.deliver(&[("m", &tick.to_string())]).await, Vec::<String>::new());

        let rung = system.tap.take_bodies("SendMessage");
        let rung: Vec<Value> = rung.iter().map(|rung| serde_json::from_str(rung).unwrap()).collect();
        let body = |rung: &Value| serde_json::from_str(rung["MessageBody"].as_str().unwrap()).unwrap();
        let rung: Vec<Value> = rung.iter().map(body).collect();
        let expected = next.map(|hops| json!({ "tenant": TENANT, "cause": "schedule", "hops": hops }));
        assert_eq!(rung, Vec::from_iter(expected), "after {hops} hops");
    }
}

#[tokio::test]
async fn a_batch_of_the_schedule_that_fails_keeps_no_other_from_being_sent_and_is_an_error() {
    let system = ByHand::start().await;
    put_tenants(&system).await;
    system.tap.refuse("SendMessageBatch", "AccessDeniedException");

    let error = system.tick().await.unwrap_err();

    assert_eq!(error.to_string(), "the schedule could not ask for all runs");
    assert_eq!(system.tap.take_bodies("SendMessageBatch").len(), 3);
}

/// 24 tenants beside the seed tenant, and one that is switched off; the ids of the active ones, in order.
async fn put_tenants(system: &ByHand) -> Vec<String> {
    let store = system.store();
    let mut ids = vec![TENANT.to_owned()];
    for number in 0..24 {
        let id = format!("00000000-0000-4000-8000-{number:012}");
        store.put_tenant(&tenant(&id)).await.unwrap();
        ids.push(id);
    }
    store.put_tenant(&Tenant { active: false, ..tenant(OTHER) }).await.unwrap();
    ids.sort();
    ids
}

fn messages_of(batch: &str) -> Vec<Value> {
    let batch: Value = serde_json::from_str(batch).unwrap();
    let entries = batch["Entries"].as_array().unwrap().iter();
    entries.map(|entry| serde_json::from_str(entry["MessageBody"].as_str().unwrap()).unwrap()).collect()
}

#[tokio::test]
async fn a_run_that_a_look_asks_for_goes_on_where_the_chain_of_the_look_is() {
    let system = ByHand::with(Setup { variables: &[("RECONCILE_GAP_SECONDS", "15")], ..Setup::default() }).await;
    system.complete(0, 0).await;
    let _ = system.tap.take();
    let bell = json!({ "event": "a".repeat(64), "received": system.now(), "look": 4, "again": true, "come_backs": 4 });
    let look = json!({ "tenant": TENANT, "cause": { "callback": bell } });

    assert_eq!(system.deliver(&[("m", &look.to_string())]).await, Vec::<String>::new());

    let rung = system.tap.take_bodies("SendMessage");
    let rung: Vec<Value> = rung.iter().map(|rung| serde_json::from_str(rung).unwrap()).collect();
    let body = |rung: &Value| serde_json::from_str(rung["MessageBody"].as_str().unwrap()).unwrap();
    let rung: Vec<Value> = rung.iter().map(body).collect();
    assert_eq!(rung, [json!({ "tenant": TENANT, "cause": "again", "hops": 9 })]);
}
