//! Every route, for a tenant that somebody may not act in, or may only see. What opens no door at all is tried in `doors`.

use models::Tenant;
use serde_json::{Value, json};
use store::{ReadTenants as _, WriteTenants as _};
use tests::TENANT;

use crate::support::{Desk, OTHER, by_map, request};

/// A request to each route that would do something, of this tenant.
fn requests(tenant: &str) -> Vec<(String, String, Value)> {
    let view = "77777777-2222-4333-8444-555555555555";
    resolve::ROUTES
        .into_iter()
        .map(|route| {
            let (method, path) = route.split_once(' ').unwrap();
            let path = path.replace("{tenant}", tenant).replace("{alert}", "a").replace("{view}", view);
            let mut path = path.replace("{subscription}", "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381");
            let body = match route.rsplit('/').next().unwrap() {
                "resolve" if path.ends_with("/alerts/resolve") => {
                    json!({ "alerts": [{ "tenant": tenant, "alert": "a", "version": 1 }], "reason": "fraud" })
                }
                "resolve" => json!({ "version": 1, "reason": "fraud" }),
                "cancel" if path.ends_with("/v1/subscriptions/cancel") => {
                    json!({ "subscriptions": [{ "tenant": tenant, "subscription": "s", "name": "x" }] })
                }
                "cancel" | "reactivate" => json!({ "name": "x" }),
                "investigate" | "reopen" => json!({ "version": 1 }),
                "assign" => json!({ "to": "me" }),
                "notes" => json!({ "note": "x" }),
                "snooze" => json!({ "until": "2026-03-03T09:00:00Z", "why": "x" }),
                "views" => json!({ "name": "x", "query": "y" }),
                "{view}" if method != "DELETE" => json!({ "name": "x", "query": "y", "revision": 1 }),
                _ => json!({}),
            };
            if method == "DELETE" {
                path += "?revision=1";
            }
            (method.to_owned(), path, body)
        })
        .collect()
}

#[tokio::test]
async fn on_no_route_another_tenant_can_be_told_from_one_that_is_not_there_and_who_may_only_see_is_told_so() {
    let desk = Desk::with(&["a"]).await;
    let tenant = desk.system.store().tenants().await.unwrap().remove(0);
    let other = Tenant { id: OTHER.parse().unwrap(), ..tenant };
    desk.system.store().put_tenant(&other).await.unwrap();
    let own = r#"[{"roles":["AdminAgent"],"permissions":["see","resolve"],"tenants":"own"}]"#;
    let sees = r#"[{"roles":["AdminAgent"],"permissions":["see"],"tenants":"*"}]"#;
    let nowhere = "0b0b0b0b-1111-4222-8333-444444444444";
    for (map, tenant, expected) in [(own, OTHER, 404), (own, nowhere, 404), (sees, TENANT, 403), (sees, OTHER, 403)] {
        for (route, (_, path, body)) in resolve::ROUTES.into_iter().zip(requests(tenant)) {
            let parameters = json!({ "tenant": tenant, "alert": "a", "view": "77777777-2222-4333-8444-555555555555" });
            let query = path.split_once('?').map_or("", |(_, query)| query);
            let _ = desk.system.tap.take();
            let reply = desk.send(&request(route, &parameters, query, None, &body, by_map(map))).await;
            let asked = desk.system.tap.take();
            assert!(
                expected == 403 || asked.is_empty(),
                "{route} of {tenant}: nothing is read, so that no time tells: {asked:?}"
            );
            if route.ends_with("/api/v1/alerts/resolve") && expected == 404 {
                let result = &reply.body["results"][0]["result"];
                assert_eq!((reply.status, result), (200, &json!({ "kind": "not_found" })), "{route}: {reply:?}");
            } else if route.ends_with("/api/v1/subscriptions/cancel") {
                assert_eq!(reply.status, 403, "who may cancel nowhere is told so, whatever they ask about: {reply:?}");
            } else {
                assert_eq!(reply.status, expected, "{route} of {tenant}: {reply:?}");
            }
        }
    }
    assert_eq!(desk.version("a").await, 1);
}
