//! No route shows anybody what they may not see. Who has not proven who they are is tried in `doors`.

use identity::{How, Verdict};
use made_alerts::alert;
use serde_json::json;
use simulator::Person;
use tests::{TENANT, somebody};

use crate::support::{OTHER, OWN, World};

/// A path of each route, of this tenant.
fn paths(tenant: &str) -> Vec<String> {
    let fill = |route: &str| {
        let path = route.strip_prefix("GET /api/v1/").unwrap();
        path.replace("{tenant}", tenant)
            .replace("{alert}", "a")
            .replace("{operation}", &"0".repeat(64))
            .replace("{subscription}", "subscription-1")
    };
    dashboard::ROUTES.into_iter().map(fill).collect()
}

#[tokio::test]
async fn without_a_role_nothing_is_shown_but_who_one_is() {
    let world = World::start(&[]).await;
    world.keep(TENANT, &[alert("a")]).await;
    let nobody = world.token_of(&Person { roles: Vec::new(), ..Person::admin_agent(TENANT) });
    for path in paths(TENANT) {
        let answered = world.get(&path, Some(&nobody)).await;
        let expected = match path.as_str() {
            "me" | "openapi.json" => 200,
            "alerts" | "pulse" | "statistics" | "tenants" => 403,
            _ => 404,
        };
        assert_eq!(answered.status, expected, "{path}: {}", answered.body);
    }
    assert_eq!(world.get("me", Some(&nobody)).await.body["access"], json!([]));
}

#[tokio::test]
async fn another_tenant_is_answered_like_one_that_is_not_there_on_every_route() {
    let world = World::start(&[OWN]).await;
    world.keep(TENANT, &[alert("own")]).await;
    world.keep(OTHER, &[alert("a")]).await;
    let token = world.token();
    let unknown = "12345678-1234-4234-8234-123456789012";
    let of_tenant =
        |tenant: &str| paths(tenant).into_iter().filter(|path| path.starts_with("tenants/")).collect::<Vec<_>>();
    let named = |tenant: &str| {
        ["alerts", "pulse", "statistics"]
            .map(|path| format!("{path}?tenant={TENANT},{tenant}"))
            .into_iter()
            .chain(of_tenant(tenant))
    };
    for (others, nobodys) in named(OTHER).zip(named(unknown)) {
        let [mut others, mut nobodys] =
            [world.get(&others, Some(&token)).await, world.get(&nobodys, Some(&token)).await];
        assert_eq!(others.problem(), (404, "/problems/not-found"));
        for answered in [&mut others, &mut nobodys] {
            answered.body.as_object_mut().unwrap().remove("instance");
        }
        assert_eq!((others.body, others.status), (nobodys.body, nobodys.status));
    }
    // What is asked for without a tenant is of those that are theirs.
    assert_eq!(world.get("alerts?state=all", Some(&token)).await.ids(), ["own"]);
    assert_eq!(world.get("statistics", Some(&token)).await.body["tenants"], json!([TENANT]));
    assert_eq!(world.get("statistics", Some(&token)).await.body["unresolved"]["now"], 1);
    let tenants = world.get("tenants", Some(&token)).await;
    assert_eq!(tenants.body["tenants"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn for_another_tenant_nothing_is_read() {
    let world = World::start(&[]).await;
    let dashboard = dashboard::wire(&world.system.parts).unwrap();
    let agent = somebody::claims("77777777-2222-4333-8444-555555555555", "agent@contoso.example", &["AdminAgent"]);
    let context = Verdict::Ok(somebody::caller(&agent, How::Bearer, Some(OWN.1))).context();
    for route in dashboard::ROUTES {
        let of_tenant = route.contains("{tenant}");
        if !of_tenant && !["GET /api/v1/alerts", "GET /api/v1/pulse", "GET /api/v1/statistics"].contains(&route) {
            continue;
        }
        let query = if of_tenant { String::new() } else { format!("tenant={OTHER}") };
        let event = json!({
            "version": "2.0", "routeKey": route, "rawPath": "/", "rawQueryString": query, "headers": {}, "isBase64Encoded": false,
            "pathParameters": { "tenant": OTHER, "alert": "a", "operation": "0".repeat(64) },
            "requestContext": {
                "accountId": "0", "apiId": "x", "domainName": "alerts.example", "domainPrefix": "alerts", "requestId": "r",
                "http": { "method": "GET", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "" },
                "routeKey": route, "stage": "$default", "time": "01/Jan/1970:00:00:00 +0000", "timeEpoch": 0,
                "authorizer": { "lambda": context },
            },
        });
        let request = api::Request::read(runtime::gateway_request(&event.to_string()).unwrap(), "request-1", None);
        let _ = world.system.tap.take();
        assert_eq!(dashboard.answer(&request).await.status(), 404, "{route}");
        let asked = world.system.tap.take();
        assert!(asked.is_empty(), "{route}: nothing is read, so that no time tells: {asked:?}");
    }
}

#[tokio::test]
async fn a_tenant_that_is_not_there_is_so_on_every_route_for_whoever_may_see_all() {
    let world = World::start(&[]).await;
    let token = world.token();
    for path in paths("12345678-1234-4234-8234-123456789012").into_iter().filter(|path| path.starts_with("tenants/")) {
        let answered = world.get(&path, Some(&token)).await;
        assert_eq!(answered.problem(), (404, "/problems/not-found"), "{path}");
    }
    for path in ["activity", "views"] {
        assert_eq!(
            world.get(&format!("tenants/{OTHER}/{path}"), Some(&token)).await.status,
            200,
            "nothing of it yet: {path}"
        );
    }
}

#[tokio::test]
async fn a_saved_view_that_can_not_be_read_hides_no_other_and_is_counted() {
    let world = World::start(&[]).await;
    let client = aws_sdk_dynamodb::Client::new(&world.system.test.system.parts().aws);
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let odd = client.put_item().table_name(&world.system.test.system.tables().tenants);
    odd.item("pk", text(&format!("{TENANT}#views"))).item("sk", text("odd")).send().await.unwrap();
    let views = world.found(&format!("tenants/{TENANT}/views")).await;
    assert_eq!(views.body, json!({ "views": [], "unreadable": 1 }));
}

#[tokio::test]
async fn what_is_in_a_query_that_no_route_knows_is_a_problem_and_told_without_its_words() {
    let world = World::start(&[]).await;
    let token = world.token();
    for path in paths(TENANT) {
        let answered = world.get(&format!("{path}?evil=%3Cscript%3E"), Some(&token)).await;
        // An alert or operation that isn't there may be told first.
        assert!([400, 404].contains(&answered.status), "{path}: {}", answered.body);
        assert!(!answered.body.to_string().contains("<script"), "{path}: {}", answered.body);
    }
}

#[tokio::test]
async fn a_token_that_the_stand_in_gives_to_a_program_has_the_roles_that_were_asked_for() {
    let world = World::start(&[]).await;
    let usual = world.get("me", Some(&world.given_token("").await)).await.body;
    assert_eq!(usual["access"], json!([{ "tenant": "*", "may": ["resolve", "see"] }]));
    let none = world.get("me", Some(&world.given_token(r#"{"roles":[]}"#).await)).await.body;
    assert_eq!((&none["access"], &none["how"]), (&json!([]), &json!("bearer")));
}
