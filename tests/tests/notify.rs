//! `notify` as it is deployed: woken by stream records as Lambda hands them over, and by its schedule, the sweep.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

use std::collections::BTreeMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use jiff::SignedDuration;
use local::Published;
use notify::NotifyError;
use serde_json::Value;
use simulator::NewAlert;
use store::{KeepEvents as _, Kept, ReceivedEvent};
use tests::{ByHand, Item, Lines, Messages, Setup, TENANT, number, stream_record, text};

/// A system in which these alerts have just become news.
async fn with_news(ids: &[&str]) -> ByHand {
    let system = ByHand::start().await;
    system.baseline().await;
    for id in ids {
        system.raise(id);
    }
    system.complete(ids.len(), ids.len()).await;
    let _ = system.tap.take();
    system
}

fn alerts_table(system: &ByHand) -> String {
    system.test.system.tables().alerts.clone()
}

/// Stream records of this name about the items of the outbox, in the order of their keys.
async fn outbox_records(system: &ByHand, name: &str) -> Vec<Value> {
    let items = system.outbox().await;
    (1..).zip(items).map(|(place, item)| stream_record(&alerts_table(system), name, &item.item, place)).collect()
}

fn sequence(place: u32) -> String {
    format!("{place:021}")
}

fn json_of(message: &Published) -> Value {
    serde_json::from_str(&message.json).unwrap()
}

/// Kind and alert of each message of the fraud topic, in the order of publication.
fn told(system: &ByHand) -> Vec<(String, String)> {
    let told = |message: &Published| {
        let json = json_of(message);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&json["kind"]), text(&json["alert"]["id"]))
    };
    system.test.messages.fraud().iter().map(told).collect()
}

fn opened(ids: &[&str]) -> Vec<(String, String)> {
    ids.iter().map(|id| ("opened".to_owned(), (*id).to_owned())).collect()
}

async fn unpublished(system: &ByHand) -> Vec<String> {
    system.outbox().await.into_iter().filter(|item| item.publish).map(|item| item.alert).collect()
}

async fn put(system: &ByHand, item: Item) {
    system.dynamodb.put_item().table_name(alerts_table(system)).set_item(Some(item)).send().await.unwrap();
}

fn string(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

// ---- the stream ----------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn what_is_new_in_the_outbox_is_published_once_and_marked() {
    let system = with_news(&["alert-1", "alert-2"]).await;
    let records = outbox_records(&system, "INSERT").await;
    system.clock.advance(SignedDuration::from_secs(1));

    assert_eq!(system.stream(&records).await, None);

    assert_eq!(told(&system), opened(&["alert-1", "alert-2"]));
    let items = system.outbox().await;
    for item in &items {
        assert!(!item.publish, "{item}");
        assert_eq!(text(&item.item, "published"), "2026-03-02T09:02:01.000Z");
        assert_eq!(number(&item.item, "expires_at"), system.now().as_second() + 30 * 86_400);
    }
    assert_eq!(system.tap.take_operations(), ["Publish", "UpdateItem", "Publish", "UpdateItem"]);

    system.clock.advance(SignedDuration::from_hours(1));
    system.sweep().await.unwrap();
    assert_eq!(told(&system).len(), 2);
}

#[tokio::test]
async fn what_is_no_new_outbox_item_to_be_published_wakes_nobody() {
    let system = with_news(&["alert"]).await;
    system.raise_as(NewAlert { severity: Some("low".to_owned()), id: Some("low".to_owned()), ..NewAlert::default() });
    system.complete(2, 1).await;
    let _ = system.tap.take();
    let table = alerts_table(&system);
    let outbox = system.outbox().await;
    let (news, low) = (&outbox[0], &outbox[1]);
    assert_eq!((news.publish, low.publish), (true, false));
    let records = [
        stream_record(&table, "REMOVE", &news.item, 1),
        stream_record(&table, "MODIFY", &news.item, 2),
        stream_record(&table, "INSERT", &low.item, 3),
        stream_record(&table, "INSERT", &system.alert("alert").await.unwrap(), 4),
        stream_record(&table, "MODIFY", &system.alert("alert").await.unwrap(), 5),
    ];

    assert_eq!(system.stream(&records).await, None);

    assert_eq!(told(&system), []);
    assert_eq!(system.tap.take_operations(), Vec::<String>::new());
    assert_eq!(unpublished(&system).await, ["alert"]);
}

