//! What is asked for, how often, and what is kept of it.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use models::AlertSource;
use serde_json::json;
use simulator::{CustomerChange, Fault, FaultKind, Relationship, Target};
use store::{ReadTenants as _, WriteTenants as _};
use tests::{ByHand, CLIENT_ID, CLIENT_SECRET, Setup, TENANT};

use crate::support::{
    Message, asked, called, change, customer, deliver, describe, found, kept, kept_as, kept_subscription, name, old,
    raise_of, related, sent, settle, subscription,
};

#[tokio::test]
async fn the_names_of_new_alerts_come_after_the_run_and_are_kept() {
    let system = ByHand::start().await;
    system.baseline().await;
    for (alert, of, below) in [("a", 1, 1), ("b", 1, 2), ("c", 2, 3), ("d", 2, 3)] {
        raise_of(&system, alert, &customer(of), &subscription(below));
    }

    system.complete(4, 4).await;

    assert_eq!(asked(&system), [0; 3], "the run asks for none");
    let messages = sent(&system);
    assert_eq!((messages.len(), messages[0].delay), (1, 0));
    assert_eq!(deliver(&system, &messages).await, []);
    assert_eq!(asked(&system), [2; 3], "each customer once, whatever the number of its alerts");
    let first = kept(&system, &customer(1)).await.unwrap();
    assert_eq!(first.name.as_deref(), Some("Customer 00000001"));
    assert_eq!(first.domain.as_deref(), Some("customer-00000001.onmicrosoft.com"));
    assert_eq!((first.read, first.gone), (Some(system.now()), None));
    let below = kept_subscription(&system, &subscription(3).to_uppercase()).await.unwrap();
    assert_eq!(below.name.as_deref(), Some("Subscription 00000003"));
    assert_eq!(below.customer.unwrap().as_str(), customer(2));
    assert_eq!(found(&system, "customer").await, ["Customer 00000001", "Customer 00000002"]);
    let counts = runtime::Counts::new().with("NamesRead", 5).with("NamesFailed", 0);
    assert!(system.counted.take().contains(&counts));
}

#[tokio::test]
async fn what_is_known_is_not_asked_for_again_and_what_is_new_of_a_known_customer_is() {
    let system = ByHand::start().await;
    raise_of(&system, "a", &customer(1), &subscription(1));
    system.complete(1, 1).await;
    settle(&system).await;

    raise_of(&system, "b", &customer(1), &subscription(1));
    system.complete(2, 1).await;
    settle(&system).await;
    assert_eq!(asked(&system), [1; 3]);

    raise_of(&system, "c", &customer(1), &subscription(2));
    system.complete(3, 1).await;
    settle(&system).await;
    assert_eq!(asked(&system), [1, 2, 2]);
    assert!(kept_subscription(&system, &subscription(2)).await.is_some());
}

#[tokio::test]
async fn a_foreign_customer_costs_one_request_a_day_and_its_subscriptions_none() {
    for relationship in [Relationship::Ended, Relationship::Unknown] {
        let system = ByHand::start().await;
        related(&system, &customer(1), relationship);
        for (number, (hours, expected)) in [(23, [1, 0, 0]), (2, [1, 0, 0]), (0, [2, 0, 0])].into_iter().enumerate() {
            raise_of(&system, &number.to_string(), &customer(1), &subscription(number));
            system.reconcile().await.unwrap();
            settle(&system).await;
            assert_eq!(asked(&system), expected, "{relationship:?} {number}");
            let kept = kept(&system, &customer(1)).await.unwrap();
            assert!(kept.name.is_none() && kept.gone.is_some());
            system.clock.advance(SignedDuration::from_hours(hours));
        }
    }
}

#[tokio::test]
async fn what_is_no_id_of_a_customer_is_asked_nobody() {
    let system = ByHand::start().await;
    for (number, id) in ["..", ".", "a/b", "contoso.onmicrosoft.com", "?x=1"].into_iter().enumerate() {
        raise_of(&system, &number.to_string(), id, &subscription(1));
    }
    system.reconcile().await.unwrap();
    settle(&system).await;
    assert_eq!(asked(&system), [0; 3]);
    assert!(kept(&system, "..").await.unwrap().gone.is_some());
}

