//! What the `OpenAPI` document says of the routes of this function. Nothing here runs.
#![expect(dead_code, unused_qualifications, reason = "for the macros, which name in full what they are given")]

use api::document::{Problems, ProblemsOfChanges, Repeatable};
use utoipa::{IntoParams, OpenApi};

use crate::{
    bodies::{
        AssignBody, BulkBody, ChangedViewBody, EmptyBody, NoteBody, RemovedViewBody, ResolveBody, SnoozeBody,
        StatusBody, ViewBody,
    },
    documents::{Acted, BulkActed, ViewChanged},
};

/// What names an alert.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
struct OfAlert {
    /// The tenant.
    #[param(format = "uuid")]
    tenant: String,
    /// The alert.
    #[param(min_length = 1, max_length = 256)]
    alert: String,
}

/// What names a tenant.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
struct OfTenant {
    /// The tenant.
    #[param(format = "uuid")]
    tenant: String,
}

/// What names a saved view.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
struct OfView {
    /// The tenant.
    #[param(format = "uuid")]
    tenant: String,
    /// The view.
    #[param(format = "uuid")]
    view: String,
}

/// Resolve an alert.
#[utoipa::path(
    post, path = "/api/v1/tenants/{tenant}/alerts/{alert}/resolve", tag = "alerts", operation_id = "resolveAlert",
    params(OfAlert, Repeatable),
    request_body = ResolveBody,
    responses(
        (status = 200, description = "It is done, or was so already.", body = Acted),
        (status = 202, description = "It is written down, and carried on; Location names the operation.", body = Acted),
        Problems, ProblemsOfChanges,
    ),
)]
fn resolve() {}

/// Say that somebody looks into an alert.
#[utoipa::path(
    post, path = "/api/v1/tenants/{tenant}/alerts/{alert}/investigate", tag = "alerts", operation_id = "investigateAlert",
    params(OfAlert, Repeatable),
    request_body = StatusBody,
    responses(
        (status = 200, description = "It is done, or was so already.", body = Acted),
        (status = 202, description = "It is written down, and carried on; Location names the operation.", body = Acted),
        Problems, ProblemsOfChanges,
    ),
)]
fn investigate() {}

/// Open a resolved alert again, where its source can.
#[utoipa::path(
    post, path = "/api/v1/tenants/{tenant}/alerts/{alert}/reopen", tag = "alerts", operation_id = "reopenAlert",
    params(OfAlert, Repeatable),
    request_body = StatusBody,
    responses(
        (status = 200, description = "It is done, or was so already.", body = Acted),
        (status = 202, description = "It is written down, and carried on; Location names the operation.", body = Acted),
        Problems, ProblemsOfChanges,
    ),
)]
fn reopen() {}

/// Resolve up to a hundred alerts, each with a result of its own.
#[utoipa::path(
    post, path = "/api/v1/alerts/resolve", tag = "alerts", operation_id = "resolveAlerts",
    params(Repeatable),
    request_body = BulkBody,
    responses(
        (status = 200, description = "What came of it for each.", body = BulkActed),
        (status = 202, description = "What came of it for each so far; the rest is carried on.", body = BulkActed),
        Problems, ProblemsOfChanges,
    ),
)]
fn resolve_all() {}

/// Say who looks after an alert.
#[utoipa::path(
    post, path = "/api/v1/tenants/{tenant}/alerts/{alert}/assign", tag = "work", operation_id = "assignAlert",
    params(OfAlert, Repeatable),
    request_body = AssignBody,
    responses((status = 200, description = "It is done, or was so already.", body = Acted), Problems, ProblemsOfChanges),
)]
fn assign() {}

/// Keep a note on an alert.
#[utoipa::path(
    post, path = "/api/v1/tenants/{tenant}/alerts/{alert}/notes", tag = "work", operation_id = "noteOnAlert",
    params(OfAlert, Repeatable),
    request_body = NoteBody,
    responses((status = 200, description = "It is done.", body = Acted), Problems, ProblemsOfChanges),
)]
fn note() {}

