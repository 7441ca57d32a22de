//! Who is asked to look.

use jiff::SignedDuration;
use models::{Doorbell, EventId, ReconcileCause, ReconcileRequest};
use serde_json::json;
use simulator::Forgery;
use tests::wire::Fault;
use webhook::{Outcome, RINGS_AGAIN, request::RequestId};

use crate::support::{FRAUD, Fixture, event_body, receive, told};

/// The requests that were rung with, each without delay.
fn rung(here: &Fixture) -> Vec<ReconcileRequest> {
    let messages = here.wire.sent().into_iter().filter(|sent| sent.operation == "SendMessage");
    let read = |message: tests::wire::Sent| {
        let message: serde_json::Value = serde_json::from_str(&message.body).unwrap();
        assert_eq!(message["DelaySeconds"], 0);
        serde_json::from_str(message["MessageBody"].as_str().unwrap()).unwrap()
    };
    messages.map(read).collect()
}

#[tokio::test]
async fn a_fraud_event_rings_for_its_tenant_and_a_repetition_only_where_that_is_not_known_and_with_the_same_words() {
    let here = Fixture::new().await;
    let body = here.fraud_body(0);
    let genuine = here.genuine(&body);
    for expected in ["kept", "duplicate", "duplicate"] {
        assert_eq!(here.told(&genuine).await, (expected, 200));
        here.advance(60);
    }
    // Of that resource nothing is known but that it is none of the documented ones.
    let bell = Doorbell {
        event: EventId::of_body(&body),
        received: Some(here.now),
        changed: Some(here.now),
        customer: None,
        subscription: None,
        look: 0,
        again: false,
        come_backs: 0,
    };
    let cause = ReconcileCause::Callback(bell);
    let request = ReconcileRequest { tenant: here.tenant(), cause, trace: None };
    assert_eq!(rung(&here), std::slice::from_ref(&request));
    for _ in 0..2 {
        assert_eq!(told(&receive(&here.another(), &genuine).await), ("duplicate", 200));
    }
    assert_eq!(
        rung(&here),
        vec![request; 3],
        "of the moment when it came in first, so that nothing is followed up twice"
    );
}

#[tokio::test]
async fn a_repetition_rings_for_two_days_and_no_longer() {
    let here = Fixture::new().await;
    let request = here.genuine(&here.fraud_body(0));
    for (seconds, rings) in [(0, 1), (RINGS_AGAIN.as_secs(), 2), (1, 2)] {
        here.advance(seconds);
        receive(&here.another(), &request).await;
        assert_eq!(rung(&here).len(), rings);
    }
}

#[tokio::test]
async fn the_message_says_whom_the_event_names_in_either_of_microsofts_forms() {
    let here = Fixture::new().await;
    let (customer, subscription) = ("4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3", "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381");
    let host = "https://api.partnercenter.microsoft.com";
    for uri in [
        format!("{host}/v1/customers/{customer}/subscriptions/{subscription} "),
        format!("{host}/v1/fraudEvents?SubscriptionId={subscription}&EventStatus=Active"),
    ] {
        let changed = here.now - SignedDuration::from_hours(40);
        let body = json!({ "EventName": FRAUD, "ResourceUri": uri, "ResourceChangeUtcDate": changed }).to_string();
        here.receive(&here.genuine(body.as_bytes())).await;
    }
    let bells = rung(&here).into_iter().map(|request| match request.cause {
        ReconcileCause::Callback(bell) => (bell.customer, bell.subscription, bell.received, bell.changed, bell.look),
        other => panic!("{other:?}"),
    });
    let (received, changed) = (Some(here.now), Some(here.now - SignedDuration::from_hours(40)));
    let named = |id: &str| Some(id.parse().unwrap());
    let expected = [
        (Some(customer.parse().unwrap()), named(subscription), received, changed, 0),
        (None, named(subscription), received, changed, 0),
    ];
    assert_eq!(bells.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn the_event_is_durable_before_anybody_is_asked_to_look() {
    let here = Fixture::new().await;
    here.receive(&here.genuine(&here.fraud_body(0))).await;
    assert_eq!(here.wire.operations(), ["Query", "PutItem", "SendMessage"]);
}

#[tokio::test]
async fn other_events_ring_nobody() {
    let here = Fixture::new().await;
    for name in ["test-created", "subscription-updated", "invoice-ready", "azure-fraud-event-detected-2"] {
        let outcome = here.receive(&here.genuine(&event_body(name, here.now, 0))).await;
        assert!(matches!(outcome, Outcome::Kept { rang: None, .. }), "{outcome:?}");
        let outcome = here.receive(&here.genuine(&event_body(name, here.now, 0))).await;
        assert!(matches!(outcome, Outcome::Duplicate { rang: None, .. }), "{outcome:?}");
    }
    assert_eq!(rung(&here), []);
}

#[tokio::test]
async fn a_bell_that_does_not_ring_is_no_reason_to_refuse() {
    let here = Fixture::new().await;
    here.wire.plan_always("SendMessage", Fault::access_denied());
    let request = here.genuine(&here.fraud_body(0));
    let outcome = here.receive(&request).await;
    assert_eq!((outcome.reason(), outcome.status().as_u16()), ("kept", 200));
    let Outcome::Kept { rang: Some(Err(error)), .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.to_string(), "sending to the reconcile queue failed (AccessDeniedException)");
    // One that comes again is what makes up for it.
    let outcome = here.receive(&request).await;
    assert!(matches!(outcome, Outcome::Duplicate { rang: Some(Err(_)), .. }), "{outcome:?}");
    here.event().await;
}

#[tokio::test]
async fn an_event_whose_ring_failed_rings_when_it_comes_again() {
    let here = Fixture::new().await;
    here.wire.plan("SendMessage", 1, Fault::access_denied());
    let request = here.genuine(&here.fraud_body(0));
    let outcome = here.receive(&request).await;
    assert!(matches!(outcome, Outcome::Kept { rang: Some(Err(_)), .. }), "{outcome:?}");
    here.advance(600);
    let outcome = here.receive(&request).await;
    assert!(matches!(outcome, Outcome::Duplicate { rang: Some(Ok(())), .. }), "{outcome:?}");
    here.event().await;
}

#[tokio::test]
async fn an_event_whose_keeping_was_not_heard_of_is_kept_once_and_rings_all_the_same() {
    let here = Fixture::new().await;
    here.wire.plan("PutItem", 1, Fault::AnswerLost);
    let mut request = here.genuine(&here.fraud_body(0));
    request.extensions_mut().insert(RequestId("an invocation".to_owned()));
    assert_eq!(here.told(&request).await, ("kept", 200));
    here.event().await;
    assert_eq!(rung(&here).len(), 1);
}

#[tokio::test]
async fn nothing_unproven_asks_for_anything_but_the_keys() {
    let here = Fixture::new().await;
    let body = here.fraud_body(0);
    for forgery in [Forgery::Body, Forgery::Key] {
        here.receive(&here.forged(&body, forgery)).await;
    }
    let mut bare = here.genuine(&body);
    bare.headers_mut().clear();
    here.receive(&bare).await;
    assert_eq!(here.wire.operations(), ["Query"]);
    assert!(here.system.messages.all().is_empty());
    assert_eq!(here.events().await, []);
}
