//! Entra ID as an OpenID provider: what it says of itself (OpenID Connect Discovery 1.0), and the keys that it signs with.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::app::{App, Shared};
use crate::authority::AuthorityError;
use crate::entra::problem::{Problem, trouble};
use crate::entra::tokens::Person;
use crate::fault_kinds::FaultKind;
use crate::options::Tenant;
use crate::reply::Reply;
use crate::targets::Target;

pub(crate) async fn discovery(State(app): State<App>, Path(tenant): Path<String>) -> Response {
    app.respond(Target::Discovery, Some(&tenant), |fault| {
        trouble(&app, Target::Discovery, fault).unwrap_or_else(|| described(&app, &tenant, fault))
    })
    .await
}

pub(crate) async fn keys(State(app): State<App>, Path(tenant): Path<String>) -> Response {
    app.respond(Target::Keys, Some(&tenant), |fault| {
        trouble(&app, Target::Keys, fault).unwrap_or_else(|| published(&app, &tenant))
    })
    .await
}

fn described(app: &Shared, tenant: &str, fault: Option<FaultKind>) -> Reply {
    if app.tenants.iter().all(|known| known.id != tenant) {
        return Problem::no_such_tenant().reply(app);
    }
    let base = format!("{}/{tenant}", app.microsoft_url);
    let issuer = match fault {
        Some(FaultKind::WrongIssuer) => wrong_issuer(app),
        _ => issuer(app, tenant),
    };
    let endpoints = match fault {
        Some(FaultKind::ForeignEndpoints) => format!("https://login.elsewhere.example/{tenant}"),
        _ => base,
    };
    Reply::json(
        StatusCode::OK,
        &json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{endpoints}/oauth2/v2.0/authorize"),
            "token_endpoint": format!("{endpoints}/oauth2/v2.0/token"),
            "jwks_uri": format!("{endpoints}/discovery/v2.0/keys"),
            "response_modes_supported": ["query", "fragment", "form_post"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        }),
    )
}

fn published(app: &Shared, tenant: &str) -> Reply {
    if app.tenants.iter().all(|known| known.id != tenant) {
        return Problem::no_such_tenant().reply(app);
    }
    match app.token_keys.published(&issuer(app, tenant)) {
        Ok(keys) => Reply::json(StatusCode::OK, &keys),
        Err(_) => Problem::new("server_error", 50_000, "The keys can't be had.").reply(app),
    }
}

/// The issuer of a tenant's tokens, version 2.0.
pub(crate) fn issuer(app: &Shared, tenant: &str) -> String {
    format!("{}/{tenant}/v2.0", app.microsoft_url)
}

/// A token with which the tenant's application may be called for this person.
pub(crate) fn access_token_of(app: &Shared, tenant: &Tenant, person: &Person) -> Result<String, AuthorityError> {
    let claims = person.access_claims(tenant, &issuer(app, &tenant.id), app.now());
    app.token_keys.sign(json!({ "typ": "JWT", "alg": "RS256" }), &claims)
}

/// That of a tenant that nobody has.
pub(crate) fn wrong_issuer(app: &Shared) -> String {
    issuer(app, "ffffffff-ffff-4fff-8fff-ffffffffffff")
}
