//! `microsoft.graph.partner.security.partnerSecurityAlert` as it comes, made into an [`Alert`].
//!
//! Tolerant where the documents disagree (booleans as text, null or absent members, names of unknown values) and wherever a
//! member is optional; strict where it matters: an id, and one moment to date it by.

use std::collections::BTreeMap;

use jiff::Timestamp;
use models::{
    Alert, AlertId, AlertType, Confidence, CustomerId, Resolution, ResolvedReason, Severity, Status, SubscriptionId,
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    UnreadableAlert,
    bounds::{DESCRIPTION_BYTES, NAME_BYTES, activity, bounded, details, resources},
    lenient::{bag, id, list, moment, text, truth},
};

/// An alert in Graph's words. What another source says is put into them, so that all alerts are made in one place.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireAlert {
    pub(super) id: AlertId,
    #[serde(default, deserialize_with = "text")]
    pub(super) display_name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) description: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) alert_type: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) status: Option<Status>,
    #[serde(default, deserialize_with = "text")]
    pub(super) severity: Option<Severity>,
    #[serde(default, deserialize_with = "text")]
    pub(super) confidence_level: Option<Confidence>,
    #[serde(default, deserialize_with = "id")]
    pub(super) customer_tenant_id: Option<CustomerId>,
    #[serde(default, deserialize_with = "id")]
    pub(super) subscription_id: Option<SubscriptionId>,
    #[serde(default, deserialize_with = "text")]
    pub(super) value_added_reseller_tenant_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) catalog_offer_id: Option<String>,
    #[serde(default, deserialize_with = "moment")]
    pub(super) detected_date_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    pub(super) first_observed_date_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    pub(super) last_observed_date_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "text")]
    pub(super) resolved_reason: Option<ResolvedReason>,
    #[serde(default, deserialize_with = "moment")]
    pub(super) resolved_on_date_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "text")]
    pub(super) resolved_by: Option<String>,
    #[serde(default, deserialize_with = "truth")]
    pub(super) is_test: bool,
    #[serde(default, deserialize_with = "list")]
    pub(super) affected_resources: Vec<WireResource>,
    #[serde(default, deserialize_with = "list")]
    pub(super) activity_logs: Vec<WireActivity>,
    #[serde(default, deserialize_with = "bag")]
    pub(super) additional_details: Option<BTreeMap<String, Value>>,
}

/// An entry in Graph's names, or in those of fraudEvents.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireResource {
    #[serde(alias = "azureResourceId")]
    pub(super) resource_id: Option<String>,
    #[serde(alias = "type")]
    pub(super) resource_type: Option<String>,
}

/// An entry in Graph's names, or in those of fraudEvents.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireActivity {
    pub(super) status_from: Option<Status>,
    pub(super) status_to: Option<Status>,
    pub(super) updated_by: Option<String>,
    #[serde(default, alias = "dateTime", deserialize_with = "moment")]
    pub(super) updated_date_time: Option<Timestamp>,
}

/// Reads one alert of a page of Graph's.
///
/// # Errors
///
/// [`UnreadableAlert`].
pub fn read_alert(json: &[u8]) -> Result<Alert, UnreadableAlert> {
    #[derive(Deserialize)]
    struct OnlyId {
        id: AlertId,
    }
    let only_id = || serde_json::from_slice(json).ok().map(|only: OnlyId| only.id);
    let wire: WireAlert =
        serde_json::from_slice(json).map_err(|error| UnreadableAlert::new(only_id(), &error, json))?;
    wire.into_alert().map_err(|id| UnreadableAlert::undated(id, json))
}

impl WireAlert {
    /// The alert, or its id where it has no date.
    pub(super) fn into_alert(self) -> Result<Alert, AlertId> {
        let moments = [self.detected_date_time, self.first_observed_date_time, self.last_observed_date_time];
        let Some(detected) = moments.into_iter().flatten().next() else { return Err(self.id) };
        // Texts that are there and empty say no more than absent ones.
        let name = |text: Option<String>| text.filter(|text| !text.is_empty()).map(|text| bounded(text, NAME_BYTES));
        Ok(Alert {
            display_name: bounded(self.display_name.unwrap_or_else(|| "Security alert".to_owned()), NAME_BYTES),
            description: self.description.map(|text| bounded(text, DESCRIPTION_BYTES)),
            alert_type: AlertType::named(&bounded(self.alert_type.unwrap_or_else(|| "unknown".to_owned()), NAME_BYTES)),
            status: self.status.unwrap_or_else(Status::unreadable),
            // Without a severity an alert counts as one of a severity that we have not met: the highest.
            severity: self.severity.unwrap_or_else(Severity::absent),
            confidence: self.confidence_level,
            customer_id: self.customer_tenant_id,
            subscription_id: self.subscription_id,
            reseller_id: name(self.value_added_reseller_tenant_id),
            catalog_offer_id: name(self.catalog_offer_id),
            detected,
            first_observed: self.first_observed_date_time.unwrap_or(detected),
            last_observed: self.last_observed_date_time.unwrap_or(detected),
            resolution: Resolution {
                reason: self.resolved_reason,
                on: self.resolved_on_date_time,
                by: name(self.resolved_by),
            },
            is_test: self.is_test,
            affected_resources: resources(self.affected_resources),
            activity: activity(self.activity_logs),
            additional_details: details(self.additional_details.unwrap_or_default()),
            id: self.id,
        })
    }
}
