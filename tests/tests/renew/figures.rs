//! Ages and ends are counted in days before they are anybody's trouble.

use jiff::SignedDuration;
use models::Purpose;
use serde_json::json;
use tests::wire::Fault;

use crate::support::{CERTIFICATE, CONTOSO, DAY, FABRIKAM, Found, KEY, World, app_only, client_id};

#[tokio::test]
async fn a_client_secret_counts_down_to_its_end_and_the_first_to_end_counts() {
    let world = World::new().await;
    let (contoso, fabrikam) = (world.add(CONTOSO).await, world.add(FABRIKAM).await);
    for (tenant, purpose, days) in
        [(&contoso, Purpose::Read, 200), (&contoso, Purpose::Act, 31), (&fabrikam, Purpose::Read, 300)]
    {
        let mut secret = app_only(tenant);
        secret["client_secret_expires"] = json!(world.now() + DAY * days);
        world.write(tenant, purpose, &secret).await;
    }
    world.write(&fabrikam, Purpose::Act, &app_only(&fabrikam)).await;
    let found = Found { checked: 4, undated: 1, oldest_days: None, ..Found::TWO_WORK };
    for (later, days) in [(0, 31), (1, 30), (1, 29), (29, 0), (400, 0)] {
        world.clock.advance(DAY * later);
        assert_eq!(world.counts().await, Found { expiry_days: Some(days), ..found }.counts());
    }
    let known = world.known(&contoso, Purpose::Act).await;
    assert_eq!(known.proof_expires, Some("2026-04-02T09:00:00Z".parse().unwrap()));
}

#[tokio::test]
async fn a_certificate_signs_in_and_says_its_end_itself() {
    let world = World::new().await;
    let tenant = world.add(CONTOSO).await;
    // The test's certificate begins later than its clocks.
    world.clock.advance(DAY * 300);
    let token = world.microsoft.refresh_token(CONTOSO).unwrap();
    let proof = json!({ "client_id": client_id(CONTOSO), "certificate": CERTIFICATE, "private_key": KEY });
    world.write(&tenant, Purpose::Read, &proof).await;
    let mut for_a_person = proof.clone();
    for_a_person["refresh_token"] = json!(token);
    world.write(&tenant, Purpose::Act, &for_a_person).await;

    // It ends in 2126.
    let days = "2126-10-30T00:18:15Z".parse::<jiff::Timestamp>().unwrap().duration_since(world.now()).as_hours() / 24;
    let expiry_days = usize::try_from(days).ok();
    assert_eq!(world.counts().await, Found { renewed: 1, undated: 0, expiry_days, ..Found::TWO_WORK }.counts());
    let renewed = world.secret(&tenant, Purpose::Act).await;
    assert_eq!([&renewed["certificate"], &renewed["private_key"]], [CERTIFICATE, KEY]);
    assert_ne!(renewed["refresh_token"], json!(token));
}

#[tokio::test]
async fn a_token_that_is_not_renewed_counts_its_days_from_when_it_was_obtained_or_else_written() {
    let world = World::new().await;
    let tenant = world.add(CONTOSO).await;
    world.wire.plan_always("PutSecretValue", Fault::access_denied());
    world.clock.advance(DAY * 2);
    let failed = Found { failed: 2, oldest_days: Some(2), ..Found::TWO_WORK };
    assert_eq!(world.counts().await, failed.counts(), "nobody has dated them: since they were written");

    let mut secret = world.secret(&tenant, Purpose::Act).await;
    secret["refresh_token_obtained"] = json!("2026-02-01T09:00:00Z");
    world.write(&tenant, Purpose::Act, &secret).await;
    assert_eq!(world.counts().await, Found { oldest_days: Some(31), ..failed }.counts(), "somebody has dated it");

    // What is known of a secret that can't be read any more is what was known.
    world.wire.plan_always("GetSecretValue", Fault::access_denied());
    world.clock.advance(DAY);
    assert_eq!(world.counts().await, Found { oldest_days: Some(32), ..failed }.counts());
}

#[tokio::test]
async fn a_moment_ahead_of_us_is_taken_for_none() {
    let world = World::new().await;
    let tenant = world.add(CONTOSO).await;
    world.tick().await;
    world.clock.advance(-SignedDuration::from_hours(48));
    let token = world.token(&tenant, Purpose::Read).await;
    assert_eq!(world.counts().await, Found { renewed: 2, ..Found::TWO_WORK }.counts(), "the clock was set back");
    assert_ne!(world.token(&tenant, Purpose::Read).await, token);
    assert_eq!(world.secret(&tenant, Purpose::Read).await["refresh_token_obtained"], json!(world.now()));
}
