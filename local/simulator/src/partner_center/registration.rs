//! The one registration that a tenant has: where its callbacks go and which events are sent.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{App, lock, new_id};
use crate::partner_center::caller::{answer, plain_error};
use crate::partner_center::test_events::TestEvents;
use crate::reply::Reply;
use crate::targets::Target;

/// Where a tenant's callbacks go.
#[derive(Clone, PartialEq, Eq)]
pub struct Registration {
    /// Whether the signature comes in `x-ms-signature` in place of `Authorization`.
    pub signature_in_ms_header: bool,
    /// Microsoft's id of it.
    pub subscriber_id: String,
    /// What is sent.
    pub webhook_events: Vec<String>,
    /// Where to, path key and all.
    pub webhook_url: String,
}

impl Registration {
    pub(crate) fn shown(&self) -> Value {
        json!({
            "SubscriberId": self.subscriber_id,
            "WebhookUrl": self.webhook_url,
            "WebhookEvents": self.webhook_events,
        })
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the address, which holds the path key.
        formatter
            .debug_struct("Registration")
            .field("signature_in_ms_header", &self.signature_in_ms_header)
            .field("subscriber_id", &self.subscriber_id)
            .field("webhook_events", &self.webhook_events)
            .finish_non_exhaustive()
    }
}

/// All tenants' registrations and test events.
#[derive(Default)]
pub(crate) struct Registrations {
    pub(crate) by_tenant: HashMap<String, Registration>,
    pub(crate) tests: TestEvents,
}

/// What is registered. Names come in either case, as a .NET service reads them.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wanted {
    #[serde(alias = "webhookUrl")]
    webhook_url: String,
    #[serde(alias = "webhookEvents")]
    webhook_events: Vec<String>,
    #[serde(alias = "signatureTokenToMsSignatureHeader", default)]
    signature_token_to_ms_signature_header: bool,
}

pub(crate) async fn events(State(app): State<App>, headers: HeaderMap) -> Response {
    answer(&app, Target::RegistrationEvents, &headers, |_| Reply::json(StatusCode::OK, &EVENTS)).await
}

pub(crate) async fn read(State(app): State<App>, headers: HeaderMap) -> Response {
    answer(&app, Target::RegistrationGet, &headers, |grant| {
        let Some(registration) = lock(&app.registrations).by_tenant.get(&grant.tenant).cloned() else {
            return none();
        };
        let Registration { webhook_url, webhook_events, .. } = registration;
        Reply::json(StatusCode::OK, &json!({ "WebhookUrl": webhook_url, "WebhookEvents": webhook_events }))
    })
    .await
}

pub(crate) async fn create(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    answer(&app, Target::RegistrationPost, &headers, |grant| {
        let wanted = match wanted(&body) {
            Ok(wanted) => wanted,
            Err(bad) => return bad,
        };
        match lock(&app.registrations).by_tenant.entry(grant.tenant.clone()) {
            Entry::Vacant(place) => Reply::json(StatusCode::OK, &place.insert(wanted).shown()),
            Entry::Occupied(_) => {
                plain_error(StatusCode::CONFLICT, "The tenant has a registration already. Use PUT to change it.")
            }
        }
    })
    .await
}

/// The page doesn't say what becomes of a PUT where nothing is registered. Its procedure has POST for that case, so it
/// is 404, which is among the documented results.
pub(crate) async fn replace(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    answer(&app, Target::RegistrationPut, &headers, |grant| {
        let wanted = match wanted(&body) {
            Ok(wanted) => wanted,
            Err(bad) => return bad,
        };
        let mut registrations = lock(&app.registrations);
        let Some(known) = registrations.by_tenant.get_mut(&grant.tenant) else { return none() };
        let subscriber_id = std::mem::take(&mut known.subscriber_id);
        *known = Registration { subscriber_id, ..wanted };
        Reply::json(StatusCode::OK, &known.shown())
    })
    .await
}

/// The registration that a body asks for, under an id of its own.
fn wanted(body: &[u8]) -> Result<Registration, Reply> {
    let bad = |description: &str| Err(plain_error(StatusCode::BAD_REQUEST, description));
    // Not the parser's words: they may hold a part of the address.
    let Ok(wanted) = serde_json::from_slice::<Wanted>(body) else {
        return bad("The body has to be JSON with WebhookUrl and WebhookEvents.");
    };
    let url = Url::parse(&wanted.webhook_url);
    if !url.is_ok_and(|url| url.scheme() == "https" && url.has_host()) {
        return bad("WebhookUrl has to be an https address.");
    }
    if wanted.webhook_events.is_empty() {
        return bad("WebhookEvents has to name at least one event.");
    }
    if let Some(unknown) = wanted.webhook_events.iter().find(|event| !EVENTS.contains(&event.as_str())) {
        return bad(&format!("{unknown} is not an event."));
    }
    Ok(Registration {
        signature_in_ms_header: wanted.signature_token_to_ms_signature_header,
        subscriber_id: new_id(),
        webhook_events: wanted.webhook_events,
        webhook_url: wanted.webhook_url,
    })
}

fn none() -> Reply {
    plain_error(StatusCode::NOT_FOUND, "The tenant has no registration.")
}

/// Every event that the documents name. What a tenant is offered is its own affair and may be less.
const EVENTS: [&str; 26] = [
    "azure-fraud-event-detected",
    "dap-admin-relationship-approved",
    "dap-admin-relationship-terminated",
    "dap-admin-relationship-terminated-by-microsoft",
    "granular-admin-access-assignment-activated",
    "granular-admin-access-assignment-created",
    "granular-admin-access-assignment-deleted",
    "granular-admin-access-assignment-updated",
    "granular-admin-relationship-activated",
    "granular-admin-relationship-approved",
    "granular-admin-relationship-expired",
    "granular-admin-relationship-terminated",
    "indirect-reseller-relationship-accepted-by-customer",
    "invoice-ready",
    "new-commerce-migration-completed",
    "new-commerce-migration-created",
    "new-commerce-migration-failed",
    "new-commerce-migration-schedule-failed",
    "referral-created",
    "referral-updated",
    "related-referral-created",
    "related-referral-updated",
    "reseller-relationship-accepted-by-customer",
    "subscription-updated",
    TEST_EVENT,
    "usagerecords-thresholdExceeded",
];
/// The event that is made on request.
pub(crate) const TEST_EVENT: &str = "test-created";
