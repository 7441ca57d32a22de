//! The control side: what it does, and whom it refuses.

use serde_json::json;
use simulator::NewAlert;

use crate::support::{FIRST, SECOND, World, json, receiver};

async fn status_with(headers: &[(&'static str, String)]) -> u16 {
    let world = World::start().await;
    let mut request = world.client.post(world.simulator.control_url() + "/alerts");
    for (name, value) in headers {
        request = request.header(*name, value.replace("{own}", &world.simulator.control_url()["http://".len()..]));
    }
    let status = request.send().await.unwrap().status().as_u16();
    assert_eq!(world.simulator.alerts(FIRST).len(), usize::from(status == 201));
    status
}

#[tokio::test]
async fn a_request_with_an_origin_is_refused() {
    for origin in ["https://evil.example", "null", "http://{own}"] {
        assert_eq!(status_with(&[("origin", origin.into())]).await, 403, "{origin}");
    }
}

#[tokio::test]
async fn a_request_from_another_site_is_refused() {
    for (site, status) in [("cross-site", 403), ("same-site", 403), ("none", 201), ("same-origin", 201)] {
        assert_eq!(status_with(&[("sec-fetch-site", site.into())]).await, status, "{site}");
    }
}

#[tokio::test]
async fn a_request_by_another_name_is_refused() {
    for host in ["evil.example", "127.0.0.1", "localhost:1", "evil.example:80"] {
        assert_eq!(status_with(&[("host", host.into())]).await, 403, "{host}");
    }
    assert_eq!(status_with(&[("host", "{own}".into())]).await, 201);
}

#[tokio::test]
async fn localhost_with_the_port_is_its_own_name() {
    let world = World::start().await;
    let url = world.simulator.control_url();
    let host = format!("localhost:{}", url.rsplit(':').next().unwrap());
    assert_eq!(world.client.get(url).header("host", host).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_body_has_to_be_declared_as_json() {
    let world = World::start().await;
    let url = world.simulator.control_url() + "/alerts";
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
        let request = world.client.post(&url).header("content-type", content_type).body("{}");
        assert_eq!(request.send().await.unwrap().status(), 415, "{content_type}");
    }
    assert_eq!(world.client.post(&url).body("{}").send().await.unwrap().status(), 415, "none");
    let request = world.client.post(&url).header("content-type", "application/json; charset=utf-8").body("{}");
    assert_eq!(request.send().await.unwrap().status(), 201);
}

#[tokio::test]
async fn a_large_body_is_refused() {
    let world = World::start().await;
    let url = world.simulator.control_url() + "/alerts";
    let body = json!({ "description": "x".repeat(64 * 1024) });
    assert_eq!(world.client.post(url).json(&body).send().await.unwrap().status(), 413);
}

#[tokio::test]
async fn an_alert_is_raised_changed_and_listed() {
    let world = World::start().await;
    let body = r#"{"tenant":"5d0e8b1a-7c43-4f92-b6a8-1e2f3c4d5b6a","severity":"low","isTest":true}"#;
    let answer = world.control("POST", "/alerts", body).await;
    assert_eq!(answer.status(), 201);
    let alert = json(answer).await;
    assert_eq!((&alert["severity"], &alert["isTest"]), (&json!("low"), &json!(true)));

    let path = format!("/alerts/{}", alert["id"].as_str().unwrap());
    let answer = world.control("PATCH", &path, r#"{"severity":"high"}"#).await;
    assert_eq!(json(answer).await["severity"], "high");

    let listed = json(world.control("GET", &format!("/alerts?tenant={SECOND}"), "").await).await;
    assert_eq!(listed[0]["severity"], "high");
    assert_eq!(json(world.control("GET", "/alerts", "").await).await, json!([]), "the first tenant has none");
    assert_eq!(world.control("PATCH", "/alerts/nothing", "{}").await.status(), 404);
    assert_eq!(world.control("GET", "/alerts?tenant=contoso", "").await.status(), 404);
}

#[tokio::test]
async fn an_alert_goes_and_comes_back_and_is_seen_late() {
    let world = World::start().await;
    let ids = world.raise(2);
    let path = format!("/alerts/{}", ids[0]);
    let there = async || json(world.control("GET", "/alerts", "").await).await.as_array().unwrap().len();
    assert_eq!(world.control("PATCH", &path, r#"{"gone":true,"lag":{"list":1}}"#).await.status(), 200);
    assert_eq!(there().await, 1);
    let listed = async || json(world.list().await).await["value"].as_array().unwrap().len();
    assert_eq!([listed().await, listed().await], [2, 1]);
    assert_eq!(world.control("PATCH", &path, r#"{"gone":false}"#).await.status(), 200);
    assert_eq!((there().await, listed().await), (2, 2));
    assert_eq!(world.control("PATCH", &path, r#"{"lag":{"post":1}}"#).await.status(), 400);
    let lagging = r#"{"id":"late","resolvedOnDateTime":"2026-03-01T00:00:00Z","lag":{"get":1}}"#;
    assert_eq!(world.control("POST", "/alerts", lagging).await.status(), 201);
}

#[tokio::test]
async fn an_unknown_field_is_named() {
    let world = World::start().await;
    for path in ["/alerts", "/callbacks", "/faults", "/grants/revoke", "/public-addresses", "/sign-ins"] {
        let answer = world.control("POST", path, r#"{"target":"list","kind":"reset","sevrity":1}"#).await;
        assert_eq!(answer.status(), 400, "{path}");
        let body = json(answer).await;
        let unknown = if path == "/faults" { "sevrity" } else { "target" };
        assert!(body["error"].as_str().unwrap().contains(unknown), "{body}");
    }
}

#[tokio::test]
async fn a_callback_goes_to_the_tenants_address_and_again() {
    let world = World::start().await;
    let (url, received) = receiver().await;
    world.simulator.set_callback_url(FIRST, &url);
    let alert = world.simulator.raise(NewAlert::default()).unwrap();

    let answer = json(world.control("POST", "/callbacks", "").await).await;
    world.advance(60);
    let again = json(world.control("POST", "/callbacks", r#"{"repeat":true,"copies":2}"#).await).await;

    assert_eq!(answer["answers"], json!([{ "status": 202, "body": "noted" }]));
    assert_eq!(again["answers"].as_array().unwrap().len(), 2);
    assert_eq!(answer["sent"], again["sent"]);
    assert!(answer["sent"]["body"].as_str().unwrap().contains(&alert.subscription_id));
    let received = received.lock().unwrap();
    assert_eq!(received.len(), 3);
    assert!(received.iter().all(|(headers, body)| {
        *body == received[0].1 && headers["authorization"] == received[0].0["authorization"]
    }));
}

#[tokio::test]
async fn callbacks_can_be_test_events_or_forged() {
    let world = World::with(|options| options.callback_url = Some("http://127.0.0.1:9/{tenant}/key".into())).await;
    assert_eq!(world.control("POST", "/callbacks", r#"{"event":"test-created"}"#).await.status(), 502);
    let (url, received) = receiver().await;
    world.simulator.set_callback_url(FIRST, &url);
    world.raise(1);
    for body in [r#"{"event":"test-created","msSignature":true}"#, r#"{"forged":true}"#, r#"{"forged":"body"}"#] {
        assert_eq!(world.control("POST", "/callbacks", body).await.status(), 200, "{body}");
    }
    let received = received.lock().unwrap();
    assert!(received[0].1.starts_with(br#"{"EventName":"test-created","ResourceUri":"http://api.partnercenter"#));
    assert!(received[0].0.contains_key("x-ms-signature"));
    assert!(received[1].1.starts_with(br#"{"EventName":"azure-fraud-event-detected""#));
}

#[tokio::test]
async fn a_callback_that_can_not_be_made_says_why() {
    let world = World::start().await;
    let refused = async |body| {
        let answer = world.control("POST", "/callbacks", body).await;
        (answer.status().as_u16(), json(answer).await["error"].as_str().unwrap().to_owned())
    };
    assert_eq!(refused(r#"{"repeat":true}"#).await, (409, "no callback was sent yet".to_owned()));
    assert_eq!(refused("{}").await.0, 409);
    assert_eq!(refused(r#"{"event":"test-created"}"#).await.0, 409, "there is nowhere to post it");
    assert_eq!(refused(r#"{"alert":"nothing"}"#).await.0, 404);
    assert_eq!(refused(r#"{"copies":0}"#).await.0, 400);
    assert_eq!(refused(r#"{"forged":"badly"}"#).await.0, 400);
}

#[tokio::test]
async fn faults_are_set_and_cleared() {
    let world = World::start().await;
    for (body, status) in [
        (r#"{"target":"list","kind":"throttle","retryAfter":"absent","times":1}"#, 429),
        (r#"{"target":"list","kind":"fail","status":500,"times":1}"#, 500),
        (r#"{"target":"list","kind":"answer","status":404,"times":1}"#, 404),
        (r#"{"target":"list","kind":"answer","status":429,"body":"graph","retryAfter":{"date":5},"times":1}"#, 429),
        (r#"{"target":"list","kind":"missingMfa"}"#, 403),
        (r#"{"target":"list","kind":"endlessPages","after":5}"#, 403),
    ] {
        assert_eq!(world.control("POST", "/faults", body).await.status(), 204, "{body}");
        assert_eq!(world.list().await.status(), status, "{body}");
    }
    assert_eq!(world.control("DELETE", "/faults", "").await.status(), 204);
    assert_eq!(world.list().await.status(), 200);
    for body in [
        r#"{"target":"moon","kind":"reset"}"#,
        r#"{"target":"list","kind":"sulk"}"#,
        r#"{"target":"list","kind":"slow"}"#,
        r#"{"target":"list","kind":"answer"}"#,
        r#"{"target":"list","kind":"answer","status":200}"#,
        r#"{"target":"list","kind":"answer","status":500,"body":"poem"}"#,
        r#"{"target":"list","kind":"answer","status":500,"retryAfter":"soon"}"#,
        r#"{"target":"list","kind":"fail","body":"html"}"#,
        r#"{"target":"list","kind":"reset","after":-1}"#,
        r#"{"target":"list","kind":"reset","status":500}"#,
        r#"{"target":"token","kind":"emptyPage"}"#,
    ] {
        assert_eq!(world.control("POST", "/faults", body).await.status(), 400, "{body}");
    }
}

#[tokio::test]
async fn the_rest_is_there_too() {
    let world = World::start().await;
    world.list().await;
    let before = world.simulator.sign(b"x").unwrap();
    assert_eq!(world.control("POST", "/certificate/rotate", "").await.status(), 204);
    assert_ne!(world.simulator.sign(b"x").unwrap(), before);
    let counts = json(world.control("GET", "/requests", "").await).await;
    let asked = counts.as_object().unwrap().iter().filter(|(_, count)| **count != json!(0));
    assert_eq!(asked.collect::<Vec<_>>(), [(&"list".to_owned(), &json!(1)), (&"token".to_owned(), &json!(1))]);
    let help = world.control("GET", "/", "").await.text().await.unwrap();
    assert!(help.contains(&format!("curl -X POST {}/alerts", world.simulator.control_url())));
    let words: Vec<_> = help.split([' ', ',', ';', '\n']).collect();
    for target in counts.as_object().unwrap().keys() {
        assert!(words.contains(&target.as_str()), "the help leaves out the target {target}");
    }
}

#[tokio::test]
async fn debug_output_has_no_secret_and_no_path_key() {
    let mut options = crate::support::options();
    options.tenants[0].callback_url = Some("http://127.0.0.1:9/path-key".into());
    options.callback_url = Some("http://127.0.0.1:9/path-key".into());
    let text = format!("{options:?}");
    assert!(!text.contains("path-key") && !text.contains("secret-of"), "{text}");
}
