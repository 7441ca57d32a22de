//! Whose token does it, and whose does not; and that none is kept or told.

use jiff::SignedDuration;
use models::{Actor, OperationState, SubscriptionWish};
use partner_center::{EntitlementError, Refusal, TokenProblem};
use secrecy::ExposeSecret as _;
use simulator::Role;
use subscriptions::{ActError, PersonProblem};
use tests::Lines;

use crate::support::{
    BOTH, NAME, Wanting, acting, administrator, kept, lines, system, tenant, token, token_for, with_roles,
};

#[tokio::test]
async fn a_token_of_somebody_else_of_another_service_or_tenant_or_without_the_role_is_not_used() {
    let system = system().await;
    let (acting, tenant) = (acting(&system), tenant(&system).await);
    let (ada, _) = administrator(&system, &acting, "ada@contoso.example").await;
    let of = async |name: &str, roles: &[Role]| token(&system, with_roles(name, roles)).await;
    let own = of("ada@contoso.example", &BOTH).await;
    acting.person(own.clone(), &tenant, &ada).unwrap();
    let graph = token_for(&system, with_roles("ada@contoso.example", &BOTH), &system.microsoft.microsoft_url()).await;
    for (what, token, expected) in [
        ("somebody else's", of("bob@contoso.example", &BOTH).await, PersonProblem::SomebodyElse),
        ("of another service", graph, TokenProblem::OtherAudience.into()),
        (
            "without the role",
            of("ada@contoso.example", &[Role::AdminAgent]).await,
            TokenProblem::NotGlobalAdministrator.into(),
        ),
        ("none", "x".to_owned().into(), TokenProblem::Unreadable.into()),
    ] {
        assert_eq!(acting.person(token, &tenant, &ada).unwrap_err(), expected, "{what}");
    }
    let elsewhere = models::Tenant { id: "0a0a0a0a-1111-4222-8333-444444444444".parse().unwrap(), ..tenant.clone() };
    // Partner Center acts for the tenant that a token is of: it has to be the subscription's.
    let stranger = models::Person { tenant: "0b0b0b0b-1111-4222-8333-444444444444".parse().unwrap(), ..ada.clone() };
    assert_eq!(acting.person(own.clone(), &elsewhere, &stranger).unwrap_err(), TokenProblem::OtherTenant.into());
    acting.person(own.clone(), &tenant, &stranger).expect("a guest has another id there, which nobody can compare");
    let without = simulator::Person { mfa: false, ..with_roles("ada@contoso.example", &BOTH) };
    let without = acting.person(token(&system, without).await, &tenant, &ada).unwrap_err();
    assert_eq!(without, TokenProblem::NoSecondFactor.into());
    system.clock.advance(SignedDuration::from_hours(2));
    assert_eq!(acting.person(own, &tenant, &ada).unwrap_err(), TokenProblem::Expired.into());
}

#[tokio::test]
async fn a_token_that_ends_between_or_lacks_admin_agent_does_nothing_and_another_goes_on() {
    let system = system().await;
    let (acting, tenant) = (acting(&system), tenant(&system).await);
    let (ada, in_time) = administrator(&system, &acting, "ada@contoso.example").await;
    let by = Actor::Person(ada.clone());
    let asked = Wanting::cancel(&ada, "k").ask(&system, &acting).await.unwrap();
    let lacking = token(&system, with_roles("ada@contoso.example", &[Role::GlobalAdministrator])).await;
    let lacking = acting.person(lacking, &tenant, &ada).unwrap();
    let refused = acting.act(&lacking, &tenant, asked.clone(), &by).await.unwrap_err();
    let ActError::Microsoft(error) = &refused else { panic!("{refused:?}") };
    assert_eq!(error.refusal(), Some(Refusal::RolesLacking), "no claim tells of Admin Agent: Microsoft does");
    assert_eq!(lines(&system).await.last().unwrap(), "ada: refused 900150");
    assert!(kept(&system, &asked.id).await.needs_person());

    system.clock.advance(SignedDuration::from_mins(59));
    let fresh = token(&system, with_roles("bob@contoso.example", &BOTH)).await;
    system.clock.advance(SignedDuration::from_mins(45));
    let ended = acting.act(&in_time, &tenant, asked.clone(), &by).await.unwrap_err();
    let is_expired =
        matches!(&ended, ActError::Microsoft(EntitlementError::Token { problem: TokenProblem::Expired, .. }));
    assert!(is_expired, "{ended:?}");
    assert!(system.microsoft.subscription_acts().is_empty());

    let bob = administrator(&system, &acting, "bob@contoso.example").await.0;
    let fresh = acting.person(fresh, &tenant, &bob).unwrap();
    acting.act(&fresh, &tenant, asked.clone(), &Actor::Person(bob)).await.unwrap();
    let acts = system.microsoft.subscription_acts();
    assert_eq!((acts.len(), acts[0].by.as_str()), (1, "bob@contoso.example"));
    assert_eq!(
        lines(&system).await,
        [
            "ada: asked Cancel",
            "ada: EntitlementFound",
            "ada: telling",
            "ada: refused 900150",
            "bob: asked Cancel",
            "bob: telling",
            "bob: Posted"
        ],
        "whoever goes on says so first"
    );
}

