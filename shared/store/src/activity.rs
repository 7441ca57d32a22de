//! The activity log as it is kept: lines, each under its number in its chain, and by time for the whole tenant.
//!
//! Promises: a line comes back to the byte. Leaves to others: whether a chain is as it was written ([`models::verify`]).

use std::{collections::BTreeSet, future::Future};

use aws_sdk_dynamodb::types::{AttributeValue, Put};
use jiff::Timestamp;
use models::{AlertId, Chain, Entry, Head, KeptLine, TenantId};
use serde::{Deserialize, Serialize};

use crate::{
    Store, StoreError, TableRole,
    items::{Item, id_of, key},
    schema::{ACTIVITY_BY_TIME, ALERTS_BY_DETECTED},
    time::sortable,
    work::{CHAIN, partition},
};

const TABLE: TableRole = TableRole::Activity;
/// How often a chain is read at most while it grows.
const ATTEMPTS: u32 = 5;

/// A chain with all its lines, as it was at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptChain {
    /// The lines, in the order of their places.
    pub lines: Vec<KeptLine>,
    /// What says how it ends.
    pub head: Option<Head>,
}

/// Where a page of a tenant's lines ends. It says where to go on, and is to be handed out sealed only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityPosition {
    partition: String,
    number: String,
    time_id: String,
}

/// Lines of a tenant, whatever they are about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActivityPage {
    /// The lines, the latest first.
    pub lines: Vec<KeptLine>,
    /// Where it goes on.
    pub next: Option<ActivityPosition>,
}

/// Reads the activity log.
pub trait ReadActivity {
    /// Up to `limit` lines of a chain behind this number, in its order.
    fn lines(
        &self,
        chain: &Chain,
        behind: u64,
        limit: i32,
    ) -> impl Future<Output = Result<Vec<KeptLine>, StoreError>> + Send;

    /// Up to `limit` lines of a tenant from `since` until before `until`, the latest first, from this place on. An index answers: it may lag behind by
    /// moments.
    fn lines_of_tenant(
        &self,
        tenant: &TenantId,
        since: Timestamp,
        until: Timestamp,
        from: Option<ActivityPosition>,
        limit: i32,
    ) -> impl Future<Output = Result<ActivityPage, StoreError>> + Send;

    /// A chain with all its lines and its head, as they were at one moment.
    fn kept_chain(&self, chain: &Chain) -> impl Future<Output = Result<KeptChain, StoreError>> + Send;

    /// Every chain of a tenant of which there are lines or a head. Reads all its alerts and lines, by indexes that may lag behind by moments.
    fn chains(&self, tenant: &TenantId) -> impl Future<Output = Result<BTreeSet<Chain>, StoreError>> + Send;
}

impl ReadActivity for Store {
    async fn lines(&self, chain: &Chain, behind: u64, limit: i32) -> Result<Vec<KeptLine>, StoreError> {
        let request = self
            .client
            .query()
            .table_name(&self.tables.activity)
            .consistent_read(true)
            .key_condition_expression("pk = :chain AND sk > :behind")
            .expression_attribute_values(":chain", AttributeValue::S(partition(chain)))
            .expression_attribute_values(":behind", AttributeValue::S(place(behind)))
            .limit(limit);
        let read = request.send().await.map_err(|error| StoreError::failed("Query (lines)", TABLE, error))?;
        Ok(read.items.unwrap_or_default().iter().map(kept_line).collect())
    }

    async fn lines_of_tenant(
        &self,
        tenant: &TenantId,
        since: Timestamp,
        until: Timestamp,
        from: Option<ActivityPosition>,
        limit: i32,
    ) -> Result<ActivityPage, StoreError> {
        let text = AttributeValue::S;
        let start = from.map(|position| {
            let mut start = key(&position.partition, &position.number);
            start.insert("tenant".to_owned(), text(tenant.to_string()));
            start.insert("time_id".to_owned(), text(position.time_id));
            start
        });
        let request = self
            .client
            .query()
            .table_name(&self.tables.activity)
            .index_name(ACTIVITY_BY_TIME)
            // The id behind the moment begins with `#`, which is before all that could stand in its place.
            .key_condition_expression("tenant = :tenant AND time_id BETWEEN :since AND :until")
            .expression_attribute_values(":tenant", text(tenant.to_string()))
            .expression_attribute_values(":since", text(sortable(since)))
            .expression_attribute_values(":until", text(sortable(until)))
            .scan_index_forward(false)
            .set_exclusive_start_key(start)
            .limit(limit);
        let read = request.send().await.map_err(|error| StoreError::failed("Query (by time)", TABLE, error))?;
        let next = read.last_evaluated_key.map(|key| ActivityPosition {
            partition: text_of(&key, "pk").to_owned(),
            number: text_of(&key, "sk").to_owned(),
            time_id: text_of(&key, "time_id").to_owned(),
        });
        Ok(ActivityPage { lines: read.items.unwrap_or_default().iter().map(kept_line).collect(), next })
    }

