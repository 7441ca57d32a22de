//! The messages that leave the system, and the one that travels inside it.
//!
//! The JSON forms are a contract: `docs/schemas/` describes them, and a test holds the two together. A new optional member
//! may come within a version; anything else makes a new one.

use std::{collections::BTreeMap, fmt::Write as _};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::text::cut;
use crate::{
    AlertNotice, AlertSummary, DigestNotice, DigestReason, Event, EventId, MessageId, Notice, TenantId, TraceContext,
    TransitionKind,
};

/// The schema names that messages carry.
const FRAUD_SCHEMA: &str = "partner-alerts.fraud.v1";
const EVENT_SCHEMA: &str = "partner-alerts.event.v1";

/// The largest publication, over all forms together. SNS takes 262,144 bytes, and the forms are packed into one more JSON
/// text, which can double them; the rest is room for attributes.
const PUBLICATION_BYTES: usize = 120_000;

/// Longest name of an event's message, in characters; documented ones have about 50.
const NAME_CHARACTERS: usize = 256;
/// Longest address in an event's message, in characters; documented ones have about 200.
const URI_CHARACTERS: usize = 2_048;

/// Something to publish: one content in several forms, ready for SNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The stable id: a repeated publication has the same.
    pub id: MessageId,
    /// The subject of e-mails: our own fixed words, ASCII, at most 100 characters.
    pub subject: &'static str,
    /// For programs: JSON.
    pub json: String,
    /// For e-mail: plain text.
    pub text: String,
    /// Attributes for filter policies. Values are never empty; at most ten, since SQS raw delivery takes no more.
    pub attributes: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FraudMessage<'a> {
    schema: &'static str,
    id: &'a MessageId,
    kind: &'static str,
    tenant_id: &'a TenantId,
    recorded: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alert: Option<&'a AlertSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a DigestNotice>,
}

impl Notice {
    /// What the notice is called in keys, messages and attributes.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Alert(notice) => notice.kind.as_str(),
            Self::Digest(_) => "digest",
        }
    }

    /// The message's id: the same notice always has the same, so that whoever gets it twice can tell.
    #[must_use]
    pub fn message_id(&self, tenant: &TenantId) -> MessageId {
        match self {
            Self::Alert(notice) => MessageId::of_parts(&[
                tenant.as_str(),
                notice.alert.id.as_str(),
                &notice.version.to_string(),
                notice.kind.as_str(),
            ]),
            Self::Digest(digest) => {
                let (run, part) = (digest.run.to_string(), digest.part.to_string());
                let mut parts = vec![tenant.as_str(), "", &run, digest.reason.as_str()];
                // The first has the id that it had before there were others.
                parts.extend((digest.part > 0).then_some(part.as_str()));
                MessageId::of_parts(&parts)
            }
        }
    }

    /// The publication for the fraud topic. `recorded` is when the change was written here.
    ///
    /// # Errors
    ///
    /// Where the message can't be written as JSON, which none of its fields allows to happen.
    pub fn publication(&self, tenant: &TenantId, recorded: Timestamp) -> Result<Publication, serde_json::Error> {
        let full = self.publication_of_any_size(tenant, recorded)?;
        if full.json.len() + full.text.len() <= PUBLICATION_BYTES {
            return Ok(full);
        }
        // Hostile or strange contents (control characters swell sixfold in JSON): the long parts go, the alert stays.
        let mut shorter = self.clone();
        match &mut shorter {
            Self::Alert(notice) => {
                notice.alert.description = None;
                notice.alert.affected_resources.clear();
            }
            Self::Digest(digest) => digest.alerts.truncate(DigestNotice::LISTED / 5),
        }
        shorter.publication_of_any_size(tenant, recorded)
    }

    fn publication_of_any_size(
        &self,
        tenant: &TenantId,
        recorded: Timestamp,
    ) -> Result<Publication, serde_json::Error> {
        let id = self.message_id(tenant);
        let (version, alert, digest) = match self {
            Self::Alert(notice) => (Some(notice.version), Some(notice.alert.as_ref()), None),
            Self::Digest(digest) => (None, None, Some(digest)),
        };
        let kind = self.kind();
        let message =
            FraudMessage { schema: FRAUD_SCHEMA, id: &id, kind, tenant_id: tenant, recorded, version, alert, digest };
        let json = serde_json::to_string(&message)?;
        let mut attributes = BTreeMap::from([
            ("schema", FRAUD_SCHEMA.to_owned()),
            ("kind", kind.to_owned()),
            ("tenantId", tenant.to_string()),
        ]);
        if let Some(alert) = alert {
            attributes.extend(alert_attributes(alert));
        }
        let text = match self {
            Self::Alert(notice) => alert_text(notice, tenant),
            Self::Digest(digest) => digest_text(digest, tenant),
        };
        Ok(Publication { id, subject: self.subject(), json, text, attributes })
    }

    fn subject(&self) -> &'static str {
        match self {
            Self::Alert(AlertNotice { kind: TransitionKind::Opened, .. }) => "Partner Alerts: new fraud alert",
            Self::Alert(AlertNotice { kind: TransitionKind::Reopened, .. }) => "Partner Alerts: fraud alert open again",
            Self::Alert(AlertNotice { kind: TransitionKind::Resolved, .. }) => "Partner Alerts: fraud alert resolved",
            Self::Alert(AlertNotice { kind: TransitionKind::SeverityRaised, .. }) => {
                "Partner Alerts: alert raised to fraud severity"
            }
            Self::Digest(DigestNotice { reason: DigestReason::Baseline, .. }) => {
                "Partner Alerts: open fraud alerts of a new tenant"
            }
            Self::Digest(DigestNotice { reason: DigestReason::Burst, .. }) => {
                "Partner Alerts: many fraud alerts at once"
            }
        }
    }
}