#[tokio::test]
async fn what_microsoft_refuses_for_good_ends_the_operation_with_its_code_and_what_to_do() {
    let system = system().await;
    let (acting, tenant) = (acting(&system), tenant(&system).await);
    let (ada, token) = administrator(&system, &acting, "ada@contoso.example").await;
    let by = Actor::Person(ada.clone());
    // It runs, and what is asked for is that it be cancelled by a reason that Microsoft does not take any more.
    let asked = Wanting::cancel(&ada, "k").ask(&system, &acting).await.unwrap();
    let ended = simulator::CustomerChange {
        id: crate::support::CUSTOMER.to_owned(),
        relationship: Some(simulator::Relationship::Ended),
        ..simulator::CustomerChange::default()
    };
    system.microsoft.describe_customer(ended).unwrap();
    let refused = acting.act(&token, &tenant, asked, &by).await.unwrap();
    let OperationState::Refused { refusal, description } = &refused.state else { panic!("{refused:?}") };
    assert_eq!((refusal.code.as_str(), refusal.meaning.as_deref()), ("900159", Some("relationship-missing")));
    assert_eq!(description, "There is no relationship with this customer.", "Microsoft's words");
    assert!(refusal.request_id.is_some(), "what Microsoft's support asks for");
    assert_eq!(lines(&system).await.last().unwrap(), "ada: refused 900159");
    assert_eq!(kept(&system, &refused.id).await, refused);
}

#[tokio::test]
async fn no_token_is_kept_or_logged_and_no_name_is() {
    let logged = Lines::capture("trace");
    let system = system().await;
    let (acting, tenant) = (acting(&system), tenant(&system).await);
    let secret = token(&system, with_roles("ada@contoso.example", &BOTH)).await;
    let (ada, _) = administrator(&system, &acting, "ada@contoso.example").await;
    let person = acting.person(secret.clone(), &tenant, &ada).unwrap();
    for wish in [SubscriptionWish::Cancel, SubscriptionWish::Reactivate] {
        let wish = Wanting { wish, typed: NAME, ..Wanting::cancel(&ada, "k") };
        if let Ok(asked) = wish.ask(&system, &acting).await {
            let _ = acting.act(&person, &tenant, asked, &Actor::Person(ada.clone())).await;
        }
    }
    assert_eq!(system.microsoft.subscription_acts().len(), 1);
    let tables = system.test.system.tables();
    let mut kept = vec![format!("{:?}", system.tap.take())];
    for table in [&tables.activity, &tables.alerts, &tables.tenants, &tables.sessions] {
        kept.push(format!("{:?}", system.items(table).await));
    }
    let (kept, logged) = (kept.concat(), logged.take());
    assert!(kept.contains("subscription_asked") && !logged.is_empty());
    for part in secret.expose_secret().split('.').filter(|part| part.len() > 20) {
        assert!(!kept.contains(part) && !logged.contains(part));
    }
    assert!(!logged.contains("ada@"), "no name of a person");
}
