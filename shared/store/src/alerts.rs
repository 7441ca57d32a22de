//! Alerts: read what is kept, write what changed.
//!
//! An alert, its outbox item and its share of the statistics are one transaction, which also checks that the run still holds
//! the lease and that nobody changed the alert since it was read.

use std::{collections::HashMap, future::Future, sync::Arc, time::Duration};

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, ConditionCheck, KeysAndAttributes, Put, TransactWriteItem, Update},
};
use jiff::Timestamp;
use models::{
    Alert, AlertId, AlertNotice, AlertSummary, Delta, FraudThreshold, Notice, STATISTICS_FORMULA, StatisticsKey,
    TenantId, TraceContext, transition,
};

use crate::{
    Grant, KnownAlerts, OutboxRecord, Store, StoreError, TableRole,
    items::{self, Item},
    lease::{STATE, number},
    outbox::expiry,
};

const TABLE: TableRole = TableRole::Alerts;

/// Most alerts in one transaction: with an outbox item each and the statistics items that they touch they stay within the
/// 100 actions that DynamoDB takes.
const ALERTS_A_TRANSACTION: usize = 45;
/// Most actions in one transaction (DynamoDB's limit).
const ACTIONS_A_TRANSACTION: usize = 100;
/// Most bytes of alerts in one transaction, by their size as JSON; DynamoDB takes 4 MB.
const BYTES_A_TRANSACTION: usize = 2_000_000;
/// How often a transaction is tried that collided with another writer or was throttled, and the first pause.
const ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// An alert as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAlert {
    /// What Microsoft said of it.
    pub alert: Alert,
    /// Its version with us: grows by one with every write.
    pub version: u64,
}

/// A change to write.
#[derive(Clone, Debug)]
pub struct AlertWrite {
    /// The alert as it is now. Shared with whoever observed it: a large tenant is not kept in memory twice.
    pub alert: Arc<Alert>,
    /// The version that it was read at; none for a new one.
    pub previous: Option<u64>,
    /// What is to be told about the change.
    pub outbox: Option<OutboxRecord>,
    /// What the change does to the statistics.
    pub delta: Delta,
    /// Where the change was seen.
    pub trace: Option<TraceContext>,
}

impl AlertWrite {
    /// The change from what is kept to what was observed, with its outbox item and its share of the statistics, which thereby
    /// always belong together. None where nothing changed. `tell` says whether a change of fraud severity is to be published.
    #[must_use]
    pub fn between(
        tenant: &TenantId,
        stored: Option<&StoredAlert>,
        observed: &Arc<Alert>,
        threshold: FraudThreshold,
        tell: bool,
        now: Timestamp,
        trace: Option<TraceContext>,
    ) -> Option<Self> {
        let before = stored.map(|stored| &stored.alert);
        if before == Some(observed.as_ref()) {
            return None;
        }
        let previous = stored.map(|stored| stored.version);
        let outbox = transition(before, observed, threshold).map(|change| OutboxRecord {
            tenant: tenant.clone(),
            created: now,
            notice: Notice::Alert(AlertNotice {
                kind: change.kind,
                version: Self::version(previous),
                alert: Box::new(AlertSummary::from(observed.as_ref())),
            }),
            publish: change.fraud && tell,
            trace,
        });
        Some(Self { alert: Arc::clone(observed), previous, outbox, delta: Delta::between(before, observed), trace })
    }

    /// The version that the alert has after the write.
    #[must_use]
    pub fn version(previous: Option<u64>) -> u64 {
        previous.unwrap_or(0) + 1
    }
}

/// What came of writing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Alerts that are written.
    pub written: Vec<AlertId>,
    /// Alerts that somebody else changed meanwhile: read them again.
    pub conflicted: Vec<AlertId>,
    /// The lease has passed on, and the rest was not written.
    pub lease_lost: bool,
}

/// Reads alerts.
pub trait ReadAlerts {
    /// The hint of what is known of a tenant.
    fn known(&self, tenant: &TenantId) -> impl Future<Output = Result<KnownAlerts, StoreError>> + Send;

