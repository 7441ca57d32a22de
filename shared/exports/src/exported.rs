//! An alert with all that is known of it, as a record. The moments are RFC 3339, in UTC.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use jiff::{SignedDuration, Timestamp};
use models::{
    ActivityEntry, Actor, AffectedResource, Alert, AlertNote, Cloud, CustomerId, NameId, Person, SubscriptionId, Tenant,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::Value;
use store::WholeAlert;

/// Microsoft asks for an answer within one hour of the detection (the dashboard's page on response times).
const TO_ANSWER: SignedDuration = SignedDuration::from_hours(1);

/// The names of what a page of alerts of a tenant is about.
pub(crate) type Names = HashMap<NameId, String>;

/// What records are made with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Around<'a> {
    pub(crate) tenant: &'a Tenant,
    pub(crate) names: &'a Names,
    /// Where our pages are, where that is known.
    pub(crate) origin: Option<&'a str>,
    pub(crate) now: Timestamp,
}

/// A record, as JSON has it.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each says something of its own")]
pub(crate) struct Exported<'a> {
    tenant: Named<'a>,
    id: &'a str,
    version: u64,
    name: &'a str,
    #[serde(rename = "type")]
    alert_type: &'a str,
    portal_type: &'static str,
    status: &'a str,
    severity: &'a str,
    confidence: Option<&'a str>,
    customer: Option<Named<'a>>,
    subscription: Option<Named<'a>>,
    reseller: Option<Named<'a>>,
    catalog_offer: Option<&'a str>,
    detected: Timestamp,
    first_observed: Timestamp,
    last_observed: Timestamp,
    known_since: Option<Timestamp>,
    /// Until when Microsoft asks for an answer.
    answer_due: Timestamp,
    resolved_reason: Option<&'a str>,
    resolved_on: Option<Timestamp>,
    resolved_by: Option<&'a str>,
    /// From the detection to the resolution.
    response_seconds: Option<u64>,
    is_test: bool,
    is_gone: bool,
    is_pending: bool,
    not_accepted: bool,
    assignee: Option<Assignee<'a>>,
    snooze: Option<Snoozed<'a>>,
    description: Option<&'a str>,
    resources: Vec<Resource<'a>>,
    history: Vec<Change<'a>>,
    details: &'a BTreeMap<String, Value>,
    notes: Vec<Note<'a>>,
    link: Option<String>,
    portal_link: Option<String>,
}

/// Something that has an id, and a name where one is known.
#[derive(Debug, Serialize)]
struct Named<'a> {
    id: &'a str,
    name: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Assignee<'a> {
    tenant: &'a str,
    id: &'a str,
    name: &'a str,
}

#[derive(Debug, Serialize)]
struct Snoozed<'a> {
    until: Timestamp,
    why: &'a str,
}

#[derive(Debug, Serialize)]
struct Resource<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    resource_type: Option<&'a str>,
}

/// A change of status as Microsoft recorded it.
#[derive(Debug, Serialize)]
struct Change<'a> {
    at: Option<Timestamp>,
    by: Option<&'a str>,
    from: Option<&'a str>,
    to: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Note<'a> {
    at: Timestamp,
    by: Cow<'a, str>,
    text: &'a str,
}

/// The names that an alert needs.
pub(crate) fn wanted(alert: &Alert, names: &mut BTreeSet<NameId>) {
    names.extend(alert.customer_id.as_ref().map(NameId::customer));
    names.extend(alert.subscription_id.as_ref().map(NameId::subscription));
    names.extend(alert.reseller_id.as_deref().and_then(NameId::reseller));
}

