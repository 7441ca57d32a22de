//! `poll`: from the events of the schedule and of the queue to what is kept.

use serde_json::{Value, json};
use simulator::NewAlert;
use tests::{TENANT, lambda::Failed, queue_record, text};

use crate::support::{Here, invoke, log};

/// The event of a queue with one message.
fn one_message(body: &str) -> Value {
    json!({ "Records": [queue_record("message-1", body)] })
}

fn request(tenant: &str) -> String {
    json!({ "tenant": tenant, "cause": "schedule" }).to_string()
}

#[tokio::test]
async fn the_schedule_asks_for_a_run_of_each_tenant() {
    let here = Here::new().await;
    let mut poll = here.start("poll").await;
    assert_eq!(invoke(&mut poll, &json!({ "task": "schedule" })).await, json!({ "batchItemFailures": [] }));
    let log = log(&poll.kill().await);
    assert!(log.iter().any(|line| line["message"] == "runs asked for" && line["tenants"] == 1), "{log:#?}");
}

#[tokio::test]
async fn a_message_of_the_queue_brings_the_alerts_of_its_tenant_in() {
    let here = Here::new().await;
    here.simulator().raise(NewAlert { id: Some("alert-1".to_owned()), ..NewAlert::default() }).unwrap();
    let mut poll = here.start("poll").await;

    assert_eq!(invoke(&mut poll, &one_message(&request(TENANT))).await, json!({ "batchItemFailures": [] }));

    let kept: Vec<_> = here.alerts("alert").await.iter().map(|item| text(item, "pk")).collect();
    assert_eq!(kept, [format!("{TENANT}#alert-1")]);
}

#[tokio::test]
async fn a_message_for_a_tenant_that_is_not_there_is_done_and_nothing_is_asked_of_microsoft() {
    let here = Here::new().await;
    let mut poll = here.start("poll").await;
    let stranger = "00000000-0000-4000-8000-000000000000";

    assert_eq!(invoke(&mut poll, &one_message(&request(stranger))).await, json!({ "batchItemFailures": [] }));

    assert_eq!(here.alerts("").await, []);
    let asked = here.simulator().requests();
    assert_eq!((asked.token, asked.list, asked.get), (0, 0, 0));
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_handed_back() {
    let here = Here::new().await;
    let mut poll = here.start("poll").await;
    let given = invoke(&mut poll, &one_message("no request")).await;
    assert_eq!(given, json!({ "batchItemFailures": [{ "itemIdentifier": "message-1" }] }));
}

#[tokio::test]
async fn an_event_of_another_kind_fails_and_the_next_one_is_served() {
    let here = Here::new().await;
    let mut poll = here.start("poll").await;
    for event in [json!({ "task": "sweep" }), json!([]), json!({ "Records": 1 })] {
        let failed = poll.invoke(event.to_string()).await;
        assert!(matches!(failed, Err(Failed::Function(_))), "{event}: {failed:?}");
    }
    assert_eq!(invoke(&mut poll, &json!({ "task": "schedule" })).await, json!({ "batchItemFailures": [] }));
}
