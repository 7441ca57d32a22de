//! What is kept, and how often.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use http::Request;
use jiff::SignedDuration;
use models::{EventId, EventName, TenantId};
use simulator::NewAlert;
use store::{EVENT_RETENTION, ReadTenants as _, WriteTenants as _};
use tests::TestSystem;
use tokio::task::JoinSet;
use webhook::{CLOCK_TOLERANCE, OLDEST_ACCEPTED, Outcome};

use crate::support::{Fixture, count, event_body, other_key, receive, text, told};

#[tokio::test]
async fn a_new_callback_is_kept_as_the_bytes_that_were_signed_with_tenant_and_expiry() {
    let here = Fixture::new().await;
    let alert = here.simulator().raise(NewAlert::default()).unwrap();
    let body = here.simulator().fraud_callback(&alert);
    let outcome = here.receive(&here.genuine(&body)).await;
    let Outcome::Kept { tenant, event, name, rang } = outcome else { panic!("{outcome:?}") };
    assert_eq!(tenant, here.tenant());
    assert_eq!(event, EventId::of_body(&body));
    assert_eq!(name, EventName::AzureFraudEventDetected);
    assert!(matches!(rang, Some(Ok(()))));

    let mut item = here.event().await;
    let taken = |item: &mut std::collections::HashMap<_, _>, name: &str| item.remove(name).unwrap();
    assert_eq!(taken(&mut item, "body").as_b().unwrap().as_ref(), body);
    assert_eq!(taken(&mut item, "pk").as_s().unwrap(), &format!("{tenant}#{event}"));
    assert_eq!(taken(&mut item, "tenant").as_s().unwrap(), tenant.as_str());
    let received = here.now.strftime("%Y-%m-%dT%H:%M:%S.250Z").to_string();
    assert_eq!(taken(&mut item, "received").as_s().unwrap(), &received);
    let expires_at = here.now.as_second() + 30 * 24 * 3600;
    assert_eq!(taken(&mut item, "expires_at"), AttributeValue::N(expires_at.to_string()));
    assert!(item.is_empty(), "{item:?}");
}

#[tokio::test]
async fn the_answer_to_a_kept_callback_is_200_and_so_is_that_to_its_repetition() {
    let here = Fixture::new().await;
    let request = here.genuine(&here.fraud_body(0));
    for _ in 0..2 {
        let answer = here.webhook.answer(request.clone()).await;
        assert_eq!((answer.status().as_u16(), *answer.body()), (200, "ok"));
    }
    here.event().await;
}

#[tokio::test]
async fn the_same_bytes_again_change_nothing() {
    let here = Fixture::new().await;
    let request = here.genuine(&here.fraud_body(0));
    assert_eq!(here.told(&request).await, ("kept", 200));
    let before = here.event().await;
    here.advance(60);
    assert_eq!(here.told(&request).await, ("duplicate", 200));
    assert_eq!(here.event().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_copies_at_once_are_kept_once() {
    let here = Fixture::new().await;
    let request = here.genuine(&here.fraud_body(0));
    let told = here.told_of_all(vec![request.clone(); 64]).await;
    assert_eq!(told, [(("kept", 200), 1), (("duplicate", 200), 63)].into());
    here.event().await;
    // Those that come while the first rings may ring as well; none does later.
    let rung = here.wire.count("SendMessage");
    assert!((1..=64).contains(&rung), "{rung}");
    assert_eq!(here.told(&request).await, ("duplicate", 200));
    assert_eq!(here.wire.count("SendMessage"), rung);
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_at_two_processes_at_once_are_kept_once() {
    let here = Fixture::new().await;
    let request = here.genuine(&here.fraud_body(0));
    let processes = [here.another(), here.another()];
    let mut under_way = JoinSet::new();
    for copy in 0..32 {
        let (webhook, request) = (Arc::clone(&processes[copy % 2]), request.clone());
        under_way.spawn(async move { told(&receive(&webhook, &request).await) });
    }
    let told = count(under_way.join_all().await);
    assert_eq!(told, [(("kept", 200), 1), (("duplicate", 200), 31)].into());
    here.event().await;
}

#[tokio::test]
async fn the_same_bytes_at_the_addresses_of_two_tenants_are_kept_for_each() {
    let here = Fixture::new().await;
    let second: TenantId = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a11".parse().unwrap();
    let mut tenant = here.store().tenants().await.unwrap().remove(0);
    tenant.id = second.clone();
    tenant.path_key_hashes = vec![other_key(2).hash()];
    here.store().put_tenant(&tenant).await.unwrap();

    let first = here.genuine(&here.fraud_body(0));
    let mut other = first.clone();
    *other.uri_mut() = format!("/callbacks/{second}/{}", other_key(2).expose()).parse().unwrap();
    for request in [&first, &other] {
        assert_eq!(here.told(request).await, ("kept", 200));
    }
    let mut tenants: Vec<_> = here.events().await.iter().map(|item| text(item, "tenant").to_owned()).collect();
    tenants.sort();
    assert_eq!(tenants, [here.tenant().to_string(), second.to_string()]);
}

#[tokio::test]
async fn what_is_kept_aside_is_never_published() {
    let system = TestSystem::start(&[("LOCAL_SCHEDULE", "off")]).await.unwrap();
    let simulator = system.system.simulator();
    let now = system.system.parts().clock.now();
    let readable = event_body("invoice-ready", now, 0);
    let mut statuses = Vec::new();
    for body in [b"no event".to_vec(), readable.clone(), b"no event".to_vec(), event_body("test-created", now, 1)] {
        let callback = simulator.sign(&body).unwrap();
        statuses.push(simulator.deliver(system.system.callback_url(), callback).await.unwrap());
    }
    assert_eq!(statuses, [400, 200, 400, 200]);
    // The stream is read in order: where the last one is out, the ones before it have been looked at.
    system.messages.until("both events are published", |messages| messages.events().len() >= 2).await;
    let published = system.messages.all();
    assert_eq!(published.len(), 2, "{published:#?}");
    let said = format!("{published:?}");
    assert!(said.contains(EventId::of_body(&readable).as_str()), "{said}");
    assert!(!said.contains(EventId::of_body(b"no event").as_str()), "{said}");
}

#[test]
fn the_record_of_a_callback_outlives_the_age_at_which_it_is_still_accepted() {
    assert!(OLDEST_ACCEPTED + CLOCK_TOLERANCE < EVENT_RETENTION);
    assert_eq!(OLDEST_ACCEPTED, SignedDuration::from_hours(29 * 24));
    assert_eq!(EVENT_RETENTION, SignedDuration::from_hours(30 * 24));
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_503_and_the_next_try_is_kept() {
    let here = Fixture::new().await;
    let request = here.genuine(&here.fraud_body(0));
    here.wire.plan_always("PutItem", tests::wire::Fault::NotReached);
    assert_eq!(here.told(&request).await, ("event-not-kept", 503));
    assert!(here.events().await.is_empty());
    assert_eq!(here.wire.count("SendMessage"), 0);
    here.wire.clear();
    assert_eq!(here.told(&request).await, ("kept", 200));
}

#[tokio::test]
async fn a_store_that_refuses_is_503() {
    let here = Fixture::new().await;
    let request: Request<Bytes> = here.genuine(&here.fraud_body(0));
    here.wire.plan("PutItem", 1, tests::wire::Fault::access_denied());
    assert_eq!(here.told(&request).await, ("event-not-kept", 503));
    assert_eq!(here.told(&request).await, ("kept", 200));
}