#[tokio::test]
async fn a_customer_of_many_plans_and_pages_is_read_as_far_as_is_needed() {
    let system = ByHand::with(Setup { page_size: 2, variables: &[] }).await;
    let names: BTreeMap<String, String> =
        (0..12).map(|number| (subscription(number), format!("Name {number}"))).collect();
    describe(&system, CustomerChange { id: customer(1), subscriptions: names, plans: Some(3), ..change() });
    // The second of the first plan, and the last of the last.
    raise_of(&system, "a", &customer(1), &subscription(3));
    system.complete(1, 1).await;
    settle(&system).await;
    // Licences and three plans make two pages; the subscription is on the first page of the first plan.
    assert_eq!(asked(&system), [1, 2, 1]);
    raise_of(&system, "b", &customer(1), &subscription(11));
    system.complete(2, 1).await;
    settle(&system).await;
    assert_eq!(asked(&system), [1, 4, 7], "twelve subscriptions in three plans make six pages");
    assert_eq!(kept_subscription(&system, &subscription(11)).await.unwrap().name.as_deref(), Some("Name 11"));
}

#[tokio::test]
async fn names_that_fraud_events_bring_are_kept_without_any_call() {
    let system = ByHand::start().await;
    let secret = json!({
        "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
        "refresh_token": system.microsoft.refresh_token(TENANT).unwrap(),
    });
    system.tap.answer("GetSecretValue", json!({ "SecretString": secret.to_string() }).to_string());
    let mut tenant = system.store().tenants().await.unwrap().remove(0);
    tenant.alert_source = AlertSource::FraudEvents;
    system.store().put_tenant(&tenant).await.unwrap();
    let reseller = "abcdef01-3333-4333-8333-333333333333";
    system.raise_as(simulator::NewAlert {
        customer_tenant_id: Some(customer(1)),
        subscription_id: Some(subscription(1)),
        value_added_reseller_tenant_id: Some(reseller.to_owned()),
        ..simulator::NewAlert::default()
    });

    system.complete(1, 1).await;
    settle(&system).await;

    assert_eq!(name(&system, &customer(1)).await.as_deref(), Some("Customer 00000001"));
    assert_eq!(found(&system, "customer 00000001").await.len(), 1);
    let below = kept_subscription(&system, &subscription(1)).await.unwrap();
    assert_eq!(below.name.as_deref(), Some("Subscription 00000001"));
    let of_reseller = kept_as(&system, models::NameId::reseller(reseller).unwrap()).await.unwrap();
    assert_eq!(of_reseller.name.as_deref(), Some("abcdef01"));
    assert_eq!(asked(&system), [0; 3]);

    // Old by now, they are asked for, but for the reseller's, which nothing can be asked for.
    system.clock.advance(SignedDuration::from_hours(8 * 24));
    deliver(&system, &[old()]).await;
    assert_eq!(asked(&system), [1; 3]);
}

#[tokio::test]
async fn a_thousand_customers_are_read_within_what_partner_center_gives_in_a_minute() {
    let system = ByHand::start().await;
    let request = |start: usize| {
        let wanted = |number: usize| {
            // One in ten has a subscription, which takes two requests more.
            let below = number.is_multiple_of(10).then(|| json!({ "id": subscription(number) }));
            json!({ "id": customer(number), "subscriptions": Vec::from_iter(below) })
        };
        let customers: Vec<_> = (start..start + 100).map(wanted).collect();
        json!({ "tenant": TENANT, "cause": "again", "names": { "of_alerts": { "customers": customers } } })
    };
    let mut messages: Vec<Message> =
        (0..1_000).step_by(100).map(|start| Message { delay: 0, body: request(start) }).collect();
    for number in 0..1_000 {
        called(&system, &customer(number), &format!("Customer {number}"));
    }

    let (mut invocations, mut most, mut minute) = (0, 0, (system.now(), 0));
    while let Some(message) = messages.pop() {
        let before: u64 = asked(&system).iter().sum();
        messages.extend(deliver(&system, &[message]).await);
        let requests = asked(&system).iter().sum::<u64>() - before;
        minute = if system.now().duration_since(minute.0) < SignedDuration::from_mins(1) {
            (minute.0, minute.1 + requests)
        } else {
            (system.now(), requests)
        };
        most = most.max(minute.1);
        invocations += 1;
        assert!(invocations < 500, "there is an end of it");
    }

    assert_eq!(asked(&system), [1_000, 100, 100], "nothing is asked twice");
    assert_eq!(found(&system, "Customer").await.len(), 1_000);
    assert!((1..=240).contains(&most), "{most} requests in a minute");
}

