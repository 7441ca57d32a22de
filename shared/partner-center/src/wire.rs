//! `microsoft.graph.partner.security.partnerSecurityAlert` as it comes, made into an [`Alert`].
//!
//! Tolerant where the documents disagree (booleans as text, null or absent members, names of unknown values) and wherever a member
//! is optional; strict where it matters: an id, and one moment to date it by. Long members are bounded, so that one strange alert can't make an item that
//! the table refuses.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use models::{
    ActivityEntry, AffectedResource, Alert, AlertId, AlertType, Confidence, Resolution, ResolvedReason, Severity,
    Status,
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// Most bytes of each long member that are kept: together far below DynamoDB's 400 kB an item.
const DESCRIPTION_BYTES: usize = 64_000;
const RESOURCES_BYTES: usize = 96_000;
const ACTIVITY_BYTES: usize = 64_000;
const DETAILS_BYTES: usize = 64_000;
const NAME_BYTES: usize = 1_000;
/// What an entry of a list weighs beside its values: names, marks and a date. Thousands of empty ones are no less of a burden.
const ENTRY_BYTES: usize = 80;

/// From here on a moment means "never": the year 9999.
const NEVER: Timestamp = Timestamp::constant(253_370_764_800, 0);

/// An alert that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("an alert (id {id}) can't be read: {problem}")]
pub struct UnreadableAlert {
    /// Its id, where that much could be read.
    pub id: String,
    /// What is wrong with it. Names members, never their values.
    pub problem: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAlert {
    id: AlertId,
    #[serde(default, deserialize_with = "lenient")]
    display_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    description: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    alert_type: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    status: Option<Status>,
    #[serde(default, deserialize_with = "lenient")]
    severity: Option<Severity>,
    #[serde(default, deserialize_with = "lenient")]
    confidence_level: Option<Confidence>,
    #[serde(default, deserialize_with = "lenient")]
    customer_tenant_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    subscription_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    value_added_reseller_tenant_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    catalog_offer_id: Option<String>,
    #[serde(default, deserialize_with = "moment")]
    detected_date_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    first_observed_date_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    last_observed_date_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "lenient")]
    resolved_reason: Option<ResolvedReason>,
    #[serde(default, deserialize_with = "moment")]
    resolved_on_date_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "lenient")]
    resolved_by: Option<String>,
    #[serde(default, deserialize_with = "truth")]
    is_test: bool,
    #[serde(default, deserialize_with = "lenient_list")]
    affected_resources: Vec<WireResource>,
    #[serde(default, deserialize_with = "lenient_list")]
    activity_logs: Vec<WireActivity>,
    #[serde(default, deserialize_with = "lenient")]
    additional_details: Option<BTreeMap<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireResource {
    resource_id: Option<String>,
    resource_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireActivity {
    status_from: Option<Status>,
    status_to: Option<Status>,
    updated_by: Option<String>,
    #[serde(default, deserialize_with = "moment")]
    updated_date_time: Option<Timestamp>,
}

/// Reads one alert of a page.
///
/// # Errors
///
/// [`UnreadableAlert`].
pub fn read_alert(json: &[u8]) -> Result<Alert, UnreadableAlert> {
    let wire: WireAlert = serde_json::from_slice(json).map_err(|error| unreadable(json, &error))?;
    let moments = [wire.detected_date_time, wire.first_observed_date_time, wire.last_observed_date_time];
    let Some(detected) = moments.into_iter().flatten().next() else {
        return Err(UnreadableAlert { id: wire.id.to_string(), problem: "it has no date".to_owned() });
    };
    if wire.status.is_none() {
        tracing::warn!(alert.id = %wire.id, "an alert has no readable status: it counts as open");
    }
    Ok(Alert {
        display_name: bounded(wire.display_name.unwrap_or_else(|| "Security alert".to_owned()), NAME_BYTES),
        description: wire.description.map(|text| bounded(text, DESCRIPTION_BYTES)),
        alert_type: AlertType(bounded(wire.alert_type.unwrap_or_else(|| "unknown".to_owned()), NAME_BYTES)),
        status: wire.status.unwrap_or_else(|| Status::Unknown("unknown".to_owned())),
        // Without a severity an alert counts as one of a severity that we have not met: the highest.
        severity: wire.severity.unwrap_or_else(|| Severity::Unknown("unknown".to_owned())),
        confidence: wire.confidence_level,
        customer_id: parsed(wire.customer_tenant_id.as_deref()),
        subscription_id: parsed(wire.subscription_id.as_deref()),
        reseller_id: wire.value_added_reseller_tenant_id.map(|text| bounded(text, NAME_BYTES)),
        catalog_offer_id: wire.catalog_offer_id.map(|text| bounded(text, NAME_BYTES)),
        detected,
        first_observed: wire.first_observed_date_time.unwrap_or(detected),
        last_observed: wire.last_observed_date_time.unwrap_or(detected),
        resolution: Resolution {
            reason: wire.resolved_reason,
            on: wire.resolved_on_date_time,
            by: wire.resolved_by.filter(|by| !by.is_empty()).map(|text| bounded(text, NAME_BYTES)),
        },
        is_test: wire.is_test,
        affected_resources: resources(wire.affected_resources),
        activity: activity(wire.activity_logs),
        additional_details: details(wire.additional_details.unwrap_or_default()),
        id: wire.id,
    })
}

fn unreadable(json: &[u8], error: &serde_json::Error) -> UnreadableAlert {
    #[derive(Deserialize)]
    struct OnlyId {
        id: AlertId,
    }
    let id = serde_json::from_slice(json).map_or_else(|_| "unknown".to_owned(), |only: OnlyId| only.id.to_string());
    // The parser's own words may repeat values; the place and the class of the problem do not.
    let problem = format!("{:?} error at line {}, column {}", error.classify(), error.line(), error.column());
    UnreadableAlert { id, problem }
}

/// An id that is malformed counts as absent: an alert without its customer is better than none.
fn parsed<T: std::str::FromStr>(text: Option<&str>) -> Option<T> {
    text.map(str::trim).filter(|text| !text.is_empty())?.parse().ok()
}

/// An optional member: of another type than documented, it counts as absent, so that one odd member does not hide an alert.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

/// A list, without the entries that are of another type than documented.
fn lenient_list<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let Value::Array(entries) = Value::deserialize(deserializer)? else { return Ok(Vec::new()) };
    Ok(entries.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect())
}

