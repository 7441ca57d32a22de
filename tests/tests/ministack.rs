//! What leaves through SNS and SQS, seen by those who receive it, and what secrets are written with, through an emulator that we did
//! not write.
//!
//! What an emulator does is no evidence of what AWS does; it shows that our requests mean what we think to somebody else who
//! read the same documents. Run it with `tests/with-ministack`.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

use std::collections::BTreeMap;

use aws_sdk_sqs::types::Message;
use jiff::{SignedDuration, Timestamp};
use messaging::{Publish as _, ReconcileQueue, Ring as _, Topic};
use models::{
    Alert, AlertNotice, AlertSummary, AlertType, EventId, Notice, Publication, Queued, ReconcileCause,
    ReconcileRequest, Resolution, Severity, Status, TenantId, TransitionKind,
};
use serde_json::json;
use tests::account::{Account, Queue, RAW, json_of};

const TENANT: &str = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10";

fn tenant() -> TenantId {
    TENANT.parse().unwrap()
}

fn notice(kind: TransitionKind, severity: Severity, version: u64) -> Notice {
    let detected: Timestamp = "2026-03-02T06:12:09Z".parse().unwrap();
    let alert = Alert {
        id: "alert-1".parse().unwrap(),
        display_name: "Connections to known mining pools – \"unusual\"".into(),
        description: Some("Look at the machine.\nThen <stop> it & ask.".into()),
        alert_type: AlertType("CryptoMining".into()),
        status: Status::Active,
        severity,
        confidence: None,
        customer_id: Some("customer-1".parse().unwrap()),
        subscription_id: Some("subscription-1".parse().unwrap()),
        reseller_id: None,
        catalog_offer_id: None,
        detected,
        first_observed: detected,
        last_observed: detected,
        resolution: Resolution::default(),
        is_test: false,
        affected_resources: Vec::new(),
        activity: Vec::new(),
        additional_details: BTreeMap::new(),
    };
    Notice::Alert(AlertNotice { kind, version, alert: Box::new(AlertSummary::from(&alert)) })
}

fn publication(kind: TransitionKind, severity: Severity, version: u64) -> Publication {
    let recorded: Timestamp = "2026-03-02T06:13:00.250Z".parse().unwrap();
    notice(kind, severity, version).publication(&tenant(), recorded).unwrap()
}

/// A topic and a queue that hears it.
async fn subscribed(account: &Account, name: &str, attributes: &[(&str, &str)]) -> (Topic, Queue) {
    let topic = account.topic_arn(name).await;
    let queue = account.subscriber(&topic, name, attributes).await;
    (Topic::new(account.sns.clone(), topic), queue)
}

fn attributes_of(message: &Message) -> BTreeMap<&str, &str> {
    let attributes = message.message_attributes.as_ref().expect("raw delivery keeps attributes");
    attributes
        .iter()
        .map(|(name, value)| (name.as_str(), value.string_value.as_deref().expect("attributes are text")))
        .collect()
}

