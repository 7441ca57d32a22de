//! One Azure subscription: how it stands, its cancellation and reactivation, and who may ask for them.

use reqwest::Response;
use serde_json::{Value, json as value};
use simulator::{
    CancelAnswer, CustomerChange, Denial, Fault, FaultKind, NewAlert, Person, Relationship, Role, SubscriptionRules,
    Target,
};

use crate::support::{FIRST, World, assert_shape, json};

const CUSTOMER: &str = "4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3";
const PLAN: &str = "8e5a3c00-5b0e-4c39-9d7a-7e2c1f60b8d3";
const SUBSCRIPTION: &str = "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381";

/// A partner's customer with one subscription that two alerts are about.
async fn world() -> World {
    let world = World::start().await;
    for id in ["1", "2"] {
        let (customer, subscription) = (Some(CUSTOMER.to_owned()), Some(SUBSCRIPTION.to_owned()));
        let id = Some(id.to_owned());
        let alert = NewAlert { id, customer_tenant_id: customer, subscription_id: subscription, ..NewAlert::default() };
        world.simulator.raise(alert).unwrap();
    }
    world
}

async fn token(world: &World, roles: &[Role]) -> String {
    let person = Person { roles: roles.to_vec(), ..Person::admin_agent(FIRST) };
    world.token_of(person, &world.simulator.partner_center_url()).await
}

async fn administrator(world: &World) -> String {
    token(world, &[Role::AdminAgent, Role::GlobalAdministrator]).await
}

fn path(act: &str) -> String {
    format!("/v1/customers/{CUSTOMER}/subscriptions/{PLAN}/azureEntitlements/{SUBSCRIPTION}{act}")
}

/// A POST by this `MS-RequestId`.
async fn post(world: &World, path: &str, token: &str, id: &str, body: Option<Value>) -> Response {
    let request = world.client.post(world.simulator.partner_center_url() + path).bearer_auth(token);
    let request = request.header("MS-RequestId", id);
    let request = if let Some(body) = body { request.json(&body) } else { request };
    request.send().await.unwrap()
}

fn compromise() -> Value {
    value!({ "cancellationReason": "compromise" })
}

async fn status(world: &World, token: &str) -> String {
    let read = json(world.partner("GET", &path(""), token, None).await).await;
    let list = path("").rsplit_once('/').unwrap().0.to_owned();
    let listed = json(world.partner("GET", &list, token, None).await).await;
    assert_eq!(read["status"], listed["items"][0]["status"], "both ways to look say the same");
    read["status"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_cancelled_subscription_is_inactive_ten_minutes_later_and_active_again_after_a_reactivation() {
    let world = world().await;
    let token = administrator(&world).await;
    let answer = post(&world, &path("/cancel"), &token, "a", Some(compromise())).await;
    assert_eq!(answer.status(), 200);
    let shown = json(answer).await;
    assert_shape(&shown, "azure-entitlement.json");
    assert_eq!(shown["status"], "active");
    world.advance(599);
    assert_eq!(status(&world, &token).await, "active");
    world.advance(1);
    assert_eq!(status(&world, &token).await, "inactive");
    assert!(world.simulator.alerts(FIRST).iter().all(|alert| alert.status == "active"), "alerts stay as they are");

    assert_eq!(post(&world, &path("/reactivate"), &token, "b", None).await.status(), 202);
    assert_eq!(status(&world, &token).await, "inactive");
    world.advance(600);
    assert_eq!(status(&world, &token).await, "active");
}

#[tokio::test]
async fn the_rules_have_the_other_answer_another_delay_resolved_alerts_and_applications() {
    let world = world().await;
    let application = world.partner_token(FIRST).await;
    assert_eq!(post(&world, &path("/cancel"), &application, "a", Some(compromise())).await.status(), 403);
    let rules = r#"{"answer":"accepted","applications":true,"delaySeconds":5,"resolvesAlerts":true}"#;
    assert_eq!(world.control("POST", "/subscriptions", rules).await.status(), 204);
    let answer = post(&world, &path("/cancel"), &application, "b", Some(compromise())).await;
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap()), (202, String::new()));
    for alert in world.simulator.alerts(FIRST) {
        assert_eq!((alert.status.as_str(), alert.resolved_reason.as_deref()), ("resolved", Some("fraud")));
    }
    world.advance(5);
    assert_eq!(status(&world, &application).await, "inactive");
    let acts = json(world.control("GET", "/subscriptions", "").await).await;
    assert_eq!((acts[0]["cancelled"].as_bool(), acts[0]["subscription"].as_str()), (Some(true), Some(SUBSCRIPTION)));
}

