//! Saved views.

use models::Act;
use serde_json::{Value, json};
use store::KeepViews as _;
use tests::TENANT;

use crate::support::{Desk, Reply, agent, caller, form, person, request};

const VIEWS: &str = "/api/v1/tenants/{tenant}/views";

async fn send(desk: &Desk, method: &str, view: Option<&str>, query: &str, body: &Value, key: Option<&str>) -> Reply {
    send_as(desk, method, view, query, body, (key, agent())).await
}

async fn send_as(
    desk: &Desk,
    method: &str,
    view: Option<&str>,
    query: &str,
    body: &Value,
    (key, caller): (Option<&str>, identity::Caller),
) -> Reply {
    let route = if view.is_some() { format!("{method} {VIEWS}/{{view}}") } else { format!("{method} {VIEWS}") };
    let mut path = json!({ "tenant": TENANT });
    if let Some(view) = view {
        path["view"] = view.into();
    }
    desk.send(&request(&route, &path, query, key, body, caller)).await
}

#[tokio::test]
async fn a_view_is_saved_changed_and_removed_each_with_a_line_of_the_tenant() {
    let desk = Desk::with(&[]).await;
    let body = json!({ "name": "Mine", "query": "state=open" });
    let saved = send(&desk, "POST", None, "", &body, Some("k")).await;
    assert_eq!((saved.status, &saved.body["revision"]), (201, &json!(1)), "{saved:?}");
    let id = saved.body["id"].as_str().unwrap().to_owned();
    assert_eq!(saved.location, Some(format!("/api/v1/tenants/{TENANT}/views/{id}")));
    assert_eq!(send(&desk, "POST", None, "", &body, Some("k")).await, saved, "as the first time");
    assert_eq!(desk.system.store().views(&desk.tenant()).await.unwrap().views.len(), 1);

    let change = json!({ "name": "Ours", "query": "state=resolved", "shared": true, "revision": 1 });
    let changed = send(&desk, "PUT", Some(&id), "", &change, None).await;
    assert_eq!((changed.status, &changed.body["revision"]), (200, &json!(2)), "{changed:?}");
    let late = send(&desk, "PUT", Some(&id), "", &change, None).await;
    assert_eq!((late.status, late.problem(), &late.body["revision"]), (409, "changed-meanwhile", &json!(2)));

    let late = send(&desk, "DELETE", Some(&id), "revision=1", &Value::Null, None).await;
    assert_eq!((late.status, late.problem()), (409, "changed-meanwhile"));
    let removed = send(&desk, "DELETE", Some(&id), "revision=2", &Value::Null, Some("r")).await;
    assert_eq!((removed.status, &removed.body), (204, &Value::Null));
    assert_eq!(
        send(&desk, "DELETE", Some(&id), "revision=2", &Value::Null, Some("r")).await.status,
        204,
        "as the first time"
    );
    assert_eq!(send(&desk, "DELETE", Some(&id), "revision=2", &Value::Null, None).await.status, 404);
    let acts: Vec<_> = desk.lines(None).await.into_iter().map(|line| line.act).collect();
    assert!(matches!(acts[..], [Act::ViewSaved { .. }, Act::ViewSaved { .. }, Act::ViewRemoved { .. }]), "{acts:?}");
}

#[tokio::test]
async fn a_view_of_somebody_else_is_not_there_unless_it_is_shared() {
    let desk = Desk::with(&[]).await;
    let other = || person("88888888-2222-4333-8444-555555555555", &["AdminAgent"], identity::How::Bearer);
    for (shared, status) in [(false, 404), (true, 200)] {
        let body = json!({ "name": "Mine", "query": "state=open", "shared": shared });
        let saved = send(&desk, "POST", None, "", &body, None).await;
        let id = saved.body["id"].as_str().unwrap();
        let change = json!({ "name": "Theirs", "query": "state=open", "shared": shared, "revision": 1 });
        assert_eq!(send_as(&desk, "PUT", Some(id), "", &change, (None, other())).await.status, status);
    }
}

