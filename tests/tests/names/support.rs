//! What the suites of names share.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use models::{NameId, TenantId};
use serde_json::{Value, json};
use simulator::{CustomerChange, NewAlert, Relationship, Requests};
use store::{KeptName, ReadNames as _};
use tests::{ByHand, Setup, TENANT};

/// Nothing is asked twice within one invocation: what a fault does shows at once.
pub(crate) const ONE_ATTEMPT: Setup<'static> = Setup { page_size: 100, variables: &[("MICROSOFT_ATTEMPTS", "1")] };

/// The customer of this number.
pub(crate) fn customer(number: usize) -> String {
    format!("{number:08x}-1111-4111-8111-111111111111")
}

/// The subscription of this number.
pub(crate) fn subscription(number: usize) -> String {
    format!("{number:08x}-2222-4222-8222-222222222222")
}

/// An alert appears, of this customer and this subscription.
pub(crate) fn raise_of(system: &ByHand, id: &str, customer: &str, subscription: &str) {
    system.raise_as(NewAlert {
        id: Some(id.to_owned()),
        customer_tenant_id: Some(customer.to_owned()),
        subscription_id: Some(subscription.to_owned()),
        ..NewAlert::default()
    });
}

/// A customer is called so from now on.
pub(crate) fn called(system: &ByHand, customer: &str, name: &str) {
    describe(system, CustomerChange { id: customer.to_owned(), company_name: Some(name.to_owned()), ..change() });
}

/// A customer stands so to the partner from now on.
pub(crate) fn related(system: &ByHand, customer: &str, relationship: Relationship) {
    describe(system, CustomerChange { id: customer.to_owned(), relationship: Some(relationship), ..change() });
}

pub(crate) fn change() -> CustomerChange {
    CustomerChange::default()
}

pub(crate) fn describe(system: &ByHand, change: CustomerChange) {
    system.microsoft.describe_customer(change).unwrap();
}

/// A message that was put on the queue.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Message {
    pub(crate) delay: i64,
    pub(crate) body: Value,
}

/// The messages about names that were put on their queue since the last time.
pub(crate) fn sent(system: &ByHand) -> Vec<Message> {
    let batches = system.tap.take_bodies("SendMessageBatch");
    let mut messages = Vec::new();
    for batch in batches {
        let batch: Value = serde_json::from_str(&batch).unwrap();
        let is_theirs = batch["QueueUrl"].as_str().unwrap().ends_with("/names");
        for entry in batch["Entries"].as_array().unwrap() {
            let body: Value = serde_json::from_str(entry["MessageBody"].as_str().unwrap()).unwrap();
            assert_eq!(body.get("names").is_some(), is_theirs, "each queue has its own: {batch}");
            if is_theirs {
                messages.push(Message { delay: entry["DelaySeconds"].as_i64().unwrap_or_default(), body });
            }
        }
    }
    messages
}

/// Hands over these messages, each when it is due, and gives those that were sent meanwhile.
pub(crate) async fn deliver(system: &ByHand, messages: &[Message]) -> Vec<Message> {
    let mut after = Vec::new();
    for message in messages {
        system.clock.advance(SignedDuration::from_secs(message.delay));
        let failed = system.deliver(&[("names", &message.body.to_string())]).await;
        assert_eq!(failed, Vec::<String>::new(), "a message about names is always done");
        after.extend(sent(system));
    }
    after
}

/// Hands over what is on the queue until nothing comes of it any more.
pub(crate) async fn settle(system: &ByHand) {
    let mut messages = sent(system);
    for _ in 0..1_000 {
        if messages.is_empty() {
            return;
        }
        messages = deliver(system, &messages).await;
    }
    panic!("there is no end of messages");
}

/// The message that asks for what is old.
pub(crate) fn old() -> Message {
    Message { delay: 0, body: json!({ "tenant": TENANT, "cause": "again", "names": { "old": {} } }) }
}

/// What is kept of a customer's name.
pub(crate) async fn kept(system: &ByHand, id: &str) -> Option<KeptName> {
    kept_as(system, NameId::customer(&id.parse().unwrap())).await
}

/// What is kept of a subscription's name.
pub(crate) async fn kept_subscription(system: &ByHand, id: &str) -> Option<KeptName> {
    kept_as(system, NameId::subscription(&id.parse().unwrap())).await
}

pub(crate) async fn kept_as(system: &ByHand, id: NameId) -> Option<KeptName> {
    let tenant: TenantId = TENANT.parse().unwrap();
    system.store().names(&tenant, &BTreeSet::from([id.clone()])).await.unwrap().remove(&id)
}

/// The name of a customer.
pub(crate) async fn name(system: &ByHand, id: &str) -> Option<String> {
    kept(system, id).await?.name
}

/// The names of the customers that are found by this beginning.
pub(crate) async fn found(system: &ByHand, beginning: &str) -> Vec<String> {
    let tenant: TenantId = TENANT.parse().unwrap();
    let page = system.store().customers_named(&tenant, beginning, 2_000, None).await.unwrap();
    assert_eq!(page.next, None);
    page.customers.into_iter().map(|customer| customer.name).collect()
}

/// How often Partner Center was asked about customers.
pub(crate) fn asked(system: &ByHand) -> [u64; 3] {
    let Requests { customer, customer_subscriptions, azure_entitlements, .. } = system.microsoft.requests();
    [customer, customer_subscriptions, azure_entitlements]
}
