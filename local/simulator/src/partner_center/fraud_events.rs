//! fraudEvents: the alerts that Graph lists, in the words of the older interface and with its quirks.

use std::collections::BTreeMap;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::alerts::Alert;
use crate::app::{App, lock};
use crate::customers::first_part;
use crate::entra::Grant;
use crate::fault_kinds::FaultKind;
use crate::partner_center::caller::{answer_people, plain_error};
use crate::reply::Reply;
use crate::targets::Target;

/// The two models.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Model {
    New,
    Old,
}

impl Model {
    pub(crate) fn asked_for(headers: &HeaderMap) -> Self {
        let new = headers.get("x-neweventsmodel").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
        if new { Self::New } else { Self::Old }
    }
}

/// What a list may be asked for. The names are compared as they are documented.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct ListQuery {
    event_status: Option<String>,
    event_type: Option<String>,
    page_number: Option<usize>,
    page_size: Option<usize>,
    subscription_id: Option<String>,
}

pub(crate) async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Response {
    answer_people(&app, Target::FraudEvents, &headers, |grant, fault| {
        let Ok(Query(query)) = query else { return bad("The query holds an option that is not supported.") };
        let asked = Model::asked_for(&headers);
        if asked == Model::New && fault == Some(FaultKind::NewModelRefused) {
            return bad("The header X-NewEventsModel is not supported.");
        }
        let ignored = fault == Some(FaultKind::NewModelIgnored);
        let model = if ignored { Model::Old } else { asked };
        let paging = match (query.page_size, query.page_number) {
            _ if ignored => None,
            (None, None) => None,
            (Some(size), Some(number)) if size > 0 && number > 0 && model == Model::New => Some((size, number)),
            _ => return bad("PageSize and PageNumber go together, are above 0, and are of the new model."),
        };
        let mut alerts = lock(&app.book).listed(&grant.tenant);
        alerts.retain(|alert| query.asks_for(alert));
        if let Some((size, number)) = paging {
            alerts = page(&alerts, size.min(app.page_size), number, fault);
        }
        if fault == Some(FaultKind::EmptyPage) {
            alerts.clear();
        }
        let mut events: Vec<Value> = alerts.iter().map(|alert| event(alert, model, grant)).collect();
        spoil(&mut events, fault);
        Reply::json(StatusCode::OK, &events)
    })
    .await
}

/// The page of this number, the first being 1.
fn page(alerts: &[Alert], size: usize, number: usize, fault: Option<FaultKind>) -> Vec<Alert> {
    let pages = alerts.len().div_ceil(size).max(1);
    let before = if fault == Some(FaultKind::EndlessPages) { (number - 1) % pages } else { number - 1 };
    let start = size.saturating_mul(before);
    let start = match fault {
        Some(FaultKind::AlertListedTwice) => start.saturating_sub(1),
        Some(FaultKind::AlertSkipped) => start.saturating_add(1),
        _ => start,
    };
    alerts.iter().skip(start).take(size).cloned().collect()
}

impl ListQuery {
    fn asks_for(&self, alert: &Alert) -> bool {
        let same =
            |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(is));
        same(&self.event_status, &alert.status)
            && same(&self.event_type, event_type(&alert.alert_type))
            && same(&self.subscription_id, &alert.subscription_id)
    }
}

pub(crate) fn bad(description: &str) -> Reply {
    plain_error(StatusCode::BAD_REQUEST, description)
}

/// The first event as it must not be.
fn spoil(events: &mut [Value], fault: Option<FaultKind>) {
    let dates: &[&str] = match fault {
        Some(FaultKind::MalformedAlert) => &["eventTime"],
        Some(FaultKind::UnreadableAlert) => {
            &["eventTime", "firstObserved", "lastObserved", "firstOccurrence", "lastOccurrence"]
        }
        _ => return,
    };
    if let Some(event) = events.first_mut() {
        for date in dates {
            event[date] = json!("yesterday");
        }
        event["eventStatus"] = json!(7);
    }
}

/// `{subscription}_{entity}`. The entity is what Graph's id has behind the subscription: that both are the same is our own idea.
pub(crate) fn event_id(alert: &Alert) -> String {
    format!("{}_{}", alert.subscription_id, entity(alert))
}

fn entity(alert: &Alert) -> &str {
    let rest = alert.id.strip_prefix(&alert.subscription_id).and_then(|rest| rest.strip_prefix('-'));
    rest.unwrap_or(&alert.id)
}

