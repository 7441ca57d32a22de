//! What the `OpenAPI` document says of these routes, and the document of the whole API, which is made from the code and committed.

use api::{
    Answer, Problem, Request,
    document::{ProblemDocument, Problems},
};
use http::StatusCode;
use utoipa::{OpenApi, openapi::OpenApi as Document};

use crate::{
    routes::{filters::ListParameters, pulse::Pulse},
    shapes::{
        activity::ActivityPage,
        alert::{AlertWhole, AlertsPage},
        figures::Statistics,
        operation::OperationShown,
        rest::{Me, Tenants, Views},
    },
};

/// The whole document, as it is committed. A test writes it and holds it to the code.
const WHOLE: &str = include_str!("../../../docs/openapi.json");

/// Answers with the whole document.
pub(crate) fn answer(request: &Request) -> Result<Answer, Problem> {
    request.query(&[])?;
    Ok(api::text(StatusCode::OK, WHOLE.to_owned()))
}

/// What it says of the routes of this function.
#[must_use]
pub fn document() -> Document {
    Routes::openapi()
}

#[derive(OpenApi)]
#[openapi(
    paths(
        alerts,
        pulse,
        statistics,
        tenants,
        activity_of_tenant,
        alert,
        activity_of_alert,
        operation,
        views,
        me,
        whole
    ),
    components(schemas(ProblemDocument)),
    tags((name = "look", description = "What is to be seen. Nothing is changed."))
)]
struct Routes;

// Each function here is a place for what is said of a route, and is never called.

/// Alerts of all tenants that the caller may see
///
/// By filters, page by page. A page reads 2,000 alerts at most: a filter that lets few through ends with `searched_to` and goes on by `next`. With the
/// newest first no alert comes twice while others come and move.
#[utoipa::path(
    get,
    path = "/api/v1/alerts",
    operation_id = "listAlerts",
    tag = "look",
    params(ListParameters),
    responses((status = 200, description = "A page of the list", body = AlertsPage), Problems)
)]
#[expect(dead_code, reason = "the place of what is said of a route")]
fn alerts() {}

/// Whether there is something new
///
/// In one cheap request: an item of each tenant that the caller may see, or of those that are named, up to a hundred of them.
#[utoipa::path(
    get,
    path = "/api/v1/pulse",
    operation_id = "getPulse",
    tag = "look",
    params(("tenant" = Option<String>, Query, description = "The partner tenants, by their ids with commas between.")),
    responses((status = 200, description = "How many alerts are unresolved, and a mark that changes with them", body = Pulse), Problems)
)]
#[expect(dead_code, reason = "the place of what is said of a route")]
fn pulse() {}

/// The four figures and the chart
///
/// Of all tenants that the caller may see or of those that are named, up to a hundred of them.
#[utoipa::path(
    get,
    path = "/api/v1/statistics",
    operation_id = "getStatistics",
    tag = "look",
    params(("tenant" = Option<String>, Query, description = "The partner tenants, by their ids with commas between.")),
    responses((status = 200, description = "The figures", body = Statistics), Problems)
)]
#[expect(dead_code, reason = "the place of what is said of a route")]
fn statistics() {}

/// The tenants that the caller may see, and when each was last looked at
#[utoipa::path(
    get,
    path = "/api/v1/tenants",
    operation_id = "listTenants",
    tag = "look",
    responses((status = 200, description = "The tenants", body = Tenants), Problems)
)]
#[expect(dead_code, reason = "the place of what is said of a route")]
fn tenants() {}

/// What was done in a tenant, the latest first
///
/// About alerts and about the tenant itself; up to 200 lines a page.
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{tenant}/activity",
    operation_id = "listActivityOfTenant",
    tag = "look",
    params(
        ("tenant" = String, Path, description = "The partner tenant.", pattern = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"),
        ("cursor" = Option<String>, Query, description = "Where the page before ended: its `next`."),
        ("since" = Option<String>, Query, description = "From this moment on (RFC 3339).", format = DateTime),
        ("until" = Option<String>, Query, description = "Until before this moment (RFC 3339).", format = DateTime)
    ),
    responses((status = 200, description = "A page of lines", body = ActivityPage), Problems)
)]
#[expect(dead_code, reason = "the place of what is said of a route")]
fn activity_of_tenant() {}

/// An alert, whole
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{tenant}/alerts/{alert}",
    operation_id = "getAlert",
    tag = "look",
    params(
        ("tenant" = String, Path, description = "The partner tenant.", pattern = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"),
        ("alert" = String, Path, description = "The alert.", min_length = 1, max_length = 256)
    ),
    responses((status = 200, description = "The alert", body = AlertWhole), Problems)
)]
#[expect(dead_code, reason = "the place of what is said of a route")]
fn alert() {}

/// What happened to an alert, the oldest first
///
/// What was done here, and what Microsoft recorded besides. Up to 200 lines of our own a page; Microsoft's entries stand on the first.
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{tenant}/alerts/{alert}/activity",
    operation_id = "listActivityOfAlert",
    tag = "look",
    params(
        ("tenant" = String, Path, description = "The partner tenant.", pattern = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"),
        ("alert" = String, Path, description = "The alert.", min_length = 1, max_length = 256),
        ("cursor" = Option<String>, Query, description = "Where the page before ended: its `next`.")
    ),
    responses((status = 200, description = "A page of what happened", body = ActivityPage), Problems)
)]
#[expect(dead_code, reason = "the place of what is said of a route")]
fn activity_of_alert() {}

/// How far something has come that was asked for
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{tenant}/operations/{operation}",
    operation_id = "getOperation",
    tag = "look",
    params(
        ("tenant" = String, Path, description = "The partner tenant.", pattern = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"),
        ("operation" = String, Path, description = "The operation.", pattern = "^[0-9a-f]{64}$")
    ),
    responses((status = 200, description = "The operation", body = OperationShown), Problems)
)]
#[expect(dead_code, reason = "the place of what is said of a route")]
fn operation() {}

/// Saved views: the caller's own, and those that are shared
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{tenant}/views",
    operation_id = "listViews",
    tag = "look",
    params(("tenant" = String, Path, description = "The partner tenant.", pattern = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")),
    responses((status = 200, description = "The views", body = Views), Problems)
)]
#[expect(dead_code, reason = "the place of what is said of a route")]
fn views() {}

/// Who the caller is, and what they may do
#[utoipa::path(
    get,
    path = "/api/v1/me",
    operation_id = "getMe",
    tag = "look",
    responses((status = 200, description = "The caller", body = Me), Problems)
)]
#[expect(dead_code, reason = "the place of what is said of a route")]
fn me() {}

/// This document
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    operation_id = "getOpenApi",
    tag = "look",
    responses((status = 200, description = "The document of the whole API", body = Object), Problems)
)]
#[expect(dead_code, reason = "the place of what is said of a route")]
fn whole() {}
