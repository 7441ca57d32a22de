//! The same routes, by a form of our own pages.

use api::Answer;
use identity::{Caller, How};
use models::Act;
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, RetryAfter, Target};
use tests::TENANT;

use crate::support::{Desk, OTHER, caller, form};

const RESOLVE: &str = "POST /api/v1/tenants/{tenant}/alerts/{alert}/resolve";
const BULK: &str = "POST /api/v1/alerts/resolve";
/// Somebody else.
const OID: &str = "88888888-2222-4333-8444-555555555555";
/// The page that the form is on.
const PAGE: &str = "/alerts?tenant=1&status=open";

fn agent() -> Caller {
    caller(&["AdminAgent"], How::Session)
}

fn at(alert: &str) -> Value {
    json!({ "tenant": TENANT, "alert": alert })
}

/// A person sends a form of one of our pages.
async fn send(desk: &Desk, route: &str, path: &Value, fields: &[(&str, &str)]) -> Answer {
    let fields = [fields, &[("return", PAGE)]].concat();
    let origin = desk.system.test.system.origin().to_owned();
    desk.resolve.answer(&form(route, path, &fields, &origin, agent())).await
}

fn location(answer: &Answer) -> &str {
    answer.headers().get("location").map(|value| value.to_str().unwrap()).unwrap_or_default()
}

#[tokio::test]
async fn a_form_does_what_json_does_and_leads_back_to_its_page() {
    let desk = Desk::with(&["a"]).await;
    // A browser sends the fields that were left empty, too.
    let fields = [("version", "1"), ("reason", "fraud"), ("note", ""), ("idempotency-key", "k")];
    let answer = send(&desk, RESOLVE, &at("a"), &fields).await;
    assert_eq!((answer.status().as_u16(), location(&answer)), (303, PAGE), "{}", answer.body());
    assert_eq!(desk.at_microsoft("a").1.as_deref(), Some("fraud"));
    // The button was pressed twice.
    let again = send(&desk, RESOLVE, &at("a"), &fields).await;
    assert_eq!((again.status().as_u16(), location(&again)), (303, PAGE));
    assert_eq!(desk.acts("a").await, [Act::StatusAsked, Act::StatusDone]);

    for (act, fields) in [
        ("assign", &[("to", "me")][..]),
        ("assign", &[("tenant", TENANT), ("id", OID), ("name", "ada@contoso.example")]),
        ("notes", &[("note", "They know of it & more\r\nof it")]),
        ("snooze", &[("until", "2999-01-01T00:00:00Z"), ("why", "x")]),
        ("unsnooze", &[]),
    ] {
        let answer =
            send(&desk, &format!("POST /api/v1/tenants/{{tenant}}/alerts/{{alert}}/{act}"), &at("a"), fields).await;
        let expected = if act == "snooze" { 422 } else { 303 };
        assert_eq!(answer.status().as_u16(), expected, "{act}: {}", answer.body());
    }
    let work = desk.kept("a").await.work;
    let assignee = work.marks.assignee.unwrap();
    assert_eq!((assignee.name.as_str(), assignee.id.to_string()), ("ada@contoso.example", OID.to_owned()));
    assert!(work.marks.snooze.is_none());
    let half = send(&desk, "POST /api/v1/tenants/{tenant}/alerts/{alert}/assign", &at("a"), &[("id", OID)]).await;
    assert_eq!(half.status().as_u16(), 422, "{}", half.body());
    assert_eq!(work.notes[0].text.as_str(), "They know of it & more\nof it");
}

