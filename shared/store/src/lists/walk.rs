//! The walk over the alerts of a tenant, whole, for exports: by a key that never changes, so that an alert that changes meanwhile comes once, as it was
//! read.
//!
//! It takes the same query as a list, and lets the same alerts through: the partitions and moments that a list reads by are conditions here. So a walk
//! reads every alert of the tenant, whatever it lets through, and `read` says how many. The order is that of the detection, whatever the query says.

use std::{collections::BTreeSet, future::Future};

use aws_sdk_dynamodb::types::AttributeValue;
use models::{TenantId, Work};
use serde::{Deserialize, Serialize};

use super::{
    ListQuery,
    query::{self, Expression},
};
use crate::{
    AlertAtWork, Store, StoreError, StoredAlert, TableRole,
    items::{self, Item, key},
    schema::ALERTS_BY_DETECTED,
    time::sortable,
    work::work_in,
};

const TABLE: TableRole = TableRole::Alerts;

/// An alert with what people wrote on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WholeAlert {
    /// The alert.
    pub stored: StoredAlert,
    /// What people wrote.
    pub work: Work,
}

impl From<AlertAtWork> for WholeAlert {
    fn from(AlertAtWork { stored, work, .. }: AlertAtWork) -> Self {
        Self { stored, work }
    }
}

/// Where a walk over a tenant's alerts goes on. To be handed out to nobody: it names an alert that may not be theirs to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalkPosition {
    /// The key in the index.
    detected: String,
    /// The key in the table.
    partition: String,
}

/// Some of a tenant's alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WalkPage {
    /// Those that the query lets through, in the order of their detection.
    pub alerts: Vec<WholeAlert>,
    /// Where it goes on. It may be that nothing comes any more.
    pub next: Option<WalkPosition>,
    /// How many alerts were read for it.
    pub read: usize,
    /// How many of them could not be read and were left out. The log says which.
    pub unreadable: usize,
}

/// Walks over alerts.
pub trait WalkAlerts {
    /// The next alerts of a tenant that a query lets through, on from a position; up to `most` alerts are read for it, and 1 MB.
    fn walk(
        &self,
        tenant: &TenantId,
        query: &ListQuery,
        from: Option<&WalkPosition>,
        most: usize,
    ) -> impl Future<Output = Result<WalkPage, StoreError>> + Send;
}

impl WalkAlerts for Store {
    async fn walk(
        &self,
        tenant: &TenantId,
        query: &ListQuery,
        from: Option<&WalkPosition>,
        most: usize,
    ) -> Result<WalkPage, StoreError> {
        let mut page = WalkPage::default();
        let Some(expression) = expression(tenant, query) else { return Ok(page) };
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let start = from.map(|from| {
            let mut start = key(&from.partition, items::ALERT);
            start.insert("tenant".to_owned(), text(tenant.as_str()));
            start.insert("detected_id".to_owned(), text(&from.detected));
            start
        });
        let request = self
            .client
            .query()
            .table_name(&self.tables.alerts)
            .index_name(ALERTS_BY_DETECTED)
            .key_condition_expression("tenant = :tenant")
            .filter_expression(expression.terms.join(" AND "))
            .set_expression_attribute_names(Some(expression.names))
            .set_expression_attribute_values(Some(expression.values))
            .expression_attribute_values(":tenant", text(tenant.as_str()))
            .set_exclusive_start_key(start)
            .limit(i32::try_from(most.max(1)).unwrap_or(i32::MAX));
        let read = request.send().await.map_err(|error| StoreError::failed("Query (walk)", TABLE, error))?;
        page.read = usize::try_from(read.scanned_count).unwrap_or_default();
        page.next = read.last_evaluated_key.as_ref().map(position).transpose()?;
        for item in read.items.unwrap_or_default() {
            match whole(item) {
                Ok(WholeAlert { stored, work }) => {
                    let severity = &stored.known.alert.severity;
                    if query::is_wanted(&query.filter, &work.marks, severity, stored.turned) {
                        page.alerts.push(WholeAlert { stored, work });
                    }
                }
                Err(error) => {
                    tracing::error!(tenant.id = %tenant, %error, "an alert can't be read: exports leave it out");
                    page.unreadable += 1;
                }
            }
        }
        Ok(page)
    }
}

/// What an alert of this tenant has to be. None where no alert can be it.
fn expression(tenant: &TenantId, query: &ListQuery) -> Option<Expression> {
    let lanes = query::lanes(&BTreeSet::from([tenant.clone()]), query, None);
    let first = lanes.first()?;
    let (_, partition, sort) = query::index(query);
    let mut expression = Expression::of(&query.filter);
    let text = AttributeValue::S;
    let values: Vec<_> = lanes.iter().enumerate().map(|(place, lane)| (format!(":partition{place}"), lane)).collect();
    let names: Vec<_> = values.iter().map(|(name, _)| name.as_str()).collect();
    expression.terms.push(format!("#partition IN ({})", names.join(", ")));
    expression.terms.push("#sort BETWEEN :oldest AND :newest".to_owned());
    expression.names.extend([("#partition", partition), ("#sort", sort)].map(|(a, b)| (a.to_owned(), b.to_owned())));
    expression.values.extend(
        [(":oldest", first.oldest), (":newest", first.newest)].map(|(name, at)| (name.to_owned(), text(sortable(at)))),
    );
    expression.values.extend(values.into_iter().map(|(name, lane)| (name, text(lane.partition.clone()))));
    Some(expression)
}

fn position(key: &Item) -> Result<WalkPosition, StoreError> {
    let of = |name: &str| {
        let text = key.get(name).and_then(|value| value.as_s().ok()).cloned();
        text.ok_or_else(|| StoreError::bad_item(TABLE, "the place of a walk", "a key is missing"))
    };
    Ok(WalkPosition { detected: of("detected_id")?, partition: of("pk")? })
}

fn whole(mut item: Item) -> Result<WholeAlert, StoreError> {
    let name = item.get("pk").and_then(|key| key.as_s().ok()).cloned().unwrap_or_default();
    let work = work_in(&mut item, &name)?;
    Ok(WholeAlert { stored: items::read_alert(item)?, work })
}
