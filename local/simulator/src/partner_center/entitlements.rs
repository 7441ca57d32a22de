//! One Azure subscription below a customer's plan: read, cancelled, reactivated.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{App, Shared, lock};
use crate::entra::Grant;
use crate::partner_center::caller::{answer, answer_global_administrators, error, request_id};
use crate::partner_center::customers::{known, plan_id};
use crate::reply::Reply;
use crate::subscriptions::CancelAnswer;
use crate::targets::Target;

/// Customer, plan and subscription.
type Ids = (String, String, String);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cancellation {
    cancellation_reason: Option<String>,
}

pub(crate) async fn read(State(app): State<App>, Path(ids): Path<Ids>, headers: HeaderMap) -> Response {
    answer(&app, Target::AzureEntitlement, &headers, |grant| {
        let name = find(&app, grant, &ids);
        name.map_or_else(|refusal| refusal, |name| Reply::json(StatusCode::OK, &described(&app, grant, &ids, &name)))
    })
    .await
}

pub(crate) async fn cancel(State(app): State<App>, Path(ids): Path<Ids>, headers: HeaderMap, body: Bytes) -> Response {
    answer_global_administrators(&app, Target::AzureEntitlementCancel, &headers, |grant| {
        cancelled(&app, grant, &ids, &headers, &body).unwrap_or_else(|refusal| refusal)
    })
    .await
}

fn cancelled(app: &Shared, grant: &Grant, ids: &Ids, headers: &HeaderMap, body: &[u8]) -> Result<Reply, Reply> {
    check_ids(ids)?;
    let Ok(wanted) = serde_json::from_slice::<Cancellation>(body) else { return Err(invalid("The body is required.")) };
    if wanted.cancellation_reason.as_deref() != Some("compromise") {
        return Err(error(StatusCode::BAD_REQUEST, "900307", "The cancellation reason is not valid."));
    }
    let name = find(app, grant, ids)?;
    // As it was before: so the sample has it.
    let shown = described(app, grant, ids, &name);
    if lock(&app.once).is_first(&grant.tenant, request_id(headers), &format!("cancel {}", ids.2)) {
        app.act_on_subscription(grant, &ids.2, true);
    }
    let rules = lock(&app.subscriptions).rules;
    Ok(match rules.answer {
        CancelAnswer::Accepted => Reply::accepted(),
        CancelAnswer::Entitlement => Reply::json(StatusCode::OK, &shown),
    })
}

pub(crate) async fn reactivate(State(app): State<App>, Path(ids): Path<Ids>, headers: HeaderMap) -> Response {
    answer_global_administrators(&app, Target::AzureEntitlementReactivate, &headers, |grant| {
        reactivated(&app, grant, &ids, &headers).unwrap_or_else(|refusal| refusal)
    })
    .await
}

fn reactivated(app: &Shared, grant: &Grant, ids: &Ids, headers: &HeaderMap) -> Result<Reply, Reply> {
    find(app, grant, ids)?;
    let what = format!("reactivate {}", ids.2);
    let mut once = lock(&app.once);
    if once.was_done(&grant.tenant, request_id(headers), &what) {
        return Ok(Reply::accepted());
    }
    if !app.was_cancelled(&grant.tenant, &ids.2) {
        return Err(error(StatusCode::BAD_REQUEST, "900337", "The partner can't reactivate this entitlement."));
    }
    once.is_first(&grant.tenant, request_id(headers), &what);
    app.act_on_subscription(grant, &ids.2, false);
    Ok(Reply::accepted())
}

fn invalid(description: &str) -> Reply {
    error(StatusCode::BAD_REQUEST, "800002", description)
}

fn check_ids((customer, plan, subscription): &Ids) -> Result<(), Reply> {
    if uuid::Uuid::try_parse(customer).is_err() {
        return Err(error(StatusCode::BAD_REQUEST, "900118", "The customer ID is not valid."));
    }
    let guids = [plan, subscription].into_iter().all(|id| uuid::Uuid::try_parse(id).is_ok());
    if guids { Ok(()) } else { Err(invalid("The subscription ID and the entitlement ID have to be GUIDs.")) }
}

/// What the subscription is called, where it lives below that plan of that customer of the caller's.
fn find(app: &Shared, grant: &Grant, ids: &Ids) -> Result<String, Reply> {
    check_ids(ids)?;
    let (customer_id, plan, wanted) = ids;
    let customer = known(app.customer(&grant.tenant, customer_id))?;
    let mut all = customer.subscriptions.iter().enumerate();
    let found = all.find(|(at, (id, _))| {
        id.eq_ignore_ascii_case(wanted) && plan_id(customer_id, customer.plan_of(*at)).eq_ignore_ascii_case(plan)
    });
    let none = || error(StatusCode::NOT_FOUND, "800111", "There is no such entitlement.");
    found.map(|(_, (_, name))| name.clone()).ok_or_else(none)
}

fn described(app: &Shared, grant: &Grant, (customer, plan, id): &Ids, name: &str) -> Value {
    let uri = format!("/customers/{customer}/subscriptions/{plan}/azureEntitlements/{id}/cancel");
    json!({
        "id": id,
        "friendlyName": name,
        "status": app.subscription_status(&grant.tenant, id),
        "subscriptionId": plan,
        "links": { "cancel": { "uri": uri, "method": "POST", "headers": [] } },
        "attributes": { "objectType": "AzureEntitlement" },
    })
}