/// Set an alert aside for a time.
#[utoipa::path(
    post, path = "/api/v1/tenants/{tenant}/alerts/{alert}/snooze", tag = "work", operation_id = "snoozeAlert",
    params(OfAlert, Repeatable),
    request_body = SnoozeBody,
    responses((status = 200, description = "It is done.", body = Acted), Problems, ProblemsOfChanges),
)]
fn snooze() {}

/// End a snooze before its time.
#[utoipa::path(
    post, path = "/api/v1/tenants/{tenant}/alerts/{alert}/unsnooze", tag = "work", operation_id = "unsnoozeAlert",
    params(OfAlert, Repeatable),
    request_body = Option<EmptyBody>,
    responses((status = 200, description = "It is done, or was so already.", body = Acted), Problems, ProblemsOfChanges),
)]
fn unsnooze() {}

/// Save a view.
#[utoipa::path(
    post, path = "/api/v1/tenants/{tenant}/views", tag = "views", operation_id = "saveView",
    params(OfTenant, Repeatable),
    request_body = ViewBody,
    responses((status = 201, description = "It is saved; Location names it.", body = ViewChanged), Problems, ProblemsOfChanges),
)]
fn save_view() {}

/// Change a saved view.
#[utoipa::path(
    put, path = "/api/v1/tenants/{tenant}/views/{view}", tag = "views", operation_id = "replaceView",
    params(OfView, Repeatable),
    request_body = ChangedViewBody,
    responses((status = 200, description = "It is saved.", body = ViewChanged), Problems, ProblemsOfChanges),
)]
fn replace_view() {}

/// Change a saved view, from where nothing but `POST` can be sent.
#[utoipa::path(
    post, path = "/api/v1/tenants/{tenant}/views/{view}", tag = "views", operation_id = "changeView",
    params(OfView, Repeatable),
    request_body = ChangedViewBody,
    responses((status = 200, description = "It is saved.", body = ViewChanged), Problems, ProblemsOfChanges),
)]
fn change_view() {}

/// Remove a saved view, from where nothing but `POST` can be sent.
#[utoipa::path(
    post, path = "/api/v1/tenants/{tenant}/views/{view}/remove", tag = "views", operation_id = "endView",
    params(OfView, Repeatable),
    request_body = RemovedViewBody,
    responses((status = 204, description = "It is no more."), Problems, ProblemsOfChanges),
)]
fn end_view() {}

/// Remove a saved view.
#[utoipa::path(
    delete, path = "/api/v1/tenants/{tenant}/views/{view}", tag = "views", operation_id = "removeView",
    params(
        OfView,
        ("revision" = u64, Query, description = "The revision that you saw.", minimum = 1),
        Repeatable,
    ),
    responses((status = 204, description = "It is no more."), Problems, ProblemsOfChanges),
)]
fn remove_view() {}

#[derive(OpenApi)]
#[openapi(
    paths(
        resolve, investigate, reopen, resolve_all, assign, note, snooze, unsnooze, save_view, replace_view, change_view,
        remove_view, end_view
    ),
    tags(
        (name = "alerts", description = "Where alerts stand, with us and at Microsoft."),
        (name = "work", description = "What people write on an alert, and what never leaves our store."),
        (name = "views", description = "Saved views."),
    )
)]
struct Routes;

/// The routes of this function, for the one document of all.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = Routes::openapi();
    document.merge(crate::subscriptions::openapi());
    document
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::ROUTES;

    #[test]
    fn every_route_is_described_and_nothing_else_is() {
        let document = openapi();
        let described: BTreeSet<_> = document
            .paths
            .paths
            .iter()
            .flat_map(|(path, item)| {
                let methods = [("GET", &item.get), ("POST", &item.post), ("PUT", &item.put), ("DELETE", &item.delete)];
                methods.into_iter().filter(|(_, it)| it.is_some()).map(move |(method, _)| format!("{method} {path}"))
            })
            .collect();
        assert_eq!(described, ROUTES.map(str::to_owned).into());
        let whole = api::document::merged([document]).to_json().unwrap_or_default();
        for member in ["\"session\"", "\"token\"", "\"Problem\"", "\"Idempotency-Key\"", "application/problem+json"] {
            assert!(whole.contains(member), "{member} is not in the document");
        }
    }
}
