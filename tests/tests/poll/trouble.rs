//! Looks that meet trouble: each of them ends, and what can't be told is told as such.

use std::time::Instant;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use models::{COME_BACKS, LOOKS};
use serde_json::{Value, json};
use simulator::{CustomerChange, ErrorBody, Fault, FaultKind, Relationship, RetryAfter, Target};
use tests::{ByHand, HandQueue, TENANT};

use crate::looks::{CUSTOMER, FRAUD, HOUR, SUBSCRIPTION, of_the_customer, rings, signal, signals, system, uri};

fn is_ours(system: &ByHand) {
    let relationship = Some(Relationship::Reseller);
    let change = CustomerChange { id: CUSTOMER.to_owned(), relationship, ..CustomerChange::default() };
    system.microsoft.describe_customer(change).unwrap();
}

#[tokio::test]
async fn a_customer_is_somebody_elses_on_partner_centers_own_word_alone() {
    for body in [ErrorBody::Empty, ErrorBody::Gateway, ErrorBody::Graph, ErrorBody::Html] {
        for status in [403, 404] {
            let system = system().await;
            is_ours(&system);
            let kind = FaultKind::Answer { status, body, retry_after: RetryAfter::Absent };
            system.microsoft.set_fault(Fault::new(Target::Customer, kind)).unwrap();
            let mut queue = HandQueue::default();
            rings(&system, &mut queue, &uri(CUSTOMER, SUBSCRIPTION)).await;
            queue.pass(&system, HOUR).await;
            let unknown = signal("unknown", "2026-03-02T09", "not_found", false);
            assert_eq!(signals(&system).await, std::slice::from_ref(&unknown), "{kind:?}");

            // Nothing is remembered of it but that there was no answer.
            system.microsoft.clear_faults();
            queue.pass(&system, HOUR).await;
            rings(&system, &mut queue, &uri(CUSTOMER, SUBSCRIPTION)).await;
            queue.pass(&system, HOUR).await;
            let known = signal(SUBSCRIPTION, "2026-03-02T11", "not_found", true);
            let told = signals(&system).await;
            assert!(told.len() == 2 && told.contains(&unknown) && told.contains(&known), "{kind:?}: {told:?}");
            assert_eq!(queue.dead, [""; 0]);
        }
    }
}

#[tokio::test]
async fn an_alert_whose_item_is_broken_confirms_nothing_and_keeps_no_event_from_being_judged() {
    let system = system().await;
    is_ours(&system);
    system.raise_as(of_the_customer("broken"));
    system.complete(1, 1).await;
    let mut broken = system.alert("broken").await.unwrap();
    broken.insert("summary".to_owned(), AttributeValue::S("no map".to_owned()));
    let table = &system.test.system.tables().alerts;
    system.dynamodb.put_item().table_name(table).set_item(Some(broken)).send().await.unwrap();
    system.clock.advance(SignedDuration::from_mins(1));
    let _ = system.tap.take();
    let mut queue = HandQueue::default();

    rings(&system, &mut queue, &uri(CUSTOMER, SUBSCRIPTION)).await;
    queue.pass(&system, HOUR).await;

    assert_eq!(signals(&system).await, [signal(SUBSCRIPTION, "2026-03-02T09", "not_found", true)]);
    assert!(queue.waiting.is_empty() && queue.dead.is_empty());
}

#[tokio::test]
async fn a_look_ends_and_its_event_is_told_where_partner_center_never_answers() {
    let system = system().await;
    is_ours(&system);
    system.microsoft.set_fault(Fault::new(Target::Customer, FaultKind::Silent)).unwrap();
    let mut queue = HandQueue::default();
    rings(&system, &mut queue, &uri(CUSTOMER, SUBSCRIPTION)).await;
    let begun = Instant::now();
    queue.pass(&system, HOUR).await;
    assert_eq!(signals(&system).await, [signal("unknown", "2026-03-02T09", "not_found", false)]);
    // Ten seconds are left of the function's time after the longest run. One request to Microsoft may take that, and is repeated.
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    assert!(queue.waiting.is_empty() && queue.dead.is_empty());
}

