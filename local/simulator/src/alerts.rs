//! Alerts as Microsoft has them: how one is made, changed and resolved. `book` keeps them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::app::new_id;

/// A partner security alert, members named and ordered as Microsoft's samples have them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are Microsoft's, who document them")]
pub struct Alert {
    pub id: String,
    pub display_name: String,
    pub description: String,
    pub alert_type: String,
    pub status: String,
    pub severity: String,
    pub confidence_level: String,
    pub customer_tenant_id: String,
    pub subscription_id: String,
    pub value_added_reseller_tenant_id: Option<String>,
    pub catalog_offer_id: Option<String>,
    pub detected_date_time: Timestamp,
    pub first_observed_date_time: Timestamp,
    pub last_observed_date_time: Timestamp,
    pub resolved_reason: Option<String>,
    pub resolved_on_date_time: Option<Timestamp>,
    pub resolved_by: Option<String>,
    pub is_test: bool,
    pub affected_resources: Vec<AffectedResource>,
    pub activity_logs: Vec<ActivityLog>,
    pub additional_details: Option<BTreeMap<String, String>>,
}

/// A resource that an alert is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "the names are Microsoft's, who document them")]
pub struct AffectedResource {
    pub resource_id: String,
    pub resource_type: String,
}

/// A change of an alert's status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "the names are Microsoft's, who document them")]
pub struct ActivityLog {
    pub status_from: String,
    pub status_to: String,
    pub updated_by: String,
    pub updated_date_time: Timestamp,
}

/// What an alert is to be like; what is left out is made up. Words such as a severity may be ones that Microsoft
/// has not thought of yet.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[expect(
    missing_docs,
    reason = "apart from the tenant, whose default is the first one, and the lag, these are members of `Alert`"
)]
pub struct NewAlert {
    pub tenant: Option<String>,
    pub id: Option<String>,
    pub display_name: Option<String>,
    pub description: Option<String>,
    pub alert_type: Option<String>,
    pub status: Option<String>,
    pub severity: Option<String>,
    pub confidence_level: Option<String>,
    pub customer_tenant_id: Option<String>,
    pub subscription_id: Option<String>,
    pub value_added_reseller_tenant_id: Option<String>,
    pub catalog_offer_id: Option<String>,
    pub detected_date_time: Option<Timestamp>,
    pub first_observed_date_time: Option<Timestamp>,
    pub last_observed_date_time: Option<Timestamp>,
    pub resolved_reason: Option<String>,
    pub resolved_on_date_time: Option<Timestamp>,
    pub is_test: bool,
    pub affected_resources: Option<Vec<AffectedResource>>,
    pub additional_details: Option<BTreeMap<String, String>>,
    pub lag: Lag,
}

/// What is to become different about an alert.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[expect(missing_docs, reason = "members of `Alert`")]
pub struct AlertChange {
    pub display_name: Option<String>,
    pub description: Option<String>,
    pub alert_type: Option<String>,
    pub status: Option<String>,
    pub severity: Option<String>,
    pub confidence_level: Option<String>,
    pub customer_tenant_id: Option<String>,
    pub subscription_id: Option<String>,
    pub detected_date_time: Option<Timestamp>,
    pub first_observed_date_time: Option<Timestamp>,
    pub last_observed_date_time: Option<Timestamp>,
    pub resolved_reason: Option<String>,
    pub resolved_on_date_time: Option<Timestamp>,
    pub is_test: Option<bool>,
    pub affected_resources: Option<Vec<AffectedResource>>,
    pub additional_details: Option<BTreeMap<String, String>>,
    /// Whether Microsoft has it no more. One that comes back is as it was, and where it was in the list.
    pub gone: Option<bool>,
    pub lag: Lag,
}

/// For how many requests a tenant's list (page by page), and the alert read by its id, go on showing it as it was before: not at all,
/// if it was new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "the two ways to look")]
pub struct Lag {
    pub get: u32,
    pub list: u32,
}