impl<'a> Exported<'a> {
    pub(crate) fn of(WholeAlert { stored, work }: &'a WholeAlert, around: Around<'a>) -> Self {
        let (known, alert, marks) = (&stored.known, stored.known.alert.as_ref(), &work.marks);
        let Around { tenant, names, origin, now } = around;
        let named = |id: Option<NameId>, text: &'a str| {
            let name = id.and_then(|id| names.get(&id)).map(String::as_str);
            Named { id: text, name }
        };
        let (customer, subscription) = (alert.customer_id.as_ref(), alert.subscription_id.as_ref());
        let answered = alert.resolution.on.map(|on| on.duration_since(alert.detected));
        Self {
            tenant: Named { id: tenant.id.as_str(), name: Some(&tenant.display_name) },
            id: alert.id.as_str(),
            version: stored.version,
            name: &alert.display_name,
            alert_type: &alert.alert_type.0,
            portal_type: alert.alert_type.portal_type().as_str(),
            status: alert.status.as_str(),
            severity: alert.severity.as_str(),
            confidence: alert.confidence.as_ref().map(models::Confidence::as_str),
            customer: customer.map(|id| named(Some(NameId::customer(id)), id.as_str())),
            subscription: subscription.map(|id| named(Some(NameId::subscription(id)), id.as_str())),
            reseller: alert.reseller_id.as_deref().map(|id| named(NameId::reseller(id), id)),
            catalog_offer: alert.catalog_offer_id.as_deref(),
            detected: alert.detected,
            first_observed: alert.first_observed,
            last_observed: alert.last_observed,
            known_since: known.since,
            answer_due: alert.detected.saturating_add(TO_ANSWER).unwrap_or(Timestamp::MAX),
            resolved_reason: alert.resolution.reason.as_ref().map(models::ResolvedReason::as_str),
            resolved_on: alert.resolution.on,
            resolved_by: alert.resolution.by.as_deref(),
            // Where Microsoft's clocks differ, it took no time.
            response_seconds: answered.map(|took| u64::try_from(took.as_secs()).unwrap_or_default()),
            is_test: alert.is_test,
            is_gone: known.gone.is_some(),
            is_pending: known.decision.is_some(),
            not_accepted: known.not_accepted,
            assignee: marks.assignee.as_ref().map(|Person { tenant, id, name }| Assignee {
                tenant: tenant.as_str(),
                id: id.as_str(),
                name,
            }),
            snooze: marks
                .snoozed(&alert.severity, stored.turned, now)
                .map(|snooze| Snoozed { until: snooze.until, why: snooze.why.as_str() }),
            description: alert.description.as_deref(),
            resources: alert.affected_resources.iter().map(Resource::from).collect(),
            history: alert.activity.iter().map(Change::from).collect(),
            details: &alert.additional_details,
            notes: work.notes.iter().map(Note::from).collect(),
            link: origin.map(|origin| format!("{origin}/alerts/{}/{}", tenant.id, encoded(alert.id.as_str()))),
            portal_link: customer.zip(subscription).map(|(customer, id)| portal(tenant.cloud, customer, id)),
        }
    }
}

impl<'a> From<&'a AffectedResource> for Resource<'a> {
    fn from(resource: &'a AffectedResource) -> Self {
        Self { id: &resource.resource_id, resource_type: resource.resource_type.as_deref() }
    }
}

impl<'a> From<&'a ActivityEntry> for Change<'a> {
    fn from(entry: &'a ActivityEntry) -> Self {
        let (from, to) = (entry.status_from.as_ref(), entry.status_to.as_ref());
        let status = models::Status::as_str;
        Self { at: entry.updated, by: entry.updated_by.as_deref(), from: from.map(status), to: to.map(status) }
    }
}

impl<'a> From<&'a AlertNote> for Note<'a> {
    fn from(note: &'a AlertNote) -> Self {
        let by = match &note.by {
            Actor::Person(person) => Cow::Borrowed(person.name.as_str()),
            Actor::Application { id, .. } => Cow::Owned(format!("application {id}")),
            Actor::System => Cow::Borrowed("Partner Alerts"),
            Actor::Unknown => Cow::Borrowed("unknown"),
        };
        Self { at: note.at, by, text: note.text.as_str() }
    }
}

