//! The update of fraudEvents: a change of state of the events that are named, or of all that a subscription has.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use crate::alerts::Alert;
use crate::app::{App, Shared, lock};
use crate::entra::Grant;
use crate::fault_kinds::FaultKind;
use crate::partner_center::caller::{answer_people, plain_error, request_id};
use crate::partner_center::fraud_events::{Model, bad, event, event_id};
use crate::reply::Reply;
use crate::targets::Target;

/// A change of state.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Change {
    /// None of them: all of the subscription.
    #[serde(default)]
    event_ids: Vec<String>,
    event_status: String,
    resolved_reason: String,
}

pub(crate) async fn change(
    State(app): State<App>,
    Path(subscription): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer_people(&app, Target::FraudEventStatus, &headers, |grant, fault| {
        let Ok(change) = serde_json::from_slice::<Change>(&body) else { return bad("The body can't be read.") };
        let (status, reason) = (change.event_status.to_lowercase(), change.resolved_reason.to_lowercase());
        // The pages want a reason with every change. What it is while an event stays open they don't say: events have `None` then.
        let reasons = if status == "resolved" { &REASONS[1..] } else { &REASONS[..] };
        let legitimate_refused = fault == Some(FaultKind::LegitimateRefused) && reason == "legitimate";
        if !STATUSES.contains(&status.as_str()) || !reasons.contains(&reason.as_str()) || legitimate_refused {
            return bad("EventStatus or ResolvedReason is not valid.");
        }
        let meant = |alert: &&Alert| {
            alert.subscription_id == subscription
                && (change.event_ids.is_empty() || change.event_ids.contains(&event_id(alert)))
        };
        let ids: Vec<String> = lock(&app.book).all(&grant.tenant).filter(meant).map(|alert| alert.id.clone()).collect();
        let model = Model::asked_for(&headers);
        if model == Model::New && fault == Some(FaultKind::NewModelRefused) {
            return bad("The header X-NewEventsModel is not supported.");
        }
        if fault == Some(FaultKind::ResolvedBetween) {
            for id in &ids {
                app.resolve_between(&grant.tenant, id);
            }
        }
        let before: Vec<Alert> = ids.iter().filter_map(|id| lock(&app.book).one(&grant.tenant, id).cloned()).collect();
        let what = format!("status of {subscription}");
        let is_first = lock(&app.once).is_first(&grant.tenant, request_id(&headers), &what);
        let changed = if is_first { changed(&app, grant, &ids, &status, &reason) } else { Ok(before.clone()) };
        match changed {
            Ok(alerts) => {
                let alerts = if fault == Some(FaultKind::StaleAnswer) { before } else { alerts };
                let events: Vec<_> = alerts.iter().map(|alert| event(alert, model, grant)).collect();
                Reply::json(StatusCode::OK, &events)
            }
            Err(problem) => plain_error(StatusCode::INTERNAL_SERVER_ERROR, &problem),
        }
    })
    .await
}

fn changed(app: &Shared, grant: &Grant, ids: &[String], status: &str, reason: &str) -> Result<Vec<Alert>, String> {
    let now = app.now();
    let mut book = lock(&app.book);
    let reason = (status == "resolved").then(|| reason.to_owned());
    let change = |id: &String| {
        let moved = book.update(&grant.tenant, id, |alert| alert.move_to(status, reason.clone(), grant.actor(), now));
        moved.map(|(_, after)| after).map_err(|error| error.to_string())
    };
    ids.iter().map(change).collect()
}

/// The first one is of events that are open.
const REASONS: [&str; 4] = ["none", "fraud", "ignore", "legitimate"];
const STATUSES: [&str; 3] = ["active", "investigating", "resolved"];
