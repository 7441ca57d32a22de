//! Alerts: in a list, and whole.

use std::collections::BTreeMap;

use jiff::Timestamp;
use models::{Alert, AlertType, Asked, NameId, Operation, TenantId};
use serde::Serialize;
use serde_json::Value;
use store::{AlertAtWork, ListedAlert};
use utoipa::ToSchema;

use super::{ActorShown, Moment, Named, PersonShown, activity::StandingShown};
use crate::routes::names::Names;

/// A page of a list of alerts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlertsPage {
    /// The alerts, in the order of the list.
    pub(crate) alerts: Vec<AlertShown>,
    /// Where it goes on: the `cursor` of the next page, good for an hour. Absent where the list is over. Nothing may come behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
    /// How far the list was searched, where the page ended because enough was read and not because it was full: "searched back to".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) searched_to: Option<Moment>,
    /// How many alerts can't be read and are missing here. Whoever runs Partner Alerts finds them in the log.
    pub(crate) unreadable: usize,
}

/// An alert in a list.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each says something of its own")]
pub(crate) struct AlertShown {
    /// The partner tenant.
    tenant: String,
    /// Its id in the tenant.
    id: String,
    /// Its version with us: what an act names, so that it meets the alert that was seen.
    version: u64,
    /// Its name. Data from outside: escape it on display.
    name: String,
    /// Its exact kind as Microsoft names it.
    #[serde(rename = "type")]
    alert_type: String,
    /// `Azure Notification` or `Azure Usage`: the two types of Microsoft's portal.
    portal_type: &'static str,
    /// `active`, `investigating`, `resolved`, or what Microsoft has added since.
    status: String,
    /// `informational`, `low`, `medium`, `high`, or what Microsoft has added since.
    severity: String,
    /// How sure Microsoft is.
    confidence: Option<String>,
    /// The customer.
    customer: Option<Named>,
    /// The Azure subscription.
    subscription: Option<Named>,
    /// When Microsoft detected it.
    detected: Moment,
    /// When it was first observed.
    first_observed: Moment,
    /// When it was last observed.
    last_observed: Moment,
    /// Why it was resolved.
    resolved_reason: Option<String>,
    /// When it was resolved.
    resolved_on: Option<Moment>,
    /// Whether it is a simulated one.
    is_test: bool,
    /// Whether Microsoft said that it knows it no longer.
    is_gone: bool,
    /// Whether a person decided, and Microsoft has not shown it yet.
    is_pending: bool,
    /// Whether Microsoft did not take the last decision.
    not_accepted: bool,
    /// When we first saw it. Absent where that was not noted.
    known_since: Option<Moment>,
    /// What people wrote on it.
    work: WorkShown,
}

/// What people wrote on an alert, in a few words.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkShown {
    /// Who looks after it.
    assignee: Option<PersonShown>,
    /// That it is set aside; absent once that is over.
    snooze: Option<SnoozeShown>,
    /// How many notes there are.
    notes: usize,
}

/// That an alert is set aside.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SnoozeShown {
    /// Until when.
    until: Moment,
    /// Why.
    why: String,
    /// Who did so.
    by: ActorShown,
}

/// An alert, whole.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlertWhole {
    /// What lists show of it.
    #[serde(flatten)]
    shown: AlertShown,
    /// What was seen and what to do. May hold markup: escape it on display.
    description: Option<String>,
    /// The indirect reseller.
    reseller: Option<Named>,
    /// The offer.
    catalog_offer: Option<String>,
    /// Who resolved it, as Microsoft says.
    resolved_by: Option<String>,
    /// The resources that it is about; none means the whole subscription.
    resources: Vec<ResourceShown>,
    /// Whatever else Microsoft says of it, as it came.
    #[schema(value_type = Object)]
    details: BTreeMap<String, Value>,
    /// The notes, the oldest first.
    notes: Vec<NoteShown>,
    /// What somebody wants of it that is neither done nor refused yet. Absent where there is nothing.
    under_way: Option<UnderWay>,
}

/// A wish about where an alert is to stand that is neither done nor refused yet.
#[derive(Debug, Serialize, ToSchema)]
struct UnderWay {
    /// The operation.
    operation: String,
    /// Where the alert is to stand.
    to: StandingShown,
    /// Since when.
    since: Moment,
    /// Who asked.
    by: ActorShown,
}

/// A resource.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub(crate) struct ResourceShown {
    /// Its Azure resource id.
    pub(crate) id: String,
    /// Its kind.
    #[serde(rename = "type")]
    pub(crate) resource_type: Option<String>,
}

/// A note.
#[derive(Debug, Serialize, ToSchema)]
struct NoteShown {
    /// The line of the activity log that says so.
    id: String,
    /// When it was written.
    at: Moment,
    /// By whom.
    by: ActorShown,
    /// What it says. Escape it on display.
    text: String,
}