    /// These alerts, as far as they are kept.
    fn alerts(
        &self,
        tenant: &TenantId,
        ids: &[AlertId],
    ) -> impl Future<Output = Result<HashMap<AlertId, StoredAlert>, StoreError>> + Send;
}

/// Writes alerts under a lease.
pub trait WriteAlerts {
    /// Writes changes, in as few transactions as they fit. `digest`, where there is one, is part of the first of them.
    fn write(
        &self,
        grant: &Grant,
        writes: &[AlertWrite],
        digest: Option<&OutboxRecord>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Written, StoreError>> + Send;

    /// Notes that a tenant's first complete run is over, together with its digest. False where the lease has passed on.
    fn finish_baseline(
        &self,
        grant: &Grant,
        digest: Option<&OutboxRecord>,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Writes the changed parts of the hint.
    fn remember(&self, grant: &Grant, known: &mut KnownAlerts) -> impl Future<Output = Result<(), StoreError>> + Send;
}

impl ReadAlerts for Store {
    async fn known(&self, tenant: &TenantId) -> Result<KnownAlerts, StoreError> {
        self.read_known(tenant).await
    }

    async fn alerts(&self, tenant: &TenantId, ids: &[AlertId]) -> Result<HashMap<AlertId, StoredAlert>, StoreError> {
        let mut found = HashMap::with_capacity(ids.len());
        for some in ids.chunks(100) {
            let mut keys: Vec<Item> = some.iter().map(|id| items::alert_key(tenant, id)).collect();
            let mut pause = FIRST_PAUSE;
            for attempt in 1.. {
                let (items, unread) = self.get_batch(keys).await?;
                for item in items {
                    let stored = items::read_alert(item)?;
                    found.insert(stored.alert.id.clone(), stored);
                }
                if unread.is_empty() {
                    break;
                }
                if attempt == ATTEMPTS {
                    let action = "BatchGetItem";
                    return Err(StoreError::Contended { action, table: TABLE, attempts: ATTEMPTS });
                }
                tokio::time::sleep(pause).await;
                pause *= 2;
                keys = unread;
            }
        }
        Ok(found)
    }
}

impl WriteAlerts for Store {
    async fn write(
        &self,
        grant: &Grant,
        writes: &[AlertWrite],
        mut digest: Option<&OutboxRecord>,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let mut result = Written::default();
        let mut rest: Vec<&AlertWrite> = writes.iter().collect();
        while !rest.is_empty() {
            let taken = how_many_fit(&rest);
            let batch: Vec<&AlertWrite> = rest.drain(..taken).collect();
            match self.transact(grant, &batch, digest, now).await? {
                Transacted::Done => {
                    result.written.extend(batch.iter().map(|write| write.alert.id.clone()));
                    digest = None;
                }
                Transacted::LeaseLost => {
                    result.lease_lost = true;
                    break;
                }
                Transacted::Conflicted(places) => {
                    for (place, write) in batch.into_iter().enumerate().rev() {
                        if places.contains(&place) {
                            result.conflicted.push(write.alert.id.clone());
                        } else {
                            rest.insert(0, write);
                        }
                    }
                }
            }
        }
        Ok(result)
    }

    async fn finish_baseline(
        &self,
        grant: &Grant,
        digest: Option<&OutboxRecord>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mark = Update::builder()
            .table_name(&self.tables.tenants)
            .set_key(Some(state_key(&grant.tenant)))
            .update_expression("SET baseline = :now")
            .condition_expression("fence = :fence")
            .expression_attribute_values(":fence", number(grant.fence))
            .expression_attribute_values(":now", AttributeValue::S(crate::time::sortable(now)))
            .build()
            .map_err(|error| StoreError::unwritable(TableRole::Tenants, error))?;
        let mut actions = vec![TransactWriteItem::builder().update(mark).build()];
        actions.extend(digest.map(|record| self.put_outbox(record, now)).transpose()?);
        Ok(matches!(self.send(actions).await?, Sent::Done))
    }

    async fn remember(&self, grant: &Grant, known: &mut KnownAlerts) -> Result<(), StoreError> {
        self.write_known(grant, known).await
    }
}

enum Transacted {
    Done,
    LeaseLost,
    /// The places, in the batch, of alerts that somebody else changed.
    Conflicted(Vec<usize>),
}

enum Sent {
    Done,
    /// The places of the actions whose condition did not hold.
    ConditionFailed(Vec<usize>),
}

/// How many of these writes one transaction holds.
fn how_many_fit(writes: &[&AlertWrite]) -> usize {
    let mut statistics = Delta::default();
    // The lease check, and a digest.
    let (mut actions, mut bytes) = (2, 0);
    for (count, write) in writes.iter().take(ALERTS_A_TRANSACTION).enumerate() {
        statistics.add(&write.delta);
        actions += 1 + usize::from(write.outbox.is_some());
        bytes += serde_json::to_vec(write.alert.as_ref()).map_or(0, |json| json.len());
        let full = actions + statistics.items().count() > ACTIONS_A_TRANSACTION || bytes > BYTES_A_TRANSACTION;
        if full && count > 0 {
            return count;
        }
    }
    writes.len().min(ALERTS_A_TRANSACTION)
}

impl Store {
    pub(crate) async fn get_batch(&self, keys: Vec<Item>) -> Result<(Vec<Item>, Vec<Item>), StoreError> {
        let table = self.tables.alerts.as_str();
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
        let wanted = wanted.map_err(|error| StoreError::unwritable(TABLE, error))?;
        let output = self.client.batch_get_item().request_items(table, wanted).send().await;
        let output = output.map_err(|error| StoreError::failed("BatchGetItem", TABLE, error))?;
        let items = output.responses.unwrap_or_default().remove(table).unwrap_or_default();
        let unread = output.unprocessed_keys.unwrap_or_default().remove(table);
        Ok((items, unread.map(|unread| unread.keys).unwrap_or_default()))
    }

    async fn transact(
        &self,
        grant: &Grant,
        batch: &[&AlertWrite],
        digest: Option<&OutboxRecord>,
        now: Timestamp,
    ) -> Result<Transacted, StoreError> {
        let mut actions = vec![self.check_lease(grant)?];
        let mut statistics = Delta::default();
        for write in batch {
            actions.push(self.update_alert(&grant.tenant, write, now)?);
            statistics.add(&write.delta);
        }
        for record in batch.iter().filter_map(|write| write.outbox.as_ref()).chain(digest) {
            actions.push(self.put_outbox(record, now)?);
        }
        for (key, counters) in statistics.items() {
            actions.push(self.add_statistics(&grant.tenant, key, &counters)?);
        }
        Ok(match self.send(actions).await? {
            Sent::Done => Transacted::Done,
            Sent::ConditionFailed(places) if places.contains(&0) => Transacted::LeaseLost,
            Sent::ConditionFailed(places) => {
                Transacted::Conflicted(places.into_iter().map(|place| place - 1).collect())
            }
        })
    }

    /// Sends a transaction; collisions and throttling are tried again, nothing else.
    async fn send(&self, actions: Vec<TransactWriteItem>) -> Result<Sent, StoreError> {
        let mut pause = FIRST_PAUSE;
        for attempt in 1..=ATTEMPTS {
            let request = self.client.transact_write_items().set_transact_items(Some(actions.clone()));
            let Err(error) = request.send().await else { return Ok(Sent::Done) };
            let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = error.as_service_error() else {
                return Err(StoreError::failed("TransactWriteItems", TABLE, error));
            };
            let codes: Vec<&str> =
                canceled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or("None")).collect();
            let failed: Vec<usize> =
                (0..codes.len()).filter(|place| codes[*place] == "ConditionalCheckFailed").collect();
            if !failed.is_empty() {
                return Ok(Sent::ConditionFailed(failed));
            }
            let worth_another_try = |code: &&str| {
                matches!(*code, "None" | "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")
            };
            if !codes.iter().all(worth_another_try) {
                return Err(StoreError::failed("TransactWriteItems", TABLE, error));
            }
            if attempt < ATTEMPTS {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
        Err(StoreError::Contended { action: "TransactWriteItems", table: TABLE, attempts: ATTEMPTS })
    }

    fn check_lease(&self, grant: &Grant) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.tables.tenants)
            .set_key(Some(state_key(&grant.tenant)))
            .condition_expression("fence = :fence")
            .expression_attribute_values(":fence", number(grant.fence))
            .build()
            .map_err(|error| StoreError::unwritable(TableRole::Tenants, error))?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    fn update_alert(
        &self,
        tenant: &TenantId,
        write: &AlertWrite,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let alert = &write.alert;
        let (summary, detail) = items::alert_maps(alert)?;
        let text = AttributeValue::S;
        let mut update = Update::builder()
            .table_name(&self.tables.alerts)
            .set_key(Some(items::alert_key(tenant, &alert.id)))
            .expression_attribute_names("#version", "version")
            .expression_attribute_names("#summary", "summary")
            .expression_attribute_names("#detail", "detail")
            .expression_attribute_names("#work", "work")
            .expression_attribute_values(":nothing", AttributeValue::M(HashMap::new()))
            .expression_attribute_values(":formula", number(STATISTICS_FORMULA))
            .expression_attribute_values(":summary", summary)
            .expression_attribute_values(":detail", detail)
            .expression_attribute_values(":version", number(AlertWrite::version(write.previous)))
            .expression_attribute_values(":detected_id", text(items::detected_id(alert)))
            .expression_attribute_values(":now", text(crate::time::sortable(now)));
        let mut set = vec![
            "SET #summary = :summary, #detail = :detail, #version = :version".to_owned(),
            "detected_id = if_not_exists(detected_id, :detected_id)".to_owned(),
            "known_since = if_not_exists(known_since, :now)".to_owned(),
            // There from the start, so that whoever writes a member of it needs not ask whether it is.
            "#work = if_not_exists(#work, :nothing), formula = :formula".to_owned(),
        ];
        let mut remove = Vec::new();
        let trace = ("trace", write.trace.map(|trace| trace.to_string()));
        for (name, value) in items::alert_index_keys(tenant, alert).into_iter().chain([trace]) {
            update = update.expression_attribute_names(format!("#{name}"), name);
            match value {
                Some(value) => {
                    set.push(format!("#{name} = :{name}"));
                    update = update.expression_attribute_values(format!(":{name}"), text(value));
                }
                None => remove.push(format!("#{name}")),
            }
        }
        let removed = if remove.is_empty() { String::new() } else { format!(" REMOVE {}", remove.join(", ")) };
        let update = match write.previous {
            None => update.condition_expression("attribute_not_exists(pk)"),
            Some(version) => update
                .condition_expression("#version = :previous")
                .expression_attribute_values(":previous", number(version)),
        };
        let update = update
            .update_expression(set.join(", ") + &removed)
            .build()
            .map_err(|error| StoreError::unwritable(TABLE, error))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn put_outbox(&self, record: &OutboxRecord, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder().table_name(&self.tables.alerts).set_item(Some(record.item(expiry(now))?)).build();
        let put = put.map_err(|error| StoreError::unwritable(TABLE, error))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn add_statistics(
        &self,
        tenant: &TenantId,
        key: StatisticsKey,
        counters: &models::Counters,
    ) -> Result<TransactWriteItem, StoreError> {
        let sort = match key {
            StatisticsKey::Day(day) => day.to_string(),
            StatisticsKey::Gauge => "gauge".to_owned(),
        };
        let mut update = Update::builder()
            .table_name(&self.tables.tenants)
            .key("pk", AttributeValue::S(format!("{tenant}#stats")))
            .key("sk", AttributeValue::S(sort));
        let mut additions = Vec::new();
        for (name, value) in counters {
            additions.push(format!("#{name} :{name}"));
            update = update
                .expression_attribute_names(format!("#{name}"), *name)
                .expression_attribute_values(format!(":{name}"), number(*value));
        }
        let update = update.update_expression(format!("ADD {}", additions.join(", ")));
        let update = update.build().map_err(|error| StoreError::unwritable(TableRole::Tenants, error))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

fn state_key(tenant: &TenantId) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(tenant.to_string())),
        ("sk".to_owned(), AttributeValue::S(STATE.to_owned())),
    ])
}