    async fn kept_chain(&self, chain: &Chain) -> Result<KeptChain, StoreError> {
        let mut before = self.kept_head(chain).await?;
        for _ in 0..ATTEMPTS {
            let lines = self.all_lines(chain).await?;
            let head = self.kept_head(chain).await?;
            // A head only ever grows: between two that are the same nothing was written.
            if head == before {
                return Ok(KeptChain { lines, head });
            }
            before = head;
        }
        Err(StoreError::Contended { action: "Query (lines)", table: TABLE, attempts: ATTEMPTS })
    }

    async fn chains(&self, tenant: &TenantId) -> Result<BTreeSet<Chain>, StoreError> {
        let chain = |alert| Chain { tenant: tenant.clone(), alert };
        let mut chains = BTreeSet::from([chain(None)]);
        let by = |table: &str, index: &str| {
            let request = self.client.query().table_name(table).index_name(index);
            let request = request.key_condition_expression("tenant = :tenant").projection_expression("pk");
            request.expression_attribute_values(":tenant", AttributeValue::S(tenant.to_string()))
        };
        let mut lines = by(&self.tables.activity, ACTIVITY_BY_TIME).into_paginator().items().send();
        while let Some(item) = lines.next().await {
            let item = item.map_err(|error| StoreError::failed("Query (by time)", TABLE, error))?;
            if text_of(&item, "pk") != tenant.as_str() {
                chains.insert(chain(Some(id(tenant, &item, TABLE)?)));
            }
        }
        let alerts = by(&self.tables.alerts, ALERTS_BY_DETECTED).filter_expression("attribute_exists(#chain)");
        let mut alerts = alerts.expression_attribute_names("#chain", CHAIN).into_paginator().items().send();
        while let Some(item) = alerts.next().await {
            let item = item.map_err(|error| StoreError::failed("Query (all alerts)", TableRole::Alerts, error))?;
            chains.insert(chain(Some(id(tenant, &item, TableRole::Alerts)?)));
        }
        Ok(chains)
    }
}

impl Store {
    /// A line as a part of a transaction, where none is in its place.
    pub(crate) fn put_line(&self, chain: &Chain, line: &KeptLine, entry: &Entry) -> Result<Put, StoreError> {
        let mut item = key(&partition(chain), &place(line.number.unwrap_or(0)));
        let attributes = [
            ("tenant", chain.tenant.to_string()),
            ("time_id", format!("{}#{}", sortable(entry.at), entry.id)),
            ("line", line.text.clone()),
            ("hash", line.hash.clone()),
        ];
        item.extend(attributes.map(|(name, value)| (name.to_owned(), AttributeValue::S(value))));
        let put = Put::builder().table_name(&self.tables.activity).set_item(Some(item));
        let put = put.condition_expression("attribute_not_exists(pk)").build();
        put.map_err(|error| StoreError::unwritable(TABLE, error))
    }

    /// Where a chain ends by its lines.
    pub(crate) async fn last_line(&self, chain: &Chain) -> Result<Option<Head>, StoreError> {
        let request = self
            .client
            .query()
            .table_name(&self.tables.activity)
            .consistent_read(true)
            .key_condition_expression("pk = :chain")
            .expression_attribute_values(":chain", AttributeValue::S(partition(chain)))
            .scan_index_forward(false)
            .limit(1);
        let read = request.send().await.map_err(|error| StoreError::failed("Query (last line)", TABLE, error))?;
        let Some(item) = read.items.unwrap_or_default().pop() else { return Ok(None) };
        let line = kept_line(&item);
        let hash = models::LineHash::of(&line.text);
        let broken = || StoreError::bad_item(TABLE, &partition(chain), "the key of its last line is no number");
        Ok(Some(Head { count: line.number.ok_or_else(broken)?, hash, regained: false }))
    }

    async fn all_lines(&self, chain: &Chain) -> Result<Vec<KeptLine>, StoreError> {
        let mut items = self
            .client
            .query()
            .table_name(&self.tables.activity)
            .consistent_read(true)
            .key_condition_expression("pk = :chain")
            .expression_attribute_values(":chain", AttributeValue::S(partition(chain)))
            .into_paginator()
            .items()
            .send();
        let mut lines = Vec::new();
        while let Some(item) = items.next().await {
            lines.push(kept_line(&item.map_err(|error| StoreError::failed("Query (lines)", TABLE, error))?));
        }
        Ok(lines)
    }
}

/// The sort key of the line of this number: its digits, so many of them that text order is the order of numbers.
fn place(number: u64) -> String {
    format!("{number:020}")
}

fn kept_line(item: &Item) -> KeptLine {
    let at = text_of(item, "sk");
    let number = at.parse().ok().filter(|number| place(*number) == at);
    KeptLine { number, text: text_of(item, "line").to_owned(), hash: text_of(item, "hash").to_owned() }
}

fn text_of<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

fn id(tenant: &TenantId, item: &Item, table: TableRole) -> Result<AlertId, StoreError> {
    id_of(tenant, item).map_err(|error| match error {
        StoreError::BadItem { key, source, .. } => StoreError::BadItem { table, key, source },
        other => other,
    })
}
