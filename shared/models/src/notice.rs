//! What the outbox holds: everything that is needed to publish a change, so that the publisher reads nothing else.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::text::cut;
use crate::{
    AffectedResource, Alert, AlertId, AlertType, Confidence, CustomerId, PortalType, ResolvedReason, Severity,
    SignalNotice, Status, SubscriptionId, TransitionKind,
};

/// How soon Microsoft asks for an answer, counted from detection (Security Alerts dashboard page).
pub const RESPONSE_TARGET: SignedDuration = SignedDuration::from_hours(1);

/// Longest name in a message, in characters. Microsoft documents no limit; this is far above every sample.
const NAME_CHARACTERS: usize = 256;
/// Longest description in a message, in characters: enough for steps to take, far below SNS's 256 kB.
const DESCRIPTION_CHARACTERS: usize = 4_000;
/// Most resources listed in a message; their number is given beside them.
const RESOURCES: usize = 20;

/// An alert as a message tells it: bounded in size, without personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertSummary {
    /// The alert's id.
    pub id: AlertId,
    /// Its name, cut to 256 characters.
    pub name: String,
    /// What was seen, cut to 4,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its exact kind.
    #[serde(rename = "type")]
    pub alert_type: AlertType,
    /// Its kind as the portal shows it.
    pub portal_type: PortalType,
    /// Where it stands.
    pub status: Status,
    /// How bad it is.
    pub severity: Severity,
    /// How sure Microsoft is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// The customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// The Azure subscription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription_id: Option<SubscriptionId>,
    /// The indirect reseller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reseller_id: Option<String>,
    /// When Microsoft detected it.
    pub detected: Timestamp,
    /// When it was first observed.
    pub first_observed: Timestamp,
    /// When it was last observed.
    pub last_observed: Timestamp,
    /// Until when Microsoft asks for an answer.
    pub respond_by: Timestamp,
    /// Why it was resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_reason: Option<ResolvedReason>,
    /// When it was resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_on: Option<Timestamp>,
    /// The first 20 affected resources.
    pub affected_resources: Vec<AffectedResource>,
    /// How many affected resources there are.
    pub affected_resource_count: usize,
}

impl From<&Alert> for AlertSummary {
    fn from(alert: &Alert) -> Self {
        Self {
            id: alert.id.clone(),
            name: cut(&alert.display_name, NAME_CHARACTERS),
            description: alert.description.as_deref().map(|text| cut(text, DESCRIPTION_CHARACTERS)),
            alert_type: AlertType(cut(&alert.alert_type.0, NAME_CHARACTERS)),
            portal_type: alert.alert_type.portal_type(),
            status: alert.status.clone(),
            severity: alert.severity.clone(),
            confidence: alert.confidence.clone(),
            customer_id: alert.customer_id.clone(),
            subscription_id: alert.subscription_id.clone(),
            reseller_id: alert.reseller_id.as_deref().map(|text| cut(text, NAME_CHARACTERS)),
            detected: alert.detected,
            first_observed: alert.first_observed,
            last_observed: alert.last_observed,
            respond_by: alert.detected.saturating_add(RESPONSE_TARGET).unwrap_or(Timestamp::MAX),
            resolved_reason: alert.resolution.reason.clone(),
            resolved_on: alert.resolution.on,
            affected_resources: alert.affected_resources.iter().take(RESOURCES).cloned().collect(),
            affected_resource_count: alert.affected_resources.len(),
        }
    }
}

/// One change of one alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertNotice {
    /// What changed.
    pub kind: TransitionKind,
    /// The alert's version with us: a message with a lower one than a message seen before may be ignored.
    pub version: u64,
    /// The alert after the change.
    pub alert: Box<AlertSummary>,
}

/// Why many alerts are told in one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DigestReason {
    /// A tenant's first complete run: what was open before we came.
    Baseline,
    /// More changes in one run than a person reads one by one.
    Burst,
}

impl DigestReason {
    /// The name that keys, messages and attributes use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Burst => "burst",
        }
    }
}

/// Many alerts in one message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DigestNotice {
    /// Why.
    pub reason: DigestReason,
    /// The fencing number of the run that made it: with tenant, reason and part it names the digest.
    pub run: u64,
    /// Which of the digests of that run it is, from 0 on. A run has more than one where more changed than it holds in memory.
    #[serde(default, skip_serializing_if = "is_first")]
    pub part: u32,
    /// How many alerts of fraud severity it stands for.
    pub total: usize,
    /// The first 50 of them or as many as have room, those to be answered soonest first, without their descriptions and
    /// resources.
    pub alerts: Vec<AlertSummary>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_first(part: &u32) -> bool {
    *part == 0
}

impl DigestNotice {
    /// Most alerts that a digest lists.
    pub const LISTED: usize = 50;
    /// Most bytes of listed alerts, as JSON: half of what DynamoDB takes. Fifty of the samples' size have 30,000.
    const LISTED_BYTES: usize = 200_000;

    /// A digest of nothing so far.
    #[must_use]
    pub fn empty(reason: DigestReason, run: u64) -> Self {
        Self { reason, run, part: 0, total: 0, alerts: Vec::new() }
    }

    /// A digest of these alerts.
    #[must_use]
    pub fn new<'a>(reason: DigestReason, run: u64, alerts: impl IntoIterator<Item = &'a Alert>) -> Self {
        let mut digest = Self::empty(reason, run);
        alerts.into_iter().for_each(|alert| digest.add(alert));
        digest.fitting()
    }

    /// Adds an alert. Before it is kept or published it is to be made [fitting](Self::fitting).
    pub fn add(&mut self, alert: &Alert) {
        self.total += 1;
        let place = self.alerts.partition_point(|listed| (listed.detected, &listed.id) < (alert.detected, &alert.id));
        if place < Self::LISTED {
            let summary = AlertSummary::from(alert);
            self.alerts.insert(place, AlertSummary { description: None, affected_resources: Vec::new(), ..summary });
            self.alerts.truncate(Self::LISTED);
        }
    }

    /// Takes back an alert that was added. What it kept out of the list stays out.
    pub fn take_back(&mut self, id: &AlertId) {
        self.total = self.total.saturating_sub(1);
        self.alerts.retain(|listed| listed.id != *id);
    }

    /// The digest with as many of its alerts as have room.
    #[must_use]
    pub fn fitting(mut self) -> Self {
        let mut bytes = 0;
        let fits = |summary: &&AlertSummary| {
            bytes += serde_json::to_string(summary).map_or(0, |json| json.len());
            bytes <= Self::LISTED_BYTES
        };
        let fitting = self.alerts.iter().take_while(fits).count();
        self.alerts.truncate(fitting);
        self
    }
}

/// Something to be published to the fraud topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// One change of one alert.
    Alert(AlertNotice),
    /// Many alerts in one message.
    Digest(DigestNotice),
    /// A fraud event that is not confirmed.
    Signal(SignalNotice),
}
