//! The token endpoint: an application for itself, or for a person by refresh token, authorization code or device code.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::app::{App, Shared, lock, new_id};
use crate::entra::client::{Fields, application, authenticate};
use crate::entra::openid::{issuer, wrong_issuer};
use crate::entra::problem::{Problem, named, trouble};
use crate::entra::tokens::{Grant, LIFE, Person, application_claims};
use crate::fault_kinds::FaultKind;
use crate::options::Tenant;
use crate::reply::Reply;
use crate::targets::Target;

pub(crate) async fn token(State(app): State<App>, Path(tenant): Path<String>, request: Request) -> Response {
    let fields = Fields::of(request).await;
    app.respond(Target::Token, Some(&tenant), |fault| {
        if let Some(reply) = trouble(&app, Target::Token, fault) {
            return reply;
        }
        let mut fields = fields.ok_or_else(|| Problem::missing("grant_type"));
        if let (Ok(fields), Some(FaultKind::NoRefreshToken)) = (&mut fields, fault) {
            let scope = fields.get("scope").replace(OFFLINE, "");
            fields.0.insert("scope".to_owned(), scope);
        }
        fields.and_then(|fields| answer(&app, &tenant, &fields, fault)).unwrap_or_else(|problem| problem.reply(&app))
    })
    .await
}

fn answer(app: &Shared, tenant: &str, fields: &Fields, fault: Option<FaultKind>) -> Result<Reply, Problem> {
    let tenant = application(app, tenant, fields.get("client_id"))?;
    let grant_type = fields.get("grant_type");
    authenticate(app, tenant, fields, grant_type != "client_credentials")?;
    match grant_type {
        "client_credentials" => by_itself(app, tenant, fields),
        "refresh_token" => by_refresh_token(app, tenant, fields),
        "authorization_code" => by_code(app, tenant, fields, fault),
        DEVICE_CODE => by_device(app, tenant, fields),
        _ => Err(Problem::new("unsupported_grant_type", 70003, "The app requested an unsupported grant type.")),
    }
}

fn by_itself(app: &Shared, tenant: &Tenant, fields: &Fields) -> Result<Reply, Problem> {
    let scope = fields.get("scope");
    if !scope.ends_with("/.default") {
        return Err(bad_scope(scope));
    }
    if scope == format!("api://{}/.default", tenant.client_id) {
        let claims = application_claims(tenant, &issuer(app, &tenant.id), app.now());
        return signed(app, &claims).map(|token| handed_over(&token));
    }
    Ok(issued(app, tenant, &resource(scope)?, None, Beside::default()))
}

fn by_refresh_token(app: &Shared, tenant: &Tenant, fields: &Fields) -> Result<Reply, Problem> {
    let audience = resource(fields.get("scope"))?;
    let (person, next) = lock(&app.tokens).redeem(&tenant.id, fields.get("refresh_token"), app.now())?;
    let refresh = is_offline(fields.get("scope")).then_some(next);
    Ok(issued(app, tenant, &audience, Some(person), Beside { refresh, id: None }))
}

fn by_code(app: &Shared, tenant: &Tenant, fields: &Fields, fault: Option<FaultKind>) -> Result<Reply, Problem> {
    let (person, scope, nonce) = {
        let mut sign_ins = lock(&app.sign_ins);
        let code = sign_ins.redeem_code(&tenant.id, fields.get("code"), app.now())?;
        if fields.get("redirect_uri") != code.redirect_uri {
            let text =
                "The reply address does not match the reply address provided when requesting Authorization code.";
            return Err(Problem::grant(500_112, None, text));
        }
        if URL_SAFE_NO_PAD.encode(Sha256::digest(fields.get("code_verifier"))) != code.challenge {
            let text = "The Code_Verifier does not match the code_challenge supplied in the authorization request.";
            return Err(Problem::grant(501_481, None, text));
        }
        (code.person.clone(), code.scope.clone(), code.nonce.clone())
    };
    signed_in(app, tenant, fields, person, Asked { scope: &scope, nonce: &nonce, fault })
}

fn by_device(app: &Shared, tenant: &Tenant, fields: &Fields) -> Result<Reply, Problem> {
    let (person, scope) = lock(&app.sign_ins).poll(&tenant.id, fields.get("device_code"), app.now())?;
    signed_in(app, tenant, fields, person, Asked { scope: &scope, nonce: "", fault: None })
}

