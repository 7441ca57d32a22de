//! Who signed in: the claims of an id token that is not signed for us to check.
//!
//! It comes from the token endpoint itself, over TLS, so that its signature needs no check (OpenID Connect Core, section 3.1.3.7,
//! point 6). What it says is checked all the same: that it is for this application, of this tenant and of this very sign-in.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use models::TenantId;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

#[derive(Deserialize)]
struct Claims {
    aud: String,
    tid: String,
    nonce: Option<String>,
    preferred_username: Option<String>,
}

/// What the person signed in as, where that is told. An error is what is wrong, in words that repeat nothing of the token.
pub(crate) fn person(
    id_token: &SecretString,
    client_id: &str,
    tenant: &TenantId,
    nonce: Option<&SecretString>,
) -> Result<Option<String>, &'static str> {
    let claims = read(id_token.expose_secret()).ok_or("somebody has signed in, but not who")?;
    if !claims.aud.eq_ignore_ascii_case(client_id) {
        return Err("the person signed in to another application");
    }
    if !claims.tid.eq_ignore_ascii_case(tenant.as_str()) {
        return Err("the person signed in to another tenant");
    }
    if nonce.is_some_and(|nonce| claims.nonce.as_deref() != Some(nonce.expose_secret())) {
        return Err("the person answered another sign-in");
    }
    Ok(claims.preferred_username)
}

fn read(id_token: &str) -> Option<Claims> {
    let claims = id_token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const CLIENT: &str = "11111111-2222-4333-8444-555555555555";
    const TENANT: &str = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10";

    fn told(claims: &Value) -> Result<Option<String>, &'static str> {
        let token = format!("e30.{}.signature", URL_SAFE_NO_PAD.encode(claims.to_string()));
        person(&token.into(), CLIENT, &TENANT.parse().unwrap(), Some(&"once".into()))
    }

    #[test]
    fn a_token_of_this_sign_in_says_who_it_was_and_any_other_is_refused() {
        let good = json!({ "aud": CLIENT, "tid": TENANT.to_uppercase(), "nonce": "once", "preferred_username": "a@b.example" });
        assert_eq!(told(&good), Ok(Some("a@b.example".to_owned())));
        for (claim, value, words) in [
            ("aud", json!("another"), "another application"),
            ("aud", json!([CLIENT, "another"]), "not who"),
            ("tid", json!("0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a11"), "another tenant"),
            ("tid", Value::Null, "not who"),
            ("nonce", json!("before"), "another sign-in"),
            ("nonce", Value::Null, "another sign-in"),
        ] {
            let mut claims = good.clone();
            claims[claim] = value;
            let refused = told(&claims).unwrap_err();
            assert!(refused.contains(words), "{claim}: {refused}");
        }
    }

    #[test]
    fn what_is_no_token_says_nothing() {
        for token in ["", "a", "a.b.c", "a.e30.c"] {
            assert!(person(&token.into(), CLIENT, &TENANT.parse().unwrap(), None).is_err(), "{token}");
        }
    }
}
