//! Alerts: read what is kept, write what changed.
//!
//! An alert, its outbox item and its share of the statistics are one transaction, which also checks that the run still holds
//! the lease and that nobody changed the alert since it was read.

use std::{collections::HashMap, future::Future};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, TransactWriteItem, Update};
use jiff::Timestamp;
use models::{
    AlertId, AlertNotice, AlertSource, AlertState, AlertSummary, Delta, FraudThreshold, Known, Notice, TenantId,
    TraceContext, Turned, transition,
};

use crate::{
    Grant, KnownAlerts, OutboxRecord, Rejected, Store, StoreError, TableRole,
    items::{self, Item},
    lease::number,
    schema::ALERTS_BY_LAST_OBSERVED,
    transaction::{ATTEMPTS, FIRST_PAUSE, Sent, Transacted, how_many_fit, state_key},
};

const TABLE: TableRole = TableRole::Alerts;

/// An alert as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAlert {
    /// What is known of it.
    pub known: Known,
    /// Its version with us: grows by one with every write.
    pub version: u64,
    /// By which versions its standing turned.
    pub turned: Turned,
}

/// A change to write.
#[derive(Clone, Debug)]
pub struct AlertWrite {
    /// What is known of the alert from now on. Shared with whoever observed it: a large tenant is not kept in memory twice.
    pub known: Known,
    /// The version that it was read at; none for a new one.
    pub previous: Option<u64>,
    /// Whether a decision was pending.
    pub was_decided: bool,
    /// What is to be told about the change.
    pub outbox: Option<OutboxRecord>,
    /// What the change does to the statistics.
    pub delta: Delta,
    /// Where the change was seen.
    pub trace: Option<TraceContext>,
    /// By which versions the alert's standing turned, from now on.
    pub turned: Turned,
}

impl AlertWrite {
    /// The change from what is kept to what is known now, with its outbox item and its share of the statistics, which thereby
    /// always belong together. `tell` says whether a change of fraud severity is to be published.
    #[must_use]
    pub fn between(
        tenant: &TenantId,
        stored: Option<&StoredAlert>,
        known: Known,
        threshold: FraudThreshold,
        tell: bool,
        now: Timestamp,
        trace: Option<TraceContext>,
    ) -> Self {
        let before = stored.map(|stored| stored.known.alert.as_ref());
        let previous = stored.map(|stored| stored.version);
        let outbox = transition(before, &known.alert, threshold).map(|change| OutboxRecord {
            tenant: tenant.clone(),
            created: now,
            notice: Notice::Alert(AlertNotice {
                kind: change.kind,
                version: Self::version(previous),
                alert: Box::new(AlertSummary::from(known.alert.as_ref())),
            }),
            publish: change.fraud && tell,
            trace,
        });
        let delta = Delta::between(before, &known.alert);
        let was_decided = stored.is_some_and(|stored| stored.known.decision.is_some());
        let turned = stored.map(|stored| stored.turned).unwrap_or_default();
        let turned = turned.by(Self::version(previous), before, &known.alert);
        Self { known, previous, was_decided, outbox, delta, trace, turned }
    }

    /// The version that the alert has after the write.
    #[must_use]
    pub fn version(previous: Option<u64>) -> u64 {
        previous.unwrap_or(0) + 1
    }

    /// The alert's id.
    #[must_use]
    pub fn id(&self) -> &AlertId {
        &self.known.alert.id
    }

    /// Whether it is to be published.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.outbox.as_ref().is_some_and(|record| record.publish)
    }
}

/// What came of writing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Alerts that are written.
    pub written: Vec<AlertId>,
    /// Alerts that somebody else changed meanwhile: read them again.
    pub conflicted: Vec<AlertId>,
    /// Alerts that the table does not take, however often they are sent. They kept no other from being written.
    pub rejected: Vec<(AlertId, Rejected)>,
    /// Of each transaction that was written without moving the statistics, the item of theirs that is not taken.
    pub uncounted: Vec<Rejected>,
    /// The lease has passed on, and the rest was not written.
    pub lease_lost: bool,
}

