//! What is still to be published.

use std::future::Future;

use aws_sdk_dynamodb::{operation::update_item::UpdateItemError, types::AttributeValue};
use jiff::{SignedDuration, Timestamp};

use crate::{OutboxRecord, Store, StoreError, TableRole, schema::OUTBOX_UNPUBLISHED, time::sortable};

const TABLE: TableRole = TableRole::Alerts;

/// How many shards the index of unpublished items has. Fixed: a shard that nobody asks for is never swept.
pub const OUTBOX_SHARDS: u32 = 4;

/// How long an outbox item is kept once there is nothing more to do about it.
const RECORD_RETENTION: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Finds what is unpublished.
pub trait FindUnpublished {
    /// Up to `limit` readable items of a shard that were written at or before `until`, oldest first. An item that can't be read
    /// is an error of its own, hides no other and does not count.
    fn unpublished(
        &self,
        shard: u32,
        until: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Result<OutboxRecord, StoreError>>, StoreError>> + Send;
}

/// Finds what is unpublished and marks what was published.
pub trait Outbox: FindUnpublished {
    /// Marks an item as published: it leaves the index. Marking twice, or what is gone, is no error.
    fn mark_published(
        &self,
        record: &OutboxRecord,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

impl FindUnpublished for Store {
    async fn unpublished(
        &self,
        shard: u32,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Result<OutboxRecord, StoreError>>, StoreError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.tables.alerts)
            .index_name(OUTBOX_UNPUBLISHED)
            .key_condition_expression("outbox_shard = :shard AND created <= :until")
            .expression_attribute_values(":shard", AttributeValue::S(shard.to_string()))
            .expression_attribute_values(":until", AttributeValue::S(sortable(until)))
            .into_paginator()
            .send();
        let (mut found, mut readable) = (Vec::new(), 0);
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| StoreError::failed("Query (unpublished)", TABLE, error))?;
            for item in page.items.unwrap_or_default() {
                let record = OutboxRecord::from_item(item);
                readable += usize::from(record.is_ok());
                found.push(record);
                if readable >= limit {
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }
}

impl Outbox for Store {
    async fn mark_published(&self, record: &OutboxRecord, now: Timestamp) -> Result<(), StoreError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.tables.alerts)
            .set_key(Some(record.key()))
            .update_expression("SET published = :now, expires_at = :expires REMOVE outbox_shard")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":now", AttributeValue::S(sortable(now)))
            .expression_attribute_values(":expires", AttributeValue::N(expiry(now).to_string()));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(StoreError::failed("UpdateItem (mark)", TABLE, error)),
            },
        }
    }
}

pub(crate) fn expiry(now: Timestamp) -> i64 {
    now.as_second() + RECORD_RETENTION.as_secs()
}
