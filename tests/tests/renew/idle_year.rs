//! A year in which nobody does anything, and much goes wrong, loses no credential.

use jiff::{SignedDuration, Timestamp};
use models::{Purpose, Tenant};
use simulator::FaultKind;
use store::WriteTenants as _;
use tests::{CLIENT_SECRET, wire::Fault};

use crate::support::{CONTOSO, DAY, TICK, World, client_id};

/// How long a refresh token is good for.
const LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// When the current refresh token was obtained.
async fn obtained(world: &World, tenant: &Tenant, purpose: Purpose) -> Timestamp {
    let secret = world.secret(tenant, purpose).await;
    secret["refresh_token_obtained"].as_str().unwrap().parse().unwrap()
}

async fn both_work(world: &World, tenant: &Tenant) -> bool {
    world.outcome(tenant, Purpose::Read).await == "ok" && world.outcome(tenant, Purpose::Act).await == "ok"
}

/// Whether Microsoft still takes a refresh token.
async fn redeemed(world: &World, token: String) -> bool {
    let http = runtime::http_client(&world.parts.tls, std::time::Duration::from_secs(30)).unwrap();
    let (login, client_id) = (world.microsoft.microsoft_url(), client_id(CONTOSO));
    let scope = format!("{login}/.default");
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", &client_id),
        ("client_secret", CLIENT_SECRET),
        ("scope", &scope),
        ("refresh_token", &token),
    ];
    let asked = http.post(format!("{login}/{CONTOSO}/oauth2/v2.0/token")).form(&form);
    asked.send().await.unwrap().status().is_success()
}

/// Ticks until this many days are over.
async fn days(world: &World, days: i32) {
    let end = world.now() + DAY * days;
    while world.now() < end {
        world.clock.advance(TICK);
        world.tick().await;
    }
}

#[tokio::test]
async fn without_renewal_a_refresh_token_is_dead_after_ninety_days() {
    let world = World::new().await;
    let tenant = world.add(CONTOSO).await;
    world.clock.advance(LIFE - SignedDuration::from_secs(1));
    let signed_in = |token: String| redeemed(&world, token);
    assert!(signed_in(world.token(&tenant, Purpose::Read).await).await, "a second before");
    world.clock.advance(SignedDuration::from_secs(1));
    assert!(!signed_in(world.token(&tenant, Purpose::Read).await).await);
    world.tick().await;
    for purpose in Purpose::ALL {
        assert_eq!(world.outcome(&tenant, purpose).await, "refresh-token-expired");
    }
}

