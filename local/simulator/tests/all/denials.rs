//! What a person has to mend, on demand: Entra ID's and Partner Center's refusals, and their other faults.

use serde_json::{Value, json};
use simulator::{Denial, Fault, FaultError, FaultKind, Person, RetryAfter, Target};

use crate::support::{FIRST, REGISTRATION, SECOND, World, assert_shape, credentials, json};

const EVENTS: &str = "/webhooks/v1/registration/events";

/// From now on this goes wrong, and nothing else.
fn set(world: &World, target: Target, kind: FaultKind) {
    world.simulator.clear_faults();
    world.simulator.set_fault(Fault::new(target, kind)).unwrap();
}

/// What Partner Center says to the application when asked for its events.
async fn events(world: &World) -> (u16, Value) {
    let token = world.partner_token(FIRST).await;
    let answer = world.partner("GET", EVENTS, &token, None).await;
    (answer.status().as_u16(), json(answer).await)
}

async fn token_body(world: &World, tenant: &str) -> Value {
    let scope = "https://graph.microsoft.com/.default";
    json(world.ask_for_token(tenant, &credentials(tenant, scope)).await).await
}

#[tokio::test]
async fn the_token_endpoint_denies_with_microsofts_words_and_numbers() {
    let world = World::start().await;
    for (denial, error, number, suberror) in [
        (Denial::ApplicationUnknown, "unauthorized_client", 700_016, Value::Null),
        (Denial::ConditionalAccess, "invalid_grant", 53003, json!("message_only")),
        (Denial::ConsentMissing, "invalid_grant", 65001, json!("consent_required")),
        (Denial::GrantRevoked, "invalid_grant", 50173, json!("bad_token")),
        (Denial::WrongCloud, "invalid_request", 900_382, Value::Null),
    ] {
        set(&world, Target::Token, FaultKind::Denied(denial));
        let mut body = token_body(&world, FIRST).await;
        assert_eq!((&body["error"], &body["error_codes"]), (&json!(error), &json!([number])), "{denial:?}");
        assert_eq!(body["suberror"], suberror, "{denial:?}");
        body["suberror"] = "any".into();
        assert_shape(&body, "entra-error.json");
    }
}

#[tokio::test]
async fn a_device_code_is_denied_where_the_tenant_lives_in_another_cloud() {
    let world = World::start().await;
    set(&world, Target::DeviceCode, FaultKind::Denied(Denial::WrongCloud));
    let url = format!("{}/{FIRST}/oauth2/v2.0/devicecode", world.simulator.microsoft_url());
    let answer = world.client.post(url).form(&[("client_id", "x"), ("scope", "openid")]).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &json(answer).await["error_codes"]), (400, &json!([90038])));
}

#[tokio::test]
async fn partner_center_denies_with_its_numbers() {
    let world = World::start().await;
    for (kind, status, code) in [
        (FaultKind::MissingMfa, 401, "900421"),
        (FaultKind::Denied(Denial::AppOnly), 403, "900329"),
        (FaultKind::Denied(Denial::ApplicationUnregistered), 403, "900308"),
        (FaultKind::Denied(Denial::ConditionalAccess), 403, "900309"),
        (FaultKind::Denied(Denial::RoleMissing), 403, "900150"),
        (FaultKind::Denied(Denial::WrongAudience), 401, "900420"),
    ] {
        set(&world, Target::RegistrationEvents, kind);
        let (answered, body) = events(&world).await;
        assert_eq!((answered, &body["code"]), (status, &json!(code)), "{kind:?}");
        assert_shape(&body, "partner-center-error.json");
    }
}

#[tokio::test]
async fn a_resource_that_takes_no_application_takes_people() {
    let world = World::start().await;
    set(&world, Target::RegistrationEvents, FaultKind::Denied(Denial::AppOnly));
    let token = world.token_of(Person::admin_agent(FIRST), &world.simulator.partner_center_url()).await;
    assert_eq!(world.partner("GET", EVENTS, &token, None).await.status(), 200);
}

#[tokio::test]
async fn one_tenants_trouble_touches_no_other() {
    let world = World::start().await;
    let denied = FaultKind::Denied(Denial::ConditionalAccess);
    for target in [Target::Token, Target::RegistrationEvents] {
        world.simulator.set_fault(Fault::new(target, denied).of(SECOND)).unwrap();
    }
    assert_eq!(events(&world).await.0, 200);
    assert_eq!(token_body(&world, SECOND).await["error_codes"], json!([53003]));

    world.simulator.clear_faults();
    let token = world.partner_token(SECOND).await;
    world.simulator.set_fault(Fault::new(Target::RegistrationEvents, denied).of(SECOND)).unwrap();
    assert_eq!(events(&world).await.0, 200);
    assert_eq!(world.partner("GET", EVENTS, &token, None).await.status(), 403);
}