#[tokio::test]
async fn a_subscriber_gets_what_its_filter_policy_lets_through_with_all_attributes_and_the_json() {
    let account = Account::open().await;
    let policy = json!({ "severity": ["high"], "kind": ["opened"] }).to_string();
    let (topic, queue) = subscribed(&account, "filtered", &[RAW, ("FilterPolicy", &policy)]).await;

    topic.publish(&publication(TransitionKind::Opened, Severity::Medium, 1)).await.unwrap();
    topic.publish(&publication(TransitionKind::Resolved, Severity::High, 2)).await.unwrap();
    let matching = publication(TransitionKind::Opened, Severity::High, 3);
    topic.publish(&matching).await.unwrap();

    let received = account.receive(&queue, 1).await;
    assert_eq!(received[0].body.as_deref(), Some(matching.json.as_str()));
    let sent = matching.attributes.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(attributes_of(&received[0]), sent);
    let names: Vec<_> = matching.attributes.keys().copied().collect();
    let expected =
        ["alertType", "customerId", "kind", "portalType", "schema", "severity", "subscriptionId", "tenantId"];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_message_that_is_published_twice_carries_the_same_id() {
    let account = Account::open().await;
    let (topic, queue) = subscribed(&account, "twice", &[RAW]).await;

    let first = publication(TransitionKind::Opened, Severity::High, 1);
    let again = publication(TransitionKind::Opened, Severity::High, 1);
    let other = publication(TransitionKind::Opened, Severity::High, 2);
    for publication in [&first, &again, &other] {
        topic.publish(publication).await.unwrap();
    }

    let received = account.receive(&queue, 3).await;
    let mut ids: Vec<_> = received.iter().map(|message| json_of(message)["id"].clone()).collect();
    ids.sort_by_key(ToString::to_string);
    let mut expected = vec![json!(first.id.to_string()), json!(first.id.to_string()), json!(other.id.to_string())];
    expected.sort_by_key(ToString::to_string);
    assert_eq!(ids, expected);
    assert_ne!(first.id, other.id);
}

#[tokio::test]
async fn a_subscriber_without_raw_delivery_gets_our_subject_and_the_json() {
    let account = Account::open().await;
    let (topic, queue) = subscribed(&account, "wrapped", &[]).await;

    let publication = publication(TransitionKind::Opened, Severity::High, 1);
    topic.publish(&publication).await.unwrap();

    let received = account.receive(&queue, 1).await;
    let envelope = json_of(&received[0]);
    assert_eq!(envelope["Subject"], "Partner Alerts: new fraud alert");
    assert_eq!(envelope["Message"], publication.json.as_str());
    assert_eq!(envelope["MessageAttributes"]["severity"]["Value"], "high");
}

#[tokio::test]
async fn a_topic_that_is_missing_is_an_error_with_the_message_the_topic_and_the_code() {
    let account = Account::open().await;
    let there = account.topic_arn("there").await;
    let missing = there.replace(":there", ":missing");
    let publication = publication(TransitionKind::Opened, Severity::High, 1);

    let error = Topic::new(account.sns.clone(), missing.clone()).publish(&publication).await.unwrap_err();
    assert_eq!(error.to_string(), format!("publishing message {} to {missing} failed (NotFound)", publication.id));
    Topic::new(account.sns.clone(), there).publish(&publication).await.unwrap();
}

#[tokio::test]
async fn a_ring_arrives_as_the_request_that_was_sent() {
    let account = Account::open().await;
    let queue = account.queue("ring").await;
    let event: EventId = "0".repeat(64).parse().unwrap();
    let request = ReconcileRequest { tenant: tenant(), cause: ReconcileCause::Callback(event.into()), trace: None };

    let ring = ReconcileQueue::new(account.sqs.clone(), queue.url.clone());
    ring.ring(&request, SignedDuration::ZERO).await.unwrap();

    let received = account.receive(&queue, 1).await;
    let read: ReconcileRequest = serde_json::from_value(json_of(&received[0])).unwrap();
    assert_eq!(read, request);
}

#[tokio::test]
async fn a_ring_for_23_tenants_arrives_for_each_of_them_once() {
    let account = Account::open().await;
    let queue = account.queue("ring-all").await;
    let tenant = |number: u32| format!("9f1c7f3e-2f0a-4f7b-8a34-{number:012}").parse().unwrap();
    let request = |number| ReconcileRequest { tenant: tenant(number), cause: ReconcileCause::Schedule, trace: None };
    let requests: Vec<_> = (0..23).map(|number| Queued::from(request(number))).collect();

    let ring = ReconcileQueue::new(account.sqs.clone(), queue.url.clone());
    ring.ring_all(&requests).await.unwrap();

    let received = account.receive(&queue, 23).await;
    let read = received.iter().map(|message| serde_json::from_value::<ReconcileRequest>(json_of(message)).unwrap());
    let mut read: Vec<_> = read.collect();
    read.sort_by_key(|request| request.tenant.to_string());
    let requests: Vec<_> = requests.into_iter().map(|queued| queued.request).collect();
    assert_eq!(read, requests);
}

#[tokio::test]
async fn a_queue_that_is_missing_is_an_error_with_the_code() {
    let account = Account::open().await;
    let there = account.queue("queue-there").await;
    let missing = there.url.replace("queue-there", "queue-missing");
    let request = ReconcileRequest { tenant: tenant(), cause: ReconcileCause::Schedule, trace: None };

    let ring = ReconcileQueue::new(account.sqs.clone(), missing);
    let one = ring.ring(&request, SignedDuration::ZERO).await.unwrap_err();
    let all = ring.ring_all(&[request.into()]).await.unwrap_err();
    for error in [one, all] {
        let text = error.to_string();
        assert_eq!(text, "sending to the reconcile queue failed (AWS.SimpleQueueService.NonExistentQueue)");
    }
}

/// As the local system's stand-in does.
#[tokio::test]
async fn secrets_and_their_versions_behave_as_we_count_on() {
    let account = Account::open().await;
    tests::secrets_behave(&account.secrets, "partner-alerts/read/").await;
}
