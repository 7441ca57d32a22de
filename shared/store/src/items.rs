//! The items of the alerts table.
//!
//! What is known of an alert is in two maps that the poller owns, `summary` (what lists show; part of the indexes) and
//! `detail`; what people here add is in a third, `work`, which the poller never writes. New members of these maps need no
//! change of an index, and old code ignores them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use models::{
    ActivityEntry, AffectedResource, Alert, AlertId, AlertType, Confidence, CustomerId, Decision, Known, Marks, Notice,
    Resolution, ResolvedReason, Severity, Standing, Status, SubscriptionId, TenantId, TraceContext, Turned,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{ListedAlert, OUTBOX_SHARDS, StoreError, StoredAlert, TableRole, time::sortable};

const TABLE: TableRole = TableRole::Alerts;
pub(crate) const ALERT: &str = "alert";

pub(crate) type Item = HashMap<String, AttributeValue>;

/// What lists show.
#[derive(Serialize, Deserialize)]
pub(crate) struct Summary {
    id: AlertId,
    name: String,
    #[serde(rename = "type")]
    alert_type: AlertType,
    status: Status,
    severity: Severity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    confidence: Option<Confidence>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer: Option<CustomerId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subscription: Option<SubscriptionId>,
    detected: Timestamp,
    first_observed: Timestamp,
    last_observed: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resolved_reason: Option<ResolvedReason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resolved_on: Option<Timestamp>,
    is_test: bool,
    /// Where it was seen, by the source's name. None where a former release saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// The run that was told that Microsoft knows it no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gone: Option<u64>,
    /// What a person decided and Microsoft has not shown yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decision: Option<Decision>,
    /// Where it stood before the first of the pending decisions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Standing>,
    /// Whether Microsoft did not take the last decision.
    #[serde(default, skip_serializing_if = "is_false")]
    not_accepted: bool,
    /// When it was first seen. None where a former release saw it first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    /// By which versions its standing turned. Nothing where a former release wrote it.
    #[serde(default)]
    turned: Turned,
}

impl Summary {
    /// What lists show of an alert of this tenant.
    pub(crate) fn listed(self, tenant: &TenantId, version: u64, marks: Marks) -> ListedAlert {
        ListedAlert {
            tenant: tenant.clone(),
            id: self.id,
            version,
            name: self.name,
            alert_type: self.alert_type,
            status: self.status,
            severity: self.severity,
            confidence: self.confidence,
            customer: self.customer,
            subscription: self.subscription,
            detected: self.detected,
            first_observed: self.first_observed,
            last_observed: self.last_observed,
            resolved_reason: self.resolved_reason,
            resolved_on: self.resolved_on,
            is_test: self.is_test,
            is_gone: self.gone.is_some(),
            is_pending: self.decision.is_some(),
            not_accepted: self.not_accepted,
            known_since: self.since,
            turned: self.turned,
            marks,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_false(value: &bool) -> bool {
    !value
}

/// The rest.
#[derive(Serialize, Deserialize)]
struct Detail {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reseller: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    catalog_offer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resolved_by: Option<String>,
    #[serde(default)]
    affected_resources: Vec<AffectedResource>,
    #[serde(default)]
    activity: Vec<ActivityEntry>,
    /// JSON as text: Microsoft's members may hold numbers, depths and names that DynamoDB refuses.
    #[serde(default)]
    additional_details: String,
}

#[derive(Deserialize)]
struct AlertItem {
    version: u64,
    /// The run that wrote it; none wrote it down before there were decisions.
    #[serde(default)]
    seen: u64,
    summary: Summary,
    detail: Detail,
}

pub(crate) fn alert_key(tenant: &TenantId, id: &AlertId) -> Item {
    key(&format!("{tenant}#{id}"), ALERT)
}

pub(crate) fn key(partition: &str, sort: &str) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(partition.to_owned())),
        ("sk".to_owned(), AttributeValue::S(sort.to_owned())),
    ])
}

