//! A credential works when what it is for can be done with it: that Entra ID gives a token is not enough.

use models::{AlertSource, Purpose, Tenant};
use serde_json::json;
use simulator::{Denial, Fault, FaultKind, Person, RetryAfter, Target};
use store::WriteTenants as _;

use crate::support::{CONTOSO, Found, World, app_only};

/// The refresh token that this person leaves takes the place of what is in a secret. Nobody says how old it is.
async fn consent_as(world: &World, tenant: &Tenant, purpose: Purpose, person: Person) -> String {
    let token = world.microsoft.refresh_token_of(CONTOSO, person).unwrap();
    let mut secret = app_only(tenant);
    secret["refresh_token"] = json!(token);
    world.write(tenant, purpose, &secret).await;
    token
}

#[tokio::test]
async fn what_a_service_refuses_is_the_outcome_and_the_refresh_token_is_kept_all_the_same() {
    let throttle = FaultKind::Throttle { retry_after: RetryAfter::Seconds(60) };
    let denied = FaultKind::Denied;
    for (target, kind, read, act, failed, undecided) in [
        (Target::List, FaultKind::MissingMfa, "mfa-missing", "mfa-missing", 2, 0),
        (Target::List, throttle, "throttled", "throttled", 0, 2),
        (Target::List, FaultKind::Fail { status: 503 }, "unavailable", "unavailable", 0, 2),
        (Target::List, FaultKind::Truncated, "call-unreadable", "call-unreadable", 0, 2),
        (Target::RegistrationGet, FaultKind::MissingMfa, "mfa-missing", "ok", 1, 0),
        (Target::RegistrationGet, denied(Denial::WrongAudience), "audience-retired", "ok", 1, 0),
        (Target::RegistrationGet, denied(Denial::RoleMissing), "role-lacking", "ok", 1, 0),
        (Target::RegistrationGet, denied(Denial::ApplicationUnregistered), "not-in-partner-center", "ok", 1, 0),
        (Target::RegistrationGet, denied(Denial::ConditionalAccess), "conditional-access", "ok", 1, 0),
        (Target::RegistrationGet, FaultKind::Reset, "unavailable", "ok", 0, 1),
    ] {
        let world = World::new().await;
        let tenant = world.add(CONTOSO).await;
        let token = world.token(&tenant, Purpose::Read).await;
        world.microsoft.set_fault(Fault::new(target, kind).of(CONTOSO)).unwrap();

        let counts = world.counts().await;

        let found = Found { failed, undecided, renewed: 2, ..Found::TWO_WORK };
        assert_eq!(counts, found.counts(), "{target:?} {kind:?}");
        let outcomes = (world.outcome(&tenant, Purpose::Read).await, world.outcome(&tenant, Purpose::Act).await);
        assert_eq!(outcomes, (read.to_owned(), act.to_owned()), "{target:?} {kind:?}");
        assert_ne!(world.token(&tenant, Purpose::Read).await, token, "{target:?} {kind:?}");
    }
}

#[tokio::test]
async fn who_consented_without_a_second_factor_or_as_nobody_in_particular_is_told_apart_before_it_is_needed() {
    let agent = Person::admin_agent(CONTOSO);
    for (person, outcome) in [
        (Person { mfa: false, ..agent.clone() }, "mfa-missing"),
        (Person { roles: vec![], ..agent.clone() }, "role-lacking"),
    ] {
        let world = World::new().await;
        let tenant = world.add(CONTOSO).await;
        for purpose in Purpose::ALL {
            consent_as(&world, &tenant, purpose, person.clone()).await;
        }
        world.tick().await;
        for purpose in Purpose::ALL {
            assert_eq!(world.outcome(&tenant, purpose).await, outcome, "{purpose}");
        }
    }
}

#[tokio::test]
async fn a_look_changes_nothing_and_asks_each_service_once_and_that_no_webhook_is_registered_is_no_failure() {
    let world = World::new().await;
    let tenant = world.add(CONTOSO).await;
    world.tick().await;
    let asked = world.microsoft.requests();
    assert_eq!((asked.token, asked.list, asked.registration_get), (3, 2, 1), "both secrets; Partner Center for read");
    let changes = asked.patch + asked.registration_post + asked.registration_put + asked.test_event;
    assert_eq!(changes, 0);
    assert_eq!(world.outcome(&tenant, Purpose::Read).await, "ok");
}

#[tokio::test]
async fn of_a_tenant_whose_alerts_come_from_fraud_events_the_sign_in_there_is_proven_and_none_at_graph() {
    let world = World::new().await;
    let tenant = Tenant { alert_source: AlertSource::FraudEvents, ..world.add(CONTOSO).await };
    world.store.put_tenant(&tenant).await.unwrap();

    assert_eq!(world.counts().await, Found { renewed: 2, ..Found::TWO_WORK }.counts());

    let asked = world.microsoft.requests();
    assert_eq!((asked.token, asked.fraud_events, asked.registration_get, asked.list), (2, 2, 1, 0));
    for purpose in Purpose::ALL {
        assert_eq!(world.outcome(&tenant, purpose).await, "ok", "{purpose}");
        consent_as(&world, &tenant, purpose, Person { mfa: false, ..Person::admin_agent(CONTOSO) }).await;
    }
    world.tick().await;
    for purpose in Purpose::ALL {
        assert_eq!(world.outcome(&tenant, purpose).await, "mfa-missing", "{purpose}");
    }
    assert_eq!(world.microsoft.requests().list, 0);
}

#[tokio::test]
async fn a_sign_in_that_brings_no_refresh_token_has_failed_once_one_is_due_and_the_kept_one_stays() {
    let world = World::new().await;
    let tenant = world.add(CONTOSO).await;
    world.tick().await;
    let token = world.token(&tenant, Purpose::Read).await;
    world.sign_ins_fail(CONTOSO, FaultKind::NoRefreshToken);
    world.tick().await;
    assert_eq!(world.outcome(&tenant, Purpose::Read).await, "ok", "none is due");
    world.clock.advance(partner_center::RENEW_AFTER);
    assert_eq!(world.counts().await, Found { failed: 2, ..Found::TWO_WORK }.counts());
    for purpose in Purpose::ALL {
        assert_eq!(world.outcome(&tenant, purpose).await, "no-refresh-token");
    }
    assert_eq!(world.token(&tenant, Purpose::Read).await, token);
}
