//! The unconfirmed fraud signal: when it goes out, about whom, and how often at most.

use jiff::SignedDuration;
use models::LOOKS;
use serde_json::json;
use simulator::{CustomerChange, Fault, FaultKind, Relationship, Target};
use tests::{ByHand, HandQueue, TENANT, TestSystem, stream_record};

use crate::{
    looks::{CUSTOMER, HOUR, SUBSCRIPTION, of_the_customer, rings, signal, signals, system, uri},
    support::{resolved, to_be_published},
};

const FOREIGN: &str = "beefbeef-0000-4000-8000-000000000001";
const FOREIGN_SUBSCRIPTION: &str = "beefbeef-1111-4000-8000-000000000001";

/// A system whose customer had an alert long ago, so that he is known to be ours.
async fn system_of_a_known_customer() -> ByHand {
    // On the heap, since its future is large.
    Box::pin(made_known()).await
}

async fn made_known() -> ByHand {
    let system = system().await;
    system.raise_as(of_the_customer("old"));
    system.complete(1, 1).await;
    system.change("old", resolved("legitimate"));
    system.complete(1, 1).await;
    system.clock.advance(SignedDuration::from_hours(2));
    let _ = system.tap.take();
    system
}

fn describe(system: &ByHand, id: &str, relationship: Relationship) {
    let change = CustomerChange { id: id.to_owned(), relationship: Some(relationship), ..CustomerChange::default() };
    system.microsoft.describe_customer(change).unwrap();
}

fn customers_asked(system: &ByHand) -> u64 {
    system.microsoft.requests().customer
}

#[tokio::test]
async fn nothing_found_after_five_minutes_is_told_then_and_not_before() {
    let system = system_of_a_known_customer().await;
    let mut queue = HandQueue::default();
    rings(&system, &mut queue, &uri(CUSTOMER, SUBSCRIPTION)).await;
    queue.pass(&system, SignedDuration::from_secs(299)).await;
    assert_eq!(signals(&system).await, []);
    queue.pass(&system, SignedDuration::from_secs(1)).await;
    let told = [signal(SUBSCRIPTION, "2026-03-02T11", "not_found", true)];
    assert_eq!(signals(&system).await, told);
    queue.pass(&system, HOUR).await;
    assert_eq!(signals(&system).await, told);
    assert_eq!(customers_asked(&system), 0, "an alert of his is kept");
}

#[tokio::test]
async fn an_alert_that_microsoft_lists_in_time_for_the_look_at_five_minutes_is_told_and_nothing_else() {
    for (look, after) in LOOKS.into_iter().enumerate() {
        let system = system_of_a_known_customer().await;
        let mut queue = HandQueue::default();
        if after.is_zero() {
            system.raise_as(of_the_customer("alert"));
        }
        rings(&system, &mut queue, &uri(CUSTOMER, SUBSCRIPTION)).await;
        if !after.is_zero() {
            queue.pass(&system, after - SignedDuration::from_secs(1)).await;
            system.raise_as(of_the_customer("alert"));
        }
        queue.pass(&system, SignedDuration::from_secs(1)).await;
        let opened = "alert outbox#000000000001#opened to be published".to_owned();
        assert!(to_be_published(&system).await.contains(&opened), "look {look}");
        queue.pass(&system, HOUR).await;
        let told = if look < 4 { vec![] } else { vec![signal(SUBSCRIPTION, "2026-03-02T11", "not_found", true)] };
        assert_eq!(signals(&system).await, told, "look {look}");
        assert!(queue.waiting.is_empty() && queue.dead.is_empty(), "look {look}");
    }
}

#[tokio::test]
async fn an_alert_of_another_subscription_of_the_customer_confirms_if_it_is_new_and_one_of_long_ago_does_not() {
    let system = system_of_a_known_customer().await;
    let plan = "00000000-aaaa-4000-8000-000000000001";
    let mut queue = HandQueue::default();
    rings(&system, &mut queue, &uri(CUSTOMER, plan)).await;
    system.raise_as(of_the_customer("new"));
    queue.pass(&system, HOUR).await;
    assert_eq!(signals(&system).await, []);

    queue.pass(&system, SignedDuration::from_hours(2)).await;
    rings(&system, &mut queue, &uri(CUSTOMER, plan)).await;
    queue.pass(&system, HOUR).await;
    assert_eq!(signals(&system).await, [signal(plan, "2026-03-02T14", "not_found", true)]);
}

