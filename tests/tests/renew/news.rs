//! Whoever looks after Partner Alerts is told of each credential, each thing once, whatever the others do.

use models::{Purpose, Tenant};
use serde_json::json;
use simulator::FaultKind;
use store::WriteTenants as _;
use tests::{Lines, wire::Fault};

use crate::support::{CONTOSO, DAY, FABRIKAM, TICK, World, app_only};

const FAILS: &str = "Partner Alerts: a credential does not work";
const WORKS: &str = "Partner Alerts: a credential works again";
const SOON: &str = "Partner Alerts: a client secret or certificate ends soon";
const ENDED: &str = "Partner Alerts: a client secret or certificate has ended";
const OLD: &str = "Partner Alerts: a refresh token is not being renewed";

/// The subjects of what was told of a secret.
fn subjects(world: &World, tenant: &Tenant, purpose: Purpose) -> Vec<String> {
    let whose = format!("the {purpose} secret of tenant {}", tenant.id);
    let about = |text: &str| text.contains(&whose);
    world.told().into_iter().filter(|message| about(&message.1)).map(|message| message.0).collect()
}

/// Leaves a tenant with a read secret alone, which an application has for itself.
async fn add_app_only(world: &World, id: &str) -> Tenant {
    let mut tenant = world.add(id).await;
    tenant.act_secret = None;
    world.store.put_tenant(&tenant).await.unwrap();
    world.write(&tenant, Purpose::Read, &app_only(&tenant)).await;
    tenant
}

#[tokio::test]
async fn a_second_tenants_failure_is_told_while_the_first_one_is_failing_and_each_is_told_once() {
    let world = World::new().await;
    let (contoso, fabrikam) = (world.add(CONTOSO).await, world.add(FABRIKAM).await);
    world.tick().await;
    assert_eq!(world.told(), [], "that something works from the beginning is no news");
    for (tenant, so_far) in [(&contoso, 2), (&fabrikam, 4)] {
        world.microsoft.revoke_grants(tenant.id.as_str());
        for _ in 0..3 {
            world.clock.advance(TICK);
            world.tick().await;
        }
        assert_eq!(world.told().len(), so_far);
    }
    for tenant in [&contoso, &fabrikam] {
        for purpose in Purpose::ALL {
            assert_eq!(subjects(&world, tenant, purpose), [FAILS]);
        }
    }

    world.consent(&fabrikam, Purpose::Act).await;
    for _ in 0..2 {
        world.clock.advance(TICK);
        world.tick().await;
    }
    assert_eq!(subjects(&world, &fabrikam, Purpose::Act), [FAILS, WORKS]);
    assert_eq!(world.told().len(), 5);
}

#[tokio::test]
async fn what_is_told_says_which_what_and_what_to_do_and_holds_no_secret() {
    let world = World::new().await;
    let tenant = world.add(CONTOSO).await;
    let tokens = [world.token(&tenant, Purpose::Read).await, world.token(&tenant, Purpose::Act).await];
    world.microsoft.revoke_grants(CONTOSO);
    world.tick().await;
    let (subject, text) = world.told().remove(0);
    assert!(subject.is_ascii() && subject.len() <= 100, "{subject}");
    assert_eq!(
        text,
        "The credential in the read secret of tenant 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 does not work, or is not kept alive: \
         refresh-token-revoked.\n\nWhat to do: consent again as an Admin Agent: a changed password or a revocation ends refresh \
         tokens.\n\nLooked at: 2026-03-02T09:00:00Z\nTo look again: partner-alerts doctor --tenant \
         9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10\nWhat each outcome means: docs/operations.md, \"Credentials\"\n"
    );
    for (_, text) in world.told() {
        assert!(!text.contains(&tenant.display_name) && !text.contains(tests::CLIENT_SECRET), "{text}");
        assert!(tokens.iter().all(|token| !text.contains(token)), "{text}");
    }
}

