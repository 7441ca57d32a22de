//! The alerts that may confirm a fraud event.
//!
//! Indexes say which alerts there are, and each is then read itself: what an index shows may be a second old.

use std::{collections::HashSet, future::Future, sync::Arc, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use models::{Alert, EventSubject, Relation, TenantId};

use crate::{
    Store, StoreError, TableRole,
    items::{ALERT, Item, folded_key, key, read_alert},
    schema::{ALERTS_BY_CUSTOMER, ALERTS_BY_SUBSCRIPTION},
};

const TABLE: TableRole = TableRole::Alerts;
/// Most alerts that are looked at for each relation, those that were observed last: with one batch each is read.
const LOOKED_AT: i32 = 100;
/// How often a batch is tried that comes back in part, and the first pause.
const ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// An alert that may confirm an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The alert.
    pub alert: Arc<Alert>,
    /// When it became known to us.
    pub known_since: Timestamp,
    /// What it has to do with the event.
    pub relation: Relation,
}

/// Finds alerts by what they are about.
pub trait FindAlerts {
    /// The alerts of a subscription and of a customer, up to 100 of each, those that were observed last. One whose item can't be read is
    /// logged and left out: it confirms nothing.
    fn candidates(
        &self,
        tenant: &TenantId,
        subject: &EventSubject,
    ) -> impl Future<Output = Result<Vec<Candidate>, StoreError>> + Send;
}

impl FindAlerts for Store {
    async fn candidates(&self, tenant: &TenantId, subject: &EventSubject) -> Result<Vec<Candidate>, StoreError> {
        let subscription = folded_key(tenant, subject.subscription.as_str());
        let of_subscription = self.by_index(ALERTS_BY_SUBSCRIPTION, "tenant_subscription", subscription).await?;
        let of_customer = match &subject.customer {
            Some(id) => self.by_index(ALERTS_BY_CUSTOMER, "tenant_customer", folded_key(tenant, id.as_str())).await?,
            None => HashSet::new(),
        };
        let partitions: Vec<_> = of_subscription.union(&of_customer).collect();
        let mut found = Vec::with_capacity(partitions.len());
        for some in partitions.chunks(100) {
            for item in self.get_all(some.iter().map(|partition| key(partition, ALERT)).collect()).await? {
                let partition = item.get("pk").and_then(|key| key.as_s().ok()).cloned().unwrap_or_default();
                let known_since = item.get("known_since").and_then(|since| since.as_s().ok()?.parse().ok());
                let in_subscription = of_subscription.contains(&partition);
                let relation = if in_subscription { Relation::Subscription } else { Relation::Customer };
                let known_since = known_since.unwrap_or(Timestamp::MIN);
                match read_alert(item) {
                    Ok(stored) => found.push(Candidate { alert: stored.known.alert, known_since, relation }),
                    Err(error) => tracing::error!(
                        tenant.id = %tenant, error = %error,
                        "an alert that is kept can't be read: it confirms no fraud event"
                    ),
                }
            }
        }
        Ok(found)
    }
}

impl Store {
    /// The partitions of the alerts that an index has under this key, those that were observed last.
    async fn by_index(
        &self,
        index: &'static str,
        name: &'static str,
        value: String,
    ) -> Result<HashSet<String>, StoreError> {
        let request = self
            .client
            .query()
            .table_name(&self.tables.alerts)
            .index_name(index)
            .key_condition_expression("#key = :key")
            .expression_attribute_names("#key", name)
            .expression_attribute_values(":key", AttributeValue::S(value))
            .projection_expression("pk")
            .scan_index_forward(false)
            .limit(LOOKED_AT);
        let read = request.send().await.map_err(|error| StoreError::failed("Query (alerts)", TABLE, error))?;
        let items = read.items.unwrap_or_default();
        Ok(items.into_iter().filter_map(|mut item| item.remove("pk")?.as_s().ok().cloned()).collect())
    }

    /// The items under up to 100 keys of the alerts table, as far as there are such.
    pub(crate) async fn get_all(&self, mut keys: Vec<Item>) -> Result<Vec<Item>, StoreError> {
        let mut found = Vec::new();
        let mut pause = FIRST_PAUSE;
        for attempt in 1..=ATTEMPTS {
            if keys.is_empty() {
                return Ok(found);
            }
            if attempt > 1 {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            let (items, unread) = self.get_batch(keys).await?;
            found.extend(items);
            keys = unread;
        }
        if keys.is_empty() {
            return Ok(found);
        }
        Err(StoreError::Contended { action: "BatchGetItem", table: TABLE, attempts: ATTEMPTS })
    }
}