#[tokio::test]
async fn a_year_of_ticks_and_troubles_loses_neither_credential_of_a_tenant() {
    let world = World::new().await;
    let tenant = world.add(CONTOSO).await;
    let start = world.now();

    days(&world, 30).await;
    assert!(both_work(&world, &tenant).await);

    // Secrets Manager takes no writes, for almost as long as a token lives.
    world.wire.plan_always("PutSecretValue", Fault::access_denied());
    days(&world, 80).await;
    assert_eq!(world.outcome(&tenant, Purpose::Read).await, "refresh-token-not-kept");
    assert!(world.now().duration_since(obtained(&world, &tenant, Purpose::Act).await) > DAY * 79);
    world.wire.clear();
    days(&world, 1).await;
    assert!(both_work(&world, &tenant).await);

    // A version can be put, and never becomes current.
    world.wire.plan_always("UpdateSecretVersionStage", Fault::access_denied());
    days(&world, 20).await;
    world.wire.clear();

    // Entra ID gives no tokens.
    world.sign_ins_fail(CONTOSO, FaultKind::Fail { status: 503 });
    days(&world, 60).await;
    assert_eq!(world.outcome(&tenant, Purpose::Act).await, "unavailable");
    world.microsoft.clear_faults();
    days(&world, 1).await;
    assert!(both_work(&world, &tenant).await);

    // Each tick comes twice, at the same time.
    let another = world.another();
    for _ in 0..4 * 10 {
        world.clock.advance(TICK);
        tokio::join!(world.tick(), world.tick_of(&another));
    }
    assert!(both_work(&world, &tenant).await);

    // One dies between putting a version and making it current, day after day.
    for _ in 0..30 {
        world.clock.advance(DAY);
        let gate = world.tap.hold("UpdateSecretVersionStage");
        tokio::select! {
            () = world.tick() => panic!("it should have been held up"),
            () = gate.reached() => {}
        }
    }
    days(&world, 1).await;
    assert!(both_work(&world, &tenant).await);

    // A person consents anew, while a new token is on its way.
    world.clock.advance(DAY);
    let gate = world.tap.hold("UpdateSecretVersionStage");
    let consent = async {
        gate.reached().await;
        let token = world.consent(&tenant, Purpose::Read).await;
        gate.open();
        token
    };
    let ((), token) = tokio::join!(world.tick(), consent);
    assert_eq!(world.token(&tenant, Purpose::Read).await, token);
    // Only from what they wrote can all that follows have come.
    world.microsoft.revoke_grants(CONTOSO);
    let token = world.consent(&tenant, Purpose::Read).await;
    world.consent(&tenant, Purpose::Act).await;
    days(&world, 1).await;
    assert_ne!(world.token(&tenant, Purpose::Read).await, token);
    assert!(both_work(&world, &tenant).await);

    // DynamoDB is away.
    world.wire.plan_always("UpdateItem", Fault::access_denied());
    days(&world, 60).await;
    world.wire.clear();

    let rest = (start + DAY * 366).duration_since(world.now());
    days(&world, i32::try_from(rest.as_hours() / 24).unwrap()).await;
    assert!(both_work(&world, &tenant).await);
    for purpose in Purpose::ALL {
        assert!(world.now().duration_since(obtained(&world, &tenant, purpose).await) < DAY);
        let previous = world.labelled(&tenant, purpose, "AWSPREVIOUS").await;
        assert_ne!(previous["refresh_token"], world.secret(&tenant, purpose).await["refresh_token"]);
    }
    // What is kept is good, and would be for almost ninety days more.
    world.clock.advance(LIFE - DAY);
    for purpose in Purpose::ALL {
        assert!(redeemed(&world, world.token(&tenant, purpose).await).await);
    }
}

#[tokio::test]
async fn a_tenant_that_is_switched_off_for_a_year_can_be_switched_on() {
    let world = World::new().await;
    let mut tenant = world.add(CONTOSO).await;
    tenant.active = false;
    world.store.put_tenant(&tenant).await.unwrap();
    for _ in 0..366 {
        world.clock.advance(DAY);
        world.tick().await;
    }
    assert!(both_work(&world, &tenant).await);
    for purpose in Purpose::ALL {
        assert!(redeemed(&world, world.token(&tenant, purpose).await).await);
    }
}

#[tokio::test]
async fn a_token_is_written_once_a_day_and_not_before_it_is_twenty_hours_old() {
    let world = World::new().await;
    let tenant = world.add(CONTOSO).await;
    let mut written = Vec::new();
    for hour in 0..96 {
        let before = world.wire.count("PutSecretValue");
        world.tick().await;
        // Both secrets are of one age.
        match world.wire.count("PutSecretValue") - before {
            0 => {}
            2 => written.push(hour),
            other => panic!("{other} writes in hour {hour}"),
        }
        world.clock.advance(SignedDuration::from_hours(1));
    }
    assert_eq!(written, [0, 20, 40, 60, 80], "where it ticks every hour");
    assert!(both_work(&world, &tenant).await);

    let before = world.wire.count("PutSecretValue");
    days(&world, 30).await;
    assert_eq!(world.wire.count("PutSecretValue") - before, 2 * 30, "where it ticks as it is deployed");
}
