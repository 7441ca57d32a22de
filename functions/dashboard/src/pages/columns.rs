//! The columns of the table, and how each shows an alert.

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use models::{NameId, Severity, Status};
use pages::{ago, moment, seen, theirs};
use store::ListedAlert;

use super::view::View;
use crate::routes::names::Names;

/// Microsoft asks for an answer within one hour of the detection (the dashboard's page on response times).
const TO_ANSWER: SignedDuration = SignedDuration::from_hours(1);
/// When it is soon over.
const SOON: SignedDuration = SignedDuration::from_mins(20);

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Name,
    Left,
    Severity,
    Status,
    Customer,
    Subscription,
    Id,
    FirstObserved,
    LastObserved,
    Type,
    Tenant,
    Assignee,
}

impl Column {
    /// All of them, in their order, with the names that they have in addresses and in the table.
    pub(super) const ALL: [(Self, &'static str, &'static str); 12] = [
        (Self::Name, "name", "Alert"),
        (Self::Left, "left", "Time left to answer"),
        (Self::Severity, "severity", "Severity"),
        (Self::Status, "status", "Status"),
        (Self::Customer, "customer", "Customer"),
        (Self::Subscription, "subscription", "Subscription ID"),
        (Self::Id, "id", "Alert ID"),
        (Self::FirstObserved, "first-observed", "First observed"),
        (Self::LastObserved, "last-observed", "Last observed"),
        (Self::Type, "type", "Alert type"),
        (Self::Tenant, "tenant", "Partner tenant"),
        (Self::Assignee, "assignee", "Assignee"),
    ];

    /// How much room it needs, in the words of the style; none where it gets by with little.
    pub(super) fn width(self) -> Option<&'static str> {
        match self {
            Self::Name => Some("wide"),
            Self::Left | Self::Id | Self::Type => Some("middle"),
            _ => None,
        }
    }

    /// Those that a view shows: all, where it names none that there is. What an alert is called always stands there, since it leads to it.
    pub(super) fn of(view: &View) -> Vec<(Self, &'static str, &'static str)> {
        let named: Vec<_> = Self::ALL.into_iter().filter(|(_, name, _)| view.has("columns", name)).collect();
        if named.is_empty() {
            return Self::ALL.to_vec();
        }
        Self::ALL.into_iter().filter(|column| column.0 == Self::Name || named.contains(column)).collect()
    }
}

/// What cells are made with.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) alert: &'a ListedAlert,
    pub(super) names: &'a Names,
    /// What the partner tenant is called.
    pub(super) tenant: &'a str,
    /// The way to the alert.
    pub(super) address: &'a str,
    pub(super) now: Timestamp,
}

impl Row<'_> {
    pub(super) fn cell(&self, column: Column) -> Markup {
        let Row { alert, names, tenant, address, now } = self;
        match column {
            Column::Name => html! {
                a href=(address) { (theirs(&alert.name)) }
                @if alert.is_test { " " span class="tag" { "test" } }
                @if alert.marks.snoozed(&alert.severity, alert.turned, *now).is_some() { " " span class="tag" { "snoozed" } }
                @if alert.is_gone { " " span class="tag" title="Microsoft knows it no longer" { "gone" } }
            },
            Column::Left => left(alert, *now),
            Column::Severity => severity(&alert.severity),
            Column::Status => status(alert),
            Column::Customer => match &alert.customer {
                None => html! { span class="dim" { "-" } },
                Some(id) => named(names.of(&alert.tenant, NameId::customer(id)), id.as_str()),
            },
            Column::Subscription => match &alert.subscription {
                None => html! { span class="dim" { "-" } },
                Some(id) => html! {
                    @if let Some(name) = names.of(&alert.tenant, NameId::subscription(id)) { (theirs(&name)) br; }
                    code class="small" { (theirs(id.as_str())) }
                },
            },
            Column::Id => html! { code class="small" { (theirs(alert.id.as_str())) } },
            Column::FirstObserved => moment(alert.first_observed),
            Column::LastObserved => moment(alert.last_observed),
            Column::Type => html! {
                (alert.alert_type.portal_type().as_str()) br;
                span class="dim small" { (theirs(&alert.alert_type.0)) }
            },
            Column::Tenant => html! { (theirs(tenant)) },
            Column::Assignee => match &alert.marks.assignee {
                None => html! { span class="dim" { "-" } },
                Some(person) => theirs(&person.name),
            },
        }
    }
}

/// A name, or the id where none is known.
fn named(name: Option<String>, id: &str) -> Markup {
    html! {
        @if let Some(name) = name { span title=(seen(id)) { (theirs(&name)) } } @else { code class="small" { (theirs(id)) } }
    }
}

/// How bad it is: by word, by shape, and only then by colour.
pub(super) fn severity(severity: &Severity) -> Markup {
    let (shape, class) = match severity {
        // What is not known counts as the highest.
        Severity::High | Severity::Unknown(_) => ("▲", "high"),
        Severity::Medium => ("◆", "medium"),
        Severity::Low => ("●", "low"),
        Severity::Informational => ("○", "informational"),
    };
    html! { span class={ "severity " (class) } { span aria-hidden="true" { (shape) " " } (theirs(severity.as_str())) } }
}

/// Where it stands, and what is under way of it.
pub(super) fn status(alert: &ListedAlert) -> Markup {
    html! {
        (theirs(alert.status.as_str()))
        @if let Some(reason) = &alert.resolved_reason { " (" (theirs(reason.as_str())) ")" }
        @if alert.is_pending { br; span class="tag" { "on its way to Microsoft" } }
        @if alert.not_accepted { br; span class="tag late" { "not accepted" } }
    }
}

/// How much of the hour is left in which Microsoft asks for an answer, from the detection on.
pub(super) fn left(alert: &ListedAlert, now: Timestamp) -> Markup {
    if alert.status == Status::Resolved {
        let took = alert.resolved_on.map(|on| on.duration_since(alert.detected).max(SignedDuration::ZERO));
        return html! { @match took {
            Some(took) if took <= TO_ANSWER => { span class="good" { "answered in " (ago(took)) } }
            Some(took) => { "answered in " (ago(took)) }
            None => { span class="dim" { "-" } }
        } };
    }
    let left = TO_ANSWER.saturating_sub(now.duration_since(alert.detected));
    html! {
        @if left.is_negative() { span class="late" { "late by " (ago(left)) } }
        @else if left <= SOON { span class="soon" { (ago(left)) " left" } }
        @else { (ago(left)) " left" }
        @if let Some(since) = alert.known_since { br; span class="dim small" { "known to us since " (moment(since)) } }
    }
}
