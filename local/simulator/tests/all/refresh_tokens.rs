//! Refresh tokens: what one brings, how long it lasts, and what ends it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use simulator::{Person, Role};

use crate::support::{ALERTS, FIRST, REGISTRATION, SECOND, World, assert_shape, credentials, json};

const DAY: i64 = 86_400;
const GRAPH: &str = "https://graph.microsoft.com/.default";

async fn next(world: &World, refresh: &str) -> String {
    let answer = world.redeem(refresh, GRAPH).await;
    assert_eq!(answer.status(), 200);
    json(answer).await["refresh_token"].as_str().unwrap().to_owned()
}

async fn is_refused(world: &World, refresh: &str, number: u32) {
    let answer = world.redeem(refresh, GRAPH).await;
    assert_eq!(answer.status(), 400);
    let body = json(answer).await;
    assert_eq!((&body["error"], &body["error_codes"]), (&json!("invalid_grant"), &json!([number])));
    assert_shape(&body, "entra-error.json");
}

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn one_refresh_token_is_good_for_both_services() {
    let world = World::start().await;
    let refresh = world.simulator.refresh_token(FIRST).unwrap();
    for (address, path) in [
        (world.simulator.microsoft_url(), ALERTS),
        (world.simulator.partner_center_url(), "/webhooks/v1/registration/events"),
    ] {
        let body = json(world.redeem(&refresh, &format!("{address}/.default")).await).await;
        let token = body["access_token"].as_str().unwrap();
        let answer = world.client.get(address + path).bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
    }
}

#[tokio::test]
async fn whoever_does_not_ask_to_go_on_is_given_nothing_to_go_on_with() {
    let world = World::start().await;
    let refresh = world.simulator.refresh_token(FIRST).unwrap();
    let mut form = credentials(FIRST, GRAPH).to_vec();
    form[0].1 = "refresh_token";
    form.push(("refresh_token", &refresh));
    let body = json(world.ask_for_token(FIRST, &form).await).await;
    assert!(body["access_token"].is_string() && body["refresh_token"].is_null(), "{body}");
    next(&world, &refresh).await;
}

#[tokio::test]
async fn each_redemption_brings_a_token_with_ninety_days_of_its_own_and_leaves_the_old_one_its() {
    let world = World::start().await;
    let first = world.simulator.refresh_token(FIRST).unwrap();
    world.advance(60 * DAY);
    let second = next(&world, &first).await;
    assert_ne!(first, second);

    world.advance(30 * DAY - 1);
    next(&world, &first).await;
    world.advance(1);
    is_refused(&world, &first, 700_082).await;

    world.advance(60 * DAY - 1);
    next(&world, &second).await;
    world.advance(1);
    is_refused(&world, &second, 700_082).await;
}

#[tokio::test]
async fn a_change_of_the_password_ends_every_refresh_token_of_its_tenant_until_the_next_sign_in() {
    let world = World::start().await;
    let first = world.simulator.refresh_token(FIRST).unwrap();
    let second = next(&world, &first).await;
    let other = world.simulator.refresh_token(SECOND).unwrap();

    assert_eq!(world.control("POST", "/grants/revoke", "").await.status(), 204);

    is_refused(&world, &first, 50173).await;
    is_refused(&world, &second, 50173).await;
    let mut form = credentials(SECOND, GRAPH).to_vec();
    form[0].1 = "refresh_token";
    form.push(("refresh_token", &other));
    assert_eq!(world.ask_for_token(SECOND, &form).await.status(), 200, "another tenant's is left alone");
    next(&world, &world.simulator.refresh_token(FIRST).unwrap()).await;
}

#[tokio::test]
async fn a_refresh_token_is_worth_nothing_in_another_tenant() {
    let world = World::start().await;
    let other = world.simulator.refresh_token(SECOND).unwrap();
    is_refused(&world, &other, 70000).await;
    is_refused(&world, "made-up", 70000).await;
}

#[tokio::test]
async fn a_token_says_whether_its_person_used_two_factors_and_who_it_is() {
    let world = World::start().await;
    let roles = vec![Role::AdminAgent, Role::GlobalAdministrator];
    let person = Person { mfa: false, roles, ..Person::admin_agent(FIRST) };
    let address = world.simulator.microsoft_url();

    let without = claims(&world.token_of(person.clone(), &address).await);
    let with = claims(&world.token_of(Person { mfa: true, ..person }, &address).await);
    let application = claims(&world.token(FIRST).await);

    assert_eq!((&without["amr"], &with["amr"]), (&json!(["pwd"]), &json!(["pwd", "mfa"])));
    assert_eq!((&with["upn"], &with["tid"]), (&json!(format!("admin.agent@{FIRST}.example")), &json!(FIRST)));
    assert_eq!((&with["aud"], &with["wids"]), (&json!(address), &json!(["62e90394-69f5-4237-9190-012177145e10"])));
    assert_eq!((&application["idtyp"], application.get("amr")), (&json!("app"), None));
}

#[tokio::test]
async fn who_signed_in_without_a_second_factor_is_refused_by_each_service_in_its_own_words() {
    let world = World::start().await;
    let person = Person { mfa: false, ..Person::admin_agent(FIRST) };

    let token = world.token_of(person.clone(), &world.simulator.microsoft_url()).await;
    let answer = world.get(ALERTS, &token).await;
    assert_eq!(answer.status(), 403);
    assert_eq!(json(answer).await["Error"]["Code"], "Unauthorized_MissingMFA");

    let token = world.token_of(person, &world.simulator.partner_center_url()).await;
    let answer = world.partner("GET", REGISTRATION, &token, None).await;
    assert_eq!(answer.status(), 401);
    assert_eq!(json(answer).await["code"], "900421");
}

#[tokio::test]
async fn who_has_not_the_role_is_refused() {
    let world = World::start().await;
    let person = |roles: &[Role]| Person { roles: roles.to_vec(), ..Person::admin_agent(FIRST) };
    for (roles, alerts, webhooks) in [
        (&[][..], 403, 403),
        (&[Role::HelpdeskAgent][..], 403, 200),
        (&[Role::GlobalAdministrator][..], 403, 200),
        (&[Role::AdminAgent][..], 200, 200),
    ] {
        let token = world.token_of(person(roles), &world.simulator.microsoft_url()).await;
        assert_eq!(world.get(ALERTS, &token).await.status(), alerts, "{roles:?}");
        let token = world.token_of(person(roles), &world.simulator.partner_center_url()).await;
        let answer = world.partner("GET", "/webhooks/v1/registration/events", &token, None).await;
        assert_eq!(answer.status(), webhooks, "{roles:?}");
        if webhooks == 403 {
            assert_eq!(json(answer).await["code"], "900150");
        }
    }
}
