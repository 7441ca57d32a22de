//! Each kind of token that is not accepted, with the reason that it must have: a good one, spoilt in one place.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use identity::{Kind, LEEWAY, MOST_TOKEN_BYTES, Permission, Refusal, RoleMap};
use jiff::SignedDuration;
use ring::hmac;
use serde_json::{Value, json};

use crate::support::{
    APPLICATION, CLIENT, LOGIN, OTHER_TENANT, PERSON, STRANGER_TENANT, SigningKey, TENANT, application_claims, claims,
    header, judged, now, tenant,
};

fn with(mut value: Value, change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> Value {
    change(value.as_object_mut().unwrap());
    value
}

fn set(value: Value, name: &str, to: Value) -> Value {
    with(value, |map| drop(map.insert(name.to_owned(), to)))
}

fn without(value: Value, name: &str) -> Value {
    with(value, |map| drop(map.remove(name)))
}

fn signed(claims: &Value) -> String {
    SigningKey::issuers().sign(&header(), claims)
}

fn headed(header: &Value) -> String {
    SigningKey::issuers().sign(header, &claims())
}

/// The same claims, signed with the issuer's *public* key as if it were a shared secret.
fn symmetric() -> String {
    let signed = [&set(header(), "alg", json!("HS256")), &claims()]
        .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()))
        .join(".");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &SigningKey::issuers().modulus());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes())))
}

fn unsigned(algorithm: &str) -> String {
    let header = set(header(), "alg", json!(algorithm));
    let signed = [&header, &claims()].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    format!("{signed}.")
}

/// A token by another key, which it brings along or points to.
fn self_made(name: &str, value: Value) -> String {
    SigningKey::others().sign(&set(header(), name, value), &claims())
}