pub(crate) fn event(alert: &Alert, model: Model, grant: &Grant) -> Value {
    let moment = |moment: Timestamp| {
        // Without a zone, and with as many digits of a second as there are: or always seven, in the new model's samples.
        let form = if model == Model::New { "%Y-%m-%dT%H:%M:%S%.7f" } else { "%Y-%m-%dT%H:%M:%S%.f" };
        moment.strftime(form).to_string()
    };
    let resource = alert.affected_resources.first().map(|resource| resource.resource_id.as_str()).unwrap_or_default();
    let part = |name: &str| {
        let mut parts = resource.split('/').skip_while(|part| !part.eq_ignore_ascii_case(name)).skip(1);
        parts.next().unwrap_or_default().to_owned()
    };
    let details = alert.additional_details.clone().unwrap_or_default();
    let (first, last) = (moment(alert.first_observed_date_time), moment(alert.last_observed_date_time));
    let mut event = json!({
        "eventTime": moment(alert.detected_date_time),
        "eventId": event_id(alert),
        "partnerTenantId": grant.tenant,
        "partnerFriendlyName": "Contoso Partner (made up)",
        "customerTenantId": alert.customer_tenant_id,
        "customerFriendlyName": format!("Customer {}", first_part(&alert.customer_tenant_id)),
        "subscriptionId": alert.subscription_id,
        "subscriptionType": "modern",
        "entityId": entity(alert),
        "entityName": "sampleentity",
        "entityUrl": resource.replace('/', "\\"),
        "hitCount": details.get("ConnectionCount").map_or("1", String::as_str),
        "catalogOfferId": alert.catalog_offer_id,
        "eventStatus": capital(&alert.status),
        "serviceName": part("providers"),
        "resourceName": resource.rsplit('/').next(),
        "resourceGroupName": part("resourceGroups"),
        "firstOccurrence": first,
        "lastOccurrence": last,
        "firstObserved": first,
        "lastObserved": last,
        "resolvedReason": alert.resolved_reason.as_deref().map_or("None".to_owned(), capital),
        "resolvedOn": alert.resolved_on_date_time.map_or("9999-12-31T23:59:59.9970000".to_owned(), moment),
        "resolvedBy": alert.resolved_by.as_deref().unwrap_or_default(),
    });
    if model == Model::New
        && let (Some(event), Value::Object(more)) = (event.as_object_mut(), of_the_new_model(alert, details))
    {
        event.extend(more);
    }
    event
}

fn of_the_new_model(alert: &Alert, details: BTreeMap<String, String>) -> Value {
    let resources = alert.affected_resources.iter();
    let resources: Vec<_> = resources
        .map(|resource| json!({ "azureResourceId": resource.resource_id, "type": resource.resource_type }))
        .collect();
    // The names of the bag begin small here, and large at Graph.
    let details: Map<_, _> = details.into_iter().map(|(name, value)| (small(&name), value.into())).collect();
    let logs: Vec<_> = alert
        .activity_logs
        .iter()
        .map(|log| {
            json!({
                "statusFrom": capital(&log.status_from),
                "statusTo": capital(&log.status_to),
                "updatedBy": log.updated_by,
                "dateTime": log.updated_date_time.to_zoned(ELSEWHERE).strftime("%Y-%m-%dT%H:%M:%S%.7f%:z").to_string(),
            })
        })
        .collect();
    json!({
        "eventType": event_type(&alert.alert_type),
        "severity": capital(&alert.severity),
        "confidenceLevel": alert.confidence_level,
        "displayName": alert.display_name,
        "description": alert.description,
        "country": "US",
        "valueAddedResellerTenantId": alert.value_added_reseller_tenant_id.as_deref().unwrap_or_default(),
        "valueAddedResellerFriendlyName": alert.value_added_reseller_tenant_id.as_deref().map(first_part).unwrap_or_default(),
        "subscriptionName": format!("Subscription {}", first_part(&alert.subscription_id)),
        "affectedResources": resources,
        "additionalDetails": details,
        "IsTest": alert.is_test.to_string(),
        "activityLogs": json!(logs).to_string(),
    })
}

/// The older name of a kind of alert, where there is one. What Microsoft does with the others is not documented.
fn event_type(alert_type: &str) -> &str {
    match alert_type {
        "CryptoMining" | "networkConnectionsToCryptoMiningPools" => "NetworkConnectionsToCryptoMiningPools",
        "ARM_AnomalousResourceConsumption" | "usageAnomalyDetection" => "UsageAnomalyDetection",
        "VM_AnomalousDeployment" | "virtualMachineDeploymentAnomaly" => "VirtualMachineDeploymentAnomaly",
        other => other,
    }
}

fn capital(word: &str) -> String {
    with_first(word, |first| first.to_ascii_uppercase())
}

fn small(word: &str) -> String {
    with_first(word, |first| first.to_ascii_lowercase())
}

fn with_first(word: &str, change: fn(char) -> char) -> String {
    let mut letters = word.chars();
    letters.next().map(change).into_iter().chain(letters).collect()
}

/// Change logs have an offset, and not UTC's.
const ELSEWHERE: TimeZone = TimeZone::fixed(Offset::constant(2));
