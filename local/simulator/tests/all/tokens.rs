//! The token endpoint and what its tokens are good for.

use serde_json::Value;

use crate::support::{ALERTS, FIRST, SECOND, World, credentials, json};

async fn refused(world: &World, tenant: &str, form: &[(&str, &str)], status: u16, error: &str, number: &str) {
    let answer = world.ask_for_token(tenant, form).await;
    assert_eq!(answer.status(), status);
    let body = json(answer).await;
    assert_eq!(body["error"], error);
    let description = body["error_description"].as_str().unwrap();
    assert!(description.starts_with(&format!("AADSTS{number}: ")), "{description}");
}

fn spoilt<'a>(name: &str, value: &'a str) -> Vec<(&'static str, &'a str)> {
    let mut form = credentials(FIRST, "https://graph.microsoft.com/.default").to_vec();
    for field in &mut form {
        if field.0 == name {
            field.1 = value;
        }
    }
    form
}

async fn graph_says(world: &World, token: &str, message: &str) {
    let answer = world.get(ALERTS, token).await;
    assert_eq!(answer.status(), 401);
    let body = json(answer).await;
    assert_eq!(body["error"]["code"], "InvalidAuthenticationToken");
    assert!(body["error"]["message"].as_str().unwrap().contains(message), "{body}");
}

#[tokio::test]
async fn credentials_bring_a_bearer_token() {
    let world = World::start().await;
    let answer = world.ask_for_token(FIRST, &spoilt("", "")).await;
    assert_eq!(answer.status(), 200);
    let body = json(answer).await;
    assert_eq!((&body["token_type"], &body["expires_in"]), (&Value::from("Bearer"), &Value::from(3599)));
    assert_eq!(body.get("refresh_token"), None);
    assert_eq!(world.get(ALERTS, body["access_token"].as_str().unwrap()).await.status(), 200);
    assert_eq!((world.simulator.requests().token, world.simulator.requests().list), (1, 1));
}

#[tokio::test]
async fn a_wrong_secret_is_an_invalid_client() {
    let world = World::start().await;
    refused(&world, FIRST, &spoilt("client_secret", "guess"), 401, "invalid_client", "7000215").await;
}

#[tokio::test]
async fn another_tenants_application_is_unknown() {
    let world = World::start().await;
    refused(&world, SECOND, &spoilt("", ""), 400, "unauthorized_client", "700016").await;
}

#[tokio::test]
async fn an_unknown_tenant_is_not_found() {
    let world = World::start().await;
    refused(&world, "contoso", &spoilt("", ""), 400, "invalid_request", "90002").await;
}

#[tokio::test]
async fn a_scope_has_to_be_everything_of_one_resource() {
    let world = World::start().await;
    refused(&world, FIRST, &spoilt("scope", "openid"), 400, "invalid_scope", "70011").await;
}

#[tokio::test]
async fn other_grants_are_not_supported() {
    let world = World::start().await;
    refused(&world, FIRST, &spoilt("grant_type", "password"), 400, "unsupported_grant_type", "70003").await;
}

#[tokio::test]
async fn a_body_that_is_no_form_is_refused() {
    let world = World::start().await;
    let url = format!("{}/{FIRST}/oauth2/v2.0/token", world.simulator.microsoft_url());
    let answer = world.client.post(url).json(&1).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert_eq!(json(answer).await["error"], "invalid_request");
}

#[tokio::test]
async fn a_refresh_token_brings_the_next_one_and_a_person() {
    let world = World::start().await;
    let first = world.simulator.refresh_token(FIRST).unwrap();
    let mut form = spoilt("grant_type", "refresh_token");
    form.push(("refresh_token", &first));

    let body = json(world.ask_for_token(FIRST, &form).await).await;

    assert_eq!(world.get(ALERTS, body["access_token"].as_str().unwrap()).await.status(), 200);
    let second = body["refresh_token"].as_str().unwrap();
    assert_ne!(second, first);
    let mut form = spoilt("grant_type", "refresh_token");
    form.push(("refresh_token", second));
    assert_eq!(world.ask_for_token(FIRST, &form).await.status(), 200);
}

#[tokio::test]
async fn a_refresh_token_ends_after_ninety_days() {
    let world = World::start().await;
    let token = world.simulator.refresh_token(FIRST).unwrap();
    world.advance(90 * 86_400);
    let mut form = spoilt("grant_type", "refresh_token");
    form.push(("refresh_token", &token));
    refused(&world, FIRST, &form, 400, "invalid_grant", "700082").await;
}

#[tokio::test]
async fn graph_wants_a_token() {
    let world = World::start().await;
    let answer = world.client.get(world.simulator.microsoft_url() + ALERTS).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    graph_says(&world, "made-up", "expired").await;
}

#[tokio::test]
async fn a_token_ends_by_the_clock() {
    let world = World::start().await;
    let token = world.token(FIRST).await;
    world.advance(3_598);
    assert_eq!(world.get(ALERTS, &token).await.status(), 200);
    world.advance(1);
    graph_says(&world, &token, "expired").await;
}

#[tokio::test]
async fn a_token_of_another_audience_is_refused() {
    let world = World::start().await;
    let form = spoilt("scope", "https://api.partnercenter.microsoft.com/.default");
    let body = json(world.ask_for_token(FIRST, &form).await).await;
    graph_says(&world, body["access_token"].as_str().unwrap(), "audience").await;
}