#[tokio::test]
async fn every_token_that_is_spoilt_in_one_place_is_refused_for_that_reason() {
    let others = SigningKey::others();
    let good = signed(&claims());
    let (head, signature) = good.rsplit_once('.').unwrap();
    let later = now().as_second() + 3_600;
    let rows: Vec<(&str, String, Refusal)> = vec![
        ("alg none", unsigned("none"), Refusal::Algorithm),
        ("alg nOnE", unsigned("nOnE"), Refusal::Algorithm),
        ("HS256 with the public key", symmetric(), Refusal::Algorithm),
        ("RS512 on our list of none", headed(&set(header(), "alg", json!("RS512"))), Refusal::Algorithm),
        ("PS256", headed(&set(header(), "alg", json!("PS256"))), Refusal::Algorithm),
        ("ES256", headed(&set(header(), "alg", json!("ES256"))), Refusal::Algorithm),
        ("no alg", headed(&without(header(), "alg")), Refusal::Malformed),
        ("RS256 by another key", others.sign(&header(), &claims()), Refusal::Signature),
        ("its own key in jwk", self_made("jwk", others.published("issuer-1")), Refusal::Signature),
        ("its own key at jku", self_made("jku", json!("https://evil.example/keys")), Refusal::Signature),
        ("its own certificate at x5u", self_made("x5u", json!("https://evil.example/c.pem")), Refusal::Signature),
        ("its own certificate in x5c", self_made("x5c", json!(["MIIB"])), Refusal::Signature),
        ("a key that nobody publishes", headed(&set(header(), "kid", json!("issuer-2"))), Refusal::KeyUnknown),
        ("no kid", headed(&without(header(), "kid")), Refusal::KeyUnknown),
        ("an empty kid", headed(&set(header(), "kid", json!(""))), Refusal::KeyUnknown),
        ("a kid that is a path", headed(&set(header(), "kid", json!("../../dev/null"))), Refusal::KeyUnknown),
        ("something critical", headed(&set(header(), "crit", json!(["exp"]))), Refusal::Header),
        ("a token in a token", headed(&set(header(), "cty", json!("JWT"))), Refusal::Header),
        ("another type", headed(&set(header(), "typ", json!("logout+jwt"))), Refusal::Header),
        ("compressed", headed(&set(header(), "zip", json!("DEF"))), Refusal::Header),
        (
            "a name twice in the header",
            SigningKey::issuers()
                .sign_text(r#"{"typ":"JWT","alg":"RS256","alg":"RS256","kid":"issuer-1"}"#, &claims().to_string()),
            Refusal::Malformed,
        ),
        (
            "a name twice in the claims",
            SigningKey::issuers()
                .sign_text(&header().to_string(), &claims().to_string().replace("\"ver\"", "\"ver\":\"2.0\",\"ver\"")),
            Refusal::Malformed,
        ),
        ("wrong aud", signed(&set(claims(), "aud", json!("00000003-0000-0000-c000-000000000000"))), Refusal::Audience),
        ("aud as our address", signed(&set(claims(), "aud", json!(format!("api://{APPLICATION}")))), Refusal::Audience),
        ("aud among others", signed(&set(claims(), "aud", json!([APPLICATION, "other"]))), Refusal::Audience),
        ("no aud", signed(&without(claims(), "aud")), Refusal::Audience),
        (
            "iss of a stranger",
            signed(&set(claims(), "iss", json!(format!("{LOGIN}/{STRANGER_TENANT}/v2.0")))),
            Refusal::Issuer,
        ),
        (
            "iss elsewhere",
            signed(&set(claims(), "iss", json!(format!("https://evil.example/{TENANT}/v2.0")))),
            Refusal::Issuer,
        ),
        (
            "iss with a slash more",
            signed(&set(claims(), "iss", json!(format!("{LOGIN}/{TENANT}/v2.0/")))),
            Refusal::Issuer,
        ),
        ("iss of all tenants", signed(&set(claims(), "iss", json!(format!("{LOGIN}/common/v2.0")))), Refusal::Issuer),
        (
            "v1 issuer",
            signed(&set(claims(), "iss", json!(format!("https://sts.windows.net/{TENANT}/")))),
            Refusal::Issuer,
        ),
        ("no iss", signed(&without(claims(), "iss")), Refusal::Malformed),
        ("version 1.0", signed(&set(claims(), "ver", json!("1.0"))), Refusal::Version),
        ("no version", signed(&without(claims(), "ver")), Refusal::Version),
        ("tid of another allowed tenant", signed(&set(claims(), "tid", json!(OTHER_TENANT))), Refusal::Tenant),
        ("no tid", signed(&without(claims(), "tid")), Refusal::Tenant),
        ("no exp", signed(&without(claims(), "exp")), Refusal::WithoutExpiry),
        ("exp as text", signed(&set(claims(), "exp", json!(later.to_string()))), Refusal::Malformed),
        ("exp over by a minute", signed(&set(claims(), "exp", json!(now().as_second() - 60))), Refusal::Expired),
        ("nbf in 61 seconds", signed(&set(claims(), "nbf", json!(now().as_second() + 61))), Refusal::NotYetValid),
        ("id token", signed(&set(without(claims(), "scp"), "nonce", json!("n"))), Refusal::NotForAccess),
        ("id token with a scope", signed(&set(claims(), "nonce", json!("n"))), Refusal::NotForAccess),
        ("another scope", signed(&set(claims(), "scp", json!("access_as_user_x"))), Refusal::NotForAccess),
        ("a program without roles", signed(&without(application_claims(), "roles")), Refusal::NotForAccess),
        ("a program that says nothing of it", signed(&without(application_claims(), "idtyp")), Refusal::NotForAccess),
        ("of a program that somebody was talked into", signed(&set(claims(), "azp", json!(PERSON))), Refusal::Client),
        ("of no program", signed(&without(claims(), "azp")), Refusal::Client),
        (
            "of a program by version 1.0's name",
            signed(&set(without(claims(), "azp"), "appid", json!(CLIENT))),
            Refusal::Client,
        ),
        ("no oid", signed(&without(claims(), "oid")), Refusal::NoSubject),
        ("an oid that is none", signed(&set(claims(), "oid", json!("ada"))), Refusal::NoSubject),
        ("two parts", head.to_owned(), Refusal::Malformed),
        ("four parts", format!("{good}.x"), Refusal::Malformed),
        ("no signature", format!("{head}."), Refusal::Signature),
        ("a signature that is cut", format!("{head}.{}", &signature[..signature.len() - 2]), Refusal::Signature),
        ("padding", format!("{good}="), Refusal::Malformed),
        ("empty", String::new(), Refusal::Malformed),
        ("encrypted", "a.b.c.d.e".to_owned(), Refusal::Malformed),
        ("larger than we read", signed(&set(claims(), "x", json!("x".repeat(MOST_TOKEN_BYTES)))), Refusal::TooLarge),
    ];
    for (what, token, reason) in rows {
        assert_eq!(judged(&token, now()).await, Err(reason.to_string()), "{what}");
    }
}

#[tokio::test]
async fn a_good_token_says_who_it_is_about_and_nothing_of_groups() {
    let with_groups = with(claims(), |map| {
        map.insert("groups".to_owned(), json!(["AdminAgent", "GlobalAdministrator"]));
        map.insert("hasgroups".to_owned(), json!(true));
        map.insert("_claim_names".to_owned(), json!({ "groups": "src1", "roles": "src1", "wids": "src1" }));
        map.insert("_claim_sources".to_owned(), json!({ "src1": { "endpoint": "https://evil.example/roles" } }));
    });
    for token in [signed(&claims()), signed(&with_groups)] {
        let claims = judged(&token, now()).await.unwrap();
        assert_eq!((claims.kind(), claims.name()), (Kind::Person, "ada@contoso.example"));
        assert_eq!(claims.roles().iter().map(String::as_str).collect::<Vec<_>>(), ["AdminAgent"]);
    }
    // Only groups: no roles, and so nothing to do.
    let nobody = judged(&signed(&without(with_groups, "roles")), now()).await.unwrap();
    assert!(RoleMap::read(None, 1).unwrap().access(&nobody).is_none());
}

#[tokio::test]
async fn an_allowed_tenants_token_counts_there_and_a_program_acts_for_itself() {
    let other = set(set(claims(), "tid", json!(OTHER_TENANT)), "iss", json!(format!("{LOGIN}/{OTHER_TENANT}/v2.0")));
    let mut key = SigningKey::issuers().published("issuer-1");
    key.as_object_mut().unwrap().remove("issuer");
    let published = crate::support::Published::now(&[key]);
    let found = crate::support::tokens(&published).verify(&signed(&other), now()).await.unwrap();
    assert_eq!(found.tid(), &tenant(OTHER_TENANT));
    let program = judged(&signed(&application_claims()), now()).await.unwrap();
    assert_eq!(program.kind(), Kind::Application);
    let access = RoleMap::read(None, 1).unwrap().access(&program);
    assert!(access.may(Permission::Resolve, &tenant(TENANT)));
}

#[tokio::test]
async fn a_person_may_use_an_allowed_program_and_a_program_for_itself_needs_no_list() {
    for claims in [set(claims(), "azp", json!(CLIENT)), set(application_claims(), "azp", json!(PERSON))] {
        assert!(judged(&signed(&claims), now()).await.is_ok(), "{claims}");
    }
}

#[tokio::test]
async fn a_token_holds_from_its_beginning_to_its_end_and_a_minute_more() {
    let token = signed(&claims());
    let end = now() + SignedDuration::from_secs(3_600);
    let second = SignedDuration::from_secs(1);
    for (at, outcome) in [
        (now() - LEEWAY - second, Some(Refusal::NotYetValid)),
        (now() - LEEWAY, None),
        (end + LEEWAY - second, None),
        (end + LEEWAY, Some(Refusal::Expired)),
    ] {
        let refusal = judged(&token, at).await.err();
        assert_eq!(refusal, outcome.map(|refusal| refusal.to_string()), "{at}");
    }
}

#[tokio::test]
async fn a_forged_token_is_never_called_expired() {
    let stale = set(claims(), "exp", json!(0));
    for (claims, reason) in [(stale.clone(), Refusal::Expired), (set(stale, "aud", json!("other")), Refusal::Audience)]
    {
        assert_eq!(judged(&signed(&claims), now()).await, Err(reason.to_string()));
    }
    let forged = SigningKey::others().sign(&header(), &set(claims(), "exp", json!(0)));
    assert_eq!(judged(&forged, now()).await, Err(Refusal::Signature.to_string()));
}

#[test]
fn every_reason_is_in_the_modules_table() {
    let table = include_str!("../../src/token.rs");
    for refusal in Refusal::ALL {
        assert!(table.contains(&format!("`{refusal}`")), "{refusal}");
    }
}
