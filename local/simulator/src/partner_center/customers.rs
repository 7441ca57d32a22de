//! Customers, their subscriptions, and the Azure subscriptions below an Azure plan.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::customers::{Customer, Relationship};
use crate::partner_center::caller::{answer, error, plain_error};
use crate::reply::Reply;
use crate::targets::Target;

/// What a following page is asked for with, beside its token.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PageQuery {
    seek_operation: Option<String>,
}

pub(crate) async fn read(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    answer(&app, Target::Customer, &headers, |grant| match known(app.customer(&grant.tenant, &id)) {
        Ok(customer) => Reply::json(StatusCode::OK, &described(&id, &customer)),
        Err(refusal) => refusal,
    })
    .await
}

/// The Azure plans, and something else that is no plan.
pub(crate) async fn subscriptions(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Response {
    answer(&app, Target::CustomerSubscriptions, &headers, |grant| match known(app.customer(&grant.tenant, &id)) {
        Ok(customer) => {
            let path = format!("/customers/{id}/subscriptions");
            let other = subscription(&path, OTHER, "CFQ7TTC0LH18:0001:CFQ7TTC0K971", "Licences");
            let plans = (0..customer.plans)
                .map(|place| subscription(&path, &plan_id(&id, place), "DZH318Z0BPS6:0001:DZH318Z0BMJX", "Azure plan"));
            paged(&app, &path, &query, &headers, std::iter::once(other).chain(plans).collect())
        }
        Err(refusal) => refusal,
    })
    .await
}

pub(crate) async fn entitlements(
    State(app): State<App>,
    Path((id, plan)): Path<(String, String)>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Response {
    answer(&app, Target::AzureEntitlements, &headers, |grant| match known(app.customer(&grant.tenant, &id)) {
        Ok(customer) => {
            let Some(place) = (0..customer.plans).find(|place| plan_id(&id, *place) == plan) else {
                return plain_error(StatusCode::NOT_FOUND, "There is no such subscription.");
            };
            let path = format!("/customers/{id}/subscriptions/{plan}/azureEntitlements");
            let all = customer.subscriptions.iter().enumerate();
            let has_left = |id: &String| place == 0 && customer.left_behind.contains(id);
            let is_here = |at: usize, id: &String| customer.plan_of(at) == place || has_left(id);
            let items = all.filter(|(at, (id, _))| is_here(*at, id)).map(|(at, (id, name))| {
                let lives_here = customer.plan_of(at) == place;
                let status = app.subscription_status(&grant.tenant, id);
                json!({
                    "id": id,
                    "friendlyName": name,
                    "status": if lives_here { json!(status) } else { json!("inactive") },
                    "subscriptionId": plan,
                    "attributes": { "objectType": "AzureEntitlement" },
                })
            });
            paged(&app, &path, &query, &headers, items.collect())
        }
        Err(refusal) => refusal,
    })
    .await
}

pub(crate) fn known(customer: Option<Customer>) -> Result<Customer, Reply> {
    let none = || plain_error(StatusCode::NOT_FOUND, "There is no such customer.");
    let ended = || error(StatusCode::FORBIDDEN, "900159", "There is no relationship with this customer.");
    // A customer of nobody and one of somebody else's look alike to whoever asks.
    let customer = customer.ok_or_else(ended)?;
    match customer.relationship {
        Relationship::Reseller => Ok(customer),
        Relationship::Ended => Err(ended()),
        Relationship::Unknown => Err(none()),
    }
}

fn described(id: &str, customer: &Customer) -> Value {
    let link = |path: String| json!({ "self": { "uri": path, "method": "GET", "headers": [] } });
    json!({
        "id": id,
        "commerceId": "a17c60d2-b93f-4e58-8c0a-4f6d2e9b7153",
        "companyProfile": {
            "tenantId": id,
            "domain": customer.domain,
            "companyName": customer.company_name,
            "links": link(format!("/customers/{id}/profiles/company")),
            "attributes": { "objectType": "CustomerCompanyProfile" },
        },
        "relationshipToPartner": "reseller",
        "allowDelegatedAccess": false,
        "links": link(format!("/customers/{id}")),
        "attributes": { "objectType": "Customer" },
    })
}

fn subscription(path: &str, id: &str, offer: &str, name: &str) -> Value {
    json!({
        "id": id,
        "offerId": offer,
        "offerName": name,
        "friendlyName": name,
        "quantity": 1,
        "unitType": "Usage-based",
        "status": "active",
        "autoRenewEnabled": false,
        "isTrial": false,
        "billingType": "usage",
        "billingCycle": "monthly",
        "productType": { "id": "Azure", "displayName": "Azure" },
        "links": { "self": { "uri": format!("{path}/{id}"), "method": "GET", "headers": [] } },
        "attributes": { "etag": "eyJpZCI6Im1hZGUgdXAifQ==", "objectType": "Subscription" },
    })
}

/// A page of a collection. The next one takes both its query and its token.
fn paged(app: &App, path: &str, query: &PageQuery, headers: &HeaderMap, items: Vec<Value>) -> Reply {
    let token = headers.get(CONTINUATION).and_then(|value| value.to_str().ok());
    let start = match (query.seek_operation.as_deref(), token) {
        (None, None) => Some(0),
        (Some("Next"), Some(token)) => token.strip_prefix("from-").and_then(|start| start.parse().ok()),
        _ => None,
    };
    let Some(start) = start.filter(|start| *start <= items.len()) else {
        return plain_error(StatusCode::BAD_REQUEST, "A page takes seekOperation=Next and MS-ContinuationToken.");
    };
    let (total, end) = (items.len(), start + app.page_size);
    let page: Vec<_> = items.into_iter().skip(start).take(app.page_size).collect();
    let mut body = json!({ "totalCount": total, "items": page, "attributes": { "objectType": "Collection" } });
    if end < total {
        let link = |uri: String, headers: Value| json!({ "uri": uri, "method": "GET", "headers": headers });
        body["links"] = json!({
            "self": link(path.to_owned(), json!([])),
            "next": link(
                format!("{path}?seekOperation=Next"),
                json!([{ "key": "MS-ContinuationToken", "value": format!("from-{end}") }]),
            ),
        });
    }
    Reply::json(StatusCode::OK, &body)
}

/// The id of a customer's plan: the customer's, with another beginning.
pub(crate) fn plan_id(customer: &str, place: usize) -> String {
    let rest = customer.split_once('-').map(|(_, rest)| rest.to_ascii_lowercase()).unwrap_or_default();
    format!("8e5a3c{place:02x}-{rest}")
}

const CONTINUATION: &str = "ms-continuationtoken";
const OTHER: &str = "4c0ffee1-24d1-4b96-a8c2-6d09b7e1a4f5";
