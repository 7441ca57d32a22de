//! A store over a local system of its own, and alerts for it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use jiff::{SignedDuration, Timestamp};
use models::{
    Alert, AlertId, AlertNotice, AlertSource, AlertSummary, AlertType, Delta, Known, Notice, Resolution,
    ResolvedReason, Status, TenantId, TransitionKind,
};
use store::{
    Acquired, AlertWrite, Grant, Lease as _, LeaseTerms, OutboxRecord, Outcome, ReadAlerts as _, Store, StoredAlert,
    TableNames, WriteAlerts as _, Written,
};
use tests::{BY_HAND, TestSystem, wire::Wire};

pub(crate) type Item = HashMap<String, AttributeValue>;

/// Two minutes, and a quarter of one between two runs.
pub(crate) const TERMS: LeaseTerms =
    LeaseTerms { duration: SignedDuration::from_secs(120), gap: SignedDuration::from_secs(15) };

/// A moment for tests that need none in particular; no whole second, so that rounding shows.
pub(crate) fn noon() -> Timestamp {
    "2026-03-02T12:00:00.250Z".parse().unwrap()
}

pub(crate) fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

pub(crate) fn tenant() -> TenantId {
    "0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a10".parse().unwrap()
}

/// The store, and what lies below it.
pub(crate) struct Bench {
    pub(crate) client: Client,
    pub(crate) store: Store,
    pub(crate) tables: TableNames,
    pub(crate) wire: Wire,
    _system: TestSystem,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let system = TestSystem::start(&BY_HAND).await.unwrap();
        let wire = Wire::default();
        let tables = system.system.tables().clone();
        let store = Store::new(Client::new(&wire.tap(system.system.parts()).aws), tables.clone());
        let client = Client::new(&system.system.parts().aws);
        Self { client, store, tables, wire, _system: system }
    }

    /// The lease of a tenant that nobody holds.
    pub(crate) async fn grant(&self, tenant: &TenantId, now: Timestamp) -> Grant {
        granted(self.store.acquire(tenant, TERMS, &holder(), now).await.unwrap())
    }

    /// Writes, with everything written.
    pub(crate) async fn write_all(&self, grant: &Grant, writes: &[AlertWrite]) {
        let written = self.store.write(grant, writes, None, noon()).await.unwrap();
        assert_eq!(written, all_of(writes));
    }

    /// What is kept of an alert.
    pub(crate) async fn stored(&self, id: &str) -> Option<StoredAlert> {
        let id: AlertId = id.parse().unwrap();
        self.store.alerts(&tenant(), std::slice::from_ref(&id)).await.unwrap().readable.remove(&id)
    }

    pub(crate) async fn item(&self, table: &str, pk: &str, sk: &str) -> Option<Item> {
        let request = self.client.get_item().table_name(table).consistent_read(true);
        let key = |value: &str| AttributeValue::S(value.to_owned());
        request.key("pk", key(pk)).key("sk", key(sk)).send().await.unwrap().item
    }

    /// The item of an alert.
    pub(crate) async fn alert_item(&self, id: &str) -> Item {
        self.item(&self.tables.alerts, &format!("{}#{id}", tenant()), "alert").await.unwrap()
    }

    /// What an index of the alerts table has under a partition key, in its order.
    pub(crate) async fn indexed(&self, index: &str, partition: &str, value: &str) -> Vec<Item> {
        self.query(&self.tables.alerts, Some(index), partition, value).await
    }

    pub(crate) async fn query(&self, table: &str, index: Option<&str>, partition: &str, value: &str) -> Vec<Item> {
        let request = self.client.query().table_name(table).set_index_name(index.map(str::to_owned));
        let request = request.key_condition_expression("#partition = :value");
        let request = request.expression_attribute_names("#partition", partition);
        let request = request.expression_attribute_values(":value", AttributeValue::S(value.to_owned()));
        request.into_paginator().items().send().collect::<Result<_, _>>().await.unwrap()
    }

    /// The outbox items of an alert, as text of their keys.
    pub(crate) async fn outbox_of(&self, id: &str) -> Vec<String> {
        let items = self.query(&self.tables.alerts, None, "pk", &format!("{}#{id}", tenant())).await;
        items.iter().map(|item| text(item, "sk").to_owned()).filter(|key| key.starts_with("outbox#")).collect()
    }

    /// The statistics of a tenant: counters by item and name, those that are zero left out.
    pub(crate) async fn statistics(&self, tenant: &TenantId) -> BTreeMap<(String, String), i64> {
        let items = self.query(&self.tables.tenants, None, "pk", &format!("{tenant}#stats")).await;
        let mut counters = BTreeMap::new();
        for item in &items {
            let key = text(item, "sk");
            for (name, value) in item.iter().filter(|(name, _)| !matches!(name.as_str(), "pk" | "sk")) {
                let value: i64 = value.as_n().unwrap().parse().unwrap();
                if value != 0 {
                    counters.insert((key.to_owned(), name.clone()), value);
                }
            }
        }
        counters
    }
}

