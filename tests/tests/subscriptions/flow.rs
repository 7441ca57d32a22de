//! A cancellation and a reactivation from the wish to the end, and what others do meanwhile.

use jiff::SignedDuration;
use models::{Act, Actor, OperationState, SubscriptionStage, SubscriptionWish};
use partner_center::Asker;
use simulator::{CancelAnswer, SubscriptionRules};

use crate::support::{
    CUSTOMER, Carried, NAME, SUBSCRIPTION, Wanting, acting, administrator, chain, kept, lines, raise, stage, standings,
    sweep, system, tenant,
};

const QUARTER: SignedDuration = SignedDuration::from_mins(15);

#[tokio::test]
async fn a_subscription_is_cancelled_by_its_name_and_a_person_and_its_alerts_are_resolved_when_it_is_inactive() {
    for answer in [CancelAnswer::Entitlement, CancelAnswer::Accepted] {
        let system = system().await;
        system.microsoft.set_subscription_rules(SubscriptionRules { answer, ..SubscriptionRules::default() });
        let acting = acting(&system);
        let tenant = tenant(&system).await;
        let shown = acting.preview(Asker::Tenant, &tenant, &SUBSCRIPTION.parse().unwrap(), None).await.unwrap();
        assert_eq!(shown.found.customer.name.as_deref(), Some("Customer 4a8f2d61"));
        assert_eq!(shown.found.found.entitlement.name.as_deref(), Some(NAME));
        let mut alerts: Vec<_> = shown.alerts.iter().map(|alert| alert.id.as_str()).collect();
        alerts.sort_unstable();
        assert_eq!((alerts, shown.under_way), (vec!["one", "two"], None));

        let (person, token) = administrator(&system, &acting, "ada@contoso.example").await;
        let asked = Wanting::cancel(&person, "k").ask(&system, &acting).await.unwrap();
        assert_eq!(stage(&asked), SubscriptionStage::EntitlementFound);
        assert!(asked.needs_person());
        assert!(system.microsoft.subscription_acts().is_empty(), "nothing is done without the person");
        let by = Actor::Person(person.clone());
        let told = acting.act(&token, &tenant, asked.clone(), &by).await.unwrap();
        assert_eq!((stage(&told), told.needs_person()), (SubscriptionStage::Posted, false));
        let mut carried = Carried::of(&system, &told);
        carried.run(&system, SignedDuration::from_secs(599)).await;
        assert_eq!(standings(&system).await[1], "one active -", "not before it is inactive");
        carried.run(&system, QUARTER).await;
        assert_eq!(carried.waits(), 0);

        let done = kept(&system, &told.id).await;
        assert_eq!((stage(&done), &done.state), (SubscriptionStage::Done, &OperationState::Done));
        assert_eq!(done.results.len(), 2);
        assert_eq!(
            standings(&system).await,
            ["else active -", "one resolved fraud", "over resolved legitimate", "two resolved fraud"]
        );
        assert_eq!(
            lines(&system).await,
            [
                "ada: asked Cancel",
                "ada: EntitlementFound",
                "ada: telling",
                "ada: Posted",
                "system: Following",
                "system: Reached",
                "system: AlertsResolved",
                "system: Done",
            ]
        );
        let of_alert = chain(&system, Some("one")).await;
        let acts: Vec<_> = of_alert.iter().map(|line| line.entry.act.clone()).collect();
        assert_eq!(acts, [Act::StatusAsked, Act::StatusDone], "as a person resolves it");
        assert_eq!(of_alert[0].entry.actor, by, "who wanted it");
        assert_eq!(of_alert[0].entry.note.as_ref().unwrap().as_str(), "It mines.");
        assert_eq!(chain(&system, None).await[0].entry.note.as_ref().unwrap().as_str(), "It mines.");
        let acts = system.microsoft.subscription_acts();
        assert_eq!((acts.len(), acts[0].by.as_str()), (1, "ada@contoso.example"), "Microsoft knows who it was");
        assert!(system.test.messages.operations().is_empty(), "nobody is called about what went well");
    }
}

