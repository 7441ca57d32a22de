//! The one transaction that writes alerts: with their outbox items, their share of the statistics, the marks of pending decisions, and
//! the check of the lease.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, CancellationReason, ConditionCheck, Delete, Put, TransactWriteItem, Update},
};
use jiff::Timestamp;
use models::{Delta, STATISTICS_FORMULA, StatisticsKey, TenantId};

use crate::{
    AlertWrite, Grant, OutboxRecord, Rejected, Store, StoreError, TableRole,
    digests::{decision_key, decision_mark},
    items::{self, Item},
    lease::{STATE, number},
    outbox::expiry,
    work::WORK,
};

mod alert_update;

pub(crate) use alert_update::AlertUpdate;

const TABLE: TableRole = TableRole::Alerts;

/// Most alerts in one transaction: with an outbox item each and the statistics items that they touch they stay within the
/// 100 actions that DynamoDB takes.
const ALERTS_A_TRANSACTION: usize = 45;
/// Most actions in one transaction (DynamoDB's limit).
pub(crate) const ACTIONS_A_TRANSACTION: usize = 100;
/// Most bytes of alerts in one transaction, by their size as JSON; DynamoDB takes 4 MB.
const BYTES_A_TRANSACTION: usize = 2_000_000;
/// How often a transaction is tried that collided with another writer or was throttled, and the longest first pause.
pub(crate) const ATTEMPTS: u32 = 6;
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(50);

pub(crate) enum Transacted {
    /// Everything is written, but the statistics where an item of theirs is rejected.
    Done {
        uncounted: Option<Rejected>,
    },
    LeaseLost,
    /// The places, in the batch, of alerts that somebody else changed.
    Conflicted(Vec<usize>),
    /// The places, in the batch, of alerts that are not taken, each with why.
    Rejected(BTreeMap<usize, Rejected>),
}

pub(crate) enum Sent {
    Done,
    /// The places of the actions whose condition did not hold.
    ConditionFailed(Vec<usize>),
    /// The places of the actions whose item is not taken, each with why.
    Rejected(Vec<(usize, Rejected)>),
}

/// Whose action it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// The run's: the lease, or the digest.
    Run,
    /// That of the alert at this place of the batch.
    Alert(usize),
    Statistics,
}

/// How many of these writes one transaction holds.
pub(crate) fn how_many_fit(writes: &[&AlertWrite]) -> usize {
    let mut statistics = Delta::default();
    // The lease check, and a digest.
    let (mut actions, mut bytes) = (2, 0);
    for (count, write) in writes.iter().take(ALERTS_A_TRANSACTION).enumerate() {
        statistics.add(&write.delta);
        actions += 1 + usize::from(write.outbox.is_some()) + usize::from(marks_decision(write));
        bytes += serde_json::to_vec(write.known.alert.as_ref()).map_or(0, |json| json.len());
        let full = actions + statistics.items().count() > ACTIONS_A_TRANSACTION || bytes > BYTES_A_TRANSACTION;
        if full && count > 0 {
            return count;
        }
    }
    writes.len().min(ALERTS_A_TRANSACTION)
}

impl Store {
    /// Writes alerts with all that belongs to them. Under a lease, where there is one.
    pub(crate) async fn transact(
        &self,
        grant: Option<&Grant>,
        tenant: &TenantId,
        batch: &[&AlertWrite],
        digest: Option<&OutboxRecord>,
        now: Timestamp,
    ) -> Result<Transacted, StoreError> {
        let mut statistics = Delta::default();
        let mut actions = Vec::new();
        if let Some(grant) = grant {
            actions.push((Owner::Run, self.check_lease(grant)?));
        }
        for (place, write) in batch.iter().enumerate() {
            actions.push((Owner::Alert(place), self.update_alert(tenant, write, now)?));
            statistics.add(&write.delta);
        }
        for (place, write) in batch.iter().enumerate() {
            if let Some(record) = &write.outbox {
                actions.push((Owner::Alert(place), self.put_outbox(record, now)?));
            }
        }
        if let Some(record) = digest {
            actions.push((Owner::Run, self.put_outbox(record, now)?));
        }
        for (place, write) in batch.iter().enumerate() {
            actions.extend(self.mark_decision(tenant, write)?.map(|action| (Owner::Alert(place), action)));
        }
        for (key, counters) in statistics.items() {
            actions.push((Owner::Statistics, self.add_statistics(tenant, key, &counters)?));
        }
        let (mut owners, mut actions): (Vec<Owner>, Vec<TransactWriteItem>) = actions.into_iter().unzip();
        let mut uncounted = None;
        loop {
            let rejected = match self.send(&actions).await? {
                Sent::Done => return Ok(Transacted::Done { uncounted }),
                Sent::ConditionFailed(places) => return Ok(conflict(&owners, &places)),
                Sent::Rejected(rejected) => rejected,
            };
            let is_of = |owner: Owner| rejected.iter().find(|(place, _)| owners[*place] == owner);
            if let Some((_, rejected)) = is_of(Owner::Run) {
                return Err(rejected.clone().into());
            }
            let of_alerts: BTreeMap<usize, Rejected> = rejected
                .iter()
                .rev()
                .filter_map(|(place, why)| match owners[*place] {
                    Owner::Alert(alert) => Some((alert, why.clone())),
                    Owner::Run | Owner::Statistics => None,
                })
                .collect();
            if !of_alerts.is_empty() {
                return Ok(Transacted::Rejected(of_alerts));
            }
            // Figures can be counted anew; nobody must wait for an alert because of them.
            uncounted = is_of(Owner::Statistics).map(|(_, rejected)| rejected.clone());
            let others = owners.iter().take_while(|owner| **owner != Owner::Statistics).count();
            owners.truncate(others);
            actions.truncate(others);
        }
    }