#[tokio::test]
async fn what_is_wrong_with_a_form_is_a_page_with_a_way_back() {
    let desk = Desk::with(&["a"]).await;
    assert_eq!(desk.resolve_as("a", "legitimate").await.status, 200);
    let version = desk.version("a").await.to_string();
    for (what, fields, status, words) in [
        (
            "somebody was quicker",
            &[("version", "1"), ("reason", "fraud")][..],
            409,
            "Now it is <bdi>resolved</bdi> (<bdi>legitimate</bdi>)",
        ),
        ("a field too few", &[("reason", "fraud")], 400, "The form has a field"),
        (
            "a field that nobody knows",
            &[("version", "1"), ("reason", "fraud"), ("<script>", "1")],
            400,
            "The form has a field",
        ),
        ("a field twice", &[("version", "1"), ("version", "2"), ("reason", "fraud")], 400, "The form has a field"),
        ("another type", &[("version", "one"), ("reason", "fraud")], 400, "The form has a field"),
        (
            "a key twice",
            &[("version", &version), ("reason", "fraud"), ("idempotency-key", "a"), ("idempotency-key", "b")],
            400,
            "a field twice",
        ),
        ("no key", &[("version", &version), ("reason", "fraud"), ("idempotency-key", "a b")], 400, "Idempotency-Key"),
    ] {
        let answer = send(&desk, RESOLVE, &at("a"), fields).await;
        assert_eq!(answer.status().as_u16(), status, "{what}: {}", answer.body());
        assert!(answer.body().contains(words) && !answer.body().contains("script"), "{what}: {}", answer.body());
        assert!(answer.body().contains("<a href=\"/alerts?tenant=1&amp;status=open\">Back</a>"), "{}", answer.body());
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
    }
    assert_eq!(desk.at_microsoft("a").1.as_deref(), Some("legitimate"));
}

#[tokio::test]
async fn a_form_leads_to_no_page_but_ours_and_comes_from_no_other() {
    let desk = Desk::with(&["a"]).await;
    let own = desk.system.test.system.origin().to_owned();
    let fields = |to| [("version", "1"), ("reason", "fraud"), ("return", to)];
    for origin in ["https://evil.example", "null"] {
        let answer = desk.resolve.answer(&form(RESOLVE, &at("a"), &fields(PAGE), origin, agent())).await;
        assert_eq!(answer.status().as_u16(), 403, "{origin}");
        assert!(answer.body().contains("This did not come from our own page"), "{}", answer.body());
    }
    assert_eq!(desk.version("a").await, 1);
    for to in ["https://evil.example/", "//evil.example", "/\\evil.example", "/sign-out"] {
        let note = [("note", "x"), ("return", to)];
        let route = "POST /api/v1/tenants/{tenant}/alerts/{alert}/notes";
        let answer = desk.resolve.answer(&form(route, &at("a"), &note, &own, agent())).await;
        assert_eq!((answer.status().as_u16(), location(&answer)), (303, "/"), "{to}");
    }
}

#[tokio::test]
async fn of_many_alerts_those_that_were_not_done_are_shown() {
    let desk = Desk::with(&["a", "b", "c/d"]).await;
    let of = |alert: &str, version: u64| format!("{TENANT}/{version}/{alert}");
    let (a, b, cd, elsewhere) = (of("a", 1), of("b", 7), of("c/d", 1), format!("{OTHER}/1/a"));
    let fields = [("reason", "fraud"), ("alerts", &a), ("alerts", &b), ("alerts", &cd), ("alerts", &elsewhere)];
    let answer = send(&desk, BULK, &json!({}), &fields).await;
    assert_eq!(answer.status().as_u16(), 200, "{}", answer.body());
    for part in ["2 of 4 alerts are not", "Somebody else was quicker", "Alert <bdi>b</bdi>", "no such alert"] {
        assert!(answer.body().contains(part), "{part}: {}", answer.body());
    }
    assert!(!answer.body().contains("Alert <bdi>c/d</bdi>"), "it is done: {}", answer.body());
    for alert in ["a", "c/d"] {
        assert_eq!(desk.at_microsoft(alert).1.as_deref(), Some("fraud"), "{alert}");
    }
    // What waits for Microsoft is on its way, and no failure.
    let throttled = FaultKind::Throttle { retry_after: RetryAfter::Seconds(300) };
    desk.system.microsoft.set_fault(Fault::new(Target::Patch, throttled)).unwrap();
    let answer = send(&desk, BULK, &json!({}), &[("reason", "fraud"), ("alerts", &of("b", 1))]).await;
    assert_eq!((answer.status().as_u16(), location(&answer)), (303, PAGE), "{}", answer.body());
    for alerts in ["", "a", "x/1/a", &format!("{TENANT}/one/a")] {
        let answer = send(&desk, BULK, &json!({}), &[("reason", "fraud"), ("alerts", alerts)]).await;
        assert_eq!(answer.status().as_u16(), 422, "{alerts}: {}", answer.body());
    }
}
