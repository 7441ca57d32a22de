//! Cut off before each request to AWS, and in the middle of the call to Microsoft: repeated, it is done once.

use jiff::SignedDuration;
use models::{Actor, Operation, OperationState, Person};
use partner_center::PersonToken;
use simulator::{Fault, FaultKind, SubscriptionRules, Target};
use tests::ByHand;

use crate::support::{Wanting, acting, administrator, kept, lines, standings, sweep, system, tenant};

/// The whole of it by a person, under one key: asked for, and told to Microsoft.
async fn by_a_person(system: &ByHand, person: &Person, token: &PersonToken) -> Operation {
    let (acting, tenant) = (acting(system), tenant(system).await);
    let asked = Wanting::cancel(person, "k").ask(system, &acting).await.unwrap();
    acting.act(token, &tenant, asked, &Actor::Person(person.clone())).await.unwrap()
}

/// It is done, once, and each step is written once.
async fn assert_done_once(system: &ByHand, operation: &Operation, what: &str) {
    assert_eq!(kept(system, &operation.id).await.state, OperationState::Done, "{what}");
    assert_eq!(system.microsoft.subscription_acts().len(), 1, "{what}");
    let lines = lines(system).await;
    let without_following: Vec<_> =
        lines.iter().filter(|line| !line.contains("Following") && !line.contains("telling")).collect();
    let expected = ["asked Cancel", "EntitlementFound", "Posted", "Reached", "AlertsResolved", "Done"];
    let steps: Vec<_> = without_following.iter().map(|line| line.split(": ").nth(1).unwrap()).collect();
    assert_eq!(steps, expected, "{what}");
    assert_eq!(standings(system).await[1..], ["one resolved fraud", "over resolved legitimate", "two resolved fraud"]);
    for alert in ["one", "two"] {
        assert_eq!(crate::support::chain(system, Some(alert)).await.len(), 2, "{what}: {alert}");
    }
}

#[tokio::test]
async fn cut_off_before_any_request_to_aws_a_person_repeats_it_and_it_is_done_once() {
    let mut cuts = 0;
    for request in 0.. {
        let system = system().await;
        let (person, token) = administrator(&system, &acting(&system), "ada@contoso.example").await;
        let gate = system.tap.hold_after(request);
        let was_cut = tokio::select! {
            _ = by_a_person(&system, &person, &token) => false,
            () = gate.reached() => true,
        };
        if !was_cut {
            break;
        }
        cuts += 1;
        let told = by_a_person(&system, &person, &token).await;
        system.clock.advance(SignedDuration::from_mins(10));
        sweep(&system).await;
        assert_done_once(&system, &told, &format!("before request {request}")).await;
    }
    assert!(cuts >= 8, "{cuts}");
}

#[tokio::test]
async fn cut_off_before_any_request_to_aws_what_follows_goes_on_by_the_schedule_and_is_done_once() {
    let mut cuts = 0;
    for request in 0.. {
        let system = system().await;
        let (person, token) = administrator(&system, &acting(&system), "ada@contoso.example").await;
        let told = by_a_person(&system, &person, &token).await;
        system.clock.advance(SignedDuration::from_mins(10));
        let look = models::FollowUp::once(told.tenant.clone(), told.id.clone());
        let look = serde_json::to_string(&look).unwrap();
        let gate = system.tap.hold_after(request);
        let was_cut = tokio::select! {
            done = crate::support::deliver(&system, &look) => { assert!(done); false }
            () = gate.reached() => true,
        };
        if was_cut {
            cuts += 1;
            sweep(&system).await;
        }
        assert_done_once(&system, &told, &format!("before request {request}")).await;
        if !was_cut {
            break;
        }
    }
    assert!(cuts >= 12, "{cuts}");
}

#[tokio::test]
async fn where_microsofts_answer_is_lost_it_is_told_again_by_the_same_id_or_seen_without_anybody() {
    for repeated in [true, false] {
        let system = system().await;
        system.microsoft.set_subscription_rules(SubscriptionRules::default());
        let (acting, tenant) = (acting(&system), tenant(&system).await);
        let (person, token) = administrator(&system, &acting, "ada@contoso.example").await;
        let asked = Wanting::cancel(&person, "k").ask(&system, &acting).await.unwrap();
        // Longer than one call is patient: done at Microsoft, and nobody here knows.
        system.microsoft.set_fault(Fault::new(Target::AzureEntitlementCancel, FaultKind::Reset)).unwrap();
        let by = Actor::Person(person.clone());
        acting.act(&token, &tenant, asked.clone(), &by).await.unwrap_err();
        system.microsoft.clear_faults();
        let unknown = kept(&system, &asked.id).await;
        assert!(
            unknown.takes_person() && !unknown.needs_person(),
            "it may be told again, and is looked at without anybody"
        );
        if repeated {
            let told = acting.act(&token, &tenant, unknown, &by).await.unwrap();
            assert!(!told.needs_person());
        }
        system.clock.advance(SignedDuration::from_mins(10));
        sweep(&system).await;
        assert_eq!(kept(&system, &asked.id).await.state, OperationState::Done, "repeated: {repeated}");
        assert_eq!(system.microsoft.subscription_acts().len(), 1, "repeated: {repeated}");
        assert_eq!(standings(&system).await[1], "one resolved fraud");
    }
}