/// Alerts as they are kept, by their ids.
#[derive(Debug, Default)]
pub struct StoredAlerts {
    /// Those that could be read.
    pub readable: HashMap<AlertId, StoredAlert>,
    /// Those that are there and could not.
    pub broken: HashMap<AlertId, StoreError>,
}

/// An open alert, by the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenAlert {
    /// Its id.
    pub id: AlertId,
    /// Whether Microsoft said that it knows it no longer.
    pub is_gone: bool,
    /// Where it was seen, by the source's name. None where a former release saw it.
    pub source: Option<String>,
}

impl OpenAlert {
    /// Whether this source may know it.
    #[must_use]
    pub fn may_be_of(&self, source: AlertSource) -> bool {
        self.source.as_deref().is_none_or(|name| name == source.as_str())
    }
}

/// Reads alerts.
pub trait ReadAlerts {
    /// The hint of what is known of a tenant.
    fn known(&self, tenant: &TenantId) -> impl Future<Output = Result<KnownAlerts, StoreError>> + Send;

    /// These alerts, as far as they are kept. One that can't be read is an error of its own, and hides no other.
    fn alerts(
        &self,
        tenant: &TenantId,
        ids: &[AlertId],
    ) -> impl Future<Output = Result<StoredAlerts, StoreError>> + Send;

    /// The alerts that are open and wanted, those that were observed last the longest time ago first: until there are `limit` of them that are not
    /// known to be gone at Microsoft. An index answers: it may lag behind by moments.
    fn open_alerts(
        &self,
        tenant: &TenantId,
        is_wanted: &(dyn Fn(&OpenAlert) -> bool + Sync),
        limit: usize,
    ) -> impl Future<Output = Result<Vec<OpenAlert>, StoreError>> + Send;
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

