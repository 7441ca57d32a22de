//! Webhook registrations at Partner Center.

use serde_json::{Value, json};
use simulator::Person;

use crate::support::{FIRST, REGISTRATION, SECOND, World, assert_shape, json, receiver};

const HOOK: &str = "https://hooks.example/callbacks/tenant/key";

fn wanted() -> Value {
    json!({ "WebhookUrl": HOOK, "WebhookEvents": ["test-created", "azure-fraud-event-detected"] })
}

#[tokio::test]
async fn a_registration_is_made_once_read_and_replaced() {
    let world = World::start().await;
    let token = world.partner_token(FIRST).await;
    let ask = async |method, body| {
        let answer = world.partner(method, REGISTRATION, &token, body).await;
        (answer.status().as_u16(), json(answer).await)
    };

    let (status, body) = ask("GET", None).await;
    assert_eq!(status, 404);
    assert_eq!(body["code"], "404");
    assert_eq!(ask("PUT", Some(wanted())).await.0, 404, "there is nothing to replace");

    let (status, made) = ask("POST", Some(wanted())).await;
    assert_eq!(status, 200);
    assert_shape(&made, "registration-made.json");
    assert_eq!((&made["WebhookUrl"], &made["WebhookEvents"]), (&wanted()["WebhookUrl"], &wanted()["WebhookEvents"]));
    assert_eq!(ask("POST", Some(wanted())).await.0, 409, "there is one");

    let (status, read) = ask("GET", None).await;
    assert_eq!(status, 200);
    assert_shape(&read, "registration.json");

    let other = json!({ "webhookUrl": "https://else.example/k", "webhookEvents": ["invoice-ready"] });
    let (status, replaced) = ask("PUT", Some(other)).await;
    assert_eq!((status, &replaced["SubscriberId"]), (200, &made["SubscriberId"]));
    assert_eq!(
        ask("GET", None).await.1,
        json!({ "WebhookUrl": "https://else.example/k", "WebhookEvents": ["invoice-ready"] })
    );
    assert_eq!(world.simulator.registration(FIRST).unwrap().webhook_url, "https://else.example/k");
    let counts = world.simulator.requests();
    assert_eq!((counts.registration_get, counts.registration_post, counts.registration_put), (3, 2, 2));
}

#[tokio::test]
async fn a_tenant_has_a_registration_of_its_own() {
    let world = World::start().await;
    let token = world.partner_token(FIRST).await;
    assert_eq!(world.partner("POST", REGISTRATION, &token, Some(wanted())).await.status(), 200);
    let token = world.partner_token(SECOND).await;
    assert_eq!(world.partner("GET", REGISTRATION, &token, None).await.status(), 404);
    assert_eq!(world.control("GET", &format!("/registration?tenant={SECOND}"), "").await.status(), 404);
    let shown = json(world.control("GET", "/registration", "").await).await;
    assert_eq!(shown["WebhookUrl"], HOOK);
}

#[tokio::test]
async fn what_can_not_be_registered_is_refused_and_changes_nothing() {
    let world = World::start().await;
    let token = world.partner_token(FIRST).await;
    for (spoilt, value) in [
        ("WebhookUrl", json!("http://hooks.example/callbacks/tenant/key")),
        ("WebhookUrl", json!("hooks.example")),
        ("WebhookUrl", json!(7)),
        ("WebhookEvents", json!(["azure-fraud-event-detected", "azure-fraud-event"])),
        ("WebhookEvents", json!([])),
        ("WebhookEvents", json!("test-created")),
        ("SignatureTokenToMsSignatureHeader", json!("yes")),
    ] {
        let mut body = wanted();
        body[spoilt] = value.clone();
        let answer = world.partner("POST", REGISTRATION, &token, Some(body)).await;
        assert_eq!(answer.status(), 400, "{spoilt} {value}");
        assert_shape(&json(answer).await, "partner-center-error.json");
    }
    assert_eq!(world.simulator.registration(FIRST), None);
}