fn alert_attributes(alert: &AlertSummary) -> impl Iterator<Item = (&'static str, String)> {
    [
        ("severity", Some(alert.severity.to_string())),
        ("alertType", Some(alert.alert_type.0.clone())),
        ("portalType", Some(alert.portal_type.as_str().to_owned())),
        ("customerId", alert.customer_id.as_ref().map(ToString::to_string)),
        ("subscriptionId", alert.subscription_id.as_ref().map(ToString::to_string)),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.filter(|value| !value.is_empty()).map(|value| (name, attribute(&value))))
}

/// The value of an attribute. Control characters and what is no character become blanks: neither SNS nor SQS takes them, and
/// one alert with strange contents must not be the one that is never told.
fn attribute(value: &str) -> String {
    let is_refused = |mark: char| mark.is_control() || matches!(mark, '\u{fffe}' | '\u{ffff}');
    value.chars().map(|mark| if is_refused(mark) { ' ' } else { mark }).collect()
}

fn alert_text(notice: &AlertNotice, tenant: &TenantId) -> String {
    let alert = &notice.alert;
    let mut text = String::new();
    let headline = match notice.kind {
        TransitionKind::Opened => "A new alert of fraud severity needs an answer.",
        TransitionKind::Reopened => "A resolved alert of fraud severity is open again and needs an answer.",
        TransitionKind::Resolved => "An alert of fraud severity was resolved.",
        TransitionKind::SeverityRaised => "An open alert was raised to fraud severity and needs an answer.",
    };
    line(&mut text, "", headline);
    line(&mut text, "", "");
    line(&mut text, "Alert", &alert.name);
    line(&mut text, "Type", &format!("{} ({})", alert.portal_type.as_str(), alert.alert_type.0));
    line(&mut text, "Severity", alert.severity.as_str());
    line(&mut text, "Status", alert.status.as_str());
    optional_line(&mut text, "Reason", alert.resolved_reason.as_ref().map(crate::ResolvedReason::as_str));
    optional_line(&mut text, "Customer", alert.customer_id.as_ref().map(crate::CustomerId::as_str));
    optional_line(&mut text, "Subscription", alert.subscription_id.as_ref().map(crate::SubscriptionId::as_str));
    line(&mut text, "Partner tenant", tenant.as_str());
    line(&mut text, "Detected", &alert.detected.to_string());
    if notice.kind != TransitionKind::Resolved {
        line(&mut text, "Answer by", &alert.respond_by.to_string());
    }
    line(&mut text, "Alert ID", alert.id.as_str());
    for resource in &alert.affected_resources {
        line(&mut text, "Resource", &resource.resource_id);
    }
    let unlisted = alert.affected_resource_count - alert.affected_resources.len().min(alert.affected_resource_count);
    if unlisted > 0 {
        line(&mut text, "", &format!("and {unlisted} resources more"));
    }
    if let Some(description) = &alert.description {
        line(&mut text, "", "");
        line(&mut text, "", description);
    }
    text
}

