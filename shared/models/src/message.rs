//! The messages that leave the system.
//!
//! The JSON forms are a contract: `docs/schemas/` describes them, and a test holds the two together. A new optional member
//! may come within a version; anything else makes a new one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::mail::{alert_text, digest_text, line, optional_line, signal_text};
use crate::text::cut;
use crate::{
    AlertNotice, AlertSummary, DigestNotice, DigestReason, Event, EventId, MessageId, Notice, SignalNotice, TenantId,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<&'a SignalNotice>,
}

impl Notice {
    /// What the notice is called in keys, messages and attributes.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Alert(notice) => notice.kind.as_str(),
            Self::Digest(_) => "digest",
            Self::Signal(_) => "unconfirmed",
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
            Self::Signal(signal) => {
                MessageId::of_parts(&[tenant.as_str(), "", "unconfirmed", signal.about(), &signal.hour()])
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
            // Ids and moments alone.
            Self::Signal(_) => {}
        }
        shorter.publication_of_any_size(tenant, recorded)
    }

    fn publication_of_any_size(
        &self,
        tenant: &TenantId,
        recorded: Timestamp,
    ) -> Result<Publication, serde_json::Error> {
        let id = self.message_id(tenant);
        let kind = self.kind();
        let mut message = FraudMessage {
            schema: FRAUD_SCHEMA,
            id: &id,
            kind,
            tenant_id: tenant,
            recorded,
            version: None,
            alert: None,
            digest: None,
            signal: None,
        };
        match self {
            Self::Alert(notice) => {
                (message.version, message.alert) = (Some(notice.version), Some(notice.alert.as_ref()));
            }
            Self::Digest(digest) => message.digest = Some(digest),
            Self::Signal(signal) => message.signal = Some(signal),
        }
        let json = serde_json::to_string(&message)?;
        let mut attributes = BTreeMap::from([
            ("schema", FRAUD_SCHEMA.to_owned()),
            ("kind", kind.to_owned()),
            ("tenantId", tenant.to_string()),
        ]);
        match self {
            Self::Alert(notice) => attributes.extend(alert_attributes(&notice.alert)),
            Self::Digest(_) => {}
            Self::Signal(signal) => attributes.extend(signal_attributes(signal)),
        }
        let text = match self {
            Self::Alert(notice) => alert_text(notice, tenant),
            Self::Digest(digest) => digest_text(digest, tenant),
            Self::Signal(signal) => signal_text(signal, tenant),
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
            Self::Signal(_) => "Partner Alerts: unconfirmed fraud signal",
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

fn signal_attributes(signal: &SignalNotice) -> impl Iterator<Item = (&'static str, String)> {
    let customer = signal.customer_id.as_ref().map(|id| ("customerId", attribute(id.as_str())));
    customer.into_iter().chain(signal.subscription_id.as_ref().map(|id| ("subscriptionId", attribute(id.as_str()))))
}

/// The value of an attribute. Control characters and what is no character become blanks: neither SNS nor SQS takes them, and
/// one alert with strange contents must not be the one that is never told.
fn attribute(value: &str) -> String {
    let is_refused = |mark: char| mark.is_control() || matches!(mark, '\u{fffe}' | '\u{ffff}');
    value.chars().map(|mark| if is_refused(mark) { ' ' } else { mark }).collect()
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