#[tokio::test]
async fn the_events_are_a_bare_list_of_names() {
    let world = World::start().await;
    let token = world.partner_token(FIRST).await;
    let events = json(world.partner("GET", "/webhooks/v1/registration/events", &token, None).await).await;
    let names: Vec<_> = events.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    for name in ["test-created", "azure-fraud-event-detected", "usagerecords-thresholdExceeded"] {
        assert!(names.contains(&name), "{name}");
    }
    let body = json!({ "WebhookUrl": HOOK, "WebhookEvents": events });
    assert_eq!(world.partner("POST", REGISTRATION, &token, Some(body)).await.status(), 200, "each may be registered");
}

#[tokio::test]
async fn without_a_good_token_there_is_no_answer() {
    let world = World::start().await;
    let url = world.simulator.partner_center_url() + REGISTRATION;
    let answer = world.client.get(url).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), json(answer).await["code"].clone()), (401, json!("800001")));
    let token = world.partner_token(FIRST).await;
    world.advance(3_599);
    for token in [&token, "made-up"] {
        let answer = world.partner("GET", REGISTRATION, token, None).await;
        assert_eq!((answer.status().as_u16(), json(answer).await["code"].clone()), (401, json!("400")));
    }
}

#[tokio::test]
async fn answers_repeat_the_ids_of_the_request_and_say_whether_the_token_has_two_factors() {
    let world = World::start().await;
    let url = world.simulator.partner_center_url() + REGISTRATION;
    let (request, correlation) = ("11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002");
    for (mfa, compliant) in [(true, "true"), (false, "false")] {
        let person = Person { mfa, ..Person::admin_agent(FIRST) };
        let token = world.token_of(person, &world.simulator.partner_center_url()).await;
        let asked = world.client.get(&url).bearer_auth(&token).header("ValidateMfa", "true");
        let asked = asked.header("MS-RequestId", request).header("MS-CorrelationId", correlation);
        let headers = asked.send().await.unwrap().headers().clone();
        assert_eq!(headers["ismfacompliant"], compliant);
        assert_eq!(headers["ms-requestid"], request);
        assert_eq!(headers["ms-correlationid"], correlation);
        assert!(headers.contains_key("ms-cv"));
        let answer = world.client.get(&url).bearer_auth(token).send().await.unwrap();
        assert!(!answer.headers().contains_key("ismfacompliant"), "nobody asked");
    }
}

#[tokio::test]
async fn callbacks_go_to_the_registered_address_with_the_signature_where_it_was_asked_for() {
    let world = World::start().await;
    let (url, received) = receiver().await;
    world.simulator.set_public_address("https://hooks.example", url.strip_suffix("/callbacks/tenant/key").unwrap());
    let token = world.partner_token(FIRST).await;
    for (method, header) in [("POST", "authorization"), ("PUT", "x-ms-signature")] {
        let mut body = wanted();
        body["SignatureTokenToMsSignatureHeader"] = json!(header == "x-ms-signature");
        assert_eq!(world.partner(method, REGISTRATION, &token, Some(body)).await.status(), 200);
        assert_eq!(world.control("POST", "/callbacks", r#"{"event":"test-created"}"#).await.status(), 200);
        let (headers, _) = received.lock().unwrap().pop().expect("a callback");
        let signature = ["authorization", "x-ms-signature"].into_iter().filter(|name| headers.contains_key(*name));
        assert_eq!(signature.collect::<Vec<_>>(), [header]);
    }
}

#[tokio::test]
async fn debug_output_of_a_registration_has_no_path_key() {
    let world = World::start().await;
    let token = world.partner_token(FIRST).await;
    world.partner("POST", REGISTRATION, &token, Some(wanted())).await;
    let text = format!("{:?}", world.simulator.registration(FIRST).unwrap());
    assert!(text.contains("test-created") && !text.contains("key"), "{text}");
}