    /// Sends a transaction; collisions and throttling are tried again, nothing else.
    pub(crate) async fn send(&self, actions: &[TransactWriteItem]) -> Result<Sent, StoreError> {
        let mut pause = FIRST_PAUSE;
        let mut table = TABLE;
        for attempt in 1..=ATTEMPTS {
            let request = self.client.transact_write_items().set_transact_items(Some(actions.to_vec()));
            let Err(error) = request.send().await else { return Ok(Sent::Done) };
            let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = error.as_service_error() else {
                return Err(StoreError::failed("TransactWriteItems", TABLE, error));
            };
            let reasons = canceled.cancellation_reasons();
            let codes: Vec<&str> = reasons.iter().map(|reason| reason.code().unwrap_or("None")).collect();
            let codes = codes.as_slice();
            let places = |is_meant: fn(&str) -> bool| (0..codes.len()).filter(move |place| is_meant(codes[*place]));
            let failed: Vec<usize> = places(|code| code == "ConditionalCheckFailed").collect();
            if !failed.is_empty() {
                return Ok(Sent::ConditionFailed(failed));
            }
            let rejected = |place: usize| Some((place, self.rejected(actions.get(place)?, reasons.get(place)?)));
            if let Some((_, rejected)) = places(is_refusal).find_map(rejected) {
                return Err(rejected.into());
            }
            let items: Vec<_> = places(is_of_the_item).filter_map(rejected).collect();
            if !items.is_empty() {
                return Ok(Sent::Rejected(items));
            }
            // The action that failed says which table it was, not the transaction.
            let failed = places(|code| code != "None").next();
            table = failed.and_then(|place| actions.get(place)).map_or(TABLE, |action| self.table_of(action));
            if attempt < ATTEMPTS {
                // Those that collided would collide again if all of them waited for as long.
                let half = pause / 2;
                tokio::time::sleep(half + half.mul_f64((self.jitter)().clamp(0.0, 1.0))).await;
                pause *= 2;
            }
        }
        Err(StoreError::Contended { action: "TransactWriteItems", table, attempts: ATTEMPTS })
    }

    /// Why this action is not taken.
    fn rejected(&self, action: &TransactWriteItem, reason: &CancellationReason) -> Rejected {
        let text = |text: Option<&str>, otherwise: &str| text.unwrap_or(otherwise).to_owned();
        let (code, words) = (text(reason.code(), "None"), text(reason.message(), "no words"));
        Rejected { table: self.table_of(action), key: key_of(action), code, words }
    }

