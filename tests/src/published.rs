//! One message of each kind, as the topics get it: what the snapshots, the schemas and the document are about.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test that can't be set up has to fail loudly")]

use jiff::{SignedDuration, Timestamp};
use local::Published;
use serde_json::json;
use simulator::{AffectedResource, AlertChange, NewAlert};

use crate::{ByHand, TENANT, stream_record};

const SUBSCRIPTION: &str = "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381";

/// An alert with everything that Microsoft may say of one. Made up.
#[must_use]
pub fn sample_alert() -> NewAlert {
    let moment = |text: &str| Some(text.parse::<Timestamp>().unwrap());
    let machine = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-build/providers/Microsoft.Compute/virtualMachines/vm-build-07"
    );
    let resource = AffectedResource { resource_id: machine, resource_type: "AzureResource".to_owned() };
    let details = [("VM_IP", "[  \"10.20.0.7\"]"), ("ConnectionCount", "4")];
    NewAlert {
        id: Some(format!("{SUBSCRIPTION}-70d3b5f9-1c84-4e6a-a25b-09f7d1c3e862")),
        display_name: Some("Connections to known mining pools".to_owned()),
        description: Some(
            "A virtual machine in the subscription reached an address that belongs to a known mining pool.".to_owned(),
        ),
        alert_type: Some("CryptoMining".to_owned()),
        severity: Some("high".to_owned()),
        confidence_level: Some("high".to_owned()),
        customer_tenant_id: Some("4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3".to_owned()),
        subscription_id: Some(SUBSCRIPTION.to_owned()),
        value_added_reseller_tenant_id: Some("2f7d90b6-c1e8-4a53-9b04-d86f3e5a7c12".to_owned()),
        catalog_offer_id: Some("MS-AZR-0017G".to_owned()),
        detected_date_time: moment("2026-03-02T06:12:09Z"),
        first_observed_date_time: moment("2026-03-02T06:10:00Z"),
        last_observed_date_time: moment("2026-03-02T08:35:00Z"),
        affected_resources: Some(vec![resource]),
        additional_details: Some(details.map(|(name, value)| (name.to_owned(), value.to_owned())).into()),
        ..NewAlert::default()
    }
}

/// An alert with as little as possible: unknown words, no resource.
fn second_alert() -> NewAlert {
    NewAlert {
        id: Some("c58e1a04-93b7-4d2f-8e60-b4a9f75d31c6".to_owned()),
        display_name: Some("Unusual resource deployment".to_owned()),
        alert_type: Some("ServiceTypeAddedLater".to_owned()),
        severity: Some("unknownFutureValue".to_owned()),
        customer_tenant_id: Some("b3d5e7c2-81a4-4f16-a0c9-3d2e5f7a9b14".to_owned()),
        subscription_id: Some("e07b41d9-6a25-4c8f-93b0-5f1d2a8c6e73".to_owned()),
        detected_date_time: Some("2026-03-01T22:41:50.1234567Z".parse().unwrap()),
        affected_resources: Some(Vec::new()),
        ..NewAlert::default()
    }
}

/// The messages of the fraud topic, one of each kind, under the names of their snapshots.
pub async fn of_each_kind() -> Vec<(&'static str, Published)> {
    // Four systems make a large future.
    Box::pin(one_of_each_kind()).await
}