#[tokio::test]
async fn refused_credentials_are_told_at_once_and_nobody_is_asked_whose_customer_it_is() {
    let system = system_of_a_known_customer().await;
    system.microsoft.set_fault(Fault::new(Target::List, FaultKind::MissingMfa)).unwrap();
    let mut queue = HandQueue::default();
    rings(&system, &mut queue, &uri(CUSTOMER, SUBSCRIPTION)).await;
    let known = signal(SUBSCRIPTION, "2026-03-02T11", "refused", true);
    assert_eq!(signals(&system).await, std::slice::from_ref(&known));
    queue.pass(&system, SignedDuration::from_secs(15)).await;
    rings(&system, &mut queue, &uri(FOREIGN, FOREIGN_SUBSCRIPTION)).await;
    assert_eq!(signals(&system).await, [known, signal("unknown", "2026-03-02T11", "refused", false)]);
    queue.pass(&system, HOUR).await;
    assert_eq!(signals(&system).await.len(), 2);
    assert_eq!(customers_asked(&system), 0);
    assert_eq!(queue.dead, [""; 0]);
}

#[tokio::test]
async fn what_may_pass_by_itself_has_five_minutes_for_it() {
    let system = system_of_a_known_customer().await;
    system.microsoft.set_fault(Fault::new(Target::List, FaultKind::Truncated)).unwrap();
    let mut queue = HandQueue::default();
    rings(&system, &mut queue, &uri(CUSTOMER, SUBSCRIPTION)).await;
    queue.pass(&system, SignedDuration::from_secs(299)).await;
    assert_eq!(signals(&system).await, []);
    queue.pass(&system, SignedDuration::from_secs(1)).await;
    assert_eq!(signals(&system).await, [signal(SUBSCRIPTION, "2026-03-02T11", "not_read", true)]);
}

#[tokio::test]
async fn of_somebody_elses_customer_nobody_is_told_and_partner_center_is_asked_once() {
    for relationship in [None, Some(Relationship::Ended), Some(Relationship::Unknown)] {
        let system = system().await;
        if let Some(relationship) = relationship {
            describe(&system, FOREIGN, relationship);
        }
        let mut queue = HandQueue::default();
        for _ in 0..20 {
            rings(&system, &mut queue, &uri(FOREIGN, FOREIGN_SUBSCRIPTION)).await;
            queue.pass(&system, SignedDuration::from_mins(1)).await;
        }
        queue.pass(&system, HOUR).await;
        assert_eq!(signals(&system).await, []);
        assert_eq!(system.outbox_lines().await, [""; 0]);
        assert_eq!(customers_asked(&system), 1);
        assert_eq!(queue.dead, [""; 0]);
    }
}

#[tokio::test]
async fn of_a_customer_without_alerts_who_is_ours_is_told_and_partner_center_is_asked_once_a_day() {
    let system = system().await;
    describe(&system, CUSTOMER, Relationship::Reseller);
    let mut queue = HandQueue::default();
    rings(&system, &mut queue, &uri(CUSTOMER, SUBSCRIPTION)).await;
    queue.pass(&system, HOUR).await;
    rings(&system, &mut queue, &uri(CUSTOMER, SUBSCRIPTION)).await;
    queue.pass(&system, HOUR).await;
    let told = |hour| signal(SUBSCRIPTION, hour, "not_found", true);
    assert_eq!(signals(&system).await, [told("2026-03-02T09"), told("2026-03-02T10")]);
    assert_eq!(customers_asked(&system), 1);

    queue.pass(&system, SignedDuration::from_hours(24)).await;
    rings(&system, &mut queue, &uri(CUSTOMER, SUBSCRIPTION)).await;
    queue.pass(&system, HOUR).await;
    assert_eq!(customers_asked(&system), 2);
}

#[tokio::test]
async fn a_customer_whose_name_is_kept_is_ours_and_nobody_is_asked() {
    let system = system().await;
    describe(&system, CUSTOMER, Relationship::Reseller);
    let wanted = serde_json::json!({ "of_alerts": { "customers": [{ "id": CUSTOMER }] } });
    let names = serde_json::json!({ "tenant": TENANT, "cause": "again", "names": wanted }).to_string();
    assert!(system.deliver(&[("names", &names)]).await.is_empty());
    assert_eq!(customers_asked(&system), 1, "for its name");
    let mut queue = HandQueue::default();

    rings(&system, &mut queue, &uri(CUSTOMER, SUBSCRIPTION)).await;
    queue.pass(&system, HOUR).await;

    assert_eq!(signals(&system).await, [signal(SUBSCRIPTION, "2026-03-02T09", "not_found", true)]);
    assert_eq!(customers_asked(&system), 1);
}

