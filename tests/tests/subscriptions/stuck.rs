//! What stands still: people are told, once, and never not at all; and what nobody signs in for is given up.

use jiff::SignedDuration;
use models::{Actor, OperationState, SubscriptionStage, Tenant};
use simulator::{Fault, FaultKind, RetryAfter, SubscriptionRules, Target};
use store::WriteTenants as _;
use tests::ByHand;

use crate::support::{
    Carried, Wanting, acting, administrator, deliver, kept, lines, stage, standings, sweep, system, tenant,
};

const SUBJECT: &str = "Partner Alerts: a cancellation stands still";

fn told(system: &ByHand) -> Vec<String> {
    system.test.messages.operations().into_iter().map(|message| message.subject).collect()
}

/// How many operations got no further, by each sweep since the last time.
fn counted(system: &ByHand) -> Vec<Option<usize>> {
    system.counted.take().iter().map(|counts| counts.of("OperationsStuck")).collect()
}

#[tokio::test]
async fn what_microsoft_does_not_show_is_told_after_a_quarter_of_an_hour_once_and_goes_on() {
    let system = system().await;
    system.microsoft.set_subscription_rules(SubscriptionRules { delay_seconds: 7_200, ..SubscriptionRules::default() });
    let (acting, tenant) = (acting(&system), tenant(&system).await);
    let (person, token) = administrator(&system, &acting, "ada@contoso.example").await;
    let asked = Wanting::cancel(&person, "k").ask(&system, &acting).await.unwrap();
    let posted = acting.act(&token, &tenant, asked, &Actor::Person(person)).await.unwrap();
    let mut carried = Carried::of(&system, &posted);
    carried.run(&system, SignedDuration::from_mins(15)).await;
    assert!(told(&system).is_empty(), "it is at this stage since the first look");
    let _ = system.counted.take();
    carried.run(&system, SignedDuration::from_mins(60)).await;
    sweep(&system).await;
    sweep(&system).await;
    assert_eq!(told(&system), [SUBJECT]);
    let message = system.test.messages.operations().remove(0);
    for part in [crate::support::CUSTOMER, crate::support::SUBSCRIPTION, posted.id.as_str(), "does not show it"] {
        assert!(message.text.contains(part), "{part} is not in {}", message.text);
    }
    assert!(!message.text.contains("ada@"), "nobody's name: {}", message.text);
    let OperationState::Stuck { .. } = kept(&system, &posted.id).await.state else { panic!() };
    assert_eq!(counted(&system), [Some(1), Some(1)], "each sweep counts it, told or not");
    assert_eq!(lines(&system).await.last().unwrap(), "system: stuck Following");
    system.clock.advance(SignedDuration::from_mins(60));
    sweep(&system).await;
    assert_eq!(kept(&system, &posted.id).await.state, OperationState::Done);
    assert_eq!(told(&system).len(), 1);
    let _ = system.counted.take();
    sweep(&system).await;
    assert_eq!(counted(&system), [Some(0)]);
}

#[tokio::test]
async fn a_cancellation_goes_on_where_its_tenant_is_switched_off_though_its_alerts_stay_open() {
    let system = system().await;
    system.microsoft.set_subscription_rules(SubscriptionRules { delay_seconds: 0, ..SubscriptionRules::default() });
    let (acting, tenant) = (acting(&system), tenant(&system).await);
    let (person, token) = administrator(&system, &acting, "ada@contoso.example").await;
    let asked = Wanting::cancel(&person, "k").ask(&system, &acting).await.unwrap();
    let posted = acting.act(&token, &tenant, asked, &Actor::Person(person)).await.unwrap();
    system.store().put_tenant(&Tenant { active: false, ..tenant.clone() }).await.unwrap();
    sweep(&system).await;
    assert_eq!(stage(&kept(&system, &posted.id).await), SubscriptionStage::Reached);
    assert_eq!(standings(&system).await[1], "one active -", "nothing is changed of a tenant that is switched off");
    system.store().put_tenant(&tenant).await.unwrap();
    sweep(&system).await;
    assert_eq!(kept(&system, &posted.id).await.state, OperationState::Done);
}

