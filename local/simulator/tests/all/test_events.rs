//! Test events: asked for at Partner Center, signed, delivered, looked up.

use axum::http::StatusCode;
use serde_json::{Value, json};
use simulator::{Simulator, TestEvent};

use crate::certificates::{download, verify};
use crate::support::{FIRST, REGISTRATION, Received, SECOND, World, assert_shape, json, receiver_that};

const EVENTS: &str = "/webhooks/v1/registration/validationEvents";

struct Registered {
    world: World,
    received: Received,
    token: String,
}

impl Registered {
    /// A world whose first tenant has registered a receiver that answers like this.
    async fn at(answer: fn(usize) -> (StatusCode, &'static str)) -> Self {
        let world = World::start().await;
        let (url, received) = receiver_that(answer).await;
        let base = url.strip_suffix("/callbacks/tenant/key").unwrap();
        world.simulator.set_public_address("https://hooks.example", base);
        let token = world.partner_token(FIRST).await;
        let registered = Self { world, received, token };
        registered.register(&["test-created"]).await;
        registered
    }

    async fn register(&self, events: &[&str]) {
        let body = json!({ "WebhookUrl": "https://hooks.example/callbacks/tenant/key", "WebhookEvents": events });
        let method = if self.world.simulator.registration(FIRST).is_some() { "PUT" } else { "POST" };
        let answer = self.world.partner(method, REGISTRATION, &self.token, Some(body)).await;
        assert_eq!(answer.status(), 200);
    }

    async fn ask(&self) -> reqwest::Response {
        self.world.partner("POST", EVENTS, &self.token, None).await
    }

    /// Asks for an event and waits for its end.
    async fn deliver(&self) -> TestEvent {
        let answer = self.ask().await;
        assert_eq!(answer.status(), 200);
        let body = json(answer).await;
        let id = body["correlationId"].as_str().unwrap();
        self.world.simulator.test_event_over(id).await.unwrap()
    }

    async fn status(&self, id: &str) -> reqwest::Response {
        self.world.partner("GET", &format!("{EVENTS}/{id}"), &self.token, None).await
    }
}

fn codes(event: &TestEvent) -> Vec<&str> {
    event.results.iter().map(|result| result.response_code.as_str()).collect()
}

#[tokio::test]
async fn a_test_event_is_signed_and_delivered_and_names_itself() {
    let registered = Registered::at(|_| (StatusCode::OK, "kept")).await;

    let event = registered.deliver().await;

    assert_eq!((&*event.status, &*event.partner_id), ("completed", FIRST));
    let received = registered.received.lock().unwrap().clone();
    let [(headers, body)] = received.as_slice() else { panic!("{} callbacks", received.len()) };
    let uri = format!("http://api.partnercenter.microsoft.com{EVENTS}/{}", event.correlation_id);
    let said: Value = serde_json::from_slice(body).unwrap();
    assert_eq!((&said["EventName"], &said["ResourceUri"]), (&json!("test-created"), &json!(uri)));
    let location =
        format!("{}{}.cer", registered.world.simulator.certificate_location(), Simulator::certificate_name());
    assert_eq!(headers["x-ms-certificate-url"], *location);
    let signature = headers["authorization"].to_str().unwrap();
    assert_eq!(verify(&download(&registered.world).await, body, signature), Ok(()));
}

#[tokio::test]
async fn what_became_of_it_has_the_shape_of_the_documentation() {
    let registered = Registered::at(|_| (StatusCode::OK, "kept")).await;
    let event = registered.deliver().await;

    let body = json(registered.status(&event.correlation_id).await).await;

    assert_shape(&body, "test-event-status.json");
    assert_eq!(body["status"], "completed");
    assert_eq!(
        body["results"],
        json!([{
            "responseCode": "OK", "responseMessage": "kept", "systemError": false,
            "dateTimeUtc": "2026-03-02T05:40:00.0000000",
        }])
    );
    let shown =
        json(registered.world.control("GET", &format!("/test-events/{}", event.correlation_id), "").await).await;
    assert_eq!(shown, body, "the control side shows the same");
}

#[tokio::test]
async fn a_refused_test_event_comes_again_byte_for_byte_until_it_is_taken() {
    let answer = |attempt| match attempt {
        1 => (StatusCode::UNAUTHORIZED, "no"),
        2 => (StatusCode::SERVICE_UNAVAILABLE, "later"),
        3 => (StatusCode::ACCEPTED, "kept"),
        4 => (StatusCode::PAYLOAD_TOO_LARGE, ""),
        _ => (StatusCode::OK, ""),
    };
    let registered = Registered::at(answer).await;

    let event = registered.deliver().await;

    assert_eq!(event.status, "completed");
    assert_eq!(codes(&event), ["Unauthorized", "ServiceUnavailable", "Accepted", "RequestEntityTooLarge", "OK"]);
    assert_eq!(event.results[0].response_message, "no");
    let received = registered.received.lock().unwrap();
    let same = |(headers, body): &(axum::http::HeaderMap, axum::body::Bytes)| {
        *body == received[0].1 && headers["authorization"] == received[0].0["authorization"]
    };
    assert!(received.len() == 5 && received.iter().all(same));
}

#[tokio::test]
async fn ten_refusals_are_the_end() {
    let registered = Registered::at(|_| (StatusCode::BAD_REQUEST, "")).await;
    let event = registered.deliver().await;
    assert_eq!((&*event.status, codes(&event)), ("failed", vec!["BadRequest"; 10]));
    assert_eq!(registered.received.lock().unwrap().len(), 10);
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_a_system_error_and_its_address_is_not_told() {
    let registered = Registered::at(|_| (StatusCode::OK, "")).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    registered.world.simulator.set_public_address("https://hooks.example", &format!("http://{nobody}"));
    let event = registered.deliver().await;
    assert_eq!((&*event.status, event.results.len()), ("failed", 10));
    assert!(event.results.iter().all(|result| result.system_error && !result.response_message.contains("key")));
    assert!(!format!("{event:?}").contains("/key"), "{event:?}");
}

#[tokio::test]
async fn until_it_is_over_a_test_event_is_submitted() {
    let world = World::with(|options| options.retry_pause = std::time::Duration::from_hours(1)).await;
    let token = world.partner_token(FIRST).await;
    let body = json!({ "WebhookUrl": "https://hooks.example/", "WebhookEvents": ["test-created"] });
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    world.simulator.set_public_address("https://hooks.example", &format!("http://{nobody}"));
    world.partner("POST", REGISTRATION, &token, Some(body)).await;
    let made = json(world.partner("POST", EVENTS, &token, None).await).await;
    let path = format!("{EVENTS}/{}", made["correlationId"].as_str().unwrap());
    assert_eq!(json(world.partner("GET", &path, &token, None).await).await["status"], "submitted");
}

#[tokio::test]
async fn only_who_registered_the_test_event_gets_one() {
    let registered = Registered::at(|_| (StatusCode::OK, "")).await;
    registered.register(&["azure-fraud-event-detected"]).await;
    let answer = registered.ask().await;
    assert_eq!(answer.status(), 400);
    assert_shape(&json(answer).await, "partner-center-error.json");
    assert_eq!(registered.received.lock().unwrap().len(), 0);
    let token = registered.world.partner_token(SECOND).await;
    assert_eq!(registered.world.partner("POST", EVENTS, &token, None).await.status(), 400, "nothing is registered");
}

#[tokio::test]
async fn a_third_test_event_within_a_minute_is_too_much() {
    let registered = Registered::at(|_| (StatusCode::OK, "")).await;
    assert_eq!(registered.ask().await.status(), 200);
    registered.world.advance(20);
    assert_eq!(registered.ask().await.status(), 200);

    let answer = registered.ask().await;
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (429, &"40".parse().unwrap()));
    let body = json(answer).await;
    assert_shape(&body, "partner-center-throttled.json");
    assert_eq!(body["message"], "Rate limit is exceeded. Try again in 40 seconds.");

    registered.world.advance(39);
    assert_eq!(registered.ask().await.status(), 429);
    registered.world.advance(1);
    assert_eq!(registered.ask().await.status(), 200);
}

#[tokio::test]
async fn what_became_of_it_is_forgotten_after_a_week_and_never_told_to_others() {
    let registered = Registered::at(|_| (StatusCode::OK, "")).await;
    let id = registered.deliver().await.correlation_id;
    let token = registered.world.partner_token(SECOND).await;
    assert_eq!(registered.world.partner("GET", &format!("{EVENTS}/{id}"), &token, None).await.status(), 404);
    assert_eq!(registered.status("made-up").await.status(), 404);

    for (seconds, status) in [(7 * 86_400, 200), (1, 404)] {
        registered.world.advance(seconds);
        let token = registered.world.partner_token(FIRST).await;
        let answer = registered.world.partner("GET", &format!("{EVENTS}/{id}"), &token, None).await;
        assert_eq!(answer.status(), status);
    }
}