/// The maps that the poller owns.
pub(crate) fn alert_maps(known: &Known, turned: Turned) -> Result<(AttributeValue, AttributeValue), StoreError> {
    let unwritable = |error| StoreError::unwritable(TABLE, error);
    let alert = known.alert.as_ref();
    let summary = Summary {
        id: alert.id.clone(),
        name: alert.display_name.clone(),
        alert_type: alert.alert_type.clone(),
        status: alert.status.clone(),
        severity: alert.severity.clone(),
        confidence: alert.confidence.clone(),
        customer: alert.customer_id.clone(),
        subscription: alert.subscription_id.clone(),
        detected: alert.detected,
        first_observed: alert.first_observed,
        last_observed: alert.last_observed,
        resolved_reason: alert.resolution.reason.clone(),
        resolved_on: alert.resolution.on,
        is_test: alert.is_test,
        source: known.source.map(|source| source.as_str().to_owned()),
        gone: known.gone,
        decision: known.decision.clone(),
        before: known.before.clone(),
        not_accepted: known.not_accepted,
        since: known.since,
        turned,
    };
    let details = serde_json::to_string(&alert.additional_details);
    let detail = Detail {
        description: alert.description.clone(),
        reseller: alert.reseller_id.clone(),
        catalog_offer: alert.catalog_offer_id.clone(),
        resolved_by: alert.resolution.by.clone(),
        affected_resources: alert.affected_resources.clone(),
        activity: alert.activity.clone(),
        additional_details: details.map_err(|error| StoreError::unwritable(TABLE, error))?,
    };
    let summary = serde_dynamo::to_attribute_value(&summary).map_err(unwritable)?;
    Ok((summary, serde_dynamo::to_attribute_value(&detail).map_err(unwritable)?))
}

/// The attributes that indexes are keyed by. None: the attribute is removed, and the alert leaves that index.
pub(crate) fn alert_index_keys(tenant: &TenantId, alert: &Alert) -> [(&'static str, Option<String>); 6] {
    [
        ("tenant", Some(tenant.to_string())),
        ("tenant_state", Some(format!("{tenant}#{}", alert.state().as_str()))),
        ("last_observed", Some(sortable(alert.last_observed))),
        ("first_observed", Some(sortable(alert.first_observed))),
        ("tenant_subscription", alert.subscription_id.as_ref().map(|id| folded_key(tenant, id.as_str()))),
        ("tenant_customer", alert.customer_id.as_ref().map(|id| folded_key(tenant, id.as_str()))),
    ]
}

/// Ids of Azure are compared without regard to case, and people paste them in any: one id is one key.
pub(crate) fn folded_key(tenant: &TenantId, id: &str) -> String {
    format!("{tenant}#{}", id.to_ascii_lowercase())
}

/// The immutable key of exports: the first moment of detection that we saw, with the id.
pub(crate) fn detected_id(alert: &Alert) -> String {
    format!("{}#{}", sortable(alert.detected), alert.id)
}

/// The id of an alert, by the key of its item.
pub(crate) fn id_of(tenant: &TenantId, item: &Item) -> Result<AlertId, StoreError> {
    let partition = item.get("pk").and_then(|key| key.as_s().ok()).map_or("", String::as_str);
    let id = partition.strip_prefix(tenant.as_str()).and_then(|rest| rest.strip_prefix('#')).unwrap_or_default();
    id.parse().map_err(|error| StoreError::bad_item(TABLE, partition, error))
}

pub(crate) fn read_alert(item: Item) -> Result<StoredAlert, StoreError> {
    let name = item.get("pk").and_then(|key| key.as_s().ok()).cloned().unwrap_or_default();
    let AlertItem { version, seen, summary, detail } =
        serde_dynamo::from_item(item).map_err(|error| StoreError::bad_item(TABLE, &name, error))?;
    let additional_details: BTreeMap<String, serde_json::Value> = match detail.additional_details.as_str() {
        "" => BTreeMap::new(),
        text => serde_json::from_str(text).map_err(|error| StoreError::bad_item(TABLE, &name, error))?,
    };
    let alert = Alert {
        id: summary.id,
        display_name: summary.name,
        description: detail.description,
        alert_type: summary.alert_type,
        status: summary.status,
        severity: summary.severity,
        confidence: summary.confidence,
        customer_id: summary.customer,
        subscription_id: summary.subscription,
        reseller_id: detail.reseller,
        catalog_offer_id: detail.catalog_offer,
        detected: summary.detected,
        first_observed: summary.first_observed,
        last_observed: summary.last_observed,
        resolution: Resolution { reason: summary.resolved_reason, on: summary.resolved_on, by: detail.resolved_by },
        is_test: summary.is_test,
        affected_resources: detail.affected_resources,
        activity: detail.activity,
        additional_details,
    };
    let Summary { gone, decision, before, not_accepted, since, source, turned, .. } = summary;
    // A source that only a later release knows is one that this one can't ask.
    let source = source.and_then(|source| source.parse().ok());
    let known = Known { alert: Arc::new(alert), source, run: seen, gone, decision, before, not_accepted, since };
    Ok(StoredAlert { known, version, turned })
}

/// An outbox item: a change that is to be told, or that was not worth telling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRecord {
    /// The tenant.
    pub tenant: TenantId,
    /// When it was written, in milliseconds.
    pub created: Timestamp,
    /// What is to be told.
    pub notice: Notice,
    /// Whether it is still to be published. Where not, it is only the record of a change.
    pub publish: bool,
    /// Where it was written.
    pub trace: Option<TraceContext>,
}