#[tokio::test]
async fn the_first_record_that_fails_is_named_and_those_behind_it_wait() {
    let system = with_news(&["alert-1", "alert-2", "alert-3"]).await;
    let records = outbox_records(&system, "INSERT").await;
    system.tap.pass("Publish");
    system.tap.refuse("Publish", "AuthorizationError");

    assert_eq!(system.stream(&records).await, Some(sequence(2)));
    assert_eq!(told(&system), opened(&["alert-1"]));
    assert_eq!(unpublished(&system).await, ["alert-2", "alert-3"]);

    // Lambda starts again from there.
    assert_eq!(system.stream(&records[1..]).await, None);
    assert_eq!(told(&system), opened(&["alert-1", "alert-2", "alert-3"]));
    assert_eq!(unpublished(&system).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_record_that_comes_twice_is_published_twice_with_the_same_id_and_text() {
    let system = with_news(&["alert-1", "alert-2"]).await;
    let records = outbox_records(&system, "INSERT").await;

    for _ in 0..2 {
        assert_eq!(system.stream(&records).await, None);
    }

    let published = system.test.messages.fraud();
    assert_eq!(published.len(), 4);
    assert_eq!(published[0].json, published[2].json);
    assert_eq!(published[1].json, published[3].json);
    assert_ne!(json_of(&published[0])["id"], json_of(&published[1])["id"]);
}

#[tokio::test]
async fn a_message_that_is_published_and_not_marked_is_a_success_and_the_sweep_repeats_it_with_the_same_id() {
    let system = with_news(&["alert"]).await;
    let records = outbox_records(&system, "INSERT").await;
    system.tap.refuse("UpdateItem", "AccessDeniedException");

    assert_eq!(system.stream(&records).await, None);
    assert_eq!(unpublished(&system).await, ["alert"]);

    system.clock.advance(SignedDuration::from_mins(2));
    system.sweep().await.unwrap();
    let published = system.test.messages.fraud();
    assert_eq!(published.len(), 2);
    assert_eq!(published[0].json, published[1].json);
    assert_eq!(unpublished(&system).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_item_that_is_gone_when_it_is_marked_does_not_come_back() {
    let system = with_news(&["alert"]).await;
    let records = outbox_records(&system, "INSERT").await;
    let item = &system.outbox().await[0].item;
    let request = system.dynamodb.delete_item().table_name(alerts_table(&system));
    request.key("pk", item["pk"].clone()).key("sk", item["sk"].clone()).send().await.unwrap();

    assert_eq!(system.stream(&records).await, None);

    assert_eq!(told(&system), opened(&["alert"]));
    assert_eq!(system.outbox_lines().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_outbox_item_that_cannot_be_read_is_passed_over_and_holds_up_nothing() {
    let system = with_news(&["alert-1", "alert-2"]).await;
    let mut outbox = system.outbox().await;
    outbox[0].item.insert("notice".to_owned(), string("{"));
    let table = alerts_table(&system);
    let records: Vec<_> =
        (1..).zip(&outbox).map(|(place, item)| stream_record(&table, "INSERT", &item.item, place)).collect();

    assert_eq!(system.stream(&records).await, None);

    assert_eq!(told(&system), opened(&["alert-2"]));
}

#[tokio::test]
async fn a_digest_is_published_like_any_other_item() {
    let system = ByHand::start().await;
    system.raise("old");
    system.complete(1, 1).await;
    let records = outbox_records(&system, "INSERT").await;

    assert_eq!(system.stream(&records).await, None);

    let published = system.test.messages.fraud();
    assert_eq!(published.len(), 1);
    assert_eq!(json_of(&published[0])["digest"]["reason"], "baseline");
    let attributes: Vec<_> = published[0].attributes.keys().map(String::as_str).collect();
    assert_eq!(attributes, ["kind", "schema", "tenantId"]);
}

// ---- the sweep -----------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn the_sweep_publishes_what_is_old_enough_to_the_second_and_leaves_the_rest_to_the_stream() {
    let system = with_news(&["older"]).await;
    system.raise("younger");
    system.complete(2, 1).await;

    // 119 and 59 seconds after they were written.
    system.clock.advance(SignedDuration::from_secs(59));
    system.sweep().await.unwrap();
    assert_eq!(told(&system), []);

    system.clock.advance(SignedDuration::from_secs(1));
    system.sweep().await.unwrap();
    assert_eq!(told(&system), opened(&["older"]));
    assert_eq!(unpublished(&system).await, ["younger"]);

    system.clock.advance(SignedDuration::from_mins(1));
    system.sweep().await.unwrap();
    assert_eq!(told(&system), opened(&["older", "younger"]));
    system.sweep().await.unwrap();
    assert_eq!(told(&system).len(), 2);
}

#[tokio::test]
async fn the_age_from_which_the_sweep_publishes_is_configured() {
    let system = ByHand::with(Setup { variables: &[("SWEEP_AFTER_SECONDS", "3600")], ..Setup::default() }).await;
    system.baseline().await;
    system.raise("alert");
    system.complete(1, 1).await;

    for (minutes, published) in [(59, 0), (1, 1)] {
        system.clock.advance(SignedDuration::from_mins(minutes));
        system.sweep().await.unwrap();
        assert_eq!(told(&system).len(), published);
    }
}

#[tokio::test]
async fn the_sweep_looks_into_every_shard() {
    let ids: Vec<String> = (0..16).map(|number| format!("alert-{number:02}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let system = with_news(&ids).await;
    let mut shards: Vec<_> = system.outbox().await.iter().map(|item| text(&item.item, "outbox_shard")).collect();
    shards.sort();
    shards.dedup();
    assert_eq!(shards, ["0", "1", "2", "3"], "sixteen alerts spread over all shards");
    system.clock.advance(SignedDuration::from_mins(2));

    system.sweep().await.unwrap();

    let mut told = told(&system);
    told.sort();
    assert_eq!(told, opened(&ids));
    assert_eq!(unpublished(&system).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_item_that_cannot_be_read_hides_no_other_from_the_sweep_and_is_reported_each_time() {
    let system = with_news(&["alert"]).await;
    let good = system.outbox().await.remove(0).item;
    for (attribute, broken) in [("notice", "{"), ("tenant", "no tenant"), ("created", "2026-03-01")] {
        let mut item = good.clone();
        // Older than the good one, in the same shard: it comes first.
        item.insert("created".to_owned(), string("2026-03-01T00:00:00.000Z"));
        item.insert("pk".to_owned(), string(&format!("{TENANT}#broken-{attribute}")));
        item.insert(attribute.to_owned(), string(broken));
        put(&system, item).await;
    }
    system.clock.advance(SignedDuration::from_mins(2));

    let error = system.sweep().await.unwrap_err();
    assert!(matches!(error, NotifyError::SweptInPart { found: 4, left: 3 }), "{error:?}");
    assert_eq!(told(&system), opened(&["alert"]));

    let error = system.sweep().await.unwrap_err();
    assert!(matches!(error, NotifyError::SweptInPart { found: 3, left: 3 }), "{error:?}");
    assert_eq!(told(&system).len(), 1);
}

#[tokio::test]
async fn one_publication_that_fails_keeps_no_other_from_being_swept() {
    let system = with_news(&["alert-1", "alert-2", "alert-3"]).await;
    system.clock.advance(SignedDuration::from_mins(2));
    system.tap.refuse("Publish", "AuthorizationError");

    let error = system.sweep().await.unwrap_err();
    assert!(matches!(error, NotifyError::SweptInPart { found: 3, left: 1 }), "{error:?}");
    assert_eq!(told(&system).len(), 2);

    system.sweep().await.unwrap();
    assert_eq!(told(&system).len(), 3);
    assert_eq!(unpublished(&system).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_shard_that_cannot_be_read_is_an_error_and_keeps_no_other_from_being_swept() {
    let ids: Vec<String> = (0..16).map(|number| format!("alert-{number:02}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let system = with_news(&ids).await;
    let first_shard = system.outbox().await.iter().filter(|item| text(&item.item, "outbox_shard") == "0").count();
    assert!(first_shard > 0);
    system.clock.advance(SignedDuration::from_mins(2));
    system.tap.refuse("Query", "AccessDeniedException");

    let error = system.sweep().await.unwrap_err();

    let words = runtime::chain(&error);
    assert!(
        words.starts_with("the store failed: Query (unpublished) on the alerts table failed (AccessDeniedException)"),
        "{words}"
    );
    assert_eq!(told(&system).len(), 16 - first_shard);
    system.sweep().await.unwrap();
    assert_eq!(told(&system).len(), 16);
}

// ---- events --------------------------------------------------------------------------------------------------------------

const BODY: &str = r#"{"EventName":"subscription-updated","ResourceUri":"https://api.partnercenter.microsoft.com/x ","ResourceName":"subscription","AuditUri":null,"ResourceChangeUtcDate":"2026-03-02T08:59:00.1234567+00:00"}"#;

/// The item of an event with this body, as the webhook keeps it.
async fn keep(system: &ByHand, body: &str, readable: bool) -> Item {
    let id = models::EventId::of_body(body.as_bytes());
    let received = ReceivedEvent {
        tenant: &system.tenant,
        id: &id,
        body: body.as_bytes(),
        received: system.now(),
        readable,
        trace: None,
        request_id: None,
    };
    assert_eq!(system.store().keep(&received).await.unwrap(), Kept::New);
    let items = system.items(&system.test.system.tables().events).await;
    items.into_iter().find(|item| text(item, "pk") == format!("{TENANT}#{id}")).unwrap()
}

fn event_record(system: &ByHand, name: &str, item: &Item, place: u32) -> Value {
    stream_record(&system.test.system.tables().events, name, item, place)
}

#[tokio::test]
async fn a_verified_event_goes_to_the_events_topic_with_the_same_id_however_often() {
    let system = ByHand::start().await;
    let item = keep(&system, BODY, true).await;
    let record = event_record(&system, "INSERT", &item, 1);

    for _ in 0..2 {
        assert_eq!(system.stream(std::slice::from_ref(&record)).await, None);
    }

    assert_eq!(system.test.messages.fraud().len(), 0);
    let published = system.test.messages.events();
    assert_eq!(published.len(), 2);
    assert_eq!(published[0].json, published[1].json);
    let json = json_of(&published[0]);
    assert_eq!(json["id"], models::EventId::of_body(BODY.as_bytes()).as_str());
    assert_eq!(json["eventName"], "subscription-updated");
    assert_eq!(json["resourceUri"], "https://api.partnercenter.microsoft.com/x");
    assert_eq!(json["changed"], "2026-03-02T08:59:00.1234567Z");
    assert_eq!(json["received"], "2026-03-02T09:00:00Z");
    let attributes = BTreeMap::from([
        ("eventName".to_owned(), "subscription-updated".to_owned()),
        ("schema".to_owned(), "partner-alerts.event.v1".to_owned()),
        ("tenantId".to_owned(), TENANT.to_owned()),
    ]);
    assert_eq!(published[0].attributes, attributes);
}

#[tokio::test]
async fn an_event_that_was_kept_aside_as_unreadable_is_not_published_and_holds_up_nothing() {
    let system = ByHand::start().await;
    let aside = keep(&system, "{\"EventName\":7}", false).await;
    // What a later release could read is not told as if it had just come in, either.
    let readable_by_now = keep(&system, &BODY.replace("08:59:00", "08:58:00"), false).await;
    let good = keep(&system, BODY, true).await;
    let items = [&aside, &readable_by_now, &good];
    let records: Vec<_> = (1..).zip(items).map(|(place, item)| event_record(&system, "INSERT", item, place)).collect();
    let lines = Lines::capture("info");

    assert_eq!(system.stream(&records).await, None);

    let published = system.test.messages.events();
    let ids: Vec<_> = published.iter().map(|message| json_of(message)["id"].clone()).collect();
    assert_eq!(ids, [models::EventId::of_body(BODY.as_bytes()).as_str()]);
    assert_eq!(lines.take_values().len(), 1, "webhook has logged it, once");
}

#[tokio::test]
async fn an_event_that_expires_wakes_nobody() {
    let system = ByHand::start().await;
    let item = keep(&system, BODY, true).await;

    assert_eq!(system.stream(&[event_record(&system, "REMOVE", &item, 1)]).await, None);

    assert_eq!(system.test.messages.events().len(), 0);
}

#[tokio::test]
async fn an_event_that_is_not_what_it_should_be_is_passed_over_and_holds_up_nothing() {
    let system = ByHand::start().await;
    let good = keep(&system, BODY, true).await;
    let spoilt: [fn(&mut Item); 4] = [
        |item| drop(item.remove("body")),
        |item| drop(item.insert("body".to_owned(), AttributeValue::B(Blob::new("no JSON")))),
        |item| drop(item.insert("pk".to_owned(), AttributeValue::S("no separator".to_owned()))),
        |item| drop(item.insert("received".to_owned(), AttributeValue::S("yesterday".to_owned()))),
    ];
    for (place, spoil) in (1..).zip(spoilt) {
        let mut item = good.clone();
        spoil(&mut item);
        let records = [event_record(&system, "INSERT", &item, 1), event_record(&system, "INSERT", &good, 2)];
        assert_eq!(system.stream(&records).await, None);
        assert_eq!(system.test.messages.events().len(), place, "the good one alone");
    }
}

#[tokio::test]
async fn an_event_that_cannot_be_published_is_named_and_comes_again() {
    let system = ByHand::start().await;
    let item = keep(&system, BODY, true).await;
    let record = event_record(&system, "INSERT", &item, 1);
    system.tap.refuse("Publish", "Throttled");

    assert_eq!(system.stream(std::slice::from_ref(&record)).await, Some(sequence(1)));
    assert_eq!(system.stream(&[record]).await, None);

    assert_eq!(system.test.messages.events().len(), 1);
}

// ---- all of it -----------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn with_the_streams_on_what_is_new_is_published_once_and_neither_the_mark_nor_expiry_wakes_anybody() {
    let system = ByHand::with(Setup { variables: &[("LOCAL_STREAMS", "on")], ..Setup::default() }).await;
    system.baseline().await;
    for (count, id) in (1..).zip(["first", "second", "third"]) {
        system.raise(id);
        system.complete(count, 1).await;
        let messages = &system.test.messages;
        let is_told =
            |messages: &Messages| messages.fraud().iter().any(|message| json_of(message)["alert"]["id"] == id);
        messages.until(&format!("{id} is published"), is_told).await;
        // As its expiry would. Where this comes before the mark, the mark finds nothing.
        let item = system.outbox().await.into_iter().find(|item| item.alert == id).unwrap().item;
        let request = system.dynamodb.delete_item().table_name(alerts_table(&system));
        request.key("pk", item["pk"].clone()).key("sk", item["sk"].clone()).send().await.unwrap();
    }

    assert_eq!(told(&system), opened(&["first", "second", "third"]));
}