#[tokio::test]
async fn it_takes_a_person_who_is_both_global_administrator_and_admin_agent() {
    let world = world().await;
    for (roles, expected) in [
        (&[][..], 403),
        (&[Role::AdminAgent][..], 403),
        (&[Role::GlobalAdministrator][..], 403),
        (&[Role::GlobalAdministrator, Role::BillingAdministrator][..], 403),
        (&[Role::GlobalAdministrator, Role::AdminAgent][..], 200),
    ] {
        let token = token(&world, roles).await;
        let answer = post(&world, &path("/cancel"), &token, "a", Some(compromise())).await;
        assert_eq!(answer.status(), expected, "{roles:?}");
        let answer = post(&world, &path("/reactivate"), &token, "b", None).await;
        let (status, body) = (answer.status().as_u16(), answer.text().await.unwrap());
        assert_eq!(status, if expected == 200 { 202 } else { 403 }, "{roles:?}");
        assert_eq!(body.contains("900335"), expected == 403, "{body}");
    }
    let by_one_factor =
        Person { mfa: false, roles: vec![Role::GlobalAdministrator, Role::AdminAgent], ..Person::admin_agent(FIRST) };
    let token = world.token_of(by_one_factor, &world.simulator.partner_center_url()).await;
    assert_eq!(json(post(&world, &path("/cancel"), &token, "c", Some(compromise())).await).await["code"], "900421");
    assert_eq!(world.simulator.subscription_acts().len(), 2, "each once");
}

#[tokio::test]
async fn each_error_of_the_documents_has_its_status_and_code() {
    let world = world().await;
    let token = administrator(&world).await;
    let other = "0d3b6c2e-0d3b-4f58-b1e6-92a7c4d0f381";
    let at = |customer: &str, plan: &str, subscription: &str| {
        format!("/v1/customers/{customer}/subscriptions/{plan}/azureEntitlements/{subscription}/cancel")
    };
    for (path, body, status, code) in [
        (at("nobody", PLAN, SUBSCRIPTION), Some(compromise()), 400, "900118"),
        (at(CUSTOMER, "plan", SUBSCRIPTION), Some(compromise()), 400, "800002"),
        (at(CUSTOMER, PLAN, "subscription"), Some(compromise()), 400, "800002"),
        (at(CUSTOMER, PLAN, SUBSCRIPTION), None, 400, "800002"),
        (at(CUSTOMER, PLAN, SUBSCRIPTION), Some(value!({})), 400, "900307"),
        (at(CUSTOMER, PLAN, SUBSCRIPTION), Some(value!({ "cancellationReason": "fraud" })), 400, "900307"),
        (at(other, PLAN, SUBSCRIPTION), Some(compromise()), 403, "900159"),
        (at(CUSTOMER, PLAN, other), Some(compromise()), 404, "800111"),
        (at(CUSTOMER, other, SUBSCRIPTION), Some(compromise()), 404, "800111"),
    ] {
        let answer = post(&world, &path, &token, "a", body).await;
        assert_eq!((answer.status().as_u16(), json(answer).await["code"].as_str()), (status, Some(code)), "{path}");
    }
    let answer = post(&world, &path("/reactivate"), &token, "a", None).await;
    assert_eq!((answer.status().as_u16(), json(answer).await["code"].as_str()), (400, Some("900337")));
    let ended = CustomerChange {
        id: CUSTOMER.to_owned(),
        relationship: Some(Relationship::Ended),
        ..CustomerChange::default()
    };
    world.simulator.describe_customer(ended).unwrap();
    assert_eq!(json(post(&world, &path("/cancel"), &token, "a", Some(compromise())).await).await["code"], "900159");
    assert!(world.simulator.subscription_acts().is_empty());
}

#[tokio::test]
async fn a_repeated_request_is_done_once_and_a_lost_answer_leaves_it_done() {
    let world = world().await;
    let token = administrator(&world).await;
    for (act, body, target, status) in [
        ("/cancel", Some(compromise()), Target::AzureEntitlementCancel, 200),
        ("/reactivate", None, Target::AzureEntitlementReactivate, 202),
    ] {
        let before = world.simulator.subscription_acts().len();
        world.simulator.set_fault(Fault::new(target, FaultKind::HangUp).times(1)).unwrap();
        let request = world.client.post(world.simulator.partner_center_url() + &path(act)).bearer_auth(&token);
        let request = request.header("MS-RequestId", "same");
        let request = if let Some(body) = &body { request.json(body) } else { request };
        assert!(request.send().await.is_err(), "the answer is lost");
        for _ in 0..3 {
            assert_eq!(post(&world, &path(act), &token, "same", body.clone()).await.status(), status);
        }
        assert_eq!(world.simulator.subscription_acts().len(), before + 1, "{act}");
        world.simulator.set_fault(Fault::new(target, FaultKind::Fail { status: 503 }).times(1)).unwrap();
        assert_eq!(post(&world, &path(act), &token, "failed", body.clone()).await.status(), 503);
        assert_eq!(world.simulator.subscription_acts().len(), before + 1, "what fails is not done");
    }
    let denied = Fault::new(Target::AzureEntitlement, FaultKind::Denied(Denial::ConditionalAccess));
    world.simulator.set_fault(denied).unwrap();
    assert_eq!(json(world.partner("GET", &path(""), &token, None).await).await["code"], "900309");
    let rules = SubscriptionRules { answer: CancelAnswer::Accepted, ..SubscriptionRules::default() };
    world.simulator.set_subscription_rules(rules);
    assert_eq!(post(&world, &path("/cancel"), &token, "again", Some(compromise())).await.status(), 202);
}
