//! The looks that follow a verified fraud event: when, whatever fails, and how many at most.

use jiff::SignedDuration;
use models::LOOKS;
use serde_json::json;
use simulator::{Fault, FaultKind, Target};
use store::{LOOK_UPS_AN_HOUR, WATCHES_AN_HOUR};
use tests::{ByHand, HandQueue, Setup, TENANT, VISIBILITY, text};

use crate::support::{named, to_be_published};

pub(crate) const CUSTOMER: &str = "4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3";
pub(crate) const SUBSCRIPTION: &str = "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381";
pub(crate) const HOUR: SignedDuration = SignedDuration::from_hours(1);
pub(crate) const FRAUD: &str = "azure-fraud-event-detected";

/// A system with the gap between runs that is deployed, past its baseline.
pub(crate) async fn system() -> ByHand {
    let gap = [("RECONCILE_GAP_SECONDS", "15")];
    let system = ByHand::with(Setup { variables: &gap, ..Setup::default() }).await;
    system.baseline().await;
    system.clock.advance(SignedDuration::from_mins(1));
    system
}

pub(crate) fn uri(customer: &str, subscription: &str) -> String {
    format!("https://api.partnercenter.microsoft.com/v1/customers/{customer}/subscriptions/{subscription} ")
}

/// A fraud event about this comes in and is followed up.
pub(crate) async fn rings(system: &ByHand, queue: &mut HandQueue, uri: &str) {
    let body = json!({ "EventName": FRAUD, "ResourceUri": uri, "ResourceChangeUtcDate": system.now() }).to_string();
    assert_eq!(system.receive(&system.microsoft.sign(body.as_bytes()).unwrap()).await, 200);
    queue.deliver(system).await;
}

/// An alert of the customer's subscription.
pub(crate) fn of_the_customer(id: &str) -> simulator::NewAlert {
    let (customer, subscription) = (Some(CUSTOMER.to_owned()), Some(SUBSCRIPTION.to_owned()));
    simulator::NewAlert { customer_tenant_id: customer, subscription_id: subscription, ..named(id) }
}

/// The signals: about what, of which hour, why, and whether it is known whose the customer is.
pub(crate) async fn signals(system: &ByHand) -> Vec<(String, String, bool)> {
    let outbox = system.outbox().await;
    let signals = outbox.iter().filter(|item| item.publish).filter_map(|item| {
        let signal = item.notice.get("signal")?;
        let about = item.sort.strip_prefix("outbox#signal#").unwrap().to_owned();
        Some((about, signal["reason"].as_str().unwrap().to_owned(), signal["customerKnown"].as_bool().unwrap()))
    });
    signals.collect()
}

pub(crate) fn signal(about: &str, hour: &str, reason: &str, known: bool) -> (String, String, bool) {
    (format!("{about}#{hour}"), reason.to_owned(), known)
}

#[tokio::test]
async fn after_a_fraud_event_is_looked_at_once_and_after_thirty_seconds_two_five_and_ten_minutes() {
    let system = system().await;
    let (mut queue, start) = (HandQueue::default(), system.now());
    rings(&system, &mut queue, &uri(CUSTOMER, SUBSCRIPTION)).await;
    assert_eq!(queue.waiting.len(), 1, "one message at a time");
    queue.pass(&system, HOUR).await;

    assert_eq!(queue.listed_since(start), LOOKS.map(|look| look.as_secs()));
    assert_eq!((queue.most_waiting, queue.waiting.len(), queue.dead.len()), (1, 0, 0));
    assert_eq!(text(&system.state().await, "last_callback"), "2026-03-02T09:02:00.000Z");
}

#[tokio::test]
async fn a_look_that_fails_does_not_end_the_looks() {
    let system = system().await;
    let (mut queue, start) = (HandQueue::default(), system.now());
    system.microsoft.set_fault(Fault::new(Target::List, FaultKind::Truncated)).unwrap();
    rings(&system, &mut queue, &uri(CUSTOMER, SUBSCRIPTION)).await;
    queue.pass(&system, SignedDuration::from_mins(1)).await;
    system.tap.refuse("TransactWriteItems", "AccessDeniedException");
    system.microsoft.clear_faults();
    system.raise_as(of_the_customer("alert"));
    queue.pass(&system, HOUR).await;

    assert_eq!(queue.listed_since(start), LOOKS.map(|look| look.as_secs()));
    assert_eq!(queue.dead, [""; 0]);
    assert_eq!(to_be_published(&system).await, ["alert outbox#000000000001#opened to be published"]);
}

#[tokio::test]
async fn whatever_comes_twice_asks_for_no_look_twice_and_tells_nobody_twice() {
    let system = system().await;
    system.raise_as(of_the_customer("old"));
    system.complete(1, 1).await;
    system.change("old", crate::support::resolved("legitimate"));
    system.complete(1, 1).await;
    system.clock.advance(SignedDuration::from_hours(2));
    let (mut queue, start) = (HandQueue { twice: Some("received"), ..HandQueue::default() }, system.now());
    let _ = system.tap.take();
    rings(&system, &mut queue, &uri(CUSTOMER, SUBSCRIPTION)).await;
    queue.pass(&system, HOUR).await;

    // What was too soon after the first look looks once more, 15 seconds later.
    let listed = queue.listed_since(start);
    assert!(LOOKS.iter().all(|look| listed.contains(&look.as_secs())), "{listed:?}");
    assert!(listed.windows(2).all(|pair| pair[1] - pair[0] >= 15), "{listed:?}");
    assert!(listed.len() <= 2 * LOOKS.len(), "{listed:?}");
    assert_eq!(signals(&system).await, [signal(SUBSCRIPTION, "2026-03-02T11", "not_found", true)]);
    assert_eq!(queue.calls.iter().filter(|call| call.body.contains("\\\"look\\\":4")).count(), 1);
}

