//! `notify`: from the events of the streams and of the schedule to what is published.

use serde_json::{Value, json};
use tests::{Item, PATH_KEY, TENANT, WAYS, gateway_event, stream_record};

use crate::support::{Here, invoke};

fn inserted(table: &str, item: &Item) -> Value {
    json!({ "Records": [stream_record(table, "INSERT", item, 1)] })
}

/// Kind and tenant of each message of the fraud topic.
fn fraud(here: &Here) -> Vec<(String, String)> {
    let published = here.test.messages.fraud().into_iter().map(|message| {
        let json: Value = serde_json::from_str(&message.json).unwrap();
        ["kind", "tenantId"].map(|name| json[name].as_str().unwrap_or_default().to_owned()).into()
    });
    published.collect()
}

/// The outbox is marked as published, and so found by no sweep.
async fn marked(here: &Here) -> bool {
    here.alerts("outbox#").await.iter().all(|item| !item.contains_key("outbox_shard"))
}

#[tokio::test]
async fn news_on_the_stream_are_published_and_marked() {
    let here = Here::new().await;
    let news = here.old_news().await;
    let mut notify = here.start("notify").await;

    let event = inserted(&here.test.system.tables().alerts, &news);
    assert_eq!(invoke(&mut notify, &event).await, json!({ "batchItemFailures": [] }));

    assert_eq!(fraud(&here), [("opened".to_owned(), TENANT.to_owned())]);
    assert!(marked(&here).await);
}

#[tokio::test]
async fn the_sweep_publishes_what_the_stream_dropped_and_only_once() {
    let here = Here::new().await;
    here.old_news().await;
    let mut notify = here.start("notify").await;
    for _ in 0..2 {
        assert_eq!(invoke(&mut notify, &json!({ "task": "sweep" })).await, json!({ "batchItemFailures": [] }));
        assert_eq!(fraud(&here), [("opened".to_owned(), TENANT.to_owned())]);
        assert!(marked(&here).await);
    }
}

#[tokio::test]
async fn an_event_that_webhook_kept_is_published() {
    let here = Here::new().await;
    let mut webhook = here.start("webhook").await;
    let path = format!("/callbacks/{TENANT}/{PATH_KEY}");
    invoke(&mut webhook, &gateway_event(WAYS[1], &path, &here.genuine("published"))).await;
    let kept = here.events().await.remove(0);
    let mut notify = here.start("notify").await;

    let event = inserted(&here.test.system.tables().events, &kept);
    assert_eq!(invoke(&mut notify, &event).await, json!({ "batchItemFailures": [] }));

    let published = here.test.messages.events();
    assert_eq!(published.len(), 1);
    assert!(published[0].json.contains("azure-fraud-event-detected"), "{published:?}");
}

#[tokio::test]
async fn what_cannot_be_published_is_where_lambda_starts_again() {
    let here = Here::new().await;
    let news = here.old_news().await;
    let topic = "arn:aws:sns:eu-west-1:000000000000:no-such-topic";
    let mut notify = here.start_with("notify", "FRAUD_TOPIC_ARN", topic).await;

    let given = invoke(&mut notify, &inserted(&here.test.system.tables().alerts, &news)).await;

    assert_eq!(given, json!({ "batchItemFailures": [{ "itemIdentifier": format!("{:021}", 1) }] }));
    assert!(!marked(&here).await);
}
