//! What becomes of a sign-in when Entra ID, or our own side of it, is in trouble.

use jiff::SignedDuration;
use serde_json::json;
use simulator::{Denial, Fault, FaultKind, Person, RetryAfter, Target};
use tests::{ByHand, Lines, TENANT};

use crate::browser::Browser;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn reasons(lines: &Lines) -> Vec<String> {
    lines.take_values().iter().filter_map(|line| line["reason"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn nobody_is_sent_to_an_entra_id_that_is_not_what_it_should_be() {
    let lines = Lines::capture("info");
    let system = ByHand::start().await;
    let mut browser = Browser::new(&system);
    for (target, kind) in [
        (Target::Discovery, FaultKind::WrongIssuer),
        (Target::Discovery, FaultKind::ForeignEndpoints),
        (Target::Discovery, FaultKind::Fail { status: 500 }),
        (Target::Discovery, FaultKind::Truncated),
        (Target::Keys, FaultKind::Fail { status: 503 }),
    ] {
        system.microsoft.set_fault(Fault::new(target, kind).times(1)).unwrap();
        let page = browser.get("/sign-in").await;
        assert_eq!((page.status, page.set_cookies.len()), (503, 0), "{kind:?}");
        assert_eq!(reasons(&lines), ["entra-id-not-reached"], "{kind:?}");
        assert_eq!(browser.get("/sign-in").await.status, 503, "{kind:?}: not asked again at once");
        let _ = lines.take();
        system.clock.advance(SignedDuration::from_secs(5));
    }
    assert_eq!(system.microsoft.requests().discovery, 5);
    assert_eq!(browser.get("/sign-in").await.status, 303);
}

#[tokio::test]
async fn what_the_token_endpoint_says_is_told_apart() {
    let lines = Lines::capture("info");
    let system = ByHand::start().await;
    let throttled = FaultKind::Throttle { retry_after: RetryAfter::Absent };
    for (kind, status, reason) in [
        (FaultKind::WrongIssuer, 403, "id-token-not-accepted"),
        (FaultKind::WrongNonce, 403, "id-token-not-accepted"),
        (throttled, 503, "entra-id-not-reached"),
        (FaultKind::Fail { status: 500 }, 503, "entra-id-not-reached"),
        (FaultKind::Truncated, 503, "entra-id-not-reached"),
        (FaultKind::Denied(Denial::ApplicationUnknown), 503, "application-refused"),
        (FaultKind::Denied(Denial::GrantRevoked), 400, "sign-in-refused"),
        (FaultKind::Denied(Denial::ConditionalAccess), 400, "sign-in-refused"),
    ] {
        let mut browser = Browser::new(&system);
        system.microsoft.set_fault(Fault::new(Target::Token, kind).times(1)).unwrap();
        let page = browser.sign_in(Person::admin_agent(TENANT), "").await;
        assert_eq!(page.status, status, "{kind:?}");
        assert_eq!(reasons(&lines), [reason], "{kind:?}");
        assert_eq!(browser.session(), None);
    }
    assert!(system.items("partner-alerts-sessions").await.is_empty());
}

#[tokio::test]
async fn a_new_signing_key_is_found_a_minute_after_the_last_look_and_a_withdrawn_one_signs_nobody_in() {
    let lines = Lines::capture("info");
    let system = ByHand::start().await;
    let mut browser = Browser::new(&system);
    browser.sign_in(Person::admin_agent(TENANT), "").await;
    system.microsoft.rotate_token_keys(true).unwrap();
    assert_eq!(browser.sign_in(Person::admin_agent(TENANT), "").await.status, 403);
    assert_eq!(reasons(&lines), ["id-token-not-accepted"]);
    system.clock.advance(MINUTE);
    assert_eq!(browser.sign_in(Person::admin_agent(TENANT), "").await.status, 303);
    assert_eq!(system.microsoft.requests().discovery, 2);
}

#[tokio::test]
async fn what_an_issuer_said_half_a_day_ago_signs_nobody_in() {
    let system = ByHand::start().await;
    let mut browser = Browser::new(&system);
    assert_eq!(browser.get("/sign-in").await.status, 303);
    system.microsoft.set_fault(Fault::new(Target::Discovery, FaultKind::Fail { status: 500 })).unwrap();
    system.clock.advance(SignedDuration::from_hours(12) - SignedDuration::from_secs(1));
    assert_eq!(browser.get("/sign-in").await.status, 303);
    system.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(browser.get("/sign-in").await.status, 503);
}

async fn write(system: &ByHand, name: &str, text: &str) {
    let secrets = aws_sdk_secretsmanager::Client::new(&system.test.system.parts().aws);
    secrets.put_secret_value().secret_id(name).secret_string(text).send().await.unwrap();
}

#[tokio::test]
async fn secrets_that_can_not_be_used_are_said_and_mended_ones_are_found_within_seconds() {
    let lines = Lines::capture("info");
    let system = ByHand::start().await;
    let good = json!({ "client_secret": tests::CLIENT_SECRET }).to_string();
    let mut browser = Browser::new(&system);
    for (secret, says) in [("{}", "write {\\\"client_secret\\\""), ("made-up-secret", "write {\\\"client_secret\\\"")] {
        write(&system, "partner-alerts/sign-in/client", secret).await;
        assert_eq!(browser.get("/sign-in").await.status, 503);
        let logged = lines.take();
        assert!(logged.contains("secrets-not-read") && logged.contains(says), "{logged}");
        system.clock.advance(SignedDuration::from_secs(5));
    }
    write(&system, "partner-alerts/sign-in/client", &good).await;
    assert_eq!(browser.sign_in(Person::admin_agent(TENANT), "").await.status, 303);
    // One that is changed at Entra ID alone is refused there.
    write(&system, "partner-alerts/sign-in/client", r#"{"client_secret":"made-up-secret-of-nobody"}"#).await;
    system.clock.advance(MINUTE * 5);
    let _ = lines.take();
    assert_eq!(browser.sign_in(Person::admin_agent(TENANT), "").await.status, 503);
    assert_eq!(reasons(&lines), ["application-refused"]);
}

#[tokio::test]
async fn sealing_keys_are_changed_without_breaking_a_sign_in_that_is_under_way() {
    let system = ByHand::start().await;
    let mut browser = Browser::new(&system);
    let begun = browser.get("/sign-in").await;
    let back = browser.at_entra_id(&begun.location, Person::admin_agent(TENANT)).await;
    let secrets = aws_sdk_secretsmanager::Client::new(&system.test.system.parts().aws);
    let read = secrets.get_secret_value().secret_id("partner-alerts/sign-in/sealing").send().await.unwrap();
    let mut keys: serde_json::Value = serde_json::from_str(read.secret_string().unwrap()).unwrap();
    keys["keys"]["second"] = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=".into();
    keys["current"] = "second".into();
    write(&system, "partner-alerts/sign-in/sealing", &keys.to_string()).await;
    system.clock.advance(MINUTE * 5);
    assert_eq!(browser.get(back.as_str()).await.status, 303);
    browser.get("/sign-in").await;
    assert!(browser.cookies["__Host-sign-in"].starts_with("second."));
}