#[tokio::test]
async fn two_events_at_once_whose_runs_fail_leave_no_dead_letter() {
    let system = system().await;
    system.microsoft.set_fault(Fault::new(Target::List, FaultKind::MissingMfa)).unwrap();
    let mut queue = HandQueue::default();
    // The second is too soon after the first, and asks for a run that comes later.
    for subscription in [SUBSCRIPTION, "0d3b4f58-6c2e-4a47-92a7-b1e6c4d0f381"] {
        rings(&system, &mut queue, &uri(CUSTOMER, subscription)).await;
    }

    queue.pass(&system, HOUR).await;

    assert_eq!(queue.dead, [""; 0]);
    assert!(signals(&system).await.contains(&signal("unknown", "2026-03-02T09", "refused", false)));
}

#[tokio::test]
async fn a_message_of_the_release_before_is_one_run_and_fails_where_that_fails() {
    let system = system().await;
    let (mut queue, start) = (HandQueue::default(), system.now());
    queue.put(&system, &crate::support::rung(TENANT));
    queue.pass(&system, HOUR).await;
    assert_eq!(queue.listed_since(start), [0]);
    assert_eq!(queue.delivered, 1);

    let start = system.now();
    system.microsoft.set_fault(Fault::new(Target::List, FaultKind::Truncated)).unwrap();
    queue.put(&system, &crate::support::rung(TENANT));
    queue.pass(&system, HOUR).await;
    assert_eq!(queue.dead.len(), 1);
    let again = VISIBILITY.as_secs();
    let mut tried = queue.listed_since(start);
    tried.retain(|at| *at >= 0);
    tried.dedup();
    assert_eq!(tried, [0, again, 2 * again]);
}

#[tokio::test]
async fn a_clock_that_is_set_back_or_forward_loses_no_look_and_no_signal() {
    for hours in [-3, 3] {
        let system = system().await;
        system.raise_as(of_the_customer("old"));
        system.complete(1, 1).await;
        system.change("old", crate::support::resolved("legitimate"));
        system.complete(1, 1).await;
        system.clock.advance(SignedDuration::from_hours(4));
        let mut queue = HandQueue::default();
        let _ = system.tap.take();
        rings(&system, &mut queue, &uri(CUSTOMER, SUBSCRIPTION)).await;
        queue.pass(&system, SignedDuration::from_secs(50)).await;
        // What SQS delays has nothing to do with our clock.
        for message in &mut queue.waiting {
            message.due += SignedDuration::from_hours(hours);
        }
        system.clock.advance(SignedDuration::from_hours(hours));
        queue.pass(&system, HOUR).await;

        let told = signals(&system).await;
        assert_eq!(told, [signal(SUBSCRIPTION, "2026-03-02T13", "not_found", true)], "{hours} h");
        assert!(queue.waiting.is_empty() && queue.dead.is_empty(), "{hours} h: {:?}", queue.waiting);
    }
}

#[tokio::test]
async fn events_about_one_subscription_in_one_minute_share_their_looks_and_those_of_the_next_have_their_own() {
    let system = system().await;
    let mut queue = HandQueue::default();
    for second in 0..120 {
        if second % 20 == 0 {
            rings(&system, &mut queue, &uri(CUSTOMER, SUBSCRIPTION)).await;
        }
        queue.pass(&system, SignedDuration::from_secs(1)).await;
    }
    let last_looks = |queue: &HandQueue| queue.calls.iter().filter(|call| call.body.contains("\\\"look\\\":4")).count();
    queue.pass(&system, HOUR).await;
    assert_eq!(last_looks(&queue), 2, "one chain a minute");
}

#[tokio::test]
async fn a_flood_of_events_about_as_many_strangers_costs_a_bounded_number_of_messages_looks_and_questions() {
    // Far above every bound, none of which knows how many events there are.
    const EVENTS: usize = 400;
    /// How many come at once.
    const WAVE: usize = 100;
    let system = system().await;
    let mut queue = HandQueue::default();
    let start = system.now();
    for wave in 0..EVENTS / WAVE {
        for number in wave * WAVE..(wave + 1) * WAVE {
            let bell = json!({
                "event": format!("{number:064x}"), "received": system.now(), "changed": system.now(),
                "customer": format!("beefbeef-0000-4000-8000-{number:012}"),
                "subscription": format!("beefbeef-1111-4000-8000-{number:012}"),
            });
            queue.put(&system, &json!({ "tenant": TENANT, "cause": { "callback": bell } }).to_string());
        }
        queue.pass(&system, SignedDuration::from_secs(60)).await;
    }
    queue.pass(&system, HOUR).await;

    let [watches, questions] = [WATCHES_AN_HOUR, LOOK_UPS_AN_HOUR].map(|most| usize::try_from(most).unwrap());
    // Each chain has one message at a time; those without a subject are one a minute.
    let chains = watches + EVENTS / WAVE;
    assert!(queue.most_waiting <= WAVE + chains + 1, "{} messages at one time", queue.most_waiting);
    // Four more looks, and the last two may come back once to be judged.
    let looks = EVENTS + chains * 6;
    assert!(queue.delivered <= looks + 200, "{} messages", queue.delivered);
    let listed = queue.listed_since(start);
    assert!(listed.windows(2).all(|pair| pair[1] - pair[0] >= 15), "{listed:?}");
    assert!(listed.len() <= 20 * 60 / 15, "{} lists", listed.len());
    assert_eq!(usize::try_from(system.microsoft.requests().customer).unwrap(), questions);
    assert_eq!(signals(&system).await, [signal("unknown", "2026-03-02T09", "not_found", false)]);
    assert_eq!(queue.dead, [""; 0]);
}
