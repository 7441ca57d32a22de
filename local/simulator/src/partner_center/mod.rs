//! Partner Center: webhook registrations, their test events, audit records, fraudEvents, and customers with their Azure subscriptions.
//!
//! Its address is the Microsoft side by another name (`localhost`), which tells its tokens apart from Graph's.

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;

mod audit;
mod caller;
mod customers;
mod entitlements;
mod fraud_event_status;
mod fraud_events;
mod registration;
mod test_events;

pub use audit::{AuditRecord, CustomizedData, NewAuditRecord};
pub use registration::Registration;
pub(crate) use registration::Registrations;
pub use test_events::{DeliveryAttempt, TestEvent};

pub(crate) fn router() -> Router<App> {
    let entitlement = "/v1/customers/{id}/subscriptions/{plan}/azureEntitlements/{entitlement}";
    let tests = "/webhooks/v1/registration/validationEvents";
    Router::new()
        .route(
            "/webhooks/v1/registration",
            get(registration::read).post(registration::create).put(registration::replace),
        )
        .route("/auditactivity/v1/auditrecords/{id}", get(audit::read))
        .route("/v1/customers/{id}", get(customers::read))
        .route("/v1/customers/{id}/subscriptions", get(customers::subscriptions))
        .route("/v1/customers/{id}/subscriptions/{plan}/azureEntitlements", get(customers::entitlements))
        .route(entitlement, get(entitlements::read))
        .route(&format!("{entitlement}/cancel"), post(entitlements::cancel))
        .route(&format!("{entitlement}/reactivate"), post(entitlements::reactivate))
        .route("/v1/fraudEvents", get(fraud_events::list))
        .route("/v1/fraudEvents/subscription/{subscription}/status", post(fraud_event_status::change))
        .route("/webhooks/v1/registration/events", get(registration::events))
        .route(tests, post(test_events::create))
        .route(&format!("{tests}/{{id}}"), get(test_events::status))
}