#[tokio::test]
async fn an_event_whose_ring_failed_is_judged_when_microsoft_sends_it_again() {
    for listed in [false, true] {
        let system = system().await;
        is_ours(&system);
        let body = json!({
            "EventName": FRAUD, "ResourceUri": uri(CUSTOMER, SUBSCRIPTION), "ResourceChangeUtcDate": system.now(),
        });
        let callback = system.microsoft.sign(body.to_string().as_bytes()).unwrap();
        system.tap.refuse("SendMessage", "AccessDeniedException");
        assert_eq!(system.receive(&callback).await, 200);
        let _ = system.tap.take();
        system.clock.advance(SignedDuration::from_mins(20));
        if listed {
            system.raise_as(of_the_customer("alert"));
        }
        let mut queue = HandQueue::default();
        for _ in 0..3 {
            assert_eq!(system.receive(&callback).await, 200);
            queue.pass(&system, HOUR).await;
        }

        let told = signal(SUBSCRIPTION, "2026-03-02T09", "not_found", true);
        assert_eq!(signals(&system).await, if listed { vec![] } else { vec![told] }, "listed: {listed}");
        assert_eq!(queue.delivered, 1, "the look, which judges: listed: {listed}");
        assert!(queue.waiting.is_empty() && queue.dead.is_empty());
    }
}

#[tokio::test]
async fn while_another_run_holds_the_lease_an_event_is_five_looks_and_four_come_backs_in_a_chain_at_most() {
    let system = system().await;
    is_ours(&system);
    let mut queue = HandQueue::default();
    let body = json!({
        "EventName": FRAUD, "ResourceUri": uri(CUSTOMER, SUBSCRIPTION), "ResourceChangeUtcDate": system.now(),
    });
    assert_eq!(system.receive(&system.microsoft.sign(body.to_string().as_bytes()).unwrap()).await, 200);
    let start = system.now();
    for _ in 0..HOUR.as_secs() / 30 {
        hold_the_lease(&system).await;
        queue.pass(&system, SignedDuration::from_secs(30)).await;
    }

    assert_eq!(queue.listed_since(start), [0; 0], "nobody looks");
    // One chain is the looks, and the come-backs of one of them.
    let mut sent: Vec<(u64, u64)> =
        queue.calls.iter().filter(|call| call.operation == "SendMessage").map(bell).collect();
    sent.sort_unstable();
    let looks = (0..LOOKS.len()).map(|look| (look, 0));
    // The looks that judge come back, each in a chain of its own.
    let come_backs = [3, 4].into_iter().flat_map(|look| (1..=COME_BACKS.len()).map(move |times| (look, times)));
    let mut expected: Vec<_> = looks
        .chain(come_backs)
        .map(|(look, times)| (u64::try_from(look).unwrap(), u64::try_from(times).unwrap()))
        .collect();
    expected.sort_unstable();
    assert_eq!(sent, expected);
    assert_eq!((LOOKS.len(), COME_BACKS.len(), queue.delivered), (5, 4, 13));
    assert_eq!(signals(&system).await, [signal(SUBSCRIPTION, "2026-03-02T09", "not_read", true)]);
    assert!(queue.waiting.is_empty() && queue.dead.is_empty());
}

/// Which look a message asks for, and for which time it comes back.
fn bell(call: &tests::Call) -> (u64, u64) {
    let message: Value = serde_json::from_str(&call.body).unwrap();
    let message: Value = serde_json::from_str(message["MessageBody"].as_str().unwrap()).unwrap();
    let number = |name: &str| message["cause"]["callback"][name].as_u64().unwrap_or_default();
    (number("look"), number("come_backs"))
}

/// Another run has the lease, for three quarters of a minute from now on.
async fn hold_the_lease(system: &ByHand) {
    let update = system.dynamodb.update_item().table_name(&system.test.system.tables().tenants);
    let until = system.now() + SignedDuration::from_secs(45);
    let update = update
        .key("pk", AttributeValue::S(TENANT.to_owned()))
        .key("sk", AttributeValue::S("state".to_owned()))
        .update_expression("SET lease_until = :until")
        .expression_attribute_values(":until", AttributeValue::N(until.as_millisecond().to_string()));
    update.send().await.unwrap();
}