#[derive(Deserialize)]
struct OutboxItem {
    tenant: TenantId,
    created: Timestamp,
    notice: String,
    #[serde(default)]
    outbox_shard: Option<String>,
    #[serde(default, deserialize_with = "TraceContext::lenient")]
    trace: Option<TraceContext>,
}

impl OutboxRecord {
    /// The item's key: in the alert's own partition, or in the tenant's for what is about many alerts.
    pub(crate) fn key(&self) -> Item {
        let tenant = &self.tenant;
        match &self.notice {
            Notice::Alert(notice) => {
                let sort = format!("outbox#{:012}#{}", notice.version, notice.kind.as_str());
                key(&format!("{tenant}#{}", notice.alert.id), &sort)
            }
            Notice::Digest(digest) => {
                let part = if digest.part > 0 { format!("-{}", digest.part) } else { String::new() };
                key(tenant.as_str(), &format!("outbox#{:012}#digest-{}{part}", digest.run, digest.reason.as_str()))
            }
            Notice::Signal(signal) => {
                key(tenant.as_str(), &format!("outbox#signal#{}#{}", signal.about(), signal.hour()))
            }
        }
    }

    pub(crate) fn item(&self, expires_at: i64) -> Result<Item, StoreError> {
        let notice = serde_json::to_string(&self.notice).map_err(|error| StoreError::unwritable(TABLE, error))?;
        let mut item = self.key();
        let text = |value: &str| AttributeValue::S(value.to_owned());
        if self.publish {
            item.insert("outbox_shard".to_owned(), AttributeValue::S(shard_of(&item)));
        } else {
            item.insert("expires_at".to_owned(), AttributeValue::N(expires_at.to_string()));
        }
        item.insert("tenant".to_owned(), text(self.tenant.as_str()));
        item.insert("created".to_owned(), text(&sortable(self.created)));
        item.insert("notice".to_owned(), text(&notice));
        item.extend(self.trace.map(|trace| ("trace".to_owned(), text(&trace.to_string()))));
        Ok(item)
    }

    /// Reads an outbox item from the image of a stream record. None where the image is of another kind.
    ///
    /// # Errors
    ///
    /// [`StoreError::BadItem`] where the image is an outbox item that can't be read.
    pub fn from_image(image: serde_dynamo::Item) -> Result<Option<Self>, StoreError> {
        let item: Item = image.into();
        let is_outbox = item.get("sk").and_then(|key| key.as_s().ok()).is_some_and(|key| key.starts_with("outbox#"));
        if is_outbox { Self::from_item(item).map(Some) } else { Ok(None) }
    }

    pub(crate) fn from_item(item: Item) -> Result<Self, StoreError> {
        let name = item.get("pk").and_then(|key| key.as_s().ok()).cloned().unwrap_or_default();
        let item: OutboxItem =
            serde_dynamo::from_item(item).map_err(|error| StoreError::bad_item(TABLE, &name, error))?;
        let notice = serde_json::from_str(&item.notice).map_err(|error| StoreError::bad_item(TABLE, &name, error))?;
        let publish = item.outbox_shard.is_some();
        Ok(Self { tenant: item.tenant, created: item.created, notice, publish, trace: item.trace })
    }
}

/// Which shard of the index of unpublished items an item belongs to: by a hash of its partition, so that a burst spreads.
fn shard_of(item: &Item) -> String {
    let partition = item.get("pk").and_then(|key| key.as_s().ok()).map_or("", String::as_str);
    (u32::from(Sha256::digest(partition)[0]) % OUTBOX_SHARDS).to_string()
}
