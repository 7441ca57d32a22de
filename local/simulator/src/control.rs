//! The side for people and tests, in plain http: make alerts, send callbacks, set faults.
//!
//! It asks for no password, so it must not listen to a web page that happens to be open in a browser on the same
//! machine: every request is refused that names an origin, comes from another site, or reaches it by a name that
//! isn't its own, and a body has to be declared as JSON, which a page can't do across origins without asking first.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::alerts::{Alert, AlertChange};
use crate::app::{App, BODY_LIMIT, lock};
use crate::book::AlertError;
use crate::callbacks::{FRAUD_EVENT, SignedCallback, event_body};

use crate::entra::{PendingSignIn, access_token_of};
use crate::partner_center::{AuditRecord, TestEvent};
use crate::requests::{
    AccessTokenRequest, CallbackRequest, FaultRequest, PublicAddressRequest, Refusal, SignInRequest, TenantQuery, parse,
};
use crate::subscriptions::SubscriptionAct;
use crate::targets::Requests;

pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/", get(help))
        .route("/access-tokens", post(access_token))
        .route("/alerts", get(alerts).post(raise))
        .route("/alerts/{id}", patch(change))
        .route("/audit-records", post(write_audit_record))
        .route("/callbacks", post(call_back))
        .route("/customers", post(describe_customer))
        .route("/certificate/rotate", post(rotate))
        .route("/grants/revoke", post(revoke_grants))
        .route("/public-addresses", post(set_public_address))
        .route("/registration", get(registration))
        .route("/subscriptions", get(subscription_acts).post(set_subscription_rules))
        .route("/sign-ins", get(sign_ins).post(decide))
        .route("/test-events/{id}", get(test_event))
        .route("/token-keys/rotate", post(rotate_token_keys))
        .route("/faults", post(set_fault).delete(clear_faults))
        .route("/requests", get(requests))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(app.clone(), only_from_here))
        .with_state(app)
}