/// A moment: RFC 3339, or without a zone, which means UTC (as in fraudEvents). Anything else counts as absent, the sentinel
/// `9999-12-31T23:59:59.997` for "never" included.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let Value::String(text) = Value::deserialize(deserializer)? else { return Ok(None) };
    let text = text.trim();
    let without_zone = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let moment = text.parse().ok().or_else(without_zone);
    Ok(moment.filter(|moment| *moment < NEVER))
}

/// A boolean, or its name as text (early pages). Anything else counts as no test: a strange alert must not be the silent one.
fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(truth) => truth,
        Value::String(text) => text.trim().eq_ignore_ascii_case("true"),
        _ => false,
    })
}

/// A text of at most this many bytes, cut between characters.
fn bounded(mut text: String, bytes: usize) -> String {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
        text.push('…');
    }
    text
}

/// The first resources, as many as there is room for.
fn resources(wire: Vec<WireResource>) -> Vec<AffectedResource> {
    let mut room = Room(RESOURCES_BYTES);
    let known = wire.into_iter().filter_map(|resource| {
        let resource_id = bounded(resource.resource_id?, NAME_BYTES * 2);
        let resource_type = resource.resource_type.map(|text| bounded(text, NAME_BYTES));
        Some(AffectedResource { resource_id, resource_type })
    });
    known
        .take_while(|resource| {
            room.takes(resource.resource_id.len() + resource.resource_type.as_ref().map_or(0, String::len))
        })
        .collect()
}

/// The latest entries, which say where things stand, as many as there is room for.
fn activity(wire: Vec<WireActivity>) -> Vec<ActivityEntry> {
    let mut room = Room(ACTIVITY_BYTES);
    let latest = wire.into_iter().rev().map(|entry| ActivityEntry {
        status_from: entry.status_from,
        status_to: entry.status_to,
        updated_by: entry.updated_by.map(|text| bounded(text, NAME_BYTES / 4)),
        updated: entry.updated_date_time,
    });
    let mut kept: Vec<ActivityEntry> = latest
        .take_while(|entry| {
            let statuses = [&entry.status_from, &entry.status_to].into_iter().flatten();
            let bytes: usize = statuses.map(|status| status.as_str().len()).sum();
            room.takes(bytes + entry.updated_by.as_ref().map_or(0, String::len))
        })
        .collect();
    kept.reverse();
    kept
}

/// Room for the entries of a list, in bytes.
struct Room(usize);

impl Room {
    /// Whether one more entry with values of this size fits; it is taken if so.
    fn takes(&mut self, values: usize) -> bool {
        match self.0.checked_sub(ENTRY_BYTES + values) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }
}

fn details(details: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let bytes = serde_json::to_string(&details).map_or(0, |json| json.len());
    if bytes <= DETAILS_BYTES {
        return details;
    }
    BTreeMap::from([("partnerAlertsLeftOut".to_owned(), Value::from(format!("{bytes} bytes, too many to keep")))])
}
