//! Entra ID's token endpoint: client credentials and refresh tokens.

use std::collections::HashMap;

use axum::extract::{Form, FromRequest, Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::app::{App, Shared, lock, new_id};
use crate::faults::{FaultKind, Target};
use crate::options::Tenant;
use crate::reply::Reply;

/// What an access token stands for.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    /// The address that the token is meant for.
    pub(crate) audience: String,
    /// Who acts: a person, or an application by its id.
    pub(crate) actor: String,
    pub(crate) expires: Timestamp,
    pub(crate) tenant: String,
}

/// All tokens given out and not yet expired.
#[derive(Default)]
pub(crate) struct Tokens {
    access: HashMap<String, Grant>,
    refresh: HashMap<String, Grant>,
}

impl Tokens {
    pub(crate) fn find(&self, token: &str) -> Option<&Grant> {
        self.access.get(token)
    }

    pub(crate) fn revoke(&mut self, token: &str) {
        self.access.remove(token);
    }

    /// A refresh token as after a sign-in of an admin agent.
    pub(crate) fn sign_in(&mut self, tenant: &str, now: Timestamp) -> String {
        self.refresh.retain(|_, grant| grant.expires > now);
        let token = random_token();
        let actor = format!("admin.agent@{tenant}.example");
        let expires = later(now, REFRESH_LIFE);
        let grant = Grant { audience: String::new(), actor, expires, tenant: tenant.to_owned() };
        self.refresh.insert(token.clone(), grant);
        token
    }

    fn issue(&mut self, grant: Grant, now: Timestamp) -> String {
        self.access.retain(|_, grant| grant.expires > now);
        let token = random_token();
        self.access.insert(token.clone(), grant);
        token
    }
}

pub(crate) async fn token(State(app): State<App>, Path(tenant): Path<String>, request: Request) -> Response {
    let form = Form::<HashMap<String, String>>::from_request(request, &()).await;
    app.respond(Target::Token, |fault| {
        if let Some(FaultKind::Throttle { retry_after }) = fault {
            let text = "The server is temporarily too busy to handle the request.";
            return refusal(&app, StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable", 90055, text)
                .retry_after(retry_after);
        }
        let Ok(Form(form)) = form else {
            let text = "The request body must contain the following parameter: 'grant_type'.";
            return refusal(&app, StatusCode::BAD_REQUEST, "invalid_request", 900_144, text);
        };
        grant(&app, &tenant, &form)
    })
    .await
}

fn grant(app: &Shared, tenant: &str, form: &HashMap<String, String>) -> Reply {
    let bad = |error, number, text: &str| refusal(app, StatusCode::BAD_REQUEST, error, number, text);
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();

    let Some(tenant) = app.tenants.iter().find(|known| known.id.eq_ignore_ascii_case(tenant)) else {
        return bad("invalid_request", 90002, "Tenant not found. Check to make sure you have the correct tenant ID.");
    };
    if !field("client_id").eq_ignore_ascii_case(&tenant.client_id) {
        return bad("unauthorized_client", 700_016, "Application was not found in the directory.");
    }
    if field("client_secret") != tenant.client_secret {
        let text = "Invalid client secret provided. Ensure the secret being sent in the request is the client \
                    secret value, not the client secret ID.";
        return refusal(app, StatusCode::UNAUTHORIZED, "invalid_client", 7_000_215, text);
    }
    let Some(audience) = field("scope").split(' ').find_map(|scope| scope.strip_suffix("/.default")) else {
        return bad("invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid.");
    };
    match field("grant_type") {
        "client_credentials" => by_secret(app, tenant, audience),
        "refresh_token" => match by_refresh_token(app, tenant, audience, field("refresh_token")) {
            Some(reply) => reply,
            None => bad("invalid_grant", 700_082, "The refresh token has expired, was revoked or never existed."),
        },
        _ => bad("unsupported_grant_type", 70003, "The app requested an unsupported grant type."),
    }
}

fn by_secret(app: &Shared, tenant: &Tenant, audience: &str) -> Reply {
    let now = app.now();
    let grant = new_grant(tenant, audience, tenant.client_id.clone(), now);
    let access_token = lock(&app.tokens).issue(grant, now);
    Reply::json(
        StatusCode::OK,
        &json!({
            "token_type": "Bearer",
            "expires_in": LIFE,
            "ext_expires_in": LIFE,
            "access_token": access_token,
        }),
    )
}

/// Every redemption brings a new refresh token; the old one stays good until its own end, as Entra ID has it.
fn by_refresh_token(app: &Shared, tenant: &Tenant, audience: &str, presented: &str) -> Option<Reply> {
    let now = app.now();
    let mut tokens = lock(&app.tokens);
    let known = tokens.refresh.get(presented).filter(|known| known.tenant == tenant.id && known.expires > now)?;
    let grant = new_grant(tenant, audience, known.actor.clone(), now);
    let refresh_token = tokens.sign_in(&tenant.id, now);
    let access_token = tokens.issue(grant, now);
    Some(Reply::json(
        StatusCode::OK,
        &json!({
            "token_type": "Bearer",
            "scope": format!("{audience}/.default"),
            "expires_in": LIFE,
            "ext_expires_in": LIFE,
            "access_token": access_token,
            "refresh_token": refresh_token,
        }),
    ))
}

fn new_grant(tenant: &Tenant, audience: &str, actor: String, now: Timestamp) -> Grant {
    Grant { audience: audience.to_owned(), actor, expires: later(now, LIFE), tenant: tenant.id.clone() }
}

/// Entra ID's error body.
fn refusal(app: &Shared, status: StatusCode, error: &str, number: u32, text: &str) -> Reply {
    let (trace, correlation) = (new_id(), new_id());
    let time = app.now().strftime("%Y-%m-%d %H:%M:%SZ").to_string();
    let description =
        format!("AADSTS{number}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}");
    Reply::json(
        status,
        &json!({
            "error": error,
            "error_description": description,
            "error_codes": [number],
            "timestamp": time,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("{}/error?code={number}", app.microsoft_url),
        }),
    )
}

fn random_token() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

fn later(now: Timestamp, seconds: i64) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// Seconds.
const LIFE: i64 = 3_599;
const REFRESH_LIFE: i64 = 90 * 86_400;