/// What a sign-in was begun with, and what goes wrong with it.
#[derive(Clone, Copy)]
struct Asked<'a> {
    scope: &'a str,
    nonce: &'a str,
    fault: Option<FaultKind>,
}

/// The tokens of a person who has just signed in: one to go on with, and one that says who they are, only if the application asked
/// for it.
fn signed_in(
    app: &Shared,
    tenant: &Tenant,
    fields: &Fields,
    person: Person,
    asked: Asked<'_>,
) -> Result<Reply, Problem> {
    let wanted = if fields.get("scope").is_empty() { asked.scope } else { fields.get("scope") };
    let now = app.now();
    if wanted.split(' ').any(|scope| scope == format!("api://{}/access_as_user", tenant.client_id)) {
        let claims = person.access_claims(tenant, &issuer(app, &tenant.id), now);
        return signed(app, &claims).map(|token| handed_over(&token));
    }
    let openid = asked.scope.split(' ').any(|scope| scope == "openid");
    // Who asks for nothing but who it is gets a token for Graph beside, which says it again.
    let audience = match resource(wanted) {
        Err(_) if openid && !wanted.contains("://") => GRAPH.to_owned(),
        audience => audience?,
    };
    let id = if openid {
        let issuer = match asked.fault {
            Some(FaultKind::WrongIssuer) => wrong_issuer(app),
            _ => issuer(app, &tenant.id),
        };
        let nonce = if asked.fault == Some(FaultKind::WrongNonce) { "another-sign-ins" } else { asked.nonce };
        Some(signed(app, &person.id_claims(tenant, nonce, &issuer, now))?)
    } else {
        None
    };
    let beside = Beside {
        // At the beginning, and now.
        refresh: (is_offline(asked.scope) && is_offline(wanted))
            .then(|| lock(&app.tokens).sign_in(&tenant.id, person.clone(), now)),
        id,
    };
    Ok(issued(app, tenant, &audience, Some(person), beside))
}

/// A token with these claims.
fn signed(app: &Shared, claims: &Value) -> Result<String, Problem> {
    let header = json!({ "typ": "JWT", "alg": "RS256" });
    app.token_keys.sign(header, claims).map_err(|error| Problem::new("server_error", 50_000, error.to_string()))
}

/// A token for the application itself, which knows by its signature whether it is good.
fn handed_over(token: &str) -> Reply {
    let body = json!({ "token_type": "Bearer", "expires_in": LIFE, "ext_expires_in": LIFE, "access_token": token });
    named(Reply::json(StatusCode::OK, &body), &new_id())
}

/// What comes with an access token.
#[derive(Default)]
struct Beside {
    refresh: Option<String>,
    id: Option<String>,
}

fn issued(app: &Shared, tenant: &Tenant, audience: &str, person: Option<Person>, beside: Beside) -> Reply {
    let now = app.now();
    let delegated = person.is_some();
    let grant = Grant::new(tenant, audience, person, now);
    let access_token = lock(&app.tokens).issue(grant, &app.microsoft_url, now);
    let mut body = json!({
        "token_type": "Bearer",
        "expires_in": LIFE,
        "ext_expires_in": LIFE,
        "access_token": access_token,
    });
    if delegated {
        body["scope"] = format!("{audience}/.default").into();
    }
    for (name, token) in [("refresh_token", beside.refresh), ("id_token", beside.id)] {
        if let Some(token) = token {
            body[name] = token.into();
        }
    }
    named(Reply::json(StatusCode::OK, &body), &new_id())
}

/// Graph, as tokens that nobody asked for name it.
const GRAPH: &str = "00000003-0000-0000-c000-000000000000";

/// What a refresh token takes.
const OFFLINE: &str = "offline_access";

fn is_offline(scope: &str) -> bool {
    scope.split(' ').any(|scope| scope == OFFLINE)
}

/// The one resource that a scope is about: the address before its last slash.
fn resource(scope: &str) -> Result<String, Problem> {
    let mut resources =
        scope.split(' ').filter(|scope| scope.starts_with("https://")).filter_map(|scope| scope.rsplit_once('/'));
    let (resource, _) = resources.next().ok_or_else(|| bad_scope(scope))?;
    if resources.any(|(other, _)| other != resource) {
        return Err(Problem::new("invalid_request", 28000, "The scope names more than one resource."));
    }
    Ok(resource.to_owned())
}

fn bad_scope(scope: &str) -> Problem {
    let text =
        format!("The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid.");
    Problem::new("invalid_scope", 70011, text)
}

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