#[tokio::test]
async fn a_subscription_is_reactivated_likewise_and_no_alert_is_touched() {
    let system = system().await;
    let acting = acting(&system);
    let tenant = tenant(&system).await;
    let (person, token) = administrator(&system, &acting, "ada@contoso.example").await;
    let by = Actor::Person(person.clone());
    for (wish, key) in [(SubscriptionWish::Cancel, "a"), (SubscriptionWish::Reactivate, "b")] {
        let asked = Wanting { wish, ..Wanting::cancel(&person, key) }.ask(&system, &acting).await.unwrap();
        let told = acting.act(&token, &tenant, asked, &by).await.unwrap();
        Carried::of(&system, &told).run(&system, QUARTER).await;
        assert_eq!(kept(&system, &told.id).await.state, OperationState::Done);
    }
    let acts: Vec<_> = system.microsoft.subscription_acts().into_iter().map(|act| act.cancelled).collect();
    assert_eq!(acts, [true, false]);
    let lines = lines(&system).await;
    let after: Vec<_> = lines.iter().skip(8).map(String::as_str).collect();
    assert_eq!(
        after,
        [
            "ada: asked Reactivate",
            "ada: EntitlementFound",
            "ada: telling",
            "ada: Posted",
            "system: Following",
            "system: Reached",
            "system: Done",
        ]
    );
}

#[tokio::test]
async fn what_somebody_else_cancelled_meanwhile_is_not_cancelled_again_and_its_alerts_are_resolved() {
    for before_the_wish in [true, false] {
        let system = system().await;
        system.microsoft.set_subscription_rules(SubscriptionRules { delay_seconds: 0, ..SubscriptionRules::default() });
        let acting = acting(&system);
        let tenant = tenant(&system).await;
        let (person, token) = administrator(&system, &acting, "ada@contoso.example").await;
        let (_, other) = administrator(&system, &acting, "elsewhere@contoso.example").await;
        let elsewhere = async || elsewhere(&system, &other).await;
        if before_the_wish {
            elsewhere().await;
        }
        let asked = Wanting::cancel(&person, "k").ask(&system, &acting).await.unwrap();
        if !before_the_wish {
            elsewhere().await;
        }
        let told = acting.act(&token, &tenant, asked, &Actor::Person(person.clone())).await.unwrap();
        assert_eq!(stage(&told), SubscriptionStage::Reached);
        sweep(&system).await;
        assert_eq!(kept(&system, &told.id).await.state, OperationState::Done);
        assert_eq!(standings(&system).await[1], "one resolved fraud");
        assert_eq!(system.microsoft.subscription_acts().len(), 1);
        assert!(lines(&system).await.iter().all(|line| !line.contains("Posted")));
    }
}

/// Somebody cancels it in Partner Center's own dashboard.
pub(crate) async fn elsewhere(system: &tests::ByHand, token: &partner_center::PersonToken) {
    let entitlements = crate::support::entitlements(system);
    let (tenant, customer, subscription) =
        (tenant(system).await, CUSTOMER.parse().unwrap(), SUBSCRIPTION.parse().unwrap());
    let found = entitlements.find(Asker::Tenant, &tenant, &customer, &subscription).await.unwrap();
    entitlements.cancel(token, &tenant, &found.place, runtime::random_id()).await.unwrap();
}

#[tokio::test]
async fn an_alert_that_comes_while_it_is_followed_is_resolved_too_and_more_than_one_look_can_do() {
    let system = system().await;
    let acting = acting(&system);
    let tenant = tenant(&system).await;
    let (person, token) = administrator(&system, &acting, "ada@contoso.example").await;
    let asked = Wanting::cancel(&person, "k").ask(&system, &acting).await.unwrap();
    let told = acting.act(&token, &tenant, asked, &Actor::Person(person)).await.unwrap();
    for number in 0..105 {
        raise(&system, &format!("later-{number:03}"), SUBSCRIPTION);
    }
    system.complete(109, 105).await;
    system.clock.advance(SignedDuration::from_mins(10));
    Carried::of(&system, &told).run(&system, QUARTER).await;
    let done = kept(&system, &told.id).await;
    assert_eq!((done.results.len(), done.state), (107, OperationState::Done));
    let open = system.microsoft.alerts(tests::TENANT).into_iter().filter(|alert| alert.status != "resolved");
    assert_eq!(open.map(|alert| alert.id).collect::<Vec<_>>(), ["else"]);
}