async fn one_of_each_kind() -> Vec<(&'static str, Published)> {
    let first = ByHand::start().await;
    first.raise_as(sample_alert());
    first.raise_as(second_alert());
    first.complete(2, 2).await;

    let system = ByHand::start().await;
    system.baseline().await;
    let id = sample_alert().id.unwrap();
    let status = |status: &str, reason: Option<&str>| AlertChange {
        status: Some(status.to_owned()),
        resolved_reason: reason.map(str::to_owned),
        ..AlertChange::default()
    };
    let severity = |severity: &str| AlertChange { severity: Some(severity.to_owned()), ..AlertChange::default() };
    system.raise_as(sample_alert());
    system.complete(1, 1).await;
    for change in [status("resolved", Some("fraud")), status("active", None), severity("medium"), severity("high")] {
        system.change(&id, change);
        system.complete(1, 1).await;
    }

    let burst = ByHand::start().await;
    burst.baseline().await;
    for number in 0..21 {
        let id = Some(format!("alert-{number:02}"));
        burst.raise_as(NewAlert { id, ..sample_alert() });
    }
    burst.complete(21, 21).await;

    let unconfirmed = ByHand::start().await;
    unconfirmed.raise_as(sample_alert());
    unconfirmed.complete(1, 1).await;
    unconfirmed.change(&id, status("resolved", Some("fraud")));
    unconfirmed.complete(1, 1).await;
    unconfirmed.clock.advance(SignedDuration::from_hours(2));
    publish_outbox(&unconfirmed).await;
    let before = unconfirmed.test.messages.fraud().len();
    let bell = json!({
        "event": "9b12d088c56e9df7b64d25978d008c4492b400ce909c2de1d7e71fd3b08c2aab",
        "received": unconfirmed.now(), "changed": unconfirmed.now() - SignedDuration::from_secs(4),
        "customer": sample_alert().customer_tenant_id, "subscription": SUBSCRIPTION, "look": 3,
    });
    let look = json!({ "tenant": TENANT, "cause": { "callback": bell } }).to_string();
    unconfirmed.clock.advance(SignedDuration::from_mins(5));
    assert_eq!(unconfirmed.deliver(&[("look", &look)]).await, Vec::<String>::new());
    let signal = unconfirmed.outbox().await.into_iter().find(|item| item.notice.get("signal").is_some()).unwrap();
    let record = stream_record(&unconfirmed.test.system.tables().alerts, "INSERT", &signal.item, 1);
    assert_eq!(unconfirmed.stream(&[record]).await, None);
    let signal = unconfirmed.test.messages.fraud().split_off(before);

    let mut messages = Vec::new();
    for (system, names) in [
        (first, &["digest-baseline"][..]),
        (system, &["opened", "resolved", "reopened", "severity-raised"][..]),
        (burst, &["digest-burst"][..]),
    ] {
        publish_outbox(&system).await;
        let published = system.test.messages.fraud();
        assert_eq!(published.len(), names.len(), "{published:#?}");
        messages.extend(names.iter().copied().zip(published));
    }
    messages.extend(["unconfirmed"].into_iter().zip(signal));
    messages
}

async fn publish_outbox(system: &ByHand) {
    let table = &system.test.system.tables().alerts;
    let outbox = system.outbox().await;
    let records: Vec<_> =
        (1..).zip(&outbox).map(|(place, item)| stream_record(table, "INSERT", &item.item, place)).collect();
    assert_eq!(system.stream(&records).await, None);
}

/// The messages of the events topic: of a fraud event, and of one with all its members.
pub async fn events() -> Vec<(&'static str, Published)> {
    // On the heap, since it is large.
    let system = Box::pin(ByHand::start()).await;
    let bodies = [
        r#"{"EventName":"azure-fraud-event-detected","ResourceUri":"https://api.partnercenter.microsoft.com/v1/customers/4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3/subscriptions/6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381 ","AuditUri":null,"ResourceChangeUtcDate":"2026-03-02T06:12:10.1234567+00:00"}"#,
        r#"{"EventName":"subscription-updated","ResourceUri":"http://api.partnercenter.microsoft.com/webhooks/v1/customers/4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3/subscriptions/6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381","ResourceName":"subscription","AuditUri":"https://api.partnercenter.microsoft.com/auditactivity/v1/auditrecords/made-up","ResourceChangeUtcDate":"2026-03-02T08:59:00+00:00"}"#,
    ];
    let table = &system.test.system.tables().events;
    for (place, body) in (1..).zip(bodies) {
        let callback = system.microsoft.sign(body.as_bytes()).unwrap();
        assert_eq!(system.receive(&callback).await, 200);
        let key = format!("{}#{}", system.tenant, models::EventId::of_body(body.as_bytes()));
        let item = system.items(table).await.into_iter().find(|item| crate::text(item, "pk") == key).unwrap();
        assert_eq!(system.stream(&[stream_record(table, "INSERT", &item, place)]).await, None);
    }
    ["event-fraud", "event-subscription"].into_iter().zip(system.test.messages.events()).collect()
}
