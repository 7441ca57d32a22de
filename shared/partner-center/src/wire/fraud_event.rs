//! An event of Partner Center's fraudEvents as it comes, of the old model or of the new one, made into an [`Alert`].
//!
//! The new model is the old one with more members, so one reader takes both, and a list that holds either. What Graph has no
//! word for (the names of customer, reseller and subscription, where the resource is, how often it was seen) stays among the
//! alert's further details under Microsoft's names. Quirks of the documents: moments without a zone are UTC, a resolution on
//! 31 December 9999 is none, so is the reason `None`, numbers and booleans come as text, `IsTest` is spelt in two ways, and a
//! change log may be JSON inside a text. `additionalDetails` is an open bag: what has the name of another member in it is kept with
//! `additionalDetails.` before it, as often as it takes, so that it never passes for Microsoft's word about the customer.

use std::collections::BTreeMap;

use jiff::Timestamp;
use models::{Alert, AlertId, Confidence, CustomerId, ResolvedReason, Severity, Status, SubscriptionId};
use serde::Deserialize;
use serde_json::Value;

use super::{
    UnreadableAlert,
    graph::{WireActivity, WireAlert, WireResource},
    lenient::{bag, id, list, list_or_text, moment, moment_of, text, truth_if_any},
};

/// The members that are documented and stay among the further details, there or not ("Get fraud events", both models).
const DOCUMENTED: [&str; 16] = [
    "country",
    "customerFriendlyName",
    "entityId",
    "entityName",
    "entityUrl",
    "firstOccurrence",
    "hitCount",
    "lastOccurrence",
    "partnerFriendlyName",
    "partnerTenantId",
    "resourceGroupName",
    "resourceName",
    "serviceName",
    "subscriptionName",
    "subscriptionType",
    "valueAddedResellerFriendlyName",
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FraudEvent {
    event_id: AlertId,
    #[serde(default, deserialize_with = "moment")]
    event_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    first_observed: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    last_observed: Option<Timestamp>,
    #[serde(default, deserialize_with = "text")]
    event_status: Option<Status>,
    #[serde(default, deserialize_with = "id")]
    customer_tenant_id: Option<CustomerId>,
    #[serde(default, deserialize_with = "id")]
    subscription_id: Option<SubscriptionId>,
    #[serde(default, deserialize_with = "text")]
    catalog_offer_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    resolved_reason: Option<ResolvedReason>,
    #[serde(default, deserialize_with = "moment")]
    resolved_on: Option<Timestamp>,
    #[serde(default, deserialize_with = "text")]
    resolved_by: Option<String>,
    // The new model alone.
    #[serde(default, deserialize_with = "text")]
    event_type: Option<String>,
    #[serde(default, deserialize_with = "text")]
    severity: Option<Severity>,
    #[serde(default, deserialize_with = "text")]
    confidence_level: Option<Confidence>,
    #[serde(default, deserialize_with = "text")]
    display_name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    description: Option<String>,
    #[serde(default, deserialize_with = "text")]
    value_added_reseller_tenant_id: Option<String>,
    #[serde(default, deserialize_with = "list")]
    affected_resources: Vec<WireResource>,
    #[serde(default, deserialize_with = "list_or_text")]
    activity_logs: Vec<WireActivity>,
    #[serde(default, deserialize_with = "bag")]
    additional_details: Option<BTreeMap<String, Value>>,
    #[serde(default, rename = "isTest", deserialize_with = "truth_if_any")]
    is_test: Option<bool>,
    #[serde(default, rename = "IsTest", deserialize_with = "truth_if_any")]
    is_test_capital: Option<bool>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

/// Reads one event of a list, whichever model it is of.
///
/// # Errors
///
/// [`UnreadableAlert`].
pub fn read_fraud_event(json: &[u8]) -> Result<Alert, UnreadableAlert> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct OnlyId {
        event_id: AlertId,
    }
    let only_id = || serde_json::from_slice(json).ok().map(|only: OnlyId| only.event_id);
    let event: FraudEvent =
        serde_json::from_slice(json).map_err(|error| UnreadableAlert::new(only_id(), &error, json))?;
    event.into_wire().into_alert().map_err(|id| UnreadableAlert::undated(id, json))
}

impl FraudEvent {
    /// The event in Graph's words.
    fn into_wire(self) -> WireAlert {
        // Occurrence and observation are described alike, and one answer of the documents has the former alone.
        let other_moment = |name| self.others.get(name).and_then(Value::as_str).and_then(moment_of);
        let first_observed_date_time = self.first_observed.or_else(|| other_moment("firstOccurrence"));
        let last_observed_date_time = self.last_observed.or_else(|| other_moment("lastOccurrence"));
        // Where both spellings are there and disagree, it is no test: a strange alert must not be the silent one.
        let mut spellings = [self.is_test, self.is_test_capital].into_iter().flatten().peekable();
        let is_test = spellings.peek().is_some() && spellings.all(|is_test| is_test);
        let mut details = self.others;
        details.retain(|_, value| !value.is_null());
        for (mut name, value) in self.additional_details.unwrap_or_default() {
            while details.contains_key(&name) || DOCUMENTED.contains(&name.as_str()) {
                name.insert_str(0, "additionalDetails.");
            }
            details.insert(name, value);
        }
        WireAlert {
            id: self.event_id,
            display_name: self.display_name,
            description: self.description,
            alert_type: self.event_type,
            status: self.event_status,
            severity: self.severity,
            confidence_level: self.confidence_level,
            customer_tenant_id: self.customer_tenant_id,
            subscription_id: self.subscription_id,
            value_added_reseller_tenant_id: self.value_added_reseller_tenant_id,
            catalog_offer_id: self.catalog_offer_id,
            detected_date_time: self.event_time,
            first_observed_date_time,
            last_observed_date_time,
            resolved_reason: self.resolved_reason.filter(|reason| !reason.as_str().eq_ignore_ascii_case("none")),
            resolved_on_date_time: self.resolved_on,
            resolved_by: self.resolved_by,
            is_test,
            affected_resources: self.affected_resources,
            activity_logs: self.activity_logs,
            additional_details: Some(details),
        }
    }
}