#[tokio::test]
async fn another_reason_is_told_and_what_nobody_can_judge_is_not() {
    let world = World::new().await;
    let tenant = add_app_only(&world, CONTOSO).await;
    world.sign_ins_fail(CONTOSO, FaultKind::Fail { status: 503 });
    world.tick().await;
    assert_eq!(world.told(), []);
    for (secret, so_far) in [("wrong", 1), ("wrong as well", 1)] {
        world.microsoft.clear_faults();
        let mut wrong = app_only(&tenant);
        wrong["client_secret"] = json!(secret);
        world.write(&tenant, Purpose::Read, &wrong).await;
        world.tick().await;
        assert_eq!(world.told().len(), so_far);
        world.sign_ins_fail(CONTOSO, FaultKind::Fail { status: 503 });
        world.tick().await;
        assert_eq!(world.told().len(), so_far, "what is not known now is neither mended nor broken");
    }
    world.microsoft.clear_faults();
    world.write(&tenant, Purpose::Read, &json!({ "client_id": "a" })).await;
    world.tick().await;
    assert_eq!(world.told().len(), 2);
    world.write(&tenant, Purpose::Read, &app_only(&tenant)).await;
    world.tick().await;
    assert_eq!(subjects(&world, &tenant, Purpose::Read), [FAILS, FAILS, WORKS]);
}

#[tokio::test]
async fn an_end_is_told_a_month_two_weeks_one_and_a_day_before_when_it_has_come_and_anew_of_the_next() {
    let world = World::new().await;
    let tenant = add_app_only(&world, CONTOSO).await;
    let start = world.now();
    let mut secret = app_only(&tenant);
    secret["client_secret_expires"] = json!(start + DAY * 32);
    world.write(&tenant, Purpose::Read, &secret).await;
    let mut told = Vec::new();
    while world.now() < start + DAY * 40 {
        world.tick().await;
        for (subject, _) in world.told().split_off(told.len()) {
            told.push((subject, world.now().duration_since(start).as_hours() / 24));
        }
        world.clock.advance(TICK);
    }
    let [soon, ended] = [SOON, ENDED].map(str::to_owned);
    let expected = [(soon.clone(), 2), (soon.clone(), 18), (soon.clone(), 25), (soon, 31), (ended, 32)];
    assert_eq!(told, expected);

    // Whoever is late makes one that ends soon, too.
    secret["client_secret_expires"] = json!(world.now() + DAY * 10);
    world.write(&tenant, Purpose::Read, &secret).await;
    for _ in 0..2 {
        world.tick().await;
        assert_eq!(world.told().len(), told.len() + 1);
    }
    assert_eq!(world.told().pop().unwrap().0, SOON);
}

#[tokio::test]
async fn a_refresh_token_that_is_not_renewed_is_told_of_when_it_is_three_days_old_and_once() {
    let world = World::new().await;
    let tenant = world.add(CONTOSO).await;
    world.tick().await;
    world.sign_ins_fail(CONTOSO, FaultKind::Fail { status: 503 });
    world.clock.advance(DAY * 3 - TICK);
    world.tick().await;
    assert_eq!(world.told(), []);
    for _ in 0..3 {
        world.clock.advance(TICK);
        world.tick().await;
        assert_eq!(subjects(&world, &tenant, Purpose::Read), [OLD]);
        assert_eq!(subjects(&world, &tenant, Purpose::Act), [OLD]);
    }
}

#[tokio::test]
async fn what_could_not_be_told_or_noted_is_told_by_the_next_run() {
    let world = World::new().await;
    let tenant = world.add(CONTOSO).await;
    world.tick().await;
    world.microsoft.revoke_grants(CONTOSO);
    world.wire.plan_always("Publish", Fault::access_denied());
    let lines = Lines::capture("info");
    world.tick().await;
    assert_eq!(world.told(), []);
    let said = lines.take();
    assert!(said.contains("nobody could be told of a credential: the next run tries again"), "{said}");
    assert_eq!(world.outcome(&tenant, Purpose::Read).await, "refresh-token-revoked", "noted all the same");
    world.wire.clear();

    // Told, and cut off before that is noted: told again, rather than never.
    let gate = world.tap.hold("Publish");
    tokio::select! {
        () = world.tick() => panic!("it should have been held up"),
        () = gate.reached() => {}
    }
    world.clock.advance(TICK);
    world.tick().await;
    world.tick().await;
    for purpose in Purpose::ALL {
        assert_eq!(subjects(&world, &tenant, purpose), [FAILS]);
    }
}

#[tokio::test]
async fn of_an_inactive_tenant_nobody_is_told_until_it_is_switched_on() {
    let world = World::new().await;
    let mut tenant = add_app_only(&world, CONTOSO).await;
    world.write(&tenant, Purpose::Read, &json!({ "client_id": "a" })).await;
    for (active, told) in [(false, 0), (true, 1)] {
        tenant.active = active;
        world.store.put_tenant(&tenant).await.unwrap();
        for _ in 0..2 {
            world.tick().await;
            assert_eq!(world.told().len(), told);
        }
    }
}
