//! What is no credential opens no door.

use serde_json::{Value, json};
use tests::{ByHand, CLIENT_ID, TENANT};

use crate::support::{Asker, OTHER, assert_nothing_was_done, doors, signed_in, with_an_alert};

/// What is shown, in which headers, and the problem that it is.
type Row = (&'static str, Vec<(&'static str, String)>, &'static str);

/// The claims of an access token of a person who may do everything.
fn claims(system: &ByHand) -> Value {
    let now = system.now().as_second();
    json!({ "aud": CLIENT_ID, "iss": issuer(system, TENANT), "iat": now, "nbf": now, "exp": now + 3_600, "ver": "2.0", "tid": TENANT,
        "oid": "77777777-1111-4222-8333-444444444444", "preferred_username": "ada@contoso.example", "scp": "access_as_user", "azp": CLIENT_ID,
        "roles": ["AdminAgent", "GlobalAdministrator"] })
}

fn issuer(system: &ByHand, tenant: &str) -> String {
    format!("{}/{tenant}/v2.0", system.microsoft.microsoft_url())
}

/// A token of these claims, with some of another value; null takes one away.
fn token(system: &ByHand, header: Value, other: &[(&str, Value)]) -> String {
    let mut claims = claims(system);
    for (name, value) in other {
        claims[*name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    system.microsoft.sign_token(header, &claims).unwrap()
}

/// What is shown, in the header `authorization`, and the problem that it is.
fn tokens(system: &ByHand) -> Vec<(&'static str, String, &'static str)> {
    let (no_proof, over) = ("proof-not-accepted", "session-ended");
    let now = system.now().as_second();
    let rs256 = || json!({ "alg": "RS256" });
    let changed = |other: &[(&str, Value)]| token(system, rs256(), other);
    let good = changed(&[]);
    let (head, signature) = good.rsplit_once('.').unwrap();
    let middle = signature.len() / 2;
    let flipped = if signature.as_bytes()[middle] == b'A' { "B" } else { "A" };
    let forged = format!("{head}.{}{flipped}{}", &signature[..middle], &signature[middle + 1..]);
    let strangers = [("iss", issuer(system, OTHER).into()), ("tid", OTHER.into())];
    let bearers = [
        ("what is no token", "x".to_owned(), no_proof),
        ("a forged token", forged, no_proof),
        ("a token without a signature", format!("{head}."), no_proof),
        ("a token of a key that nobody publishes", token(system, json!({ "alg": "RS256", "kid": "x" }), &[]), no_proof),
        ("an expired token", changed(&[("exp", (now - 61).into())]), over),
        ("a token without an end", changed(&[("exp", Value::Null)]), no_proof),
        ("a token that is not yet valid", changed(&[("nbf", (now + 61).into())]), no_proof),
        ("a token for another audience", changed(&[("aud", OTHER.into())]), no_proof),
        ("a token of another issuer", changed(&[("iss", "https://evil.example/v2.0".into())]), no_proof),
        (
            "a token of an issuer of version 1",
            changed(&[("iss", format!("https://sts.windows.net/{TENANT}/").into())]),
            no_proof,
        ),
        ("a token of another tenant", changed(&strangers), no_proof),
        ("a token that names another tenant than its issuer's", changed(&[("tid", OTHER.into())]), no_proof),
        ("an id token", changed(&[("scp", Value::Null), ("nonce", "n".into())]), no_proof),
        ("a token given to a program that nobody lists", changed(&[("azp", OTHER.into())]), no_proof),
        ("a token of which nobody says whom it was given to", changed(&[("azp", Value::Null)]), no_proof),
        ("a token for another scope", changed(&[("scp", "openid".into())]), no_proof),
    ];
    let bearers = bearers.into_iter().map(|(what, token, problem)| (what, format!("Bearer {token}"), problem));
    bearers.chain([("another scheme", "Basic eDp5".to_owned(), no_proof)]).collect()
}

#[tokio::test]
async fn no_door_opens_for_what_is_no_credential() {
    let system = with_an_alert().await;
    let asker = Asker::new(&system);
    let session = signed_in(&system).await;
    let good = format!("Bearer {}", token(&system, json!({ "alg": "RS256" }), &[]));
    let gone = "__Host-session=AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE".to_owned();
    let from_us = ("origin", asker.origin.clone());
    let mut rows: Vec<Row> = vec![
        ("nothing", vec![], "not-signed-in"),
        ("a session that never was", vec![("cookie", gone), from_us.clone()], "session-ended"),
        ("what is no session", vec![("cookie", "__Host-session=x".to_owned()), from_us.clone()], "proof-not-accepted"),
        (
            "a session and a token",
            vec![("cookie", session.clone()), ("authorization", good.clone()), from_us],
            "proof-not-accepted",
        ),
    ];
    rows.extend(
        tokens(&system).into_iter().map(|(what, shown, problem)| (what, vec![("authorization", shown)], problem)),
    );
    for (what, headers, problem) in &rows {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        for door in doors() {
            let (status, told) = asker.knock(&door, &headers).await;
            match door.route {
                // Who is nobody is sent to sign in, and sees nothing of the page.
                "GET /sign-in/me" => assert!([303, 403].contains(&status), "{what}: {} is {status}", door.route),
                // From a page that can be asked for later, to sign in and back.
                route if door.is_page() && !route.contains("/sign-in/") => {
                    let is_sent = ["not-signed-in", "session-ended"].contains(problem);
                    assert_eq!(status, if is_sent { 303 } else { 401 }, "{what}: {route}");
                }
                route if door.is_page() => assert_eq!(status, 401, "{what}: {route}"),
                route => assert_eq!((status, told.as_str()), (401, *problem), "{what}: {route}"),
            }
        }
    }
    assert_nothing_was_done(&system).await;
    // With what is one, each door opens: what is refused from here on is refused for another reason.
    for door in doors() {
        let proof = if door.is_page() { ("cookie", session.as_str()) } else { ("authorization", good.as_str()) };
        let (status, told) = asker.knock(&door, &[proof]).await;
        assert!(status != 401 && status != 303, "{}: {status} {told}", door.route);
    }
}