/// The subscription in Azure's portal, on the customer's behalf (Partner Center's documentation, "Manage a customer's subscription").
fn portal(cloud: Cloud, customer: &CustomerId, subscription: &SubscriptionId) -> String {
    let host = match cloud {
        Cloud::China => "portal.azure.cn",
        Cloud::Global => "portal.azure.com",
        Cloud::UsGovernmentL4 | Cloud::UsGovernmentL5 => "portal.azure.us",
    };
    let (customer, subscription) = (encoded(customer.as_str()), encoded(subscription.as_str()));
    format!("https://{host}/{customer}#resource/subscriptions/{subscription}/overview")
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A cell.
pub(crate) enum Cell<'a> {
    /// A number of our own, never below zero: no program takes it for anything else.
    Number(u64),
    /// Everything else.
    Text(Cow<'a, str>),
}

/// How a cell of a record is made.
type CellOf = for<'a> fn(&'a Exported<'_>) -> Cell<'a>;

/// The columns of the CSV, in their order: their names, and what stands in them. Lists and what has members of its own stand there as JSON. Columns may be
/// added at the end; none changes its name or its meaning.
pub(crate) const COLUMNS: [(&str, CellOf); 41] = [
    ("partner_tenant_id", |row| text(row.tenant.id)),
    ("partner_tenant_name", |row| of(row.tenant.name)),
    ("alert_id", |row| text(row.id)),
    ("alert_name", |row| text(row.name)),
    ("severity", |row| text(row.severity)),
    ("status", |row| text(row.status)),
    ("customer_id", |row| id(row.customer.as_ref())),
    ("customer_name", |row| name(row.customer.as_ref())),
    ("subscription_id", |row| id(row.subscription.as_ref())),
    ("subscription_name", |row| name(row.subscription.as_ref())),
    ("reseller_id", |row| id(row.reseller.as_ref())),
    ("reseller_name", |row| name(row.reseller.as_ref())),
    ("detected", |row| moment(Some(row.detected))),
    ("first_observed", |row| moment(Some(row.first_observed))),
    ("last_observed", |row| moment(Some(row.last_observed))),
    ("known_since", |row| moment(row.known_since)),
    ("answer_due", |row| moment(Some(row.answer_due))),
    ("resolved_on", |row| moment(row.resolved_on)),
    ("resolved_reason", |row| of(row.resolved_reason)),
    ("resolved_by", |row| of(row.resolved_by)),
    ("response_seconds", |row| row.response_seconds.map_or(text(""), Cell::Number)),
    ("alert_type", |row| text(row.alert_type)),
    ("portal_type", |row| text(row.portal_type)),
    ("confidence", |row| of(row.confidence)),
    ("catalog_offer", |row| of(row.catalog_offer)),
    ("is_test", |row| flag(row.is_test)),
    ("is_gone", |row| flag(row.is_gone)),
    ("is_pending", |row| flag(row.is_pending)),
    ("not_accepted", |row| flag(row.not_accepted)),
    ("assignee", |row| of(row.assignee.as_ref().map(|assignee| assignee.name))),
    ("assignee_id", |row| of(row.assignee.as_ref().map(|assignee| assignee.id))),
    ("snoozed_until", |row| moment(row.snooze.as_ref().map(|snooze| snooze.until))),
    ("snoozed_why", |row| of(row.snooze.as_ref().map(|snooze| snooze.why))),
    ("version", |row| Cell::Number(row.version)),
    ("link", |row| of(row.link.as_deref())),
    ("portal_link", |row| of(row.portal_link.as_deref())),
    ("description", |row| of(row.description)),
    ("resources", |row| list(&row.resources)),
    ("history", |row| list(&row.history)),
    ("details", |row| if row.details.is_empty() { text("") } else { json(row.details) }),
    ("notes", |row| list(&row.notes)),
];

fn text(text: &str) -> Cell<'_> {
    Cell::Text(Cow::Borrowed(text))
}

fn of(some: Option<&str>) -> Cell<'_> {
    text(some.unwrap_or_default())
}

fn id<'a>(named: Option<&'a Named<'_>>) -> Cell<'a> {
    of(named.map(|named| named.id))
}

fn name<'a>(named: Option<&'a Named<'_>>) -> Cell<'a> {
    of(named.and_then(|named| named.name))
}

fn moment<'a>(at: Option<Timestamp>) -> Cell<'a> {
    at.map_or(text(""), |at| Cell::Text(Cow::Owned(at.to_string())))
}

fn flag<'a>(is: bool) -> Cell<'a> {
    text(if is { "true" } else { "false" })
}

/// Nothing where there is nothing.
fn list<'a>(list: &[impl Serialize]) -> Cell<'a> {
    if list.is_empty() { text("") } else { json(&list) }
}

fn json<'a>(value: &impl Serialize) -> Cell<'a> {
    // Texts, numbers, moments and JSON itself can always be written.
    Cell::Text(Cow::Owned(serde_json::to_string(value).unwrap_or_default()))
}