impl Alert {
    /// What `new` asks for, the rest made up.
    pub(crate) fn make(new: NewAlert, now: Timestamp) -> Self {
        let now = to_seconds(now);
        let subscription_id = new.subscription_id.unwrap_or_else(new_id);
        let detected = new.detected_date_time.unwrap_or(now);
        let machine = format!(
            "/subscriptions/{subscription_id}/resourceGroups/rg-simulated/providers/Microsoft.Compute/virtualMachines/vm-01"
        );
        let mut alert = Self {
            id: new.id.unwrap_or_else(|| format!("{subscription_id}-{}", new_id())),
            display_name: new.display_name.unwrap_or_else(|| "Traffic to a coin mining pool".to_owned()),
            description: new.description.unwrap_or_else(|| {
                "A virtual machine of the subscription exchanged data with a coin mining pool.".to_owned()
            }),
            alert_type: new.alert_type.unwrap_or_else(|| "CryptoMining".to_owned()),
            status: "active".to_owned(),
            severity: new.severity.unwrap_or_else(|| "high".to_owned()),
            confidence_level: new.confidence_level.unwrap_or_else(|| "high".to_owned()),
            customer_tenant_id: new.customer_tenant_id.unwrap_or_else(new_id),
            value_added_reseller_tenant_id: new.value_added_reseller_tenant_id,
            catalog_offer_id: new.catalog_offer_id.or_else(|| Some("MS-AZR-0017G".to_owned())),
            detected_date_time: detected,
            first_observed_date_time: new.first_observed_date_time.unwrap_or(detected),
            last_observed_date_time: new.last_observed_date_time.unwrap_or(detected),
            resolved_reason: None,
            resolved_on_date_time: None,
            resolved_by: None,
            is_test: new.is_test,
            affected_resources: new.affected_resources.unwrap_or_else(|| {
                vec![AffectedResource { resource_id: machine.clone(), resource_type: "AzureResource".to_owned() }]
            }),
            activity_logs: Vec::new(),
            additional_details: Some(new.additional_details.unwrap_or_else(|| mining_details(machine))),
            subscription_id,
        };
        if let Some(status) = new.status {
            alert.move_to(&status, new.resolved_reason, SOMEBODY, now);
        }
        alert.resolved_on_date_time = new.resolved_on_date_time.or(alert.resolved_on_date_time);
        alert
    }

    /// Does what `change` asks for; a status moves with its log line, date and person.
    pub(crate) fn apply(&mut self, change: AlertChange, now: Timestamp) {
        fn set<T>(place: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *place = value;
            }
        }
        set(&mut self.display_name, change.display_name);
        set(&mut self.description, change.description);
        set(&mut self.alert_type, change.alert_type);
        set(&mut self.severity, change.severity);
        set(&mut self.confidence_level, change.confidence_level);
        set(&mut self.customer_tenant_id, change.customer_tenant_id);
        set(&mut self.subscription_id, change.subscription_id);
        set(&mut self.detected_date_time, change.detected_date_time);
        set(&mut self.first_observed_date_time, change.first_observed_date_time);
        set(&mut self.last_observed_date_time, change.last_observed_date_time);
        set(&mut self.is_test, change.is_test);
        set(&mut self.affected_resources, change.affected_resources);
        set(&mut self.additional_details, change.additional_details.map(Some));
        match (change.status, change.resolved_reason) {
            (Some(status), reason) => self.move_to(&status, reason, SOMEBODY, now),
            (None, Some(reason)) => self.resolved_reason = Some(reason),
            (None, None) => {}
        }
        set(&mut self.resolved_on_date_time, change.resolved_on_date_time.map(Some));
    }

    /// A new status, by `who`.
    pub(crate) fn move_to(&mut self, status: &str, reason: Option<String>, who: &str, now: Timestamp) {
        let now = to_seconds(now);
        if self.status != status {
            self.activity_logs.push(ActivityLog {
                status_from: std::mem::replace(&mut self.status, status.to_owned()),
                status_to: status.to_owned(),
                updated_by: who.to_owned(),
                updated_date_time: now,
            });
        }
        let resolved = status == "resolved";
        self.resolved_reason = reason;
        self.resolved_on_date_time = resolved.then_some(now);
        self.resolved_by = resolved.then(|| who.to_owned());
    }
}

fn mining_details(machine: String) -> BTreeMap<String, String> {
    // Lists inside strings: so the samples have them.
    [
        ("resourceid", machine),
        ("resourcetype", "Virtual Machine".to_owned()),
        ("VM_IP", "[  \"10.0.0.4\"]".to_owned()),
        ("MiningPool_IP", "[  \"203.0.113.7\"]".to_owned()),
        ("ConnectionCount", "5".to_owned()),
        ("CryptoCurrencyMiningPoolDomainName", "pool.example.com".to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn to_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// Who changes alerts when nobody is named.
const SOMEBODY: &str = "someone@partner.example";
