//! Microsoft does not answer at all: people are told all the same, and what hangs holds nothing else up.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use models::{Actor, AlertResult, OperationState};
use simulator::{Fault, FaultKind, SubscriptionRules, Target};

use crate::support::{Wanting, acting, administrator, deliver, kept, lines, standings, sweep, system, tenant};

#[tokio::test]
async fn people_are_told_though_microsoft_or_our_own_tables_give_no_answer() {
    let system = system().await;
    let (acting, tenant) = (acting(&system), tenant(&system).await);
    let (person, token) = administrator(&system, &acting, "ada@contoso.example").await;
    let asked = Wanting::cancel(&person, "k").ask(&system, &acting).await.unwrap();
    let posted = acting.act(&token, &tenant, asked, &Actor::Person(person)).await.unwrap();
    system.microsoft.set_fault(Fault::new(Target::AzureEntitlement, FaultKind::Silent)).unwrap();
    system.clock.advance(SignedDuration::from_mins(20));
    let look = serde_json::to_string(&models::FollowUp::once(posted.tenant.clone(), posted.id.clone())).unwrap();
    assert!(deliver(&system, &look).await, "it was cut off by no one: the look itself has an end");
    assert_eq!(system.test.messages.operations().len(), 1);
    assert!(matches!(kept(&system, &posted.id).await.state, OperationState::Stuck { .. }));
    assert_eq!(lines(&system).await.last().unwrap(), "system: stuck Posted");
    system.clock.advance(SignedDuration::from_mins(60));
    assert!(deliver(&system, &look).await);
    assert_eq!(system.test.messages.operations().len(), 1, "once for each stage");
}

#[tokio::test]
async fn an_alert_that_gets_no_answer_goes_to_the_back_and_holds_up_no_other() {
    let system = system().await;
    system.microsoft.set_subscription_rules(SubscriptionRules { delay_seconds: 0, ..SubscriptionRules::default() });
    let (acting, tenant) = (acting(&system), tenant(&system).await);
    let (person, token) = administrator(&system, &acting, "ada@contoso.example").await;
    let asked = Wanting::cancel(&person, "k").ask(&system, &acting).await.unwrap();
    let posted = acting.act(&token, &tenant, asked, &Actor::Person(person)).await.unwrap();
    system.microsoft.set_fault(Fault::new(Target::Patch, FaultKind::Silent).times(1)).unwrap();
    sweep(&system).await;
    let half = kept(&system, &posted.id).await;
    assert_eq!((half.results.len(), half.unanswered.len()), (1, 1), "{half:?}");
    system.microsoft.clear_faults();
    sweep(&system).await;
    let done = kept(&system, &posted.id).await;
    assert_eq!((done.state, done.results.len(), done.unanswered.len()), (OperationState::Done, 2, 0));
    assert_eq!(standings(&system).await[1], "one resolved fraud");
}

#[tokio::test]
async fn an_alert_that_fails_goes_to_the_back_as_well() {
    let system = system().await;
    system.microsoft.set_subscription_rules(SubscriptionRules { delay_seconds: 0, ..SubscriptionRules::default() });
    let (acting, tenant) = (acting(&system), tenant(&system).await);
    let (person, token) = administrator(&system, &acting, "ada@contoso.example").await;
    let asked = Wanting::cancel(&person, "k").ask(&system, &acting).await.unwrap();
    let posted = acting.act(&token, &tenant, asked, &Actor::Person(person)).await.unwrap();
    let throttled = FaultKind::Throttle { retry_after: simulator::RetryAfter::Seconds(300) };
    system.microsoft.set_fault(Fault::new(Target::Patch, throttled).times(1)).unwrap();
    sweep(&system).await;
    let half = kept(&system, &posted.id).await;
    // By this mark the next look begins with what was not tried since, and reads more of what is open by as many.
    assert_eq!((half.results.len(), half.unanswered.len()), (1, 1), "{half:?}");
    system.microsoft.clear_faults();
    system.clock.advance(SignedDuration::from_mins(5));
    sweep(&system).await;
    let done = kept(&system, &posted.id).await;
    assert_eq!((done.state, done.results.len(), done.unanswered.len()), (OperationState::Done, 2, 0));
}

