//! The statistics, counted anew from the alerts that are kept: for operators' tools and tests, not for functions.
//!
//! Every write moves the statistics by a difference, so they should never drift. Where they have all the same (an item that somebody
//! changed by hand, a table that was restored), this says where and by how much, and mends it. Where a counter is no
//! number, alerts are written without moving the statistics, until it is mended.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    future::Future,
};

use aws_sdk_dynamodb::{operation::update_item::UpdateItemError, types::AttributeValue};
use models::{COUNTER_NAMES, Delta, StatisticsKey, TenantId, contribution};

use crate::{
    Store, StoreError, TableRole,
    items::{self, Item},
    lease::number,
    schema::ALERTS_BY_DETECTED,
};

const ALERTS: TableRole = TableRole::Alerts;
const TENANTS: TableRole = TableRole::Tenants;

/// A counter that is not what the alerts add up to.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// The statistics item: a UTC day as `2026-03-02`, or `gauge`.
    pub item: String,
    /// The counter.
    pub counter: String,
    /// What is kept. None where that is no whole number.
    pub kept: Option<i64>,
    /// What the alerts add up to.
    pub counted: i64,
    /// The attribute, where there is one.
    attribute: Option<AttributeValue>,
}

/// What came of counting.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recounted {
    /// How many alerts were counted.
    pub alerts: usize,
    /// How many alerts could not be read: what they add is not known, and the drift is not to be trusted.
    pub broken: usize,
    /// The counters that differ, in the order of items and names.
    pub drift: Vec<Drift>,
    /// Whether the statistics changed while they were compared: a run was at work.
    pub is_moving: bool,
}

/// Counts anew.
pub trait Recount {
    /// Compares a tenant's statistics with what its alerts add up to. The alerts are read by an index, which may lag behind a run of this
    /// moment.
    fn recount(&self, tenant: &TenantId) -> impl Future<Output = Result<Recounted, StoreError>> + Send;

    /// Sets drifted counters to what was counted, each item on condition that they are still as they were. False where one was not.
    fn mend(&self, tenant: &TenantId, drift: &[Drift]) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// Counters by item and name, as they are counted or as they are kept.
type Statistics<C> = BTreeMap<String, BTreeMap<String, C>>;

impl Recount for Store {
    async fn recount(&self, tenant: &TenantId) -> Result<Recounted, StoreError> {
        let before = self.kept_statistics(tenant).await?;
        let mut result = Recounted::default();
        let mut sum = Delta::default();
        let mut alerts = self
            .client
            .query()
            .table_name(&self.tables.alerts)
            .index_name(ALERTS_BY_DETECTED)
            .key_condition_expression("tenant = :tenant")
            .expression_attribute_values(":tenant", AttributeValue::S(tenant.to_string()))
            .into_paginator()
            .items()
            .send();
        while let Some(item) = alerts.next().await {
            let item = item.map_err(|error| StoreError::failed("Query (all alerts)", ALERTS, error))?;
            match items::read_alert(item) {
                Ok(stored) => {
                    result.alerts += 1;
                    sum.add(&contribution(&stored.known.alert));
                }
                Err(_) => result.broken += 1,
            }
        }
        let after = self.kept_statistics(tenant).await?;
        result.is_moving = before != after;
        result.drift = drift(&after, &by_name(&sum));
        Ok(result)
    }

    async fn mend(&self, tenant: &TenantId, drift: &[Drift]) -> Result<bool, StoreError> {
        for item in drift.chunk_by(|one, other| one.item == other.item) {
            let mut request = self.client.update_item().table_name(&self.tables.tenants);
            request = request.set_key(Some(key(tenant, &item[0].item)));
            let (mut set, mut condition) = (Vec::new(), Vec::new());
            for (place, Drift { counter, kept, counted, attribute, .. }) in item.iter().enumerate() {
                set.push(format!("#c{place} = :counted{place}"));
                let as_it_was = format!("#c{place} = :kept{place}");
                let or_absent = format!("({as_it_was} OR attribute_not_exists(#c{place}))");
                condition.push(if *kept == Some(0) { or_absent } else { as_it_was });
                let attribute = attribute.clone().unwrap_or_else(|| number(0));
                request = request
                    .expression_attribute_names(format!("#c{place}"), counter)
                    .expression_attribute_values(format!(":kept{place}"), attribute)
                    .expression_attribute_values(format!(":counted{place}"), number(*counted));
            }
            let request = request
                .update_expression(format!("SET {}", set.join(", ")))
                .condition_expression(condition.join(" AND "));
            if let Err(error) = request.send().await {
                return match error.as_service_error() {
                    Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                    _ => Err(StoreError::failed("UpdateItem (statistics)", TENANTS, error)),
                };
            }
        }
        Ok(true)
    }
}

impl Store {
    async fn kept_statistics(&self, tenant: &TenantId) -> Result<Statistics<AttributeValue>, StoreError> {
        let mut items = self
            .client
            .query()
            .table_name(&self.tables.tenants)
            .consistent_read(true)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(format!("{tenant}#stats")))
            .into_paginator()
            .items()
            .send();
        let mut kept = Statistics::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(|error| StoreError::failed("Query (statistics)", TENANTS, error))?;
            let name = item.get("sk").and_then(|key| key.as_s().ok()).cloned().unwrap_or_default();
            // What is neither a number nor called as a counter is somebody else's.
            let is_counter =
                |name: &String, value: &AttributeValue| value.is_n() || COUNTER_NAMES.contains(&name.as_str());
            let counters = item.into_iter().filter(|(name, value)| is_counter(name, value));
            kept.insert(name, counters.collect());
        }
        Ok(kept)
    }
}

fn key(tenant: &TenantId, item: &str) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(format!("{tenant}#stats"))),
        ("sk".to_owned(), AttributeValue::S(item.to_owned())),
    ])
}

fn by_name(sum: &Delta) -> Statistics<i64> {
    let name = |key| match key {
        StatisticsKey::Day(day) => day.to_string(),
        StatisticsKey::Gauge => "gauge".to_owned(),
    };
    sum.items()
        .map(|(key, counters)| {
            (name(key), counters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        })
        .collect()
}

/// Where the two differ; what is absent is zero.
fn drift(kept: &Statistics<AttributeValue>, counted: &Statistics<i64>) -> Vec<Drift> {
    let all: BTreeSet<(String, String)> = names(kept).chain(names(counted)).collect();
    all.into_iter()
        .map(|(item, counter)| {
            let attribute = kept.get(&item).and_then(|counters| counters.get(&counter)).cloned();
            let counted = counted.get(&item).and_then(|counters| counters.get(&counter)).copied().unwrap_or(0);
            Drift { kept: attribute.as_ref().map_or(Some(0), whole_number), item, counter, counted, attribute }
        })
        .filter(|drift| drift.kept != Some(drift.counted))
        .collect()
}

fn names<C>(statistics: &Statistics<C>) -> impl Iterator<Item = (String, String)> {
    statistics.iter().flat_map(|(item, counters)| counters.keys().map(|name| (item.clone(), name.clone())))
}

fn whole_number(attribute: &AttributeValue) -> Option<i64> {
    attribute.as_n().ok()?.parse().ok()
}
