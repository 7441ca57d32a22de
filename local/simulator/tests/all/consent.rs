//! The two ways to consent: a code typed on another device, and a browser that is sent back to a loopback address.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Response, Url};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use simulator::{MARKER, Person, SignInError};

use crate::support::{ALERTS, FIRST, SECOND, World, credentials, json};

const BACK: &str = "http://127.0.0.1:4711/back?kept=1";
const STATE: &str = "a state/with+signs&more";
const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-in-all";

fn scope(world: &World) -> String {
    format!("{}/.default offline_access", world.simulator.microsoft_url())
}

async fn begin_on_device(world: &World) -> Value {
    let url = format!("{}/{FIRST}/oauth2/v2.0/devicecode", world.simulator.microsoft_url());
    let client = format!("client-of-{FIRST}");
    let form = [("client_id", &*client), ("scope", &scope(world))];
    let answer = world.client.post(url).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    json(answer).await
}

async fn poll(world: &World, begun: &Value) -> Response {
    let mut form = credentials(FIRST, "").to_vec();
    form[0].1 = "urn:ietf:params:oauth:grant-type:device_code";
    form.push(("device_code", begun["device_code"].as_str().unwrap()));
    world.ask_for_token(FIRST, &form).await
}

async fn poll_says(world: &World, begun: &Value, error: &str) {
    let answer = poll(world, begun).await;
    assert_eq!((answer.status().as_u16(), &json(answer).await["error"]), (400, &json!(error)));
}

fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

fn authorize_url(world: &World) -> Url {
    let url = format!("{}/{FIRST}/oauth2/v2.0/authorize", world.simulator.microsoft_url());
    let client = format!("client-of-{FIRST}");
    let query = [
        ("client_id", &*client),
        ("response_type", "code"),
        ("redirect_uri", BACK),
        ("scope", &scope(world)),
        ("state", STATE),
        ("code_challenge", &challenge()),
        ("code_challenge_method", "S256"),
    ];
    Url::parse_with_params(&url, query).unwrap()
}

/// The same with one parameter changed.
fn spoilt(world: &World, name: &str, value: &str) -> Url {
    let mut url = authorize_url(world);
    let pairs: Vec<_> = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    let changed = pairs.iter().map(|(own, old)| (own.as_str(), if own == name { value } else { old.as_str() }));
    url.query_pairs_mut().clear().extend_pairs(changed);
    url
}

/// Where the browser is sent.
async fn sent_back(world: &World, url: Url) -> Url {
    let answer = world.client.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 302);
    answer.headers()["location"].to_str().unwrap().parse().unwrap()
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
}

async fn code(world: &World) -> String {
    world.simulator.approve_next(FIRST, Person::admin_agent(FIRST)).unwrap();
    parameter(&sent_back(world, authorize_url(world)).await, "code").unwrap()
}

async fn redeem(world: &World, code: &str, redirect_uri: &str, verifier: &str) -> Response {
    let mut form = credentials(FIRST, "").to_vec();
    form[0].1 = "authorization_code";
    form.extend([("code", code), ("redirect_uri", redirect_uri), ("code_verifier", verifier)]);
    world.ask_for_token(FIRST, &form).await
}

async fn redeem_says(world: &World, code: &str, redirect_uri: &str, verifier: &str, number: u32) {
    let answer = redeem(world, code, redirect_uri, verifier).await;
    assert_eq!(answer.status(), 400);
    let body = json(answer).await;
    assert_eq!((&body["error"], &body["error_codes"]), (&json!("invalid_grant"), &json!([number])));
}

