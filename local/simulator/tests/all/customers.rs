//! Customers at Partner Center, and their Azure subscriptions.

use reqwest::Response;
use serde_json::{Value, json as value};
use simulator::{NewAlert, Target};

use crate::support::{FIRST, SECOND, World, assert_shape, json};

const CUSTOMER: &str = "4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3";
const SUBSCRIPTION: &str = "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381";

async fn ask(world: &World, tenant: &str, rest: &str) -> Response {
    let token = world.partner_token(tenant).await;
    world.partner("GET", &format!("/v1/customers/{CUSTOMER}{rest}"), &token, None).await
}

fn raise(world: &World) {
    let (customer, subscription) = (Some(CUSTOMER.to_owned()), Some(SUBSCRIPTION.to_owned()));
    let alert = NewAlert { customer_tenant_id: customer, subscription_id: subscription, ..NewAlert::default() };
    world.simulator.raise(alert).unwrap();
}

/// The id of the one Azure plan.
async fn plan(world: &World) -> String {
    let mut list = json(ask(world, FIRST, "/subscriptions").await).await;
    let items = list["items"].as_array_mut().unwrap();
    items.retain(|item| item["offerId"].as_str().unwrap().starts_with("DZH318Z0BPS6:0001:"));
    items[0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn who_an_alert_is_about_is_a_customer_with_the_published_shapes() {
    let world = World::with(|options| options.page_size = 100).await;
    raise(&world);
    let customer = json(ask(&world, FIRST, "").await).await;
    assert_shape(&customer, "customer.json");
    assert_eq!(customer["companyProfile"]["companyName"], "Customer 4a8f2d61");
    assert_shape(&json(ask(&world, FIRST, "/subscriptions").await).await, "subscriptions-list.json");
    let below = format!("/subscriptions/{}/azureEntitlements", plan(&world).await);
    let entitlements = json(ask(&world, FIRST, &below).await).await;
    assert_shape(&entitlements, "azure-entitlements-list.json");
    assert_eq!(
        (&entitlements["items"][0]["id"], entitlements["totalCount"].as_u64()),
        (&value!(SUBSCRIPTION), Some(1))
    );
    assert_eq!(entitlements["items"][0]["friendlyName"], "Subscription 6c2e9a47");
}

#[tokio::test]
async fn a_customer_of_nobody_or_of_another_tenant_has_no_relationship() {
    let world = World::start().await;
    for rest in ["", "/subscriptions", "/subscriptions/x/azureEntitlements"] {
        let refused = ask(&world, FIRST, rest).await;
        assert_eq!(refused.status(), 403);
        assert_eq!(json(refused).await["code"], "900159");
    }
    raise(&world);
    assert_eq!(ask(&world, SECOND, "").await.status(), 403);
    assert_eq!(ask(&world, FIRST, "").await.status(), 200);
}

#[tokio::test]
async fn what_is_said_of_a_customer_is_served() {
    let world = World::start().await;
    let said =
        r#"{"id":"4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3","companyName":"Contoso","subscriptions":{"s":"Production"}}"#;
    assert_eq!(world.control("POST", "/customers", said).await.status(), 204);
    assert_eq!(json(ask(&world, FIRST, "").await).await["companyProfile"]["companyName"], "Contoso");
    let below = format!("/subscriptions/{}/azureEntitlements", plan(&world).await);
    assert_eq!(json(ask(&world, FIRST, &below).await).await["items"][0]["friendlyName"], "Production");
    for (said, status) in [
        (r#"{"id":"4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3","relationship":"ended"}"#, 403),
        (r#"{"id":"4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3","relationship":"unknown"}"#, 404),
    ] {
        world.control("POST", "/customers", said).await;
        assert_eq!(ask(&world, FIRST, "").await.status(), status);
    }
    assert_eq!(world.simulator.requests().customer, 3);
}

#[tokio::test]
async fn a_long_list_comes_in_pages_that_take_their_query_and_their_token() {
    let world = World::start().await;
    let said = r#"{"id":"4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3","subscriptions":{"a":"A","b":"B","c":"C"}}"#;
    world.control("POST", "/customers", said).await;
    let below = format!("/subscriptions/{}/azureEntitlements", plan(&world).await);
    let first = json(ask(&world, FIRST, &below).await).await;
    let next = &first["links"]["next"];
    let path = format!("/v1{}", next["uri"].as_str().unwrap());
    let header = &next["headers"][0];
    let token = world.partner_token(FIRST).await;
    let url = world.simulator.partner_center_url() + &path;
    let request = world.client.get(url).bearer_auth(&token);
    let request = request.header(header["key"].as_str().unwrap(), header["value"].as_str().unwrap());
    let second = json(request.send().await.unwrap()).await;
    let ids = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((ids(&first), ids(&second)), (vec!["a".to_owned(), "b".to_owned()], vec!["c".to_owned()]));
    assert!(second.get("links").is_none());
    assert_eq!(world.partner("GET", &path, &token, None).await.status(), 400, "without its token");
    let counted = world.simulator.requests();
    assert_eq!((counted.customer_subscriptions, counted.azure_entitlements), (1, 3));
    world
        .simulator
        .set_fault(simulator::Fault::new(Target::Customer, simulator::FaultKind::Fail { status: 503 }))
        .unwrap();
    assert_eq!(ask(&world, FIRST, "").await.status(), 503);
}
