//! Access tokens over the network: keys of the stand-in for Entra ID, and what strangers make us ask of it.

use identity::{Caller, How, Kind, NoCaller};
use jiff::SignedDuration;
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, Person, Target};
use tests::{ByHand, CLIENT_ID, TENANT};

async fn said(authorize: &authorize::Deployed, token: &str) -> Result<Caller, NoCaller> {
    let event = json!({
        "version": "2.0", "headers": { "authorization": format!("Bearer {token}") },
        "requestContext": { "http": { "method": "POST" } },
    });
    let answer = authorize.answer(&event.to_string()).await;
    Caller::from_context(answer.context.iter().map(|(name, value)| (name.as_str(), value)))
}

fn claims(system: &ByHand) -> Value {
    let issuer = format!("{}/{TENANT}/v2.0", system.microsoft.microsoft_url());
    let now = system.now().as_second();
    json!({ "aud": CLIENT_ID, "iss": issuer, "iat": now, "nbf": now, "exp": now + 3_600, "oid": "77777777-1111-4222-8333-444444444444",
        "tid": TENANT, "ver": "2.0", "idtyp": "app", "roles": ["AdminAgent"] })
}

#[tokio::test]
async fn a_person_and_a_program_are_let_in_by_tokens_that_the_published_keys_have_signed() {
    let system = ByHand::start().await;
    let authorize = authorize::wire(&system.parts).unwrap();
    let person = system.microsoft.access_token(TENANT, &Person::global_administrator(TENANT)).unwrap();
    let found = said(&authorize, &person).await.unwrap();
    assert_eq!((found.how(), found.kind()), (How::Bearer, Kind::Person));
    assert!(found.access().may(identity::Permission::Cancel, &system.tenant));
    let program = system.microsoft.sign_token(json!({ "alg": "RS256" }), &claims(&system)).unwrap();
    assert_eq!(said(&authorize, &program).await.unwrap().kind(), Kind::Application);
    // Another header decides nothing, and an id token is not for this.
    let pointing = json!({ "alg": "RS256", "jku": "https://evil.example/keys", "x5u": "https://evil.example/c" });
    assert!(said(&authorize, &system.microsoft.sign_token(pointing, &claims(&system)).unwrap()).await.is_ok());
    let mut id_token = claims(&system);
    id_token["nonce"] = "n".into();
    let id_token = system.microsoft.sign_token(json!({ "alg": "RS256" }), &id_token).unwrap();
    assert_eq!(said(&authorize, &id_token).await, Err(NoCaller::Invalid));
    assert_eq!(system.microsoft.requests().keys, 1);
    system.clock.advance(SignedDuration::from_secs(3_599 + 60));
    assert_eq!(said(&authorize, &person).await, Err(NoCaller::Expired));
}

#[tokio::test]
async fn a_strangers_flood_makes_one_request_a_minute() {
    let system = ByHand::start().await;
    let authorize = authorize::wire(&system.parts).unwrap();
    let good = system.microsoft.access_token(TENANT, &Person::admin_agent(TENANT)).unwrap();
    said(&authorize, &good).await.unwrap();
    for second in 0..300 {
        let header = json!({ "alg": "RS256", "kid": format!("stranger-{second}") });
        let token = system.microsoft.sign_token(header, &claims(&system)).unwrap();
        assert_eq!(said(&authorize, &token).await, Err(NoCaller::Invalid));
        system.clock.advance(SignedDuration::from_secs(1));
    }
    assert_eq!(system.microsoft.requests().keys, 1 + 4);
    said(&authorize, &good).await.unwrap();
}

#[tokio::test]
async fn a_new_key_is_found_and_while_keys_can_not_be_had_nobody_is_let_in_or_called_anonymous() {
    let system = ByHand::start().await;
    let authorize = authorize::wire(&system.parts).unwrap();
    let token = || system.microsoft.access_token(TENANT, &Person::admin_agent(TENANT)).unwrap();
    for kind in [FaultKind::Fail { status: 503 }, FaultKind::Truncated, FaultKind::HangUp] {
        system.microsoft.set_fault(Fault::new(Target::Keys, kind).times(1)).unwrap();
        assert_eq!(said(&authorize, &token()).await, Err(NoCaller::Unavailable), "{kind:?}");
        system.clock.advance(SignedDuration::from_secs(5));
    }
    assert!(said(&authorize, &token()).await.is_ok());
    system.microsoft.rotate_token_keys(false).unwrap();
    assert_eq!(said(&authorize, &token()).await, Err(NoCaller::Invalid), "not looked for yet");
    system.clock.advance(SignedDuration::from_secs(60));
    assert!(said(&authorize, &token()).await.is_ok());
}