#[tokio::test]
async fn two_requests_at_a_time_are_no_faster_than_one() {
    let system = ByHand::start().await;
    for number in 0..3 {
        raise_of(&system, &number.to_string(), &customer(number), &subscription(number));
    }
    system.complete(3, 3).await;
    let messages = sent(&system);
    let mut other = messages.clone();
    other[0].body["names"]["of_alerts"]["customers"] = json!([{ "id": customer(7) }]);

    assert_eq!(deliver(&system, &messages).await, []);
    let again = deliver(&system, &other).await;

    assert_eq!(asked(&system), [3; 3]);
    assert_eq!((again.len(), again[0].body["hops"].as_u64()), (1, Some(2)));
    other[0].body["hops"] = json!(2);
    assert_eq!((again[0].delay, &again[0].body), (60, &other[0].body));
    assert_eq!(deliver(&system, &again).await, []);
    assert_eq!(asked(&system), [4, 3, 3]);
    // The first message comes a second time, as SQS may have it: nothing is due.
    assert_eq!(deliver(&system, &messages).await, []);
    assert_eq!(asked(&system), [4, 3, 3]);
}

#[tokio::test]
async fn a_clock_that_was_set_back_locks_no_names_up() {
    let system = ByHand::start().await;
    raise_of(&system, "a", &customer(1), &subscription(1));
    system.complete(1, 1).await;
    let messages = sent(&system);
    system.clock.advance(SignedDuration::from_hours(3));
    deliver(
        &system,
        &[Message {
            delay: 0,
            body: json!({
                "tenant": TENANT, "cause": "again", "names": { "of_alerts": { "customers": [{ "id": customer(9) }] } }
            }),
        }],
    )
    .await;
    system.clock.advance(SignedDuration::from_hours(-3));
    assert_eq!(deliver(&system, &messages).await, []);
    assert!(name(&system, &customer(1)).await.is_some());
}

#[tokio::test]
async fn an_answer_that_is_cut_short_or_about_another_costs_no_other_customer_its_name() {
    let system = ByHand::with(crate::support::ONE_ATTEMPT).await;
    for number in 0..5 {
        raise_of(&system, &number.to_string(), &customer(number), &subscription(number));
    }
    system.complete(5, 5).await;
    system.microsoft.set_fault(Fault::new(Target::Customer, FaultKind::Truncated).times(1)).unwrap();
    system.microsoft.set_fault(Fault::new(Target::AzureEntitlements, FaultKind::Reset).times(1)).unwrap();
    let messages = sent(&system);

    let again = deliver(&system, &messages).await;

    assert_eq!(found(&system, "customer").await.len(), 4);
    assert_eq!((again.len(), again[0].delay, again[0].body["attempts"].as_u64()), (1, 900, Some(1)));
    assert_eq!(again[0].body["names"]["of_alerts"]["customers"].as_array().unwrap().len(), 2, "only what failed");
    assert_eq!(deliver(&system, &again).await, []);
    assert_eq!(found(&system, "customer").await.len(), 5);
    for number in 0..5 {
        let below = kept_subscription(&system, &subscription(number)).await.unwrap();
        assert!(below.name.is_some(), "{number}");
    }
}
