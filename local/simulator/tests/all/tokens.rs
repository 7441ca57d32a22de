//! The token endpoint as applications use it, and what its tokens are good for. People's are in `refresh_tokens`.

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
async fn the_two_services_take_their_own_tokens_only() {
    let world = World::start().await;
    let (graph, partner) = (world.token(FIRST).await, world.partner_token(FIRST).await);

    assert_eq!(world.get(ALERTS, &graph).await.status(), 200);
    graph_says(&world, &partner, "audience").await;
    assert_eq!(world.partner("GET", "/webhooks/v1/registration/events", &partner, None).await.status(), 200);
    let answer = world.partner("GET", "/webhooks/v1/registration/events", &graph, None).await;
    assert_eq!(answer.status(), 401);
    assert_eq!(json(answer).await["code"], "900420");
}

#[tokio::test]
async fn partner_center_refuses_the_audience_that_was_retired() {
    let world = World::start().await;
    let form = spoilt("scope", "https://graph.windows.net/.default");
    let body = json(world.ask_for_token(FIRST, &form).await).await;
    let token = body["access_token"].as_str().unwrap();
    let answer = world.partner("GET", "/webhooks/v1/registration", token, None).await;
    assert_eq!((answer.status().as_u16(), json(answer).await["code"].clone()), (401, "900420".into()));
}