impl WorkShown {
    fn of(listed: &ListedAlert, now: Timestamp) -> Self {
        let marks = &listed.marks;
        let snooze = marks.snoozed(&listed.severity, listed.turned, now);
        Self {
            assignee: marks.assignee.as_ref().map(PersonShown::from),
            snooze: snooze.map(|snooze| SnoozeShown {
                until: Moment(snooze.until),
                why: snooze.why.as_str().to_owned(),
                by: (&snooze.by).into(),
            }),
            notes: marks.notes,
        }
    }
}

impl AlertShown {
    pub(crate) fn of(listed: ListedAlert, names: &Names, now: Timestamp) -> Self {
        let (tenant, work) = (&listed.tenant, WorkShown::of(&listed, now));
        Self {
            id: listed.id.into(),
            version: listed.version,
            name: listed.name,
            portal_type: listed.alert_type.portal_type().as_str(),
            alert_type: listed.alert_type.0,
            status: listed.status.to_string(),
            severity: listed.severity.to_string(),
            confidence: listed.confidence.as_ref().map(ToString::to_string),
            customer: listed.customer.as_ref().map(|id| Named::customer(id, tenant, names)),
            subscription: listed.subscription.as_ref().map(|id| Named::subscription(id, tenant, names)),
            detected: Moment(listed.detected),
            first_observed: Moment(listed.first_observed),
            last_observed: Moment(listed.last_observed),
            resolved_reason: listed.resolved_reason.as_ref().map(ToString::to_string),
            resolved_on: listed.resolved_on.map(Moment),
            is_test: listed.is_test,
            is_gone: listed.is_gone,
            is_pending: listed.is_pending,
            not_accepted: listed.not_accepted,
            known_since: listed.known_since.map(Moment),
            work,
            tenant: tenant.to_string(),
        }
    }
}

impl UnderWay {
    fn of(operation: &Operation) -> Option<Self> {
        let Asked::Status { to, .. } = &operation.asked else { return None };
        let (id, since, by) = (operation.id.to_string(), Moment(operation.at), (&operation.by).into());
        Some(Self { operation: id, to: to.into(), since, by })
    }
}

impl AlertWhole {
    /// An alert, and the operation that is under way of it.
    pub(crate) fn of(
        tenant: &TenantId,
        found: &AlertAtWork,
        under_way: Option<&Operation>,
        names: &Names,
        now: Timestamp,
    ) -> Self {
        let AlertAtWork { stored, work, .. } = found;
        let known = &stored.known;
        let alert: &Alert = &known.alert;
        let listed = listed(tenant, found);
        let reseller =
            |id: &String| Named { id: id.clone(), name: NameId::reseller(id).and_then(|id| names.of(tenant, id)) };
        Self {
            shown: AlertShown::of(listed, names, now),
            description: alert.description.clone(),
            reseller: alert.reseller_id.as_ref().map(reseller),
            catalog_offer: alert.catalog_offer_id.clone(),
            resolved_by: alert.resolution.by.clone(),
            resources: resources(alert).collect(),
            details: alert.additional_details.clone(),
            notes: work
                .notes
                .iter()
                .map(|note| NoteShown {
                    id: note.id.to_string(),
                    at: Moment(note.at),
                    by: (&note.by).into(),
                    text: note.text.as_str().to_owned(),
                })
                .collect(),
            under_way: under_way.and_then(UnderWay::of),
        }
    }
}

/// An alert that was read whole, as lists have it.
pub(crate) fn listed(tenant: &TenantId, AlertAtWork { stored, work, .. }: &AlertAtWork) -> ListedAlert {
    let known = &stored.known;
    let alert: &Alert = &known.alert;
    ListedAlert {
        tenant: tenant.clone(),
        id: alert.id.clone(),
        version: stored.version,
        name: alert.display_name.clone(),
        alert_type: AlertType(alert.alert_type.0.clone()),
        status: alert.status.clone(),
        severity: alert.severity.clone(),
        confidence: alert.confidence.clone(),
        customer: alert.customer_id.clone(),
        subscription: alert.subscription_id.clone(),
        detected: alert.detected,
        first_observed: alert.first_observed,
        last_observed: alert.last_observed,
        resolved_reason: alert.resolution.reason.clone(),
        resolved_on: alert.resolution.on,
        is_test: alert.is_test,
        is_gone: known.gone.is_some(),
        is_pending: known.decision.is_some(),
        not_accepted: known.not_accepted,
        known_since: known.since,
        turned: stored.turned,
        marks: work.marks.clone(),
    }
}

/// The resources of an alert.
pub(crate) fn resources(alert: &Alert) -> impl Iterator<Item = ResourceShown> {
    alert.affected_resources.iter().map(|resource| ResourceShown {
        id: resource.resource_id.clone(),
        resource_type: resource.resource_type.clone(),
    })
}