#[tokio::test]
async fn an_alert_that_cannot_be_read_is_counted_among_those_that_stay_open() {
    let system = system().await;
    system.microsoft.set_subscription_rules(SubscriptionRules { delay_seconds: 0, ..SubscriptionRules::default() });
    let (acting, tenant) = (acting(&system), tenant(&system).await);
    let (person, token) = administrator(&system, &acting, "ada@contoso.example").await;
    let asked = Wanting::cancel(&person, "k").ask(&system, &acting).await.unwrap();
    let posted = acting.act(&token, &tenant, asked, &Actor::Person(person)).await.unwrap();
    let text = |text: &str| AttributeValue::S(text.to_owned());
    aws_sdk_dynamodb::Client::new(&system.parts.aws)
        .update_item()
        .table_name(system.test.system.tables().alerts.clone())
        .key("pk", text(&format!("{}#two", tenant.id)))
        .key("sk", text("alert"))
        .update_expression("SET detail = :nothing")
        .expression_attribute_values(":nothing", text("nothing"))
        .send()
        .await
        .unwrap();
    sweep(&system).await;
    assert_eq!(kept(&system, &posted.id).await.state, OperationState::Done);
    let lines = lines(&system).await;
    assert_eq!(lines[lines.len() - 2..], ["system: 1 left open", "system: Done"]);
    let told = system.test.messages.operations().remove(0);
    assert_eq!(told.subject, "Partner Alerts: alerts of a cancelled subscription stay open");
}

#[tokio::test]
async fn what_nobody_can_see_is_given_up_by_the_clock_if_it_was_never_told_and_after_a_week_if_it_was() {
    for told in [false, true] {
        let system = system().await;
        let (acting, tenant) = (acting(&system), tenant(&system).await);
        let (person, token) = administrator(&system, &acting, "ada@contoso.example").await;
        let asked = Wanting::cancel(&person, "k").ask(&system, &acting).await.unwrap();
        if told {
            acting.act(&token, &tenant, asked.clone(), &Actor::Person(person)).await.unwrap();
        }
        system.microsoft.set_fault(Fault::new(Target::AzureEntitlement, FaultKind::Fail { status: 503 })).unwrap();
        system.clock.advance(SignedDuration::from_mins(60));
        sweep(&system).await;
        assert_eq!(kept(&system, &asked.id).await.state == OperationState::Lapsed, !told);
        if told {
            system.clock.advance(SignedDuration::from_hours(7 * 24));
            sweep(&system).await;
            assert_eq!(kept(&system, &asked.id).await.state, OperationState::Lapsed);
            assert_eq!(lines(&system).await.last().unwrap(), "system: given up Posted");
            let subjects: Vec<_> =
                system.test.messages.operations().into_iter().map(|message| message.subject).collect();
            assert_eq!(subjects.last().unwrap(), "Partner Alerts: a cancellation is given up");
        }
    }
}

#[tokio::test]
async fn alerts_that_microsoft_will_not_have_resolved_are_told_and_have_a_line_of_their_own() {
    let system = system().await;
    system.microsoft.set_subscription_rules(SubscriptionRules { delay_seconds: 0, ..SubscriptionRules::default() });
    let (acting, tenant) = (acting(&system), tenant(&system).await);
    let (person, token) = administrator(&system, &acting, "ada@contoso.example").await;
    let asked = Wanting::cancel(&person, "k").ask(&system, &acting).await.unwrap();
    let posted = acting.act(&token, &tenant, asked, &Actor::Person(person)).await.unwrap();
    let body = simulator::ErrorBody::Graph;
    let refuse = FaultKind::Answer { status: 400, body, retry_after: simulator::RetryAfter::Absent };
    system.microsoft.set_fault(Fault::new(Target::Patch, refuse)).unwrap();
    sweep(&system).await;
    let done = kept(&system, &posted.id).await;
    assert_eq!(done.state, OperationState::Done);
    assert!(done.results.values().all(|result| matches!(result, AlertResult::Refused(_))), "{done:?}");
    let lines = lines(&system).await;
    assert_eq!(lines[lines.len() - 2..], ["system: 2 left open", "system: Done"]);
    let told = system.test.messages.operations().remove(0);
    assert_eq!(told.subject, "Partner Alerts: alerts of a cancelled subscription stay open");
}