#[tokio::test]
async fn what_we_cannot_tell_is_told_once_a_tenant_and_hour() {
    let system = system().await;
    system.microsoft.set_fault(Fault::new(Target::Customer, FaultKind::MissingMfa)).unwrap();
    let mut queue = HandQueue::default();
    let host = "https://api.partnercenter.microsoft.com/v1";
    for uri in [
        uri(FOREIGN, FOREIGN_SUBSCRIPTION),
        format!("{host}/fraudEvents?SubscriptionId={SUBSCRIPTION}&EventStatus=Active"),
        format!("{host}/customers/{CUSTOMER}"),
    ] {
        rings(&system, &mut queue, &uri).await;
        queue.pass(&system, SignedDuration::from_mins(10)).await;
    }
    assert_eq!(signals(&system).await, [signal("unknown", "2026-03-02T09", "not_found", false)]);
    assert_eq!(customers_asked(&system), 1, "nobody asks again within the hour");
}

#[tokio::test]
async fn an_event_of_the_older_form_is_told_of_where_an_alert_of_its_subscription_is_kept() {
    let system = system_of_a_known_customer().await;
    let mut queue = HandQueue::default();
    let uri = format!(
        "https://api.partnercenter.microsoft.com/v1/fraudEvents?SubscriptionId={}&EventStatus=Active",
        SUBSCRIPTION.to_uppercase()
    );
    rings(&system, &mut queue, &uri).await;
    queue.pass(&system, HOUR).await;
    assert_eq!(signals(&system).await, [signal(SUBSCRIPTION, "2026-03-02T11", "not_found", true)]);
}

#[tokio::test]
async fn one_subscription_has_one_signal_an_hour_by_the_moment_of_receipt() {
    let system = system_of_a_known_customer().await;
    let mut queue = HandQueue::default();
    let to_the_edge = SignedDuration::from_secs(3_600 - system.now().as_second().rem_euclid(3_600) - 1);
    for wait in [to_the_edge, SignedDuration::from_secs(1), SignedDuration::from_mins(20)] {
        queue.pass(&system, wait).await;
        rings(&system, &mut queue, &uri(CUSTOMER, SUBSCRIPTION)).await;
    }
    queue.pass(&system, HOUR).await;
    let told = |hour| signal(SUBSCRIPTION, hour, "not_found", true);
    assert_eq!(signals(&system).await, [told("2026-03-02T11"), told("2026-03-02T12")]);
    let last = system.outbox().await.into_iter().find(|item| item.sort.ends_with("2026-03-02T12")).unwrap();
    assert_eq!(last.notice["signal"]["received"], "2026-03-02T12:00:00Z", "the first of the hour stays");
}

#[tokio::test]
async fn a_look_that_another_run_covers_is_judged_after_that_run() {
    let system = system_of_a_known_customer().await;
    let mut queue = HandQueue::default();
    rings(&system, &mut queue, &uri(CUSTOMER, SUBSCRIPTION)).await;
    // A run of the schedule ends two seconds before the look: what Microsoft has listed since is not seen by it.
    queue.pass(&system, SignedDuration::from_secs(298)).await;
    system.reconcile_at_once().await.unwrap();
    system.raise_as(of_the_customer("alert"));
    queue.pass(&system, SignedDuration::from_secs(2)).await;
    assert_eq!(signals(&system).await, [], "nothing has looked since");
    queue.pass(&system, SignedDuration::from_secs(20)).await;
    assert!(to_be_published(&system).await.contains(&"alert outbox#000000000001#opened to be published".to_owned()));
    queue.pass(&system, HOUR).await;
    assert_eq!(signals(&system).await, []);
    assert!(queue.waiting.is_empty() && queue.dead.is_empty());
}

