//! What an id token is worth: checked in full.

use std::time::Duration;

use identity::{Claims, Kind, LEEWAY, UnverifiedPerson};
use jiff::Timestamp;
use openidconnect::{
    AdditionalClaims, ClaimsVerificationError, Nonce, SignatureVerificationError, TokenResponse as _,
    core::CoreJwsSigningAlgorithm,
};
use serde::{Deserialize, Serialize};

use super::{Application, Tokens};
use crate::trip::Trip;

/// What Entra ID says beside what the standard has.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct EntraClaims {
    #[serde(default)]
    oid: String,
    #[serde(default)]
    tid: String,
    #[serde(default)]
    ver: String,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    wids: Vec<String>,
}

impl AdditionalClaims for EntraClaims {}

/// Who has signed in, by the tokens that the trip ended with.
pub(super) fn judge(
    tokens: &Tokens,
    application: &Application,
    trip: &Trip,
    now: Timestamp,
) -> Result<Claims, NotAccepted> {
    let token = tokens.id_token().ok_or(NotAccepted::Missing)?;
    let moment = std::time::UNIX_EPOCH + Duration::from_secs(u64::try_from(now.as_second()).unwrap_or_default());
    // By our list, and not by what the issuer's document offers: the library would take HS256, with our own client secret for a key.
    let verifier = application
        .id_token_verifier()
        .set_allowed_algs([CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256])
        .set_time_fn(move || moment.into());
    let signed = token.claims(&verifier, &Nonce::new(trip.nonce.clone())).map_err(|error| match error {
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
            NotAccepted::KeyUnknown
        }
        error => NotAccepted::ByLibrary(kind_of(&error)),
    })?;
    let EntraClaims { oid, tid, ver, nbf, roles, wids } = signed.additional_claims();
    if tid != trip.tenant.as_str() {
        return Err(NotAccepted::Tenant);
    }
    if ver != "2.0" {
        return Err(NotAccepted::Version);
    }
    if nbf.is_some_and(|begin| begin.saturating_sub(LEEWAY.as_secs()) > now.as_second()) {
        return Err(NotAccepted::NotYetValid);
    }
    let name = signed.preferred_username().map_or("", |name| name.as_str());
    Claims::of_verified(&UnverifiedPerson { oid, tid, name, roles, wids }, Kind::Person).ok_or(NotAccepted::NoSubject)
}

/// Why an id token is not accepted.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotAccepted {
    #[error("{0}")]
    ByLibrary(&'static str),
    #[error("its key is not published")]
    KeyUnknown,
    #[error("there is none")]
    Missing,
    #[error("it says nobody's id")]
    NoSubject,
    #[error("it does not hold yet")]
    NotYetValid,
    #[error("it is another tenant's")]
    Tenant,
    #[error("it is of another version than 2.0")]
    Version,
}

/// The library's reasons, without what it quotes of the token.
fn kind_of(error: &ClaimsVerificationError) -> &'static str {
    match error {
        ClaimsVerificationError::Expired(_) => "it has expired",
        ClaimsVerificationError::InvalidAudience(_) => "it is for somebody else",
        ClaimsVerificationError::InvalidIssuer(_) => "it is another issuer's",
        ClaimsVerificationError::InvalidNonce(_) => "it was made for another sign-in",
        ClaimsVerificationError::SignatureVerification(_) => "its signature does not hold",
        ClaimsVerificationError::Unsupported(_) => "it is of no form that is read",
        _ => "it is not valid",
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use identity::ReturnPath;
    use openidconnect::{ClientId, ClientSecret, RedirectUrl, core::CoreProviderMetadata};
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://login.example/9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10/v2.0";
    const SECRET: &str = "made-up-client-secret";

    /// An application at an issuer whose document offers whatever anybody could sign with.
    fn application() -> Application {
        let metadata: CoreProviderMetadata = serde_json::from_value(json!({
            "issuer": ISSUER, "authorization_endpoint": "https://login.example/a", "token_endpoint": "https://login.example/t",
            "jwks_uri": "https://login.example/k", "response_types_supported": ["code"], "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["HS256", "none", "RS256"],
        }))
        .unwrap();
        let secret = Some(ClientSecret::new(SECRET.to_owned()));
        openidconnect::Client::from_provider_metadata(metadata, ClientId::new("us".to_owned()), secret)
            .set_redirect_uri(RedirectUrl::new("https://alerts.example/sign-in/callback".to_owned()).unwrap())
    }

    #[test]
    fn an_id_token_that_our_own_secret_or_nothing_signs_is_not_accepted_whatever_the_issuer_offers() {
        let now: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        let trip = Trip {
            tenant: "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10".parse().unwrap(),
            state: "s".to_owned(),
            nonce: "n".to_owned(),
            verifier: "v".to_owned(),
            path: ReturnPath::read("/", "/"),
        };
        let claims = json!({
            "iss": ISSUER, "aud": "us", "sub": "s", "nonce": "n", "exp": now.as_second() + 60, "iat": now.as_second(), "ver": "2.0",
            "tid": "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10", "oid": "77777777-2222-4333-8444-555555555555", "roles": ["AdminAgent"],
        });
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        for algorithm in ["HS256", "none"] {
            let signed = format!("{}.{}", part(json!({ "alg": algorithm, "typ": "JWT" })), part(claims.clone()));
            let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
            let signature = ring::hmac::sign(&key, signed.as_bytes());
            let signature = if algorithm == "none" { String::new() } else { URL_SAFE_NO_PAD.encode(signature) };
            let tokens =
                json!({ "access_token": "a", "token_type": "Bearer", "id_token": format!("{signed}.{signature}") });
            let tokens: Tokens = serde_json::from_value(tokens).unwrap();
            let judged = judge(&tokens, &application(), &trip, now);
            assert!(matches!(judged, Err(NotAccepted::ByLibrary(_))), "{algorithm}: {judged:?}");
        }
    }
}
