//! Alerts that Microsoft lists and that can't be read, kept aside with their bytes for people to look at.
//!
//! They lie together in the tenant's own partition, so that one query shows all of them. Seen again, an item is written anew; once its
//! alert can be read, it says since when. Thirty days after the last sight it is gone.

use std::{collections::HashMap, future::Future};

use aws_sdk_dynamodb::{operation::update_item::UpdateItemError, primitives::Blob, types::AttributeValue};
use jiff::Timestamp;
use models::AlertId;

use crate::{Grant, Store, StoreError, TableRole, lease::number, outbox::expiry, time::sortable};

const TABLE: TableRole = TableRole::Alerts;
const PREFIX: &str = "unreadable#";

/// An alert that can't be read.
#[derive(Clone, Copy, Debug)]
pub struct Unreadable<'a> {
    /// Its id, or one made of its bytes.
    pub id: &'a AlertId,
    /// What Microsoft sent, as much of it as an item takes beside the rest: far less than DynamoDB's 400 kB.
    pub body: &'a [u8],
    /// How many bytes Microsoft sent.
    pub whole: usize,
    /// What is wrong with it.
    pub problem: &'a str,
}

/// Keeps alerts aside, under a lease. A run whose lease has passed on changes nothing.
pub trait KeepAside {
    /// Keeps an alert aside, in place of what was kept of it before.
    fn keep_aside(
        &self,
        grant: &Grant,
        unreadable: Unreadable<'_>,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Notes that an alert that was kept aside can be read now. It is no error where none was.
    fn readable_again(
        &self,
        grant: &Grant,
        id: &AlertId,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

impl KeepAside for Store {
    async fn keep_aside(&self, grant: &Grant, unreadable: Unreadable<'_>, now: Timestamp) -> Result<(), StoreError> {
        let update = "SET body = :body, whole_bytes = :whole, problem = :problem, last_seen = :now, fence = :fence, \
                      expires_at = :expires, first_seen = if_not_exists(first_seen, :now) REMOVE readable_since";
        let values = [
            (":body", AttributeValue::B(Blob::new(unreadable.body))),
            (":whole", AttributeValue::N(unreadable.whole.to_string())),
            (":problem", AttributeValue::S(unreadable.problem.to_owned())),
        ];
        self.update_aside(grant, unreadable.id, update, "attribute_not_exists(fence) OR fence <= :fence", values, now)
            .await
    }

    async fn readable_again(&self, grant: &Grant, id: &AlertId, now: Timestamp) -> Result<(), StoreError> {
        let update = "SET readable_since = :now, fence = :fence, expires_at = :expires";
        self.update_aside(grant, id, update, "fence <= :fence", [], now).await
    }
}

impl Store {
    async fn update_aside(
        &self,
        grant: &Grant,
        id: &AlertId,
        update: &str,
        condition: &str,
        values: impl IntoIterator<Item = (&'static str, AttributeValue)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let common = [
            (":now", AttributeValue::S(sortable(now))),
            (":fence", number(grant.fence)),
            (":expires", number(expiry(now))),
        ];
        let values: HashMap<_, _> =
            common.into_iter().chain(values).map(|(name, value)| (name.to_owned(), value)).collect();
        let request = self
            .client
            .update_item()
            .table_name(&self.tables.alerts)
            .key("pk", AttributeValue::S(grant.tenant.to_string()))
            .key("sk", AttributeValue::S(format!("{PREFIX}{id}")))
            .update_expression(update)
            .condition_expression(condition)
            .set_expression_attribute_values(Some(values));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(StoreError::failed("UpdateItem (unreadable)", TABLE, error)),
            },
        }
    }
}