fn digest_text(digest: &DigestNotice, tenant: &TenantId) -> String {
    let mut text = String::new();
    let why = match digest.reason {
        DigestReason::Baseline => "open when Partner Alerts first read this partner tenant",
        DigestReason::Burst => "changed at once",
    };
    line(&mut text, "", &format!("{} alerts of fraud severity {why}.", digest.total));
    line(&mut text, "Partner tenant", tenant.as_str());
    line(&mut text, "", "");
    for alert in &digest.alerts {
        let subscription = alert.subscription_id.as_ref().map_or("unknown", crate::SubscriptionId::as_str);
        let status = alert.status.as_str();
        let entry =
            format!("{} {} [{status}] subscription {subscription}, alert {}", alert.detected, alert.name, alert.id);
        line(&mut text, "", &entry);
    }
    let unlisted = digest.total - digest.alerts.len().min(digest.total);
    if unlisted > 0 {
        line(&mut text, "", &format!("and {unlisted} alerts more"));
    }
    text
}

/// Adds a line. What came from outside can't start lines of its own: line breaks and other control characters of the value
/// become blanks.
fn line(text: &mut String, label: &str, value: &str) {
    let value: String = value.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    let separator = if label.is_empty() { "" } else { ": " };
    // Writing to a String can't fail.
    let _ = writeln!(text, "{label}{separator}{value}");
}

fn optional_line(text: &mut String, label: &str, value: Option<&str>) {
    if let Some(value) = value {
        line(text, label, value);
    }
}

/// A verified Partner Center event as the events topic tells it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventMessage<'a> {
    schema: &'static str,
    id: &'a EventId,
    tenant_id: &'a TenantId,
    received: Timestamp,
    event_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_uri: Option<String>,
    changed: Timestamp,
}

impl<'a> EventMessage<'a> {
    /// The message about an event that was kept under `id`.
    #[must_use]
    pub fn new(id: &'a EventId, tenant: &'a TenantId, received: Timestamp, event: &'a Event) -> Self {
        Self {
            schema: EVENT_SCHEMA,
            id,
            tenant_id: tenant,
            received,
            event_name: cut(event.name.as_str(), NAME_CHARACTERS),
            resource_uri: event.resource_uri.as_deref().map(|text| cut(text, URI_CHARACTERS)),
            resource_name: event.resource_name.as_deref().map(|text| cut(text, NAME_CHARACTERS)),
            audit_uri: event.audit_uri.as_deref().map(|text| cut(text, URI_CHARACTERS)),
            changed: event.changed,
        }
    }

    /// The publication for the events topic.
    ///
    /// # Errors
    ///
    /// Where the message can't be written as JSON, which none of its fields allows to happen.
    pub fn publication(&self) -> Result<Publication, serde_json::Error> {
        let json = serde_json::to_string(self)?;
        let mut text = String::new();
        line(&mut text, "", "Microsoft Partner Center sent a verified event.");
        line(&mut text, "", "");
        line(&mut text, "Event", &self.event_name);
        optional_line(&mut text, "Resource", self.resource_uri.as_deref());
        line(&mut text, "Changed", &self.changed.to_string());
        line(&mut text, "Partner tenant", self.tenant_id.as_str());
        let attributes = BTreeMap::from([
            ("schema", EVENT_SCHEMA.to_owned()),
            ("eventName", attribute(&self.event_name)),
            ("tenantId", self.tenant_id.to_string()),
        ]);
        let id = MessageId::of_parts(&[self.tenant_id.as_str(), self.id.as_str()]);
        Ok(Publication { id, subject: "Partner Alerts: Partner Center event", json, text, attributes })
    }
}

/// Why a tenant is to be reconciled. It changes nothing about how; it is for logs and metrics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReconcileCause {
    /// Something asked while a run was under way or just over.
    Again,
    /// A verified fraud callback.
    Callback {
        /// The event that rang.
        event: EventId,
    },
    /// The schedule.
    Schedule,
}

/// The message on the reconcile queue: "look at this tenant".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileRequest {
    /// The tenant to look at.
    pub tenant: TenantId,
    /// Why.
    pub cause: ReconcileCause,
    /// Where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "TraceContext::lenient")]
    pub trace: Option<TraceContext>,
}
