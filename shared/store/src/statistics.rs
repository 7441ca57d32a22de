//! The statistics of a tenant, as they are kept.

use std::{collections::BTreeMap, future::Future};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::civil::Date;
use models::{KeptCounters, KeptStatistics, TenantId};

use crate::{Store, StoreError, TableRole, items::Item};

const TABLE: TableRole = TableRole::Tenants;
const GAUGE: &str = "gauge";

/// Reads statistics.
pub trait ReadStatistics {
    /// What is kept of these days, the last included, and the totals of now: two requests, whatever the number of alerts.
    fn statistics(
        &self,
        tenant: &TenantId,
        first: Date,
        last: Date,
    ) -> impl Future<Output = Result<KeptStatistics, StoreError>> + Send;

    /// The totals of now: one request.
    fn gauge(&self, tenant: &TenantId) -> impl Future<Output = Result<KeptCounters, StoreError>> + Send;
}

impl ReadStatistics for Store {
    async fn statistics(&self, tenant: &TenantId, first: Date, last: Date) -> Result<KeptStatistics, StoreError> {
        let (first, last) = (first.to_string(), last.to_string());
        let days = self.statistics_between(tenant, &first, &last);
        let gauge = self.statistics_between(tenant, GAUGE, GAUGE);
        let (days, gauge) = tokio::try_join!(days, gauge)?;
        let mut kept = KeptStatistics::default();
        for (day, counters) in days {
            match day.parse() {
                Ok(day) => drop(kept.days.insert(day, counters)),
                Err(error) => {
                    tracing::error!(tenant.id = %tenant, %error, "an item of the statistics is of no day: it is left out");
                }
            }
        }
        kept.gauge = gauge.into_values().next().unwrap_or_default();
        Ok(kept)
    }

    async fn gauge(&self, tenant: &TenantId) -> Result<KeptCounters, StoreError> {
        let gauge = self.statistics_between(tenant, GAUGE, GAUGE).await?;
        Ok(gauge.into_values().next().unwrap_or_default())
    }
}

impl Store {
    async fn statistics_between(
        &self,
        tenant: &TenantId,
        first: &str,
        last: &str,
    ) -> Result<BTreeMap<String, KeptCounters>, StoreError> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let request = self
            .client
            .query()
            .table_name(&self.tables.tenants)
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":pk", text(&format!("{tenant}#stats")))
            .expression_attribute_values(":first", text(first))
            .expression_attribute_values(":last", text(last));
        // Some sixty items of a few hundred bytes: far below what one answer holds.
        let read = request.send().await.map_err(|error| StoreError::failed("Query (statistics)", TABLE, error))?;
        Ok(read.items.unwrap_or_default().into_iter().map(counters).collect())
    }
}

/// The key of an item and its counters: every whole number in it. What is none counts nothing; `recount` finds and mends it.
fn counters(item: Item) -> (String, KeptCounters) {
    let key = item.get("sk").and_then(|key| key.as_s().ok()).cloned().unwrap_or_default();
    let numbers = item.into_iter().filter_map(|(name, value)| Some((name, value.as_n().ok()?.parse().ok()?)));
    (key, numbers.collect())
}