#[tokio::test]
async fn a_device_gets_tokens_once_its_person_has_approved() {
    let world = World::start().await;
    let begun = begin_on_device(&world).await;
    assert_eq!((&begun["expires_in"], &begun["interval"]), (&json!(900), &json!(5)));
    let user_code = begun["user_code"].as_str().unwrap();
    assert!(begun["message"].as_str().unwrap().contains(user_code));
    poll_says(&world, &begun, "authorization_pending").await;

    let pending = json(world.control("GET", "/sign-ins", "").await).await;
    assert_eq!(pending, json!([{ "scope": scope(&world), "tenant": FIRST, "userCode": user_code }]));
    assert_eq!(world.control("POST", "/sign-ins", r#"{"decision":"approve"}"#).await.status(), 204);

    let body = json(poll(&world, &begun).await).await;
    assert_eq!(world.get(ALERTS, body["access_token"].as_str().unwrap()).await.status(), 200);
    let refreshed = world.redeem(body["refresh_token"].as_str().unwrap(), "https://graph.microsoft.com/.default").await;
    assert_eq!(refreshed.status(), 200);
    poll_says(&world, &begun, "bad_verification_code").await;
    assert_eq!(world.simulator.pending_sign_ins(), []);
    assert_eq!(world.simulator.requests().device_code, 1);
}

#[tokio::test]
async fn a_device_that_asks_too_often_is_slowed_down_and_longer_each_time() {
    let world = World::start().await;
    let begun = begin_on_device(&world).await;
    poll_says(&world, &begun, "authorization_pending").await;
    world.advance(4);
    poll_says(&world, &begun, "slow_down").await;
    world.advance(9);
    poll_says(&world, &begun, "slow_down").await;
    world.advance(15);
    poll_says(&world, &begun, "authorization_pending").await;
}

#[tokio::test]
async fn a_device_learns_that_its_person_declined() {
    let world = World::start().await;
    let begun = begin_on_device(&world).await;
    assert_eq!(world.control("POST", "/sign-ins", r#"{"decision":"deny"}"#).await.status(), 204);
    poll_says(&world, &begun, "authorization_declined").await;
}

#[tokio::test]
async fn a_device_code_ends_after_a_quarter_of_an_hour() {
    let world = World::start().await;
    let begun = begin_on_device(&world).await;
    world.advance(899);
    poll_says(&world, &begun, "authorization_pending").await;
    world.advance(1);
    poll_says(&world, &begun, "expired_token").await;
    let late = world.simulator.approve(FIRST, None, Person::admin_agent(FIRST));
    assert!(matches!(late, Err(SignInError::NonePending(tenant)) if tenant == FIRST));
}

#[tokio::test]
async fn a_decision_is_for_the_sign_in_that_it_names() {
    let world = World::start().await;
    let (first, second) = (begin_on_device(&world).await, begin_on_device(&world).await);
    let person = Person { mfa: false, ..Person::admin_agent(FIRST) };
    world.simulator.approve(FIRST, second["user_code"].as_str(), person).unwrap();
    poll_says(&world, &first, "authorization_pending").await;
    let body = json(poll(&world, &second).await).await;
    let answer = world.get(ALERTS, body["access_token"].as_str().unwrap()).await;
    assert_eq!(answer.status(), 403, "who signed in had one factor");

    assert!(world.simulator.deny(FIRST, Some("WRONGCODE")).is_err());
    assert!(matches!(world.simulator.deny(SECOND, None), Err(SignInError::NonePending(_))));
    assert!(matches!(world.simulator.deny("contoso", None), Err(SignInError::UnknownTenant(_))));
    let body = r#"{"decision":"deny","tenant":"5d0e8b1a-7c43-4f92-b6a8-1e2f3c4d5b6a"}"#;
    assert_eq!(world.control("POST", "/sign-ins", body).await.status(), 409);
}

#[tokio::test]
async fn without_offline_access_there_is_nothing_to_go_on_with() {
    let world = World::start().await;
    world.simulator.approve_next(FIRST, Person::admin_agent(FIRST)).unwrap();
    let url = spoilt(&world, "scope", "https://graph.microsoft.com/.default");
    let code = parameter(&sent_back(&world, url).await, "code").unwrap();
    let body = json(redeem(&world, &code, BACK, VERIFIER).await).await;
    assert!(body["access_token"].is_string() && body.get("refresh_token").is_none());
}

#[tokio::test]
async fn a_browser_waits_for_its_person_and_comes_back_with_code_and_state() {
    let world = World::start().await;
    let waiting = tokio::spawn(world.client.get(authorize_url(&world)).send());
    let pending = world.simulator.sign_in_begun(FIRST).await;
    assert_eq!((pending.scope, pending.user_code), (scope(&world), None));
    assert!(!waiting.is_finished());

    world.simulator.approve(FIRST, None, Person::admin_agent(FIRST)).unwrap();

    let answer = waiting.await.unwrap().unwrap();
    let back: Url = answer.headers()["location"].to_str().unwrap().parse().unwrap();
    assert!(back.as_str().starts_with("http://127.0.0.1:4711/back?kept=1&code="), "{back}");
    assert_eq!(parameter(&back, "state").as_deref(), Some(STATE));
    let body = json(redeem(&world, &parameter(&back, "code").unwrap(), BACK, VERIFIER).await).await;
    assert_eq!(world.get(ALERTS, body["access_token"].as_str().unwrap()).await.status(), 200);
    assert!(body["refresh_token"].is_string());
    assert!(body.get("id_token").is_none(), "nobody asked for it");
}

#[tokio::test]
async fn with_openid_the_application_is_told_who_signed_in() {
    let world = World::start().await;
    let mut url = spoilt(&world, "scope", &format!("{} openid profile", scope(&world)));
    url.query_pairs_mut().append_pair("nonce", "once");
    world.simulator.approve_next(FIRST, Person::admin_agent(FIRST)).unwrap();
    let code = parameter(&sent_back(&world, url).await, "code").unwrap();
    let body = json(redeem(&world, &code, BACK, VERIFIER).await).await;
    let claims = body["id_token"].as_str().unwrap().split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    let expected = [&json!(format!("client-of-{FIRST}")), &json!(FIRST), &json!("once")];
    assert_eq!([&claims["aud"], &claims["tid"], &claims["nonce"]], expected);
    assert_eq!(claims["preferred_username"], json!(Person::admin_agent(FIRST).name));
}

#[tokio::test]
async fn a_browser_brings_back_a_refusal() {
    let world = World::start().await;
    assert_eq!(world.control("POST", "/sign-ins", r#"{"decision":"deny","ahead":true}"#).await.status(), 204);
    let back = sent_back(&world, authorize_url(&world)).await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!((parameter(&back, "code"), parameter(&back, "state").as_deref()), (None, Some(STATE)));
}

/// What tests print is searched for it.
#[tokio::test]
async fn every_secret_that_is_given_out_has_the_mark() {
    let world = World::start().await;
    let device = begin_on_device(&world).await["device_code"].clone();
    let code = code(&world).await;
    let tokens = json(redeem(&world, &code, BACK, VERIFIER).await).await;
    let more = world.simulator.refresh_token(FIRST).unwrap();
    let given = [&device, &tokens["access_token"], &tokens["refresh_token"]].map(|secret| secret.as_str().unwrap());
    for secret in given.into_iter().chain([&*code, &*more]) {
        assert!(secret.contains(MARKER), "{secret}");
        assert!(secret.len() >= MARKER.len() + 44, "as hard to guess as without it: {secret}");
    }
}

#[tokio::test]
async fn a_code_is_good_once() {
    let world = World::start().await;
    let code = code(&world).await;
    assert_eq!(redeem(&world, &code, BACK, VERIFIER).await.status(), 200);
    redeem_says(&world, &code, BACK, VERIFIER, 54005).await;
}

#[tokio::test]
async fn a_code_is_good_for_ten_minutes() {
    let world = World::start().await;
    let (early, late) = (code(&world).await, code(&world).await);
    world.advance(599);
    assert_eq!(redeem(&world, &early, BACK, VERIFIER).await.status(), 200);
    world.advance(1);
    redeem_says(&world, &late, BACK, VERIFIER, 70008).await;
}

#[tokio::test]
async fn a_code_is_good_for_who_asked_for_it_only() {
    let world = World::start().await;
    redeem_says(&world, &code(&world).await, BACK, "another-verifier-of-forty-three-characters-", 501_481).await;
    redeem_says(&world, &code(&world).await, BACK, "", 501_481).await;
    redeem_says(&world, &code(&world).await, "http://127.0.0.1:4711/back", VERIFIER, 500_112).await;
    redeem_says(&world, "made-up", BACK, VERIFIER, 70000).await;
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_the_applications() {
    let world = World::start().await;
    // For a request that is let through by mistake: it would wait for a decision.
    world.simulator.deny_next(FIRST).unwrap();
    for (name, value) in [
        ("redirect_uri", "https://127.0.0.1.evil.example/back"),
        ("redirect_uri", "http://127.0.0.1@evil.example/back"),
        ("redirect_uri", "http://evil.example/back"),
        ("redirect_uri", "back"),
        ("client_id", "another"),
    ] {
        let answer = world.client.get(spoilt(&world, name, value)).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{value}");
        assert!(!answer.headers().contains_key("location"), "{value}");
    }
    for good in ["http://localhost:1/", "http://[::1]:1/"] {
        world.simulator.deny_next(FIRST).unwrap();
        assert!(sent_back(&world, spoilt(&world, "redirect_uri", good)).await.as_str().starts_with(good));
    }
}

#[tokio::test]
async fn a_request_without_a_proof_key_comes_back_before_its_person_decides() {
    let world = World::start().await;
    world.simulator.deny_next(FIRST).unwrap();
    for (name, value, error) in [
        ("code_challenge", "", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("scope", "", "invalid_request"),
        ("response_type", "token", "unsupported_response_type"),
    ] {
        let back = sent_back(&world, spoilt(&world, name, value)).await;
        assert_eq!(parameter(&back, "error").as_deref(), Some(error), "{name}");
        assert_eq!(parameter(&back, "state").as_deref(), Some(STATE));
    }
    let back = sent_back(&world, authorize_url(&world)).await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"), "the decision was not used up");
}

#[tokio::test]
async fn a_browser_that_is_closed_takes_its_sign_in_along() {
    let world = World::start().await;
    let waiting = tokio::spawn(world.client.get(authorize_url(&world)).send());
    world.simulator.sign_in_begun(FIRST).await;
    waiting.abort();
    let gone = async {
        while !world.simulator.pending_sign_ins().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), gone).await.expect("nobody waits any more");
}