pub(crate) fn granted(acquired: Acquired) -> Grant {
    let Acquired::Granted(grant) = acquired else { panic!("{acquired:?}") };
    grant
}

/// The result of a write of which nothing was held back.
pub(crate) fn all_of(writes: &[AlertWrite]) -> Written {
    Written { written: writes.iter().map(|write| write.id().clone()).collect(), ..Written::default() }
}

pub(crate) fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item[name].as_s().unwrap()
}

/// An open alert of the second of March.
pub(crate) fn alert(id: &str) -> Alert {
    Alert {
        description: Some("Look at the machine.".to_owned()),
        alert_type: AlertType("NetworkConnectionsToCryptoMiningPools".to_owned()),
        customer_id: Some("customer-1".parse().unwrap()),
        subscription_id: Some("subscription-1".parse().unwrap()),
        catalog_offer_id: Some("MS-AZR-0017G".to_owned()),
        detected: "2026-03-02T06:12:09.123456789Z".parse().unwrap(),
        first_observed: "2026-03-02T05:00:00Z".parse().unwrap(),
        last_observed: "2026-03-02T06:00:00Z".parse().unwrap(),
        ..made_alerts::alert(id)
    }
}

pub(crate) fn resolved(alert: &Alert, on: &str) -> Alert {
    let (reason, on) = (Some(ResolvedReason::Fraud), Some(on.parse().unwrap()));
    let resolution = Resolution { reason, on, by: Some("someone@contoso.example".to_owned()) };
    Alert { status: Status::Resolved, resolution, ..alert.clone() }
}

/// How a run ends that looked at everything and found nothing.
pub(crate) const COMPLETE: Outcome = Outcome::Complete { from_start: true };

/// A name that no other holder of a lease has.
pub(crate) fn holder() -> String {
    static HOLDERS: AtomicU64 = AtomicU64::new(0);
    HOLDERS.fetch_add(1, Ordering::Relaxed).to_string()
}

/// The run that saw every alert here.
const RUN: u64 = 3;

/// An alert as it is kept, of which nothing else is known.
pub(crate) fn kept(alert: Alert, version: u64) -> StoredAlert {
    StoredAlert {
        known: Known::seen(Arc::new(alert), AlertSource::Graph, RUN),
        version,
        turned: models::Turned::default(),
    }
}

/// The write of a new alert, without a message.
pub(crate) fn new(alert: &Alert) -> AlertWrite {
    AlertWrite {
        known: Known::seen(Arc::new(alert.clone()), AlertSource::Graph, RUN),
        previous: None,
        was_decided: false,
        outbox: None,
        delta: Delta::between(None, alert),
        trace: None,
        turned: models::Turned::default(),
    }
}

/// The write of a change to what is stored, without a message.
pub(crate) fn changed(stored: &StoredAlert, alert: &Alert) -> AlertWrite {
    AlertWrite {
        known: Known::seen(Arc::new(alert.clone()), AlertSource::Graph, RUN),
        previous: Some(stored.version),
        was_decided: false,
        outbox: None,
        delta: Delta::between(Some(&stored.known.alert), alert),
        trace: None,
        turned: models::Turned::default(),
    }
}

/// The same with a message.
pub(crate) fn told(write: AlertWrite, kind: TransitionKind, publish: bool) -> AlertWrite {
    let record = record(&write.known.alert, AlertWrite::version(write.previous), kind, noon(), publish);
    AlertWrite { outbox: Some(record), ..write }
}

pub(crate) fn record(
    alert: &Alert,
    version: u64,
    kind: TransitionKind,
    created: Timestamp,
    publish: bool,
) -> OutboxRecord {
    let notice = AlertNotice { kind, version, alert: Box::new(AlertSummary::from(alert)) };
    OutboxRecord { tenant: tenant(), created, notice: Notice::Alert(notice), publish, trace: None }
}