#[tokio::test]
async fn only_its_owner_takes_a_shared_view_from_the_others() {
    let desk = Desk::with(&[]).await;
    let other = || person("88888888-2222-4333-8444-555555555555", &["AdminAgent"], identity::How::Bearer);
    let body = json!({ "name": "Ours", "query": "state=open", "shared": true });
    let saved = send(&desk, "POST", None, "", &body, None).await;
    let id = saved.body["id"].as_str().unwrap();
    let unshared = json!({ "name": "Ours", "query": "state=open", "shared": false, "revision": 1 });
    let refused = send_as(&desk, "PUT", Some(id), "", &unshared, (None, other())).await;
    assert_eq!((refused.status, refused.problem()), (403, "not-allowed"), "{refused:?}");
    let refused = send_as(&desk, "DELETE", Some(id), "revision=1", &Value::Null, (None, other())).await;
    assert_eq!((refused.status, refused.problem()), (403, "not-allowed"), "{refused:?}");
    assert_eq!(send(&desk, "PUT", Some(id), "", &unshared, None).await.status, 200);
    assert_eq!(send(&desk, "DELETE", Some(id), "revision=2", &Value::Null, None).await.status, 204);
}

#[tokio::test]
async fn what_is_no_view_is_refused() {
    let desk = Desk::with(&[]).await;
    let long = "x".repeat(101);
    for body in [
        json!({ "name": "", "query": "state=open" }),
        json!({ "name": long, "query": "state=open" }),
        json!({ "name": "x", "query": "y".repeat(2_001) }),
    ] {
        assert_eq!(send(&desk, "POST", None, "", &body, None).await.problem(), "value-refused");
    }
    assert_eq!(send(&desk, "POST", None, "", &json!({ "name": "x" }), None).await.problem(), "request-unreadable");
    let id = "77777777-2222-4333-8444-555555555555";
    assert_eq!(send(&desk, "DELETE", Some(id), "", &Value::Null, None).await.problem(), "value-refused");
    assert_eq!(send(&desk, "DELETE", Some("x"), "revision=1", &Value::Null, None).await.problem(), "not-found");
    assert_eq!(desk.lines(None).await.len(), 0);
}

/// A form of one of our pages.
async fn send_form(desk: &Desk, route: &str, view: Option<&str>, fields: &[(&str, &str)]) -> (u16, String) {
    let mut path = json!({ "tenant": TENANT });
    if let Some(view) = view {
        path["view"] = view.into();
    }
    let fields = [fields, &[("return", "/?state=all")]].concat();
    let origin = desk.system.test.system.origin().to_owned();
    let caller = caller(&["AdminAgent"], identity::How::Session);
    let answer = desk.resolve.answer(&form(route, &path, &fields, &origin, caller)).await;
    let location = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
    (answer.status().as_u16(), location.unwrap_or_else(|| answer.body().clone()))
}

#[tokio::test]
async fn by_forms_a_view_is_saved_changed_and_removed_as_well() {
    let desk = Desk::with(&[]).await;
    let back = || (303, "/?state=all".to_owned());
    let kept = async || desk.system.store().views(&desk.tenant()).await.unwrap().views;
    let (save, change) = (format!("POST {VIEWS}"), format!("POST {VIEWS}/{{view}}"));
    let remove = format!("{change}/remove");
    // What was left empty says that nobody else sees it.
    let fields = [("name", "Mine"), ("query", "state=open"), ("shared", ""), ("idempotency-key", "a")];
    for _ in 0..2 {
        assert_eq!(send_form(&desk, &save, None, &fields).await, back());
    }
    let saved = kept().await.remove(0);
    assert_eq!((saved.name.as_str(), saved.is_shared, saved.revision), ("Mine", false, 1));
    let id = Some(saved.id.as_str());
    let fields = [("name", "Ours"), ("query", "state=all"), ("shared", "true"), ("revision", "1")];
    assert_eq!(send_form(&desk, &change, id, &fields).await, back());
    let changed = kept().await.remove(0);
    assert_eq!((changed.name.as_str(), changed.query.as_str(), changed.is_shared), ("Ours", "state=all", true));
    let (status, page) = send_form(&desk, &change, id, &fields).await;
    assert!(status == 409 && page.contains("<a href=\"/?state=all\">Back</a>"), "{page}");
    for (revision, status) in [("1", 409), ("x", 400), ("", 400)] {
        assert_eq!(send_form(&desk, &remove, id, &[("revision", revision)]).await.0, status, "{revision}");
    }
    let fields = [("revision", "2"), ("idempotency-key", "r")];
    for _ in 0..2 {
        assert_eq!(send_form(&desk, &remove, id, &fields).await, back());
    }
    assert!(kept().await.is_empty());
    assert_eq!(send_form(&desk, &remove, id, &[("revision", "2")]).await.0, 404);
    let acts: Vec<_> = desk.lines(None).await.into_iter().map(|line| line.act).collect();
    assert!(matches!(acts[..], [Act::ViewSaved { .. }, Act::ViewSaved { .. }, Act::ViewRemoved { .. }]), "{acts:?}");
}
