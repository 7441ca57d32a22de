//! A security alert as Microsoft describes it. These fields are Microsoft's; what people here add is kept apart (`store`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::open::open_enum;
use crate::{AlertId, AlertType, CustomerId, SubscriptionId};

open_enum! {
    /// Where an alert stands.
    Status {
        /// Needs attention.
        Active = "active",
        /// Somebody looks into it.
        Investigating = "investigating",
        /// Closed with a reason.
        Resolved = "resolved",
    }
}

impl Status {
    /// The name of what can't be read as one.
    const UNREADABLE: &'static str = "unknown";

    /// What stands for a status that is absent, or no text.
    #[must_use]
    pub fn unreadable() -> Self {
        Self::Unknown(Self::UNREADABLE.to_owned())
    }

    /// Whether it stands for one that can't be read.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Self::Unknown(name) if name == Self::UNREADABLE)
    }
}

open_enum! {
    /// How bad it is.
    Severity {
        /// For information only.
        Informational = "informational",
        /// Low.
        Low = "low",
        /// Medium.
        Medium = "medium",
        /// High: fraud, by default.
        High = "high",
    }
}

impl Severity {
    const ABSENT: &'static str = "unknown";

    /// What stands for a severity that is absent, or no text: it counts as the highest, as any does that we have not met.
    #[must_use]
    pub fn absent() -> Self {
        Self::Unknown(Self::ABSENT.to_owned())
    }

    /// Whether it stands for one that is absent.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Unknown(name) if name == Self::ABSENT)
    }
}

open_enum! {
    /// How sure Microsoft is.
    Confidence {
        /// Low.
        Low = "low",
        /// Medium.
        Medium = "medium",
        /// High.
        High = "high",
    }
}

open_enum! {
    /// Why an alert was resolved.
    ResolvedReason {
        /// It was fraud.
        Fraud = "fraud",
        /// Set aside; stems from alerts since December 2021.
        Ignore = "ignore",
        /// It was the customer's own doing.
        Legitimate = "legitimate",
    }
}

/// Whether an alert still needs somebody: what lists and gauges are divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertState {
    /// Active, being investigated, or of a status that we have not met.
    Open,
    /// Resolved.
    Resolved,
}

impl AlertState {
    /// The name that keys use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved => "resolved",
        }
    }
}

/// How an alert was closed. Each member may be missing: Microsoft documents them as nullable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ResolvedReason>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Timestamp>,
    /// By whom: a user principal name, which is personal data and is never logged or published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// A resource that an alert is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AffectedResource {
    /// The Azure resource id.
    pub resource_id: String,
    /// Its kind, for example `AzureResource`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
}

/// A change of status as Microsoft recorded it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActivityEntry {
    /// The status before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_from: Option<Status>,
    /// The status after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_to: Option<Status>,
    /// By whom: personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_by: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<Timestamp>,
}

/// One security alert as Microsoft last described it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Its id within the partner tenant.
    pub id: AlertId,
    /// The alert's name.
    pub display_name: String,
    /// What was seen and what to do; may hold markup. Escape on display.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its exact kind.
    pub alert_type: AlertType,
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
    /// The indirect reseller's tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reseller_id: Option<String>,
    /// The offer, for example `MS-AZR-0017G`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalog_offer_id: Option<String>,
    /// When Microsoft detected it.
    pub detected: Timestamp,
    /// When it was first observed; the moment of detection where Microsoft gives none.
    pub first_observed: Timestamp,
    /// When it was last observed; the moment of detection where Microsoft gives none.
    pub last_observed: Timestamp,
    /// How it was closed.
    #[serde(default)]
    pub resolution: Resolution,
    /// A simulated alert.
    pub is_test: bool,
    /// The resources it is about; empty means the whole subscription.
    #[serde(default)]
    pub affected_resources: Vec<AffectedResource>,
    /// Changes of status as Microsoft recorded them.
    #[serde(default)]
    pub activity: Vec<ActivityEntry>,
    /// Whatever else Microsoft says of it, as it came: Graph's details; of fraudEvents also the names and places that no member
    /// here is for.
    #[serde(default)]
    pub additional_details: BTreeMap<String, serde_json::Value>,
}

impl Alert {
    /// Whether it still needs somebody.
    #[must_use]
    pub fn state(&self) -> AlertState {
        match self.status {
            Status::Resolved => AlertState::Resolved,
            Status::Active | Status::Investigating | Status::Unknown(_) => AlertState::Open,
        }
    }
}
