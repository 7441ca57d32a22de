//! What the `OpenAPI` document says of the routes about subscriptions. Nothing here runs.
#![expect(dead_code, unused_qualifications, reason = "for the macros, which name in full what they are given")]

use api::{
    document::{Problems, ProblemsOfChanges},
    operation::SubscriptionActed,
};
use utoipa::{IntoParams, OpenApi};

use super::{
    bodies::{BulkCancelBody, CancelBody},
    documents::{BulkCancelled, PreviewShown},
};

/// What names a subscription.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
struct OfSubscription {
    /// The tenant.
    #[param(format = "uuid")]
    tenant: String,
    /// The Azure subscription.
    #[param(min_length = 1, max_length = 128)]
    subscription: String,
}

/// What marks a request, without which it is not taken.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
struct Once {
    /// 1 to 128 visible characters of ASCII, and no comma.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 128, pattern = "^[!-+\\--~]+$")]
    idempotency_key: String,
}

/// Show what would end with a cancellation.
#[utoipa::path(
    get, path = "/api/v1/tenants/{tenant}/subscriptions/{subscription}/cancellation", tag = "subscriptions",
    operation_id = "previewCancellation",
    params(OfSubscription),
    responses((status = 200, description = "What would end.", body = PreviewShown), Problems, ProblemsOfChanges),
)]
fn preview() {}

/// Cancel an Azure subscription.
#[utoipa::path(
    post, path = "/api/v1/tenants/{tenant}/subscriptions/{subscription}/cancel", tag = "subscriptions",
    operation_id = "cancelSubscription",
    params(OfSubscription, Once),
    request_body = CancelBody,
    responses(
        (status = 200, description = "It is done, or was given up.", body = SubscriptionActed),
        (status = 202, description = "It is written down, and carried on, or waits for a person's own token.", body = SubscriptionActed),
        Problems, ProblemsOfChanges,
    ),
)]
fn cancel() {}

/// Have a cancelled Azure subscription active again.
#[utoipa::path(
    post, path = "/api/v1/tenants/{tenant}/subscriptions/{subscription}/reactivate", tag = "subscriptions",
    operation_id = "reactivateSubscription",
    params(OfSubscription, Once),
    request_body = CancelBody,
    responses(
        (status = 200, description = "It is done, or was given up.", body = SubscriptionActed),
        (status = 202, description = "It is written down, and carried on, or waits for a person's own token.", body = SubscriptionActed),
        Problems, ProblemsOfChanges,
    ),
)]
fn reactivate() {}

/// Cancel up to ten Azure subscriptions, each with a result of its own.
#[utoipa::path(
    post, path = "/api/v1/subscriptions/cancel", tag = "subscriptions", operation_id = "cancelSubscriptions",
    params(Once),
    request_body = BulkCancelBody,
    responses(
        (status = 202, description = "What came of each so far, and where to sign in for it.", body = BulkCancelled),
        Problems, ProblemsOfChanges,
    ),
)]
fn cancel_all() {}

#[derive(OpenApi)]
#[openapi(
    paths(preview, cancel, reactivate, cancel_all),
    tags((name = "subscriptions", description = "Cancelling Azure subscriptions, and having them active again."))
)]
struct Routes;

/// The routes about subscriptions, for the one document of all.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Routes::openapi()
}