    /// Writes what a person decided, without a lease: on condition of the version alone, so that neither a run nor another person loses
    /// anything. False where somebody else changed the alert since it was read.
    fn decide(
        &self,
        tenant: &TenantId,
        write: &AlertWrite,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Takes the mark of a decision away that its alert, read since the mark was, does not have: somebody has changed or deleted the item by
    /// hand. One that was made anew meanwhile stays.
    fn forget_decision(
        &self,
        grant: &Grant,
        known: &mut KnownAlerts,
        id: &AlertId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Writes the changed parts of the hint.
    fn remember(&self, grant: &Grant, known: &mut KnownAlerts) -> impl Future<Output = Result<(), StoreError>> + Send;
}

impl ReadAlerts for Store {
    async fn known(&self, tenant: &TenantId) -> Result<KnownAlerts, StoreError> {
        self.read_known(tenant).await
    }

    async fn alerts(&self, tenant: &TenantId, ids: &[AlertId]) -> Result<StoredAlerts, StoreError> {
        let mut found = StoredAlerts::default();
        for some in ids.chunks(100) {
            let mut keys: Vec<Item> = some.iter().map(|id| items::alert_key(tenant, id)).collect();
            let mut pause = FIRST_PAUSE;
            for attempt in 1.. {
                let (items, unread) = self.get_batch(keys).await?;
                for item in items {
                    let id = items::id_of(tenant, &item)?;
                    match items::read_alert(item) {
                        Ok(stored) => drop(found.readable.insert(id, stored)),
                        Err(error) => drop(found.broken.insert(id, error)),
                    }
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

    async fn open_alerts(
        &self,
        tenant: &TenantId,
        is_wanted: &(dyn Fn(&OpenAlert) -> bool + Sync),
        limit: usize,
    ) -> Result<Vec<OpenAlert>, StoreError> {
        let open = format!("{tenant}#{}", AlertState::Open.as_str());
        let mut items = self
            .client
            .query()
            .table_name(&self.tables.alerts)
            .index_name(ALERTS_BY_LAST_OBSERVED)
            .key_condition_expression("tenant_state = :open")
            .expression_attribute_values(":open", AttributeValue::S(open))
            .projection_expression("pk, #summary.#gone, #summary.#source")
            .expression_attribute_names("#summary", "summary")
            .expression_attribute_names("#gone", "gone")
            .expression_attribute_names("#source", "source")
            .into_paginator()
            .items()
            .send();
        let (mut found, mut left) = (Vec::new(), limit);
        while let Some(item) = items.next().await {
            let item = item.map_err(|error| StoreError::failed("Query (open alerts)", TABLE, error))?;
            let summary = item.get("summary").and_then(|summary| summary.as_m().ok());
            let source = summary.and_then(|summary| summary.get("source")?.as_s().ok().cloned());
            let is_gone = summary.is_some_and(|summary| summary.contains_key("gone"));
            let alert = OpenAlert { id: items::id_of(tenant, &item)?, is_gone, source };
            if is_wanted(&alert) {
                left -= usize::from(!alert.is_gone);
                found.push(alert);
            }
            if left == 0 {
                break;
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
            match self.transact(Some(grant), &grant.tenant, &batch, digest, now).await? {
                Transacted::Done { uncounted } => {
                    result.uncounted.extend(uncounted);
                    result.written.extend(batch.iter().map(|write| write.id().clone()));
                    digest = None;
                }
                Transacted::LeaseLost => {
                    result.lease_lost = true;
                    break;
                }
                Transacted::Conflicted(places) => {
                    let (conflicted, others) = parted(batch, |place| places.contains(&place));
                    result.conflicted.extend(conflicted.into_iter().map(|(_, write)| write.id().clone()));
                    rest.splice(0..0, others);
                }
                Transacted::Rejected(mut why) => {
                    let (rejected, others) = parted(batch, |place| why.contains_key(&place));
                    let whose = |(place, write): (usize, &AlertWrite)| Some((write.id().clone(), why.remove(&place)?));
                    result.rejected.extend(rejected.into_iter().filter_map(whose));
                    rest.splice(0..0, others);
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
        match self.send(&actions).await? {
            Sent::Done => Ok(true),
            Sent::ConditionFailed(_) => Ok(false),
            Sent::Rejected(rejected) => rejected.into_iter().next().map_or(Ok(false), |(_, why)| Err(why.into())),
        }
    }

    async fn decide(&self, tenant: &TenantId, write: &AlertWrite, now: Timestamp) -> Result<bool, StoreError> {
        match self.transact(None, tenant, &[write], None, now).await? {
            Transacted::Done { uncounted } => {
                if let Some(error) = uncounted {
                    error.log_uncounted(tenant);
                }
                Ok(true)
            }
            Transacted::Conflicted(_) | Transacted::LeaseLost => Ok(false),
            Transacted::Rejected(rejected) => {
                rejected.into_values().next().map_or(Ok(false), |rejected| Err(rejected.into()))
            }
        }
    }

    async fn forget_decision(&self, grant: &Grant, known: &mut KnownAlerts, id: &AlertId) -> Result<(), StoreError> {
        self.delete_mark(&grant.tenant, known, id).await
    }

    async fn remember(&self, grant: &Grant, known: &mut KnownAlerts) -> Result<(), StoreError> {
        self.write_known(grant, known).await
    }
}

/// The writes of a batch that are meant, with their places in it, and the others.
fn parted(batch: Vec<&AlertWrite>, is_meant: impl Fn(usize) -> bool) -> (Vec<(usize, &AlertWrite)>, Vec<&AlertWrite>) {
    let (meant, others): (Vec<_>, Vec<_>) = batch.into_iter().enumerate().partition(|(place, _)| is_meant(*place));
    (meant, others.into_iter().map(|(_, write)| write).collect())
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
}