    fn table_of(&self, action: &TransactWriteItem) -> TableRole {
        let TransactWriteItem { condition_check, put, delete, update, .. } = action;
        let names = [
            condition_check.as_ref().map(ConditionCheck::table_name),
            put.as_ref().map(Put::table_name),
            delete.as_ref().map(Delete::table_name),
            update.as_ref().map(Update::table_name),
        ];
        let is_of = |table: &str| names.iter().flatten().any(|name| *name == table);
        if is_of(&self.tables.tenants) {
            TableRole::Tenants
        } else if is_of(&self.tables.activity) {
            TableRole::Activity
        } else {
            TableRole::Alerts
        }
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
        let update = self.alert_update(tenant, write, now)?.build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// What the poller owns of an alert, as it is from now on. Nothing of what people write is in it.
    pub(crate) fn alert_update(
        &self,
        tenant: &TenantId,
        write: &AlertWrite,
        now: Timestamp,
    ) -> Result<AlertUpdate, StoreError> {
        let alert = &write.known.alert;
        let (summary, detail) = items::alert_maps(&write.known, write.turned)?;
        let text = AttributeValue::S;
        let key = items::alert_key(tenant, &alert.id);
        let mut update = AlertUpdate::new(&self.tables.alerts, key, write.previous);
        update.set("summary", summary);
        update.set("detail", detail);
        update.set("seen", number(write.known.run));
        update.set("formula", number(STATISTICS_FORMULA));
        update.set_once("detected_id", text(items::detected_id(alert)));
        update.set_once("known_since", text(crate::time::sortable(now)));
        // There from the start, so that whoever writes a member of it needs not ask whether it is.
        update.set_once(WORK, AttributeValue::M(HashMap::new()));
        let trace = ("trace", write.trace.map(|trace| trace.to_string()));
        for (name, value) in items::alert_index_keys(tenant, alert).into_iter().chain([trace]) {
            match value {
                Some(value) => update.set(name, text(value)),
                None => update.remove(name),
            }
        }
        Ok(update)
    }

    /// What belongs to a change of an alert, beside the alert itself and the figures.
    pub(crate) fn beside_alert(
        &self,
        tenant: &TenantId,
        write: &AlertWrite,
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let mut actions = Vec::new();
        actions.extend(write.outbox.as_ref().map(|record| self.put_outbox(record, now)).transpose()?);
        actions.extend(self.mark_decision(tenant, write)?);
        Ok(actions)
    }

    /// What changes of alerts do to the figures.
    pub(crate) fn move_figures(&self, tenant: &TenantId, delta: &Delta) -> Result<Vec<TransactWriteItem>, StoreError> {
        delta.items().map(|(key, counters)| self.add_statistics(tenant, key, &counters)).collect()
    }

    pub(crate) fn put_outbox(&self, record: &OutboxRecord, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder().table_name(&self.tables.alerts).set_item(Some(record.item(expiry(now))?)).build();
        let put = put.map_err(|error| StoreError::unwritable(TABLE, error))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The item by which the next run finds an alert whose decision is pending, whatever the hint says: there while it is.
    fn mark_decision(&self, tenant: &TenantId, write: &AlertWrite) -> Result<Option<TransactWriteItem>, StoreError> {
        if !marks_decision(write) {
            return Ok(None);
        }
        let unwritable = |error| StoreError::unwritable(TableRole::Tenants, error);
        let action = TransactWriteItem::builder();
        Ok(Some(if write.known.decision.is_some() {
            let mark = decision_mark(tenant, write.id(), AlertWrite::version(write.previous));
            let put = Put::builder().table_name(&self.tables.tenants).set_item(Some(mark));
            action.put(put.build().map_err(unwritable)?).build()
        } else {
            let key = decision_key(tenant, write.id());
            let delete = Delete::builder().table_name(&self.tables.tenants).set_key(Some(key));
            action.delete(delete.build().map_err(unwritable)?).build()
        }))
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

/// Whether a place of a transaction may be taken the next time.
fn may_pass(code: &str) -> bool {
    matches!(code, "None" | "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")
}

/// Whether it is the item at this place, and no other, that is not taken.
fn is_of_the_item(code: &str) -> bool {
    matches!(code, "ItemCollectionSizeLimitExceeded" | "ValidationError")
}

/// Whether nothing of the kind is taken, as where a permission is missing.
fn is_refusal(code: &str) -> bool {
    !may_pass(code) && !is_of_the_item(code)
}

/// What conditions that did not hold mean.
fn conflict(owners: &[Owner], places: &[usize]) -> Transacted {
    let failed: Vec<Owner> = places.iter().filter_map(|place| owners.get(*place)).copied().collect();
    if failed.contains(&Owner::Run) {
        return Transacted::LeaseLost;
    }
    let alert = |owner: &Owner| if let Owner::Alert(place) = owner { Some(*place) } else { None };
    Transacted::Conflicted(failed.iter().filter_map(alert).collect())
}

/// The partition key and the sort key that an action is about.
fn key_of(action: &TransactWriteItem) -> String {
    let TransactWriteItem { condition_check, put, delete, update, .. } = action;
    let item = condition_check.as_ref().map(ConditionCheck::key);
    let item = item.or(put.as_ref().map(Put::item)).or(delete.as_ref().map(Delete::key));
    let item = item.or(update.as_ref().map(Update::key));
    let part = |name| item.and_then(|item| item.get(name)?.as_s().ok()).map_or("?", String::as_str);
    format!("{} {}", part("pk"), part("sk"))
}

fn marks_decision(write: &AlertWrite) -> bool {
    write.was_decided || write.known.decision.is_some()
}

pub(crate) fn state_key(tenant: &TenantId) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(tenant.to_string())),
        ("sk".to_owned(), AttributeValue::S(STATE.to_owned())),
    ])
}