#[tokio::test]
async fn a_confirmed_alert_that_comes_after_the_signal_is_told_as_ever() {
    let system = system_of_a_known_customer().await;
    let mut queue = HandQueue::default();
    rings(&system, &mut queue, &uri(CUSTOMER, SUBSCRIPTION)).await;
    queue.pass(&system, SignedDuration::from_mins(8)).await;
    system.raise_as(of_the_customer("late"));
    queue.pass(&system, HOUR).await;
    let signal = format!(" outbox#signal#{SUBSCRIPTION}#2026-03-02T11 to be published");
    assert_eq!(
        to_be_published(&system).await.into_iter().filter(|line| !line.starts_with("old")).collect::<Vec<_>>(),
        [signal, "late outbox#000000000001#opened to be published".to_owned()]
    );
    let item = system.outbox().await.into_iter().find(|item| item.sort.contains("signal")).unwrap();
    let record = stream_record(&system.test.system.tables().alerts, "INSERT", &item.item, 1);
    assert_eq!(system.stream(&[record.clone(), record]).await, None);
    let published = system.test.messages.fraud();
    assert_eq!(published.len(), 2);
    assert_eq!(published[0].json, published[1].json, "the same id");
    assert_eq!(published[0].subject, "Partner Alerts: unconfirmed fraud signal");
}

#[tokio::test]
async fn an_interruption_between_any_two_steps_loses_neither_looks_nor_the_signal_and_doubles_none() {
    // The steps of the first look, and of the one that judges, as they are asked of AWS.
    for judging in [false, true] {
        let mut interrupted = 0;
        for step in 0.. {
            let system = system().await;
            describe(&system, CUSTOMER, Relationship::Reseller);
            let mut queue = HandQueue::default();
            let body = json!({
                "EventName": crate::looks::FRAUD, "ResourceUri": uri(CUSTOMER, SUBSCRIPTION), "ResourceChangeUtcDate": system.now()
            });
            let callback = system.microsoft.sign(body.to_string().as_bytes()).unwrap();
            assert_eq!(system.receive(&callback).await, 200);
            if judging {
                queue.pass(&system, SignedDuration::from_secs(299)).await;
                system.clock.advance(SignedDuration::from_secs(1));
            }
            let gate = system.tap.hold_after(step);
            if !queue.crash(&system, &gate).await {
                break;
            }
            interrupted += 1;
            queue.pass(&system, HOUR).await;
            let told = [signal(SUBSCRIPTION, "2026-03-02T09", "not_found", true)];
            assert_eq!(signals(&system).await, told, "judging: {judging}, step {step}");
            assert!(queue.waiting.is_empty() && queue.dead.is_empty(), "judging: {judging}, step {step}");
            // Whoever was cut off while asking has not heard the answer.
            assert!(customers_asked(&system) <= 2);
        }
        assert!(interrupted >= 8, "{interrupted}");
    }
}

#[tokio::test]
async fn a_test_alert_that_stays_open_hides_no_attack() {
    let system = system().await;
    let test = simulator::NewAlert { is_test: true, ..of_the_customer("test") };
    system.raise_as(test);
    system.complete(1, 1).await;
    system.clock.advance(SignedDuration::from_hours(2));
    let _ = system.tap.take();
    let mut queue = HandQueue::default();
    rings(&system, &mut queue, &uri(CUSTOMER, SUBSCRIPTION)).await;
    queue.pass(&system, HOUR).await;
    assert_eq!(signals(&system).await, [signal(SUBSCRIPTION, "2026-03-02T11", "not_found", true)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_callback_over_the_queue_and_the_stream_to_the_topic_a_refusal_is_told_at_once() {
    let test = TestSystem::start(&[("LOCAL_SCHEDULE", "off")]).await.unwrap();
    let microsoft = test.system.simulator();
    microsoft.set_fault(Fault::new(Target::List, FaultKind::MissingMfa)).unwrap();
    let changed = test.system.parts().clock.now();
    let body = json!({
        "EventName": crate::looks::FRAUD, "ResourceUri": uri(CUSTOMER, SUBSCRIPTION), "ResourceChangeUtcDate": changed,
    });
    let callback = microsoft.sign(body.to_string().as_bytes()).unwrap();
    microsoft.deliver(test.system.callback_url(), callback).await.unwrap();
    test.messages.until("the signal is published", |messages| !messages.fraud().is_empty()).await;
    let told = test.messages.fraud().remove(0);
    let told: serde_json::Value = serde_json::from_str(&told.json).unwrap();
    assert_eq!((&told["kind"], &told["signal"]["reason"]), (&json!("unconfirmed"), &json!("refused")));
    assert_eq!(told["signal"]["subscriptionId"], SUBSCRIPTION);
    assert_eq!(told["signal"]["customerKnown"], false);
    test.system.stop().await;
}