/// Keeps browsers' pages out.
async fn only_from_here(State(app): State<App>, request: Request, next: Next) -> Response {
    match check(&app.control_hosts, &request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

fn check(hosts: &[String], request: &Request) -> Result<(), Refusal> {
    let headers = request.headers();
    let forbidden = |text: &str| Err(Refusal(StatusCode::FORBIDDEN, text.to_owned()));
    if headers.contains_key(header::ORIGIN) {
        return forbidden("requests with an Origin header are refused");
    }
    let site = headers.get_all("sec-fetch-site").iter();
    if site.into_iter().any(|site| site != "none" && site != "same-origin") {
        return forbidden("requests from other sites are refused");
    }
    let own = |name: &str| hosts.iter().any(|host| host.eq_ignore_ascii_case(name));
    let mut hosts_named = headers.get_all(header::HOST).iter();
    let by_name =
        hosts_named.next().and_then(|name| name.to_str().ok()).is_some_and(own) && hosts_named.next().is_none();
    if !by_name || request.uri().authority().is_some_and(|authority| !own(authority.as_str())) {
        return forbidden("the Host header has to be the address of the simulator's control side");
    }
    let length = headers.get(header::CONTENT_LENGTH);
    let body = headers.contains_key(header::TRANSFER_ENCODING) || length.is_some_and(|length| length != "0");
    if body && !is_json(headers) {
        let text = "the Content-Type of a body has to be application/json".to_owned();
        return Err(Refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
    }
    Ok(())
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

async fn help(State(app): State<App>) -> String {
    include_str!("help.txt").replace("{control}", &app.control_url)
}

async fn raise(State(app): State<App>, body: Bytes) -> Result<(StatusCode, Json<Alert>), Refusal> {
    Ok((StatusCode::CREATED, Json(app.raise(parse(&body)?)?)))
}

async fn alerts(State(app): State<App>, Query(query): Query<TenantQuery>) -> Result<Json<Vec<Alert>>, Refusal> {
    let tenant = app.tenant(query.tenant.as_deref())?;
    Ok(Json(lock(&app.book).all(&tenant.id).cloned().collect()))
}

async fn change(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<TenantQuery>,
    body: Bytes,
) -> Result<Json<Alert>, Refusal> {
    let change: AlertChange = parse(&body)?;
    let tenant = match &query.tenant {
        Some(tenant) => app.tenant(Some(tenant))?,
        None => app
            .tenants
            .iter()
            .find(|tenant| lock(&app.book).knows(&tenant.id, &id))
            .ok_or_else(|| AlertError::UnknownAlert(id.clone()))?,
    };
    Ok(Json(app.change(&tenant.id, &id, change)?))
}

async fn call_back(State(app): State<App>, body: Bytes) -> Result<Json<Value>, Refusal> {
    let wanted: CallbackRequest = parse(&body)?;
    let copies = wanted.copies.unwrap_or(1);
    if !(1..=MOST_COPIES).contains(&copies) {
        return Err(Refusal(StatusCode::BAD_REQUEST, format!("copies is from 1 to {MOST_COPIES}")));
    }
    let (tenant, callback) = if wanted.repeat {
        let last = lock(&app.last_callback).clone();
        last.ok_or_else(|| Refusal(StatusCode::CONFLICT, "no callback was sent yet".to_owned()))?
    } else {
        let made = app.clone();
        // A forger's key is made when it is first wanted, which takes a while.
        tokio::task::spawn_blocking(move || prepare(&made, &wanted)).await.map_err(|_| Refusal::internal())??
    };
    let url = app.callback_url(&tenant).ok_or_else(|| {
        Refusal(StatusCode::CONFLICT, format!("the tenant {tenant} has no address for its callbacks"))
    })?;
    *lock(&app.last_callback) = Some((tenant, callback.clone()));

    let mut answers = Vec::new();
    for _ in 0..copies {
        answers.push(app.post(&url, &callback).await?);
    }
    let headers: serde_json::Map<_, _> =
        callback.headers.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
    let body = String::from_utf8_lossy(&callback.body);
    Ok(Json(json!({ "answers": answers, "sent": { "headers": headers, "body": body } })))
}

fn prepare(app: &App, wanted: &CallbackRequest) -> Result<(String, SignedCallback), Refusal> {
    let tenant = &app.tenant(wanted.tenant.as_deref())?.id;
    let event = wanted.event.as_deref().unwrap_or(FRAUD_EVENT);
    let alert = {
        let book = lock(&app.book);
        match &wanted.alert {
            Some(id) => Some(book.one(tenant, id).ok_or_else(|| AlertError::UnknownAlert(id.clone()))?.clone()),
            None => book.all(tenant).last().cloned(),
        }
    };
    if event == FRAUD_EVENT && alert.is_none() {
        let text = format!("the tenant {tenant} has no alert that the callback could be about: POST /alerts first");
        return Err(Refusal(StatusCode::CONFLICT, text));
    }
    let body = event_body(event, alert.as_ref(), app.now());
    let callback = match wanted.forgery() {
        Some(forgery) => app.forge(&body, forgery)?,
        None => app.sign(&body)?,
    };
    let registered = lock(&app.registrations).by_tenant.get(tenant).is_some_and(|known| known.signature_in_ms_header);
    let ms_signature = wanted.ms_signature || registered;
    Ok((tenant.clone(), if ms_signature { callback.in_ms_signature() } else { callback }))
}

async fn set_fault(State(app): State<App>, body: Bytes) -> Result<StatusCode, Refusal> {
    let wanted: FaultRequest = parse(&body)?;
    app.faults.set(wanted.into_fault()?)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn clear_faults(State(app): State<App>) -> StatusCode {
    app.faults.clear();
    StatusCode::NO_CONTENT
}

async fn write_audit_record(State(app): State<App>, body: Bytes) -> Result<(StatusCode, Json<AuditRecord>), Refusal> {
    Ok((StatusCode::CREATED, Json(app.write_audit_record(parse(&body)?)?)))
}

async fn describe_customer(State(app): State<App>, body: Bytes) -> Result<StatusCode, Refusal> {
    app.describe_customer(parse(&body)?)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set_subscription_rules(State(app): State<App>, body: Bytes) -> Result<StatusCode, Refusal> {
    lock(&app.subscriptions).rules = parse(&body)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn subscription_acts(State(app): State<App>) -> Json<Vec<SubscriptionAct>> {
    Json(lock(&app.subscriptions).acts.clone())
}

async fn rotate(State(app): State<App>) -> Result<StatusCode, Refusal> {
    let rotated = tokio::task::spawn_blocking(move || app.authority.rotate(app.now())).await;
    rotated.map_err(|_| Refusal::internal())??;
    Ok(StatusCode::NO_CONTENT)
}

async fn rotate_token_keys(State(app): State<App>) -> Result<StatusCode, Refusal> {
    let rotated = tokio::task::spawn_blocking(move || app.token_keys.rotate(false)).await;
    rotated.map_err(|_| Refusal::internal())??;
    Ok(StatusCode::NO_CONTENT)
}

async fn sign_ins(State(app): State<App>) -> Json<Vec<PendingSignIn>> {
    Json(lock(&app.sign_ins).pending(app.now()))
}

async fn decide(State(app): State<App>, body: Bytes) -> Result<StatusCode, Refusal> {
    let wanted: SignInRequest = parse(&body)?;
    let tenant = app.tenant(wanted.tenant.as_deref())?.id.clone();
    let (code, ahead) = (wanted.user_code.clone(), wanted.ahead);
    let decision = wanted.into_decision(&tenant);
    if ahead {
        app.decide_next(&tenant, decision)?;
    } else {
        app.decide(&tenant, code.as_deref(), decision)?;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn access_token(State(app): State<App>, body: Bytes) -> Result<String, Refusal> {
    let wanted: AccessTokenRequest = parse(&body)?;
    let tenant = app.tenant(wanted.tenant.as_deref())?;
    let person = wanted.into_person(&tenant.id);
    Ok(access_token_of(&app, tenant, &person)?)
}

async fn revoke_grants(State(app): State<App>, body: Bytes) -> Result<StatusCode, Refusal> {
    let wanted: TenantQuery = parse(&body)?;
    let tenant = app.tenant(wanted.tenant.as_deref())?;
    lock(&app.tokens).revoke_grants(&tenant.id);
    Ok(StatusCode::NO_CONTENT)
}

async fn registration(State(app): State<App>, Query(query): Query<TenantQuery>) -> Result<Json<Value>, Refusal> {
    let tenant = app.tenant(query.tenant.as_deref())?;
    let registration = lock(&app.registrations).by_tenant.get(&tenant.id).cloned();
    let registration = registration.ok_or_else(|| nothing("the tenant has registered nothing"))?;
    Ok(Json(registration.shown()))
}

/// Waits until the outcome is known: there is nothing to poll.
async fn test_event(State(app): State<App>, Path(id): Path<String>) -> Result<Json<TestEvent>, Refusal> {
    app.test_event_over(&id).await.map(Json).ok_or_else(|| nothing("there is no such test event"))
}

async fn set_public_address(State(app): State<App>, body: Bytes) -> Result<StatusCode, Refusal> {
    let wanted: PublicAddressRequest = parse(&body)?;
    app.set_public_address(&wanted.public, &wanted.local);
    Ok(StatusCode::NO_CONTENT)
}

fn nothing(text: &str) -> Refusal {
    Refusal(StatusCode::NOT_FOUND, text.to_owned())
}

async fn requests(State(app): State<App>) -> Json<Requests> {
    Json(app.faults.requests())
}

const MOST_COPIES: u32 = 100;
