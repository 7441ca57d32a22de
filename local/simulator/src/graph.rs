//! Graph's partner security alerts.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::Response;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::alerts::Alert;
use crate::app::{App, Shared, lock, new_id};
use crate::book::AlertError;
use crate::entra::{Grant, Role};
use crate::fault_kinds::FaultKind;
use crate::reply::Reply;
use crate::targets::Target;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route(ALERTS, get(list))
        .route(&format!("{ALERTS}/{{id}}"), get(read).patch(update))
        .fallback(nothing_here)
}

async fn list(State(app): State<App>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    answer(&app, Target::List, &headers, |caller, grant, fault| {
        caller.page(&grant.tenant, &query.unwrap_or_default(), fault)
    })
    .await
}

async fn read(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    answer(&app, Target::Get, &headers, |caller, grant, _| match lock(&app.book).read(&grant.tenant, &id) {
        Some(alert) => caller.entity(&alert),
        None => caller.not_found(&id),
    })
    .await
}

async fn update(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    answer(&app, Target::Patch, &headers, |caller, grant, fault| caller.update(grant, &id, &body, fault)).await
}

async fn nothing_here(State(app): State<App>, headers: HeaderMap) -> Reply {
    let caller = Caller::new(&app, &headers);
    let text = "Resource not found for the segment.";
    caller.named(caller.refuse(StatusCode::NOT_FOUND, "ResourceNotFound", text))
}

/// Counts the request, checks who asks, and gives the answer the ids that all have.
async fn answer(
    app: &App,
    target: Target,
    headers: &HeaderMap,
    answer: impl FnOnce(&Caller<'_>, &Grant, Option<FaultKind>) -> Reply + Send,
) -> Response {
    app.respond(target, app.caller_tenant(headers).as_deref(), |fault| {
        let caller = Caller::new(app, headers);
        let reply = caller.authorized(fault).map(|grant| answer(&caller, &grant, fault));
        caller.named(reply.unwrap_or_else(|refusal| refusal))
    })
    .await
}

/// Someone asking Graph.
struct Caller<'a> {
    app: &'a Shared,
    headers: &'a HeaderMap,
    /// What Graph calls the request.
    request: String,
}

impl<'a> Caller<'a> {
    fn new(app: &'a Shared, headers: &'a HeaderMap) -> Self {
        Self { app, headers, request: new_id() }
    }

    /// What the caller calls it, or else the same.
    fn client_request(&self) -> &str {
        let given = self.headers.get(CLIENT_REQUEST_ID).and_then(|value| value.to_str().ok());
        given.unwrap_or(&self.request)
    }

    fn named(&self, reply: Reply) -> Reply {
        let client_request = self.client_request();
        reply.with_text(REQUEST_ID, &self.request).with_text(CLIENT_REQUEST_ID, client_request)
    }