#[tokio::test]
async fn a_telling_that_fails_is_made_again_and_noted_only_when_it_went_out() {
    let system = system().await;
    let (acting, _) = (acting(&system), tenant(&system).await);
    let (person, _) = administrator(&system, &acting, "ada@contoso.example").await;
    let asked = Wanting::cancel(&person, "k").ask(&system, &acting).await.unwrap();
    system.clock.advance(SignedDuration::from_mins(16));
    let look = serde_json::to_string(&models::FollowUp::once(asked.tenant.clone(), asked.id.clone())).unwrap();
    system.tap.refuse("Publish", "AuthorizationError");
    assert!(!deliver(&system, &look).await, "SQS tries again");
    assert_eq!((told(&system).len(), kept(&system, &asked.id).await.state), (0, OperationState::InProgress));
    assert!(deliver(&system, &look).await);
    assert!(deliver(&system, &look).await);
    assert_eq!(told(&system), [SUBJECT]);
    let text = system.test.messages.operations().remove(0).text;
    assert!(text.contains("nobody has signed in for it"), "{text}");
}

#[tokio::test]
async fn alerts_that_cannot_be_resolved_are_told_and_resolved_when_they_can() {
    let system = system().await;
    let (acting, tenant) = (acting(&system), tenant(&system).await);
    let (person, token) = administrator(&system, &acting, "ada@contoso.example").await;
    let asked = Wanting::cancel(&person, "k").ask(&system, &acting).await.unwrap();
    let posted = acting.act(&token, &tenant, asked, &Actor::Person(person)).await.unwrap();
    system.microsoft.set_fault(Fault::new(Target::Patch, FaultKind::Fail { status: 503 })).unwrap();
    Carried::of(&system, &posted).run(&system, SignedDuration::from_mins(20)).await;
    system.clock.advance(SignedDuration::from_mins(10));
    sweep(&system).await;
    assert_eq!(told(&system), [SUBJECT]);
    assert!(system.test.messages.operations()[0].text.contains("could not all be resolved"));
    system.microsoft.clear_faults();
    // One is resolved, and the other not: it is still the same that stands still.
    let throttled = FaultKind::Throttle { retry_after: RetryAfter::Seconds(90) };
    system.microsoft.set_fault(Fault::new(Target::Patch, throttled).after(1)).unwrap();
    let _ = system.counted.take();
    for _ in 0..2 {
        sweep(&system).await;
    }
    let resolved = standings(&system).await.iter().filter(|standing| standing.ends_with("resolved fraud")).count();
    assert_eq!((resolved, told(&system)), (1, vec![SUBJECT.to_owned()]), "told once");
    assert_eq!(counted(&system), [Some(3), Some(2)], "the cancellation, and what is to become of each alert");
    system.microsoft.clear_faults();
    system.clock.advance(SignedDuration::from_mins(10));
    sweep(&system).await;
    assert_eq!(kept(&system, &posted.id).await.state, OperationState::Done);
    assert_eq!(standings(&system).await[1], "one resolved fraud");
}

#[tokio::test]
async fn what_nobody_signs_in_for_is_given_up_after_an_hour_and_can_be_asked_for_anew() {
    let system = system().await;
    let (acting, tenant) = (acting(&system), tenant(&system).await);
    let (person, token) = administrator(&system, &acting, "ada@contoso.example").await;
    let asked = Wanting::cancel(&person, "k").ask(&system, &acting).await.unwrap();
    system.clock.advance(SignedDuration::from_mins(60));
    sweep(&system).await;
    let lapsed = kept(&system, &asked.id).await;
    assert_eq!(lapsed.state, OperationState::Lapsed);
    assert_eq!(lines(&system).await.last().unwrap(), "system: lapsed");
    let by = Actor::Person(person.clone());
    let after = acting.act(&token, &tenant, lapsed, &by).await;
    assert_eq!(after.unwrap().state, OperationState::Lapsed, "a late token does nothing");
    assert!(system.microsoft.subscription_acts().is_empty());
    assert!(Wanting::cancel(&person, "l").ask(&system, &acting).await.unwrap().needs_person());
}
