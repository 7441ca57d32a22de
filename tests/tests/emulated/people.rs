//! People and programs at their API: who they are is asked by the gateway, and each function has what it takes to answer.

use reqwest::{Client, Method, redirect::Policy};
use serde_json::{Value, json};
use simulator::Person;

use crate::deployment::{ACTED, PEOPLE, World, in_world};

/// Status, where it leads, and body of the answer to a request, by whoever has this token.
#[expect(clippy::disallowed_methods, reason = "the client of a test's person")]
async fn sent(world: &World, method: Method, path: &str, token: Option<&str>, body: &Value) -> (u16, String, Value) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().tls_certs_only([]).redirect(Policy::none()).no_proxy().build().unwrap();
    let mut request = client.request(method, format!("{}{path}", world.people()));
    request = request.header("content-type", "application/json").header("idempotency-key", "k");
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.body(body.to_string()).send().await.unwrap();
    let location = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned()).unwrap_or_default();
    let status = answer.status().as_u16();
    (status, location, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
}

#[test]
fn whoever_shows_nothing_is_told_to_sign_in_and_a_browser_is_led_to_entra_id() {
    in_world(async |world| {
        for path in ["/api/v1/alerts", "/api/v1/me"] {
            let (status, _, problem) = sent(world, Method::GET, path, None, &Value::Null).await;
            assert_eq!((status, &problem["type"]), (401, &json!("/problems/not-signed-in")), "{path}: {problem}");
        }
        let (status, to, _) = sent(world, Method::GET, "/health", None, &Value::Null).await;
        assert_eq!((status, to.as_str()), (303, "/sign-in?return=%2Fhealth"));
        let (status, to, _) = sent(world, Method::GET, "/sign-in", None, &Value::Null).await;
        let authorize = format!("{}/{ACTED}/oauth2/v2.0/authorize?", world.microsoft.microsoft_url());
        assert!(status == 303 && to.starts_with(&authorize), "{status}: {to}");
        let back: String = form_urlencoded::byte_serialize(format!("{PEOPLE}/sign-in/callback").as_bytes()).collect();
        assert!(to.contains(&back), "{to}");
    });
}

#[test]
fn an_admin_agent_sees_an_alert_and_resolves_it_here_and_at_microsoft() {
    in_world(async |world| {
        let alert = world.raise(ACTED);
        world.whole.reconcile(&[ACTED]);
        let token = world.microsoft.access_token(ACTED, &Person::admin_agent(ACTED)).unwrap();
        let (status, _, listed) = sent(world, Method::GET, "/api/v1/alerts", Some(&token), &Value::Null).await;
        assert_eq!(status, 200, "{listed}");
        let shown = listed["alerts"].as_array().unwrap().iter().find(|shown| shown["id"] == alert.id).unwrap();

        let path = format!("/api/v1/tenants/{ACTED}/alerts/{}/resolve", alert.id);
        let body = json!({ "version": shown["version"], "reason": "fraud", "note": "Seen by phone." });
        let (status, _, done) = sent(world, Method::POST, &path, Some(&token), &body).await;
        assert_eq!((status, &done["result"]["kind"]), (200, &json!("done")), "{done}");
        let there = world.microsoft.alerts(ACTED).into_iter().find(|there| there.id == alert.id).unwrap();
        assert_eq!((there.status.as_str(), there.resolved_reason.as_deref()), ("resolved", Some("fraud")));

        let path = format!("/api/v1/tenants/{ACTED}/alerts/{}/activity", alert.id);
        let (status, _, activity) = sent(world, Method::GET, &path, Some(&token), &Value::Null).await;
        assert_eq!(status, 200, "{activity}");
        assert!(activity.to_string().contains("Seen by phone."), "{activity}");

        let page = format!("/alerts/{ACTED}/{}", alert.id);
        for path in ["/", "/?order=severity", &page, "/health", "/events"] {
            let (status, _, problem) = sent(world, Method::GET, path, Some(&token), &Value::Null).await;
            assert_eq!(status, 200, "{path}: {problem}");
        }
        assert_eq!(sent(world, Method::POST, &path.replace("activity", "resolve"), None, &body).await.0, 401);
    });
}

#[test]
fn the_schedule_sweeps_operations() {
    in_world(async |world| {
        let answer = world.whole.invoke("ResolveFunction", &json!({ "task": "sweep" }));
        assert_eq!(answer.error, None, "{:#}", world.whole.logs());
    });
}
