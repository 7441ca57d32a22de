//! What goes out about subscriptions.

use api::{Answer, Kind, Problem, operation::SubscriptionActed};
use http::StatusCode;
use models::{Operation, OperationState, Repeated, SubscriptionId, TenantId};
use serde::Serialize;
use subscriptions::Preview;
use utoipa::ToSchema;

use crate::documents::{refused, set_location, shown};

/// What came of it for one of many subscriptions.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct BulkCancelResult {
    /// The tenant.
    #[schema(format = "uuid")]
    pub tenant: String,
    /// The subscription.
    pub subscription: String,
    /// What came of it, where it is written down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acted: Option<SubscriptionActed>,
    /// What is wrong with it, where it is not: the type of a problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What happened then, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What came of it for each, in the order of the request.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BulkCancelled {
    /// The results.
    pub results: Vec<BulkCancelResult>,
    /// Where a person at a browser signs in for all that wait for it: once for each tenant.
    pub step_ups: Vec<String>,
}

/// Something that has an id, and may have a name and a status.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NamedWithStatus {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: Option<String>,
    /// How it stands, in Partner Center's words.
    pub status: Option<String>,
}

/// The customer whose subscription it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CustomerShown {
    /// Their tenant.
    pub id: String,
    /// What they are called.
    pub name: Option<String>,
    /// Their domain.
    pub domain: Option<String>,
}

/// An alert that would be resolved as fraud.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AlertToResolve {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// How bad it is.
    pub severity: String,
    /// How it stands.
    pub status: String,
    /// When it was observed last.
    #[schema(format = "date-time")]
    pub last_observed: String,
}

/// What would end with a cancellation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PreviewShown {
    /// The tenant.
    #[schema(format = "uuid")]
    pub tenant: String,
    /// Whose it is.
    pub customer: CustomerShown,
    /// The subscription: its name is what is typed to confirm.
    pub subscription: NamedWithStatus,
    /// The plan that it lives under, which stays.
    pub plan: NamedWithStatus,
    /// The resources that its open alerts name.
    pub resources: Vec<String>,
    /// The alerts that are resolved as fraud: up to 100 are shown.
    pub alerts: Vec<AlertToResolve>,
    /// How many more of its alerts there are that can't be read, so that nobody resolves them.
    pub unreadable: usize,
    /// What is under way about it.
    pub under_way: Option<SubscriptionActed>,
}

/// What came of a wish about a subscription. None of an operation about something else.
pub(crate) fn acted(operation: &Operation) -> Option<SubscriptionActed> {
    SubscriptionActed::of(operation, operation.refusal.as_ref().map(refused))
}

impl PreviewShown {
    pub(crate) fn of(tenant: &TenantId, subscription: &SubscriptionId, preview: &Preview) -> Self {
        let found = &preview.found.found;
        let alert = |alert: &std::sync::Arc<models::Alert>| AlertToResolve {
            id: alert.id.to_string(),
            name: alert.display_name.clone(),
            severity: alert.severity.to_string(),
            status: alert.status.to_string(),
            last_observed: alert.last_observed.to_string(),
        };
        Self {
            tenant: tenant.to_string(),
            customer: CustomerShown {
                id: found.place.customer.to_string(),
                name: preview.found.customer.name.clone(),
                domain: preview.found.customer.domain.clone(),
            },
            subscription: NamedWithStatus {
                id: subscription.to_string(),
                name: found.entitlement.name.clone(),
                status: Some(found.entitlement.status.to_string()),
            },
            plan: NamedWithStatus {
                id: found.plan.id.to_string(),
                name: found.plan.name.clone(),
                status: found.plan.status.clone(),
            },
            resources: preview.resources.iter().cloned().collect(),
            alerts: preview.alerts.iter().map(alert).collect(),
            unreadable: preview.unreadable,
            under_way: preview.under_way.as_ref().and_then(acted),
        }
    }
}

/// The answer to whoever wants something of one subscription.
pub(crate) fn of_operation(operation: &Operation) -> Result<Answer, Problem> {
    if let OperationState::Refused { refusal, .. } = &operation.state {
        return Err(Problem::refused(refused(refusal)).of_operation(&operation.id));
    }
    let acted = acted(operation).ok_or_else(|| Problem::new(Kind::Unavailable))?;
    let is_left = operation.repeated_by(&operation.request) == Repeated::Unfinished;
    let mut answer = shown(if is_left { StatusCode::ACCEPTED } else { StatusCode::OK }, acted);
    if is_left {
        let place = format!("{}/tenants/{}/operations/{}", api::PREFIX, operation.tenant, operation.id);
        set_location(&mut answer, &place);
    }
    Ok(answer)
}