#[tokio::test]
async fn a_throttled_partner_center_has_a_body_of_its_own_and_every_form_of_coming_back() {
    let world = World::start().await;
    for (retry_after, header) in [
        (RetryAfter::Seconds(57), Some("57")),
        (RetryAfter::Date(60), Some("Mon, 02 Mar 2026 05:41:00 GMT")),
        (RetryAfter::Garbage, Some("in a little while")),
        (RetryAfter::Absent, None),
    ] {
        set(&world, Target::RegistrationEvents, FaultKind::Throttle { retry_after });
        let token = world.partner_token(FIRST).await;
        let answer = world.partner("GET", EVENTS, &token, None).await;
        assert_eq!(answer.status(), 429);
        assert_eq!(answer.headers().get("retry-after").map(|value| value.to_str().unwrap()), header);
        let body = json(answer).await;
        assert_shape(&body, "partner-center-throttled.json");
        assert_eq!(body["message"].as_str().unwrap().contains("57 seconds"), header == Some("57"));
    }
}

#[tokio::test]
async fn a_token_that_partner_center_calls_expired_is_worth_nothing_from_then_on() {
    let world = World::start().await;
    world.simulator.set_fault(Fault::new(Target::RegistrationGet, FaultKind::ExpiredToken).times(1)).unwrap();
    let token = world.partner_token(FIRST).await;
    for _ in 0..2 {
        assert_eq!(world.partner("GET", REGISTRATION, &token, None).await.status(), 401);
    }
    assert_eq!(events(&world).await.0, 200, "a new one is good");
}

#[tokio::test]
async fn partner_center_can_fail_and_be_cut_short() {
    let world = World::start().await;
    set(&world, Target::RegistrationEvents, FaultKind::Fail { status: 502 });
    let token = world.partner_token(FIRST).await;
    let ask = || world.partner("GET", EVENTS, &token, None);
    assert_eq!(ask().await.status(), 502);

    world.simulator.clear_faults();
    world.simulator.set_fault(Fault::new(Target::RegistrationEvents, FaultKind::Truncated).times(1)).unwrap();
    let text = ask().await.text().await.unwrap();
    assert!(text.starts_with('[') && serde_json::from_str::<Value>(&text).is_err(), "{text}");

    world.simulator.set_fault(Fault::new(Target::RegistrationEvents, FaultKind::Reset).times(1)).unwrap();
    assert!(ask().await.bytes().await.is_err());
}

#[tokio::test]
async fn the_control_side_sets_denials_for_a_tenant() {
    let world = World::start().await;
    let body =
        r#"{"target":"registrationEvents","kind":"roleMissing","tenant":"9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10"}"#;
    assert_eq!(world.control("POST", "/faults", body).await.status(), 204);
    assert_eq!(events(&world).await.1["code"], "900150");
    let body = r#"{"target":"testEvent","kind":"throttle","retryAfter":{"date":30}}"#;
    assert_eq!(world.control("POST", "/faults", body).await.status(), 204);
    let token = world.partner_token(SECOND).await;
    let answer = world.partner("POST", "/webhooks/v1/registration/validationEvents", &token, None).await;
    assert_eq!(answer.headers()["retry-after"], "Mon, 02 Mar 2026 05:40:30 GMT");
}

#[tokio::test]
async fn denials_are_had_where_they_happen_only() {
    let world = World::start().await;
    for (target, denial) in [
        (Target::List, Denial::ConditionalAccess),
        (Target::Token, Denial::RoleMissing),
        (Target::RegistrationGet, Denial::ConsentMissing),
        (Target::Authorize, Denial::GrantRevoked),
        (Target::Certificate, Denial::WrongCloud),
    ] {
        let refused = world.simulator.set_fault(Fault::new(target, FaultKind::Denied(denial)));
        assert!(matches!(refused, Err(FaultError::Misplaced { .. })), "{denial:?} at {target:?}");
    }
    let refused = world.simulator.set_fault(Fault::new(Target::Authorize, FaultKind::Truncated));
    assert!(matches!(refused, Err(FaultError::Misplaced { .. })), "there is nothing to cut");
}
