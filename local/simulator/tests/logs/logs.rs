//! What the simulator logs holds no secret, since people paste logs.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use serde_json::json;
use simulator::{Fault, FaultKind, MARKER, Person, RetryAfter, Target};
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{FIRST, REGISTRATION, World, credentials, json, receiver_that};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn logs_hold_no_secret_no_token_and_no_path_key() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(lines.clone());
    let guard = tracing::subscriber::set_default(subscriber.finish());

    let world = World::start().await;
    let (url, _) = receiver_that(|_| (StatusCode::BAD_REQUEST, "")).await;
    world.simulator.set_public_address("https://hooks.example", url.strip_suffix("/callbacks/tenant/key").unwrap());
    let refresh = world.simulator.refresh_token_of(FIRST, Person::admin_agent(FIRST)).unwrap();
    let throttled = FaultKind::Throttle { retry_after: RetryAfter::Absent };
    world.simulator.set_fault(Fault::new(Target::Token, throttled).times(1)).unwrap();
    let scope = format!("{}/.default", world.simulator.partner_center_url());
    world.redeem(&refresh, &scope).await;
    let tokens = json(world.redeem(&refresh, &scope).await).await;
    let token = tokens["access_token"].as_str().unwrap();
    let body = json!({
        "WebhookUrl": "https://hooks.example/callbacks/tenant/key", "WebhookEvents": ["test-created"],
    });
    world.partner("POST", REGISTRATION, token, Some(body)).await;
    let asked = world.partner("POST", &format!("{REGISTRATION}/validationEvents"), token, None).await;
    world.simulator.test_event_over(json(asked).await["correlationId"].as_str().unwrap()).await.unwrap();
    drop(guard);

    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for expected in ["simulator started", "misbehaving on demand", "callback posted"] {
        assert!(text.contains(expected), "{expected} is missing: {text}");
    }
    let secret = credentials(FIRST, "")[2].1;
    for secret in [secret, &refresh, tokens["refresh_token"].as_str().unwrap(), token, "tenant/key", MARKER] {
        assert!(!text.contains(secret), "{secret} stands in the log: {text}");
    }
}
