//! Pages of Graph's alerts in the shape and size of the published samples, and the least that reading one can be.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

/// How many alerts a page has that is measured, and what it is called.
pub const PAGES: [(usize, &str); 2] = [(100, "of 100 alerts"), (1_000, "of 1,000 alerts")];

/// A sample of the tests of `partner-center`.
macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../shared/partner-center/tests/data/graph-securityalert",
            $name,
            ".json"
        ))
    };
}

/// A page of so many alerts: the samples in turn, each under an id of its own, without blanks, as Graph sends them.
#[must_use]
pub fn page(alerts: usize) -> Vec<u8> {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let mut samples = vec![parsed(sample!("-get")), parsed(sample!("-patch-response"))];
    for page in [sample!("s-page1"), sample!("s-page2")] {
        samples.extend(parsed(page)["value"].as_array().unwrap().clone());
    }
    let alert = |(number, sample): (usize, &Value)| {
        let mut alert = sample.clone();
        alert["id"] = json!(format!("6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381-70d3b5f9-1c84-4e6a-a25b-{number:012x}"));
        alert
    };
    let value: Vec<Value> = samples.iter().cycle().take(alerts).enumerate().map(alert).collect();
    let context = "https://graph.microsoft.com/beta/$metadata#security/partner/securityAlerts";
    let next = "https://graph.microsoft.com/beta/security/partner/securityAlerts?$skiptoken=opaqueSampleToken";
    json!({ "@odata.context": context, "@odata.nextLink": next, "value": value }).to_string().into_bytes()
}

/// Reads a page into plain structs, as whoever trusts the documents would, and says how many alerts it has.
///
/// # Panics
///
/// Where the page is not as documented.
#[must_use]
pub fn bare_page(json: &[u8]) -> usize {
    let page: BarePage = serde_json::from_slice(json).unwrap();
    let alerts = std::hint::black_box(page).value;
    alerts.len()
}

#[derive(Deserialize)]
struct BarePage {
    value: Vec<BareAlert>,
    #[expect(dead_code, reason = "read for the measurement alone")]
    #[serde(rename = "@odata.nextLink")]
    next_link: Option<String>,
}

#[expect(dead_code, reason = "read for the measurement alone")]
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BareAlert {
    id: String,
    display_name: String,
    description: String,
    alert_type: String,
    status: BareStatus,
    severity: BareLevel,
    confidence_level: BareLevel,
    customer_tenant_id: String,
    subscription_id: String,
    value_added_reseller_tenant_id: Option<String>,
    catalog_offer_id: Option<String>,
    detected_date_time: Timestamp,
    first_observed_date_time: Timestamp,
    last_observed_date_time: Timestamp,
    resolved_reason: Option<BareReason>,
    resolved_on_date_time: Option<Timestamp>,
    resolved_by: Option<String>,
    is_test: bool,
    affected_resources: Vec<BareResource>,
    activity_logs: Vec<BareActivity>,
    additional_details: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum BareStatus {
    Active,
    Investigating,
    Resolved,
    UnknownFutureValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum BareLevel {
    High,
    Informational,
    Low,
    Medium,
    UnknownFutureValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum BareReason {
    Fraud,
    Ignore,
    Legitimate,
    UnknownFutureValue,
}

#[expect(dead_code, reason = "read for the measurement alone")]
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BareResource {
    resource_id: String,
    resource_type: String,
}

#[expect(dead_code, reason = "read for the measurement alone")]
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BareActivity {
    status_from: BareStatus,
    status_to: BareStatus,
    updated_by: String,
    updated_date_time: Timestamp,
}
