//! What tokens can make us fetch, and how long keys are believed.

use std::sync::atomic::Ordering;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use identity::{KeyFetchError, NotVerified, Refusal};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{KEY_ID, Published, SigningKey, claims, header, now, tokens};

fn named(kid: &str) -> String {
    SigningKey::issuers().sign(&json!({ "alg": "RS256", "kid": kid }), &claims_that_last())
}

/// A day long, so that only the keys' age decides.
fn claims_that_last() -> Value {
    let mut claims = claims();
    claims["exp"] = json!(now().as_second() + 90_000);
    claims
}

fn reason<T: std::fmt::Debug>(outcome: Result<T, NotVerified>) -> String {
    match outcome.unwrap_err() {
        NotVerified::Refused(refusal) => refusal.to_string(),
        NotVerified::Undecided(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_strangers_flood_of_key_names_costs_one_fetch_a_minute() {
    let published = Published::now(&[SigningKey::issuers().published(KEY_ID)]);
    let tokens = tokens(&published);
    tokens.verify(&named(KEY_ID), now()).await.unwrap();
    assert_eq!(published.fetches(), 1);
    // Ten minutes of ten a second. The first fetch was a moment ago, so nothing is due in the first minute.
    for second in 0..600 {
        let at = now() + SignedDuration::from_secs(second);
        let token =
            SigningKey::others().sign(&json!({ "alg": "RS256", "kid": format!("stranger-{second}") }), &claims());
        assert_eq!(reason(tokens.verify(&token, at).await), Refusal::KeyUnknown.to_string());
    }
    assert_eq!(published.fetches(), 1 + 9);
    // And nobody else is worse off.
    tokens.verify(&named(KEY_ID), now() + SignedDuration::from_secs(600)).await.unwrap();
    assert_eq!(published.fetches(), 1 + 9);
}

#[tokio::test]
async fn what_can_not_be_ours_whatever_the_key_costs_no_fetch() {
    let published = Published::now(&[SigningKey::issuers().published(KEY_ID)]);
    let tokens = tokens(&published);
    let mut foreign = claims();
    foreign["iss"] = json!("https://evil.example/v2.0");
    let mut symmetric = header();
    symmetric["alg"] = json!("HS256");
    let mut critical = header();
    critical["crit"] = json!(["b64"]);
    for (token, expected) in [
        (SigningKey::others().sign(&header(), &foreign), Refusal::Issuer),
        (SigningKey::others().sign(&symmetric, &claims()), Refusal::Algorithm),
        (SigningKey::others().sign(&critical, &claims()), Refusal::Header),
    ] {
        assert_eq!(reason(tokens.verify(&token, now()).await), expected.to_string());
    }
    assert_eq!(published.fetches(), 0);
}

#[tokio::test]
async fn many_tokens_at_once_make_one_fetch() {
    let published = Published::now(&[SigningKey::issuers().published(KEY_ID)]);
    let (tokens, token) = (tokens(&published), named(KEY_ID));
    let all = (0..64).map(|_| tokens.verify(&token, now()));
    for outcome in futures_util::future::join_all(all).await {
        outcome.unwrap();
    }
    assert_eq!(published.fetches(), 1);
}

#[tokio::test]
async fn a_new_key_is_found_a_minute_after_the_last_fetch_and_a_withdrawn_one_ends_with_the_hour() {
    let published = Published::now(&[SigningKey::issuers().published(KEY_ID)]);
    let tokens = tokens(&published);
    tokens.verify(&named(KEY_ID), now()).await.unwrap();
    published.put(&[SigningKey::issuers().published("issuer-2")]);
    let early = tokens.verify(&named("issuer-2"), now() + SignedDuration::from_secs(59)).await;
    assert_eq!(reason(early), Refusal::KeyUnknown.to_string());
    tokens.verify(&named("issuer-2"), now() + SignedDuration::from_secs(60)).await.unwrap();
    let withdrawn = tokens.verify(&named(KEY_ID), now() + SignedDuration::from_secs(120)).await;
    assert_eq!(reason(withdrawn), Refusal::KeyUnknown.to_string());
}

#[tokio::test]
async fn keys_are_fetched_anew_after_an_hour_and_kept_where_that_fails_but_not_for_ever() {
    let published = Published::now(&[SigningKey::issuers().published(KEY_ID)]);
    let tokens = tokens(&published);
    let at = |seconds| now() + SignedDuration::from_secs(seconds);
    tokens.verify(&named(KEY_ID), at(0)).await.unwrap();
    tokens.verify(&named(KEY_ID), at(3_599)).await.unwrap();
    assert_eq!(published.fetches(), 1);
    published.go_away();
    for seconds in [3_600, 3_630, 3_660, 43_199] {
        tokens.verify(&named(KEY_ID), at(seconds)).await.unwrap();
    }
    assert_eq!(published.fetches(), 1 + 3, "one a minute, and half a minute is none");
    let over = tokens.verify(&named(KEY_ID), at(43_200)).await;
    assert!(
        matches!(over, Err(NotVerified::Undecided(KeyFetchError::Awaited | KeyFetchError::NotFetched(_)))),
        "{over:?}"
    );
    published.put(&[SigningKey::issuers().published(KEY_ID)]);
    tokens.verify(&named(KEY_ID), at(43_300)).await.unwrap();
}

#[tokio::test]
async fn without_any_keys_nothing_is_decided_and_they_are_asked_for_every_five_seconds() {
    let published = Published::default();
    let tokens = tokens(&published);
    let at = |seconds| now() + SignedDuration::from_secs(seconds);
    for (seconds, fetches) in [(0, 1), (1, 1), (4, 1), (5, 2), (9, 2)] {
        let outcome = tokens.verify(&named(KEY_ID), at(seconds)).await;
        assert!(matches!(outcome, Err(NotVerified::Undecided(_))), "{outcome:?}");
        assert_eq!(published.fetches.load(Ordering::Relaxed), fetches, "{seconds}");
    }
    published.put(&[SigningKey::issuers().published(KEY_ID)]);
    tokens.verify(&named(KEY_ID), at(10)).await.unwrap();
}

#[tokio::test]
async fn only_sound_keys_for_signatures_of_this_issuer_count() {
    let sound = || SigningKey::issuers().published(KEY_ID);
    let with = |name: &str, value: Value| {
        let mut key = sound();
        key[name] = value;
        key
    };
    let short = URL_SAFE_NO_PAD.encode([&[0x80_u8][..], &[1; 254]].concat());
    for (what, key) in [
        ("for encryption", with("use", json!("enc"))),
        ("of another algorithm", with("alg", json!("RS512"))),
        ("of another kind", with("kty", json!("oct"))),
        ("of a stranger", with("issuer", json!("https://evil.example/v2.0"))),
        ("with exponent 3", with("e", json!("Aw"))),
        ("of 2040 bits", with("n", json!(short))),
        ("no base64", with("n", json!("%"))),
        ("without a name", with("kid", json!(""))),
        ("not even an object", json!(7)),
    ] {
        // The other key is good, so that the set is one.
        let published = Published::now(&[key, SigningKey::others().published("another")]);
        let outcome = tokens(&published).verify(&named(KEY_ID), now()).await;
        assert_eq!(reason(outcome), Refusal::KeyUnknown.to_string(), "{what}");
    }
    let published = Published::now(&[json!(7), json!({ "kty": "EC" }), with("alg", json!("RS256"))]);
    tokens(&published).verify(&named(KEY_ID), now()).await.unwrap();
    let nothing = Published::now(&[json!({ "kty": "EC" })]);
    let outcome = tokens(&nothing).verify(&named(KEY_ID), now()).await;
    assert!(matches!(outcome, Err(NotVerified::Undecided(KeyFetchError::NoKeys))));
}

#[tokio::test]
async fn the_first_key_of_a_name_counts() {
    let published = Published::now(&[SigningKey::issuers().published(KEY_ID), SigningKey::others().published(KEY_ID)]);
    let tokens = tokens(&published);
    tokens.verify(&named(KEY_ID), now()).await.unwrap();
    let other = SigningKey::others().sign(&header(), &claims());
    assert_eq!(reason(tokens.verify(&other, now()).await), Refusal::Signature.to_string());
}

#[tokio::test]
async fn a_key_for_every_tenant_is_one_of_our_own_sign_in_service_word_for_word() {
    for (issuer, usable) in [
        ("https://login.microsoftonline.com/{tenantid}/v2.0", true),
        ("https://evil.example/{tenantid}/v2.0", false),
        ("https://login.microsoftonline.com/{tenantid}/v2.0/", false),
        ("{tenantid}", false),
    ] {
        let mut key = SigningKey::issuers().published(KEY_ID);
        key["issuer"] = json!(issuer);
        let published = Published::now(&[key]);
        assert_eq!(tokens(&published).verify(&named(KEY_ID), now()).await.is_ok(), usable, "{issuer}");
    }
}
