//! Exports: exactly the rows that a view shows, as files, of so much at most where a function answers, and of any size where they are sent as they are read.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use http::Response;
use identity::{How, Verdict};
use jiff::SignedDuration;
use made_alerts::{DETECTED, alert};
use models::{Alert, NameId, Severity};
use serde_json::{Value, json};
use simulator::Person;
use store::{Asked, KeepNames as _, NameAnswer};
use tests::{TENANT, somebody};

use crate::support::{OTHER, OWN, World};

const FORMATS: [&str; 2] = ["/alerts.csv", "/alerts.json"];

/// What the function answers an admin agent by itself, as it is deployed.
async fn answered(world: &World, path: &str, query: &str) -> Response<String> {
    let agent =
        somebody::claims("77777777-2222-4333-8444-555555555555", "admin.agent@contoso.example", &["AdminAgent"]);
    let context = Value::Object(Verdict::Ok(somebody::caller(&agent, How::Bearer, None)).context());
    let route = format!("GET {path}");
    let event = json!({
        "version": "2.0", "routeKey": route, "rawPath": path, "rawQueryString": query, "headers": {}, "isBase64Encoded": false,
        "requestContext": {
            "accountId": "000000000000", "apiId": "x", "domainName": "x", "domainPrefix": "x", "requestId": "r", "routeKey": route,
            "http": { "method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "" },
            "stage": "$default", "time": "01/Jan/1970:00:00:00 +0000", "timeEpoch": 0, "authorizer": { "lambda": context },
        },
    });
    let event = lambda_http::request::from_str(&event.to_string()).unwrap();
    dashboard::wire(&world.system.parts).unwrap().answer(&api::Request::read(event, "r", None)).await
}

/// Tenants and ids of the alerts in a file, in the order of the file.
fn rows(path: &str, text: &str) -> Vec<(String, String)> {
    if path == FORMATS[1] {
        let records: Vec<Value> = serde_json::from_str(text).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        return records.iter().map(|record| (text(&record["tenant"]["id"]), text(&record["id"]))).collect();
    }
    // No cell of these alerts has an end of line in it, and none of the first three a comma.
    let mut lines = text.strip_prefix('\u{feff}').unwrap().split_terminator("\r\n");
    assert!(lines.next().unwrap().starts_with("partner_tenant_id,partner_tenant_name,alert_id,"));
    let cells = lines.map(|line| line.split(',').collect::<Vec<_>>());
    cells.map(|cells| (cells[0].to_owned(), cells[2].to_owned())).collect()
}

/// The same of all pages of the list.
async fn listed(world: &World, query: &str) -> Vec<(String, String)> {
    let page = world.found(&format!("alerts?size=100&{query}")).await;
    assert_eq!(page.body.get("next"), None, "one page");
    let alerts = page.body["alerts"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    alerts.iter().map(|alert| (text(&alert["tenant"]), text(&alert["id"]))).collect()
}

/// Alerts of two tenants, with the name of a customer.
async fn mixed() -> World {
    let world = World::start(&[]).await;
    let of = |prefix: &str, number: i64| Alert {
        detected: DETECTED + SignedDuration::from_mins(number),
        last_observed: DETECTED + SignedDuration::from_mins(10 - number),
        customer_id: Some(format!("customer-{}", number % 2).parse().unwrap()),
        subscription_id: Some("6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381".parse().unwrap()),
        severity: if number % 3 == 0 { Severity::Low } else { Severity::High },
        is_test: number == 4,
        ..alert(&format!("{prefix}-{number}"))
    };
    world.keep(TENANT, &(0..6).map(|number| of("a", number)).collect::<Vec<_>>()).await;
    world.keep(OTHER, &(0..3).map(|number| of("b", number)).collect::<Vec<_>>()).await;
    let id = NameId::customer(&"customer-1".parse().unwrap());
    let answer = NameAnswer::Given { name: "=cmd|'/c calc'!A1", domain: None };
    let asked = Asked { id: &id, customer: None, seen: None, answer, due: world.system.now() };
    world.system.store().keep_name(&TENANT.parse().unwrap(), asked, world.system.now()).await.unwrap();
    world
}

#[tokio::test]
async fn a_file_has_exactly_the_rows_that_its_view_shows_by_the_function_and_as_a_stream() {
    let world = mixed().await;
    let token = world.token();
    for (query, of_list) in [
        ("", ""),
        ("state=all&severity=low", "state=all&severity=low"),
        ("severity=high&test=false", "severity=high&test=false"),
        ("test=true", "test=true"),
        ("state=resolved", "state=resolved"),
        ("customer=CUSTOMER-1", "customer=customer-1"),
        ("subscription=6C2E9A47-0D3B-4F58-B1E6-92A7C4D0F381", "subscription=6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381"),
        (
            "since=2026-03-02T09:06:00Z&until=2026-03-02T09:08:00Z",
            "since=2026-03-02T09:06:00Z&until=2026-03-02T09:08:00Z",
        ),
        ("since=2026-03-02&until=2026-03-02", ""),
        ("since=2026-03-03", "since=2026-03-03T00:00:00Z"),
        ("order=first-observed&since=2026-03-02T09:00:01Z", "order=first-observed&since=2026-03-02T09:00:01Z"),
        ("assignee=nobody&snoozed=false", ""),
        ("assignee=me", "assignee=me"),
        // What is of pages has no effect, not even where it is none.
        ("size=1&columns=name&direction=oldest&cursor=x", ""),
        // One alert, whatever else is asked for; a subscription; a customer's name; nothing.
        ("q=a-3&severity=high", "severity=low&until=2026-03-02T09:07:00Z&since=2026-03-02T09:07:00Z"),
        ("q=6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381&severity=low", "severity=low"),
        (&format!("q=%3DCMD&tenant={TENANT}"), &format!("customer=customer-1&tenant={TENANT}")),
        ("q=nobody", "customer=nobody"),
        (&format!("tenant={OTHER}"), &format!("tenant={OTHER}")),
    ] {
        let mut expected = listed(&world, of_list).await;
        expected.sort();
        for path in FORMATS {
            let answer = answered(&world, path, query).await;
            assert_eq!(answer.status(), 200, "{path}?{query}: {}", answer.body());
            let mut found = rows(path, answer.body());
            found.sort();
            assert_eq!(found, expected, "{path}?{query}");
            let streamed = world.fetch(&format!("{path}?{query}"), Some(&token)).await;
            assert_eq!(streamed.status(), 200, "{path}?{query}");
            // Links lead to where each is deployed, which is the same here.
            assert_eq!(streamed.text().await.unwrap(), *answer.body(), "{path}?{query}");
        }
    }
}

#[tokio::test]
async fn a_file_is_kept_by_nobody_has_a_name_of_ours_and_calculates_nothing() {
    let world = mixed().await;
    let token = world.token();
    let types = ["text/csv; charset=utf-8; header=present", "application/json"];
    for (path, kind) in FORMATS.into_iter().zip(types) {
        let name = path.replace("/alerts", "partner-alerts");
        let expected = BTreeMap::from([
            ("cache-control", "no-store".to_owned()),
            ("content-disposition", format!("attachment; filename=\"{name}\"")),
            ("content-type", kind.to_owned()),
            ("x-content-type-options", "nosniff".to_owned()),
        ]);
        let query = "customer=customer-1&severity=high";
        let (answer, streamed) =
            (answered(&world, path, query).await, world.fetch(&format!("{path}?{query}"), Some(&token)).await);
        for (name, value) in expected {
            assert_eq!((name, answer.headers()[name].to_str().unwrap()), (name, value.as_str()));
            assert_eq!((name, streamed.headers()[name].to_str().unwrap()), (name, value.as_str()));
        }
        let cell = if path == FORMATS[0] { ",'=cmd|'/c calc'!A1," } else { "\"name\":\"=cmd|'/c calc'!A1\"" };
        assert!(answer.body().contains(cell), "{}", answer.body());
        let link = format!("{}/alerts/{TENANT}/a%2D1", world.system.test.system.origin());
        assert!(answer.body().contains(&link), "{}", answer.body());
    }
}

#[tokio::test]
async fn who_may_not_see_a_tenant_gets_no_file_of_it() {
    let world = World::start(&[OWN]).await;
    world.keep(TENANT, &[alert("a")]).await;
    world.keep(OTHER, &[alert("b")]).await;
    let token = world.token();
    let nobody = world.token_of(&Person { roles: Vec::new(), ..Person::admin_agent(TENANT) });
    for path in FORMATS {
        let own = world.fetch(path, Some(&token)).await;
        assert_eq!(rows(path, &own.text().await.unwrap()), [(TENANT.to_owned(), "a".to_owned())]);
        for (what, query, token, status) in [
            ("another's", format!("?tenant={OTHER}"), Some(&token), 404),
            ("no tenant", format!("?tenant={TENANT},x"), Some(&token), 404),
            ("no parameter", "?evil=1".to_owned(), Some(&token), 400),
            ("no severity", "?severity=%3Cscript%3E".to_owned(), Some(&token), 400),
            ("no role", String::new(), Some(&nobody), 403),
        ] {
            let answer = world.fetch(&format!("{path}{query}"), token.map(String::as_str)).await;
            assert_eq!(answer.status(), status, "{path}, {what}");
            assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8", "{path}, {what}");
            assert!(!answer.headers().contains_key("content-disposition"), "{path}, {what}");
            assert!(!answer.text().await.unwrap().contains("Connections to known mining pools"), "{path}, {what}");
        }
        let elsewhere = world.fetch(&format!("{path}?q=b"), Some(&token)).await;
        assert_eq!(rows(path, &elsewhere.text().await.unwrap()), [], "not by a search either");
    }
}

/// So many alerts more, as copies of one that is kept, with a description of so many bytes.
async fn crowd(world: &World, count: usize, bytes: usize) {
    let table = &world.system.test.system.tables().alerts;
    let text = |text: String| AttributeValue::S(text);
    let first = world.system.item(table, &format!("{TENANT}#a"), "alert").await.unwrap();
    let copy = |number: usize| {
        let mut item = first.clone();
        let mut summary = item["summary"].as_m().unwrap().clone();
        summary.insert("id".to_owned(), text(format!("c-{number:05}")));
        let mut detail = item["detail"].as_m().unwrap().clone();
        detail.insert("description".to_owned(), text("\"".repeat(bytes)));
        item.insert("pk".to_owned(), text(format!("{TENANT}#c-{number:05}")));
        item.insert("detected_id".to_owned(), text(format!("2026-03-02T09:00:00.000Z#c-{number:05}")));
        item.insert("summary".to_owned(), AttributeValue::M(summary));
        item.insert("detail".to_owned(), AttributeValue::M(detail));
        WriteRequest::builder().put_request(PutRequest::builder().set_item(Some(item)).build().unwrap()).build()
    };
    for some in (0..count).collect::<Vec<_>>().chunks(25) {
        let writes: Vec<_> = some.iter().map(|number| copy(*number)).collect();
        let left = world.system.dynamodb.batch_write_item().request_items(table, writes).send().await.unwrap();
        assert!(left.unprocessed_items.is_none_or(|left| left.is_empty()));
    }
}

#[tokio::test]
async fn a_view_that_is_more_than_one_answer_is_a_page_that_says_so_and_how_to_have_it_all_the_same() {
    let world = World::start(&[]).await;
    world.keep(TENANT, &[alert("a")]).await;
    crowd(&world, 5_000, 1).await;
    let query = "state=all&columns=name";
    for path in FORMATS {
        let answer = answered(&world, path, query).await;
        assert_eq!(answer.status(), 422, "one more than fits");
        assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
        assert!(!answer.headers().contains_key("content-disposition"));
        for words in [
            "5,000 alerts and 4 MB at most",
            "partner-alerts alerts export --format",
            &format!("{path}?columns=name&amp;since=2026-01-31&amp;state=all"),
            &format!("{path}?columns=name&amp;state=all&amp;tenant={OTHER}"),
        ] {
            assert!(answer.body().contains(words), "{words}: {}", answer.body());
        }
        let streamed = world.fetch(&format!("{path}?{query}"), Some(&world.token())).await;
        assert_eq!((streamed.status().as_u16(), streamed.content_length()), (200, None), "sent as it is read");
        assert_eq!(rows(path, &streamed.text().await.unwrap()).len(), 5_001);
        let less = answered(&world, path, &format!("{query}&tenant={OTHER}")).await;
        assert_eq!((less.status().as_u16(), rows(path, less.body()).len()), (200, 0));
    }
}

#[tokio::test]
async fn a_view_of_few_alerts_that_are_large_is_too_large_as_well() {
    let world = World::start(&[]).await;
    world.keep(TENANT, &[alert("a")]).await;
    // A quote is two marks in either file, and each of these two within the JSON that a function hands its answer over in.
    crowd(&world, 20, 60_000).await;
    for path in FORMATS {
        assert_eq!(answered(&world, path, "").await.status(), 422, "{path}");
        let one = answered(&world, path, "q=c-00007").await;
        assert_eq!((one.status().as_u16(), one.body().matches("c-00007").count()), (200, 1));
    }
}