    /// Faults that answer for Graph, then the token.
    fn authorized(&self, fault: Option<FaultKind>) -> Result<Grant, Reply> {
        let unauthorized = |text| self.refuse(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", text);
        let bearer = Shared::bearer(self.headers);

        match fault {
            Some(FaultKind::Throttle { retry_after }) => {
                let busy = self.refuse(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", "Too many requests.");
                return Err(busy.retry_after(retry_after, self.app.now()));
            }
            Some(FaultKind::MissingMfa) => return Err(missing_mfa()),
            Some(FaultKind::ExpiredToken) => lock(&self.app.tokens).revoke(bearer),
            _ => {}
        }
        if bearer.is_empty() {
            return Err(unauthorized("Access token is empty."));
        }
        let grant = lock(&self.app.tokens).find(bearer).cloned();
        let grant = grant.filter(|grant| grant.expires > self.app.now());
        let grant = grant.ok_or_else(|| unauthorized("Lifetime validation failed, the token is expired."))?;
        if grant.audience != self.app.microsoft_url && grant.audience != GRAPH {
            return Err(unauthorized("Access token validation failure. Invalid audience."));
        }
        // Users report the same of application tokens: that is a fault to be set, since the documents allow them.
        if grant.person.is_some() && !grant.has_mfa() {
            return Err(missing_mfa());
        }
        // The dashboard's page names the role; what Graph answers to others is documented nowhere.
        if grant.person.as_ref().is_some_and(|person| !person.is_one_of(&[Role::AdminAgent])) {
            let text = "Insufficient privileges to complete the operation.";
            return Err(self.refuse(StatusCode::FORBIDDEN, "Authorization_RequestDenied", text));
        }
        Ok(grant)
    }

    fn page(&self, tenant: &str, query: &str, fault: Option<FaultKind>) -> Reply {
        let Some(start) = position(query) else {
            let text = "The query holds an option that is not supported, or a skip token that is not one of ours.";
            return self.refuse(StatusCode::BAD_REQUEST, "BadRequest", text);
        };
        if fault == Some(FaultKind::ExpiredNextLink) && !query.is_empty() {
            let text = "The specified page token value has expired and can no longer be included in your request.";
            return self.refuse(StatusCode::BAD_REQUEST, "Directory_ExpiredPageToken", text);
        }
        let alerts = lock(&self.app.book).listed(tenant);
        let (size, start) = match fault {
            Some(FaultKind::EmptyPage) => (0, start),
            Some(FaultKind::AlertListedTwice) => (self.app.page_size, start.saturating_sub(1)),
            Some(FaultKind::AlertSkipped) => (self.app.page_size, start + 1),
            _ => (self.app.page_size, start),
        };
        let start = start.min(alerts.len());
        let end = start.saturating_add(size).min(alerts.len());
        let more = end < alerts.len();

        let own = &self.app.microsoft_url;
        let link = |base: &str, place| format!("{base}{ALERTS}?$skiptoken={}", skip_token(place));
        let next = match fault {
            Some(FaultKind::ForeignNextLink) => Some(link("https://graph.attacker.example", end)),
            Some(FaultKind::PlainNextLink) => Some(link(&own.replacen("https:", "http:", 1), end)),
            Some(FaultKind::EmptyPage) => Some(link(own, end)),
            Some(FaultKind::EndlessPages) => Some(link(own, if more { end } else { 0 })),
            Some(FaultKind::LoopingNextLink) if query.is_empty() => Some(format!("{own}{ALERTS}")),
            Some(FaultKind::LoopingNextLink) => Some(format!("{own}{ALERTS}?{query}")),
            _ => more.then(|| link(own, end)),
        };
        let value = alerts[start..end].iter().map(|alert| Annotated::new(alert, None)).collect();
        let page = Page { context: format!("{}{CONTEXT}", self.app.microsoft_url), next, value };
        let spoilt: &[&str] = match fault {
            Some(FaultKind::MalformedAlert) => &["detectedDateTime"],
            Some(FaultKind::UnreadableAlert) => &["detectedDateTime", "firstObservedDateTime", "lastObservedDateTime"],
            _ => return Reply::json(StatusCode::OK, &page),
        };
        Reply::json(StatusCode::OK, &with_malformed_alert(&page, spoilt))
    }

    fn update(&self, grant: &Grant, id: &str, body: &[u8], fault: Option<FaultKind>) -> Reply {
        let bad = |text: &str| self.refuse(StatusCode::BAD_REQUEST, "BadRequest", text);
        let patch: Patch = match serde_json::from_slice(body) {
            Ok(patch) => patch,
            Err(error) => return bad(&format!("Unable to read JSON request payload: {error}.")),
        };
        if !STATUSES.contains(&patch.status.as_str()) {
            return bad("The value of 'status' is not valid.");
        }
        if patch.resolved_reason.as_deref().is_some_and(|reason| !REASONS.contains(&reason)) {
            return bad("The value of 'resolvedReason' is not valid.");
        }
        let now = self.app.now();
        if fault == Some(FaultKind::ResolvedBetween) {
            self.app.resolve_between(&grant.tenant, id);
        }
        let updated = lock(&self.app.book).update(&grant.tenant, id, |alert| {
            alert.move_to(&patch.status, patch.resolved_reason, grant.actor(), now);
        });
        match updated {
            Ok((before, _)) if fault == Some(FaultKind::StaleAnswer) => self.entity(&before),
            Ok((_, after)) => self.entity(&after),
            Err(AlertError::UnknownAlert(_)) => self.not_found(id),
            Err(error) => self.refuse(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", &error.to_string()),
        }
    }

    fn entity(&self, alert: &Alert) -> Reply {
        let context = format!("{}{CONTEXT}/$entity", self.app.microsoft_url);
        Reply::json(StatusCode::OK, &Annotated::new(alert, Some(&context)))
    }

    fn not_found(&self, id: &str) -> Reply {
        self.refuse(StatusCode::NOT_FOUND, "ResourceNotFound", &format!("Resource '{id}' does not exist."))
    }

    /// Graph's ordinary error.
    fn refuse(&self, status: StatusCode, code: &str, message: &str) -> Reply {
        let body = json!({ "error": { "code": code, "message": message, "innerError": {
            "date": self.app.now().strftime("%Y-%m-%dT%H:%M:%S").to_string(),
            "request-id": self.request,
            "client-request-id": self.client_request(),
        }}});
        Reply::json(status, &body)
    }
}

fn missing_mfa() -> Reply {
    let message = "MFA is required for this request. The provided authentication token does not have MFA claims.";
    let body = json!({ "Error": { "Code": "Unauthorized_MissingMFA", "Message": message } });
    Reply::json(StatusCode::FORBIDDEN, &body)
}

fn with_malformed_alert(page: &Page<'_>, dates: &[&str]) -> Value {
    let mut page = serde_json::to_value(page).unwrap_or_default();
    if let Some(values) = page["value"].as_array_mut() {
        if values.is_empty() {
            values.push(json!({ "id": "malformed" }));
        }
        for date in dates {
            values[0][date] = json!("yesterday");
        }
        values[0]["status"] = json!(7);
    }
    page
}

/// Opaque to whoever gets it: where the next page starts, with a salt that makes each one different.
fn skip_token(start: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("{:04x}.{start}", rand::random::<u16>()))
}

/// Where the page starts; nothing if the query has anything but a skip token of ours.
fn position(query: &str) -> Option<usize> {
    if query.is_empty() {
        return Some(0);
    }
    let token = query.strip_prefix("$skiptoken=").or_else(|| query.strip_prefix("%24skiptoken="))?;
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    text.split_once('.')?.1.parse().ok()
}

#[derive(Serialize)]
struct Page<'a> {
    #[serde(rename = "@odata.context")]
    context: String,
    #[serde(rename = "@odata.nextLink", skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    value: Vec<Annotated<'a>>,
}

#[derive(Serialize)]
struct Annotated<'a> {
    #[serde(rename = "@odata.context", skip_serializing_if = "Option::is_none")]
    context: Option<&'a str>,
    #[serde(rename = "@odata.type")]
    kind: &'static str,
    #[serde(flatten)]
    alert: &'a Alert,
}

impl<'a> Annotated<'a> {
    fn new(alert: &'a Alert, context: Option<&'a str>) -> Self {
        Self { context, kind: "#microsoft.graph.partner.security.partnerSecurityAlert", alert }
    }
}

/// What may be written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Patch {
    status: String,
    resolved_reason: Option<String>,
}

const ALERTS: &str = "/beta/security/partner/securityAlerts";
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");
const CONTEXT: &str = "/beta/$metadata#security/partner/securityAlerts";
const GRAPH: &str = "https://graph.microsoft.com";
const REASONS: [&str; 3] = ["fraud", "ignore", "legitimate"];
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const STATUSES: [&str; 3] = ["active", "investigating", "resolved"];
