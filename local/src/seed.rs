//! Very many alerts at once, as a first run would have brought them in: to look at, and to measure by.
//!
//! Promises: the alerts are the stand-in's, in Microsoft's words, and are read by what reads Microsoft's lists; their items, the figures, the
//! hint and the state are those that a first complete run leaves behind. Only nobody is told of what is open. The tenant is switched off:
//! the stand-in for Microsoft does not keep its alerts, so a run would find all of them gone.

use std::{collections::BTreeSet, sync::Arc};

use aws_sdk_dynamodb::Client;
use jiff::{SignedDuration, Timestamp};
use models::{
    Alert, AlertSource, Cloud, CustomerId, Delta, FraudThreshold, NameId, Observation, Seen, SubscriptionId, Tenant,
    TenantId, observe,
};
use partner_center::{UnreadableAlert, read_alert};
use simulator::{CustomerChange, History};
use store::{
    Acquired, AlertFingerprint, AlertWrite, Asked, Grant, KeepNames as _, KnownAlerts, Lease as _, LeaseTerms,
    NameAnswer, Outcome, ReadAlerts as _, ReadLastRuns as _, Store, StoreError, WriteAlerts as _, WriteTenants as _,
};

use crate::{
    System,
    names::{SEED_SECRETS, read_secret},
};

/// Most alerts of a tenant: they take 8 kB each on the disk.
const MOST: u64 = 5_000_000;
/// How many alerts are put at once.
const AT_ONCE: usize = 1_000;
/// Nobody looks at a tenant that is switched off, so nobody waits for the lease.
const TERMS: LeaseTerms = LeaseTerms { duration: SignedDuration::from_mins(1), gap: SignedDuration::ZERO };
/// When names would be asked for again.
const NAMES_ARE_GOOD: SignedDuration = SignedDuration::from_hours(5 * 24);

/// What is to be brought in.
#[derive(Clone, Debug)]
pub struct Seed {
    /// The partner tenant, which is made.
    pub tenant: TenantId,
    /// What it is called.
    pub display_name: String,
    /// Its alerts.
    pub history: History,
}

/// Why alerts could not be brought in.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The database took no more.
    #[error("the embedded database took no more alerts: see that there is room on the disk")]
    Engine(#[source] engine::Refused),
    /// Somebody else is at it.
    #[error("somebody else is bringing in alerts of tenant {0}: try again in a minute")]
    Held(TenantId),
    /// It is no number of alerts.
    #[error("{0:?} is no number of alerts: give one from 1 to {MOST}")]
    NoNumber(String),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// It came to grief.
    #[error("bringing in alerts was broken off")]
    Task(#[from] tokio::task::JoinError),
    /// The stand-in for Microsoft makes alerts that nobody can read.
    #[error("a made-up alert can't be read")]
    Unreadable(#[source] UnreadableAlert),
    /// The stand-in for Microsoft makes alerts that can't be written as JSON.
    #[error("a made-up alert can't be put into JSON")]
    Unwritable(#[source] serde_json::Error),
}

/// What was put, and is noted behind it.
struct Filling {
    known: KnownAlerts,
    figures: Delta,
    customers: BTreeSet<CustomerId>,
    subscriptions: BTreeSet<SubscriptionId>,
}

impl Seed {
    /// So many alerts of the last ten weeks, of a tenant whose id ends in that number.
    ///
    /// # Errors
    ///
    /// [`SeedError::NoNumber`], which says what is taken.
    pub fn of(alerts: &str, now: Timestamp) -> Result<Self, SeedError> {
        let number: Option<u64> = alerts.parse().ok().filter(|alerts| (1..=MOST).contains(alerts));
        let tenant = number.and_then(|alerts| format!("5eed0000-0000-4000-8000-{alerts:012}").parse().ok());
        let (Some(alerts), Some(tenant)) = (number, tenant) else { return Err(SeedError::NoNumber(alerts.to_owned())) };
        let display_name = format!("Northwind Wholesale, {alerts} alerts (made up)");
        Ok(Self { tenant, display_name, history: History::of_weeks(alerts, now, alerts) })
    }

    /// What to tell whoever asked for it, where they were brought in, or had been before.
    #[must_use]
    pub fn told(&self, is_new: bool) -> String {
        let Self { tenant, display_name, .. } = self;
        let state = if is_new { "is brought in" } else { "was brought in before, and stays as it is" };
        format!(
            "{display_name} {state}: tenant {tenant}, which is switched off, so that nobody looks for its alerts at Microsoft."
        )
    }
}

impl System {
    /// Brings in alerts. False where the tenant has some already, which stay as they are.
    ///
    /// # Errors
    ///
    /// [`SeedError`]. Bringing in the same once more makes it whole; where it broke off just behind the figures, `partner-alerts statistics recount
    /// --mend` sets them right.
    pub async fn seed(&self, seed: &Seed) -> Result<bool, SeedError> {
        let store = Store::new(Client::new(&self.parts().aws), self.tables().clone());
        let (tenant, now) = (&seed.tenant, self.parts().clock.now());
        if store.last_runs(tenant).await?.last_success.is_some() {
            return Ok(false);
        }
        store.put_tenant(&switched_off(seed)).await?;
        let Acquired::Granted(grant) = store.acquire(tenant, TERMS, &runtime::random_id().to_string(), now).await?
        else {
            return Err(SeedError::Held(tenant.clone()));
        };
        let mut filling = Filling::new(store.known(tenant).await?);
        let mut alerts = seed.history.alerts();
        loop {
            let (store, database, table) = (store.clone(), self.database(), self.tables().alerts.clone());
            let of_run = grant.clone();
            let some = move || {
                let items = filling.take(&store, &of_run, alerts.by_ref().take(AT_ONCE), now)?;
                engine::import(&database, &table, &items).map_err(SeedError::Engine)?;
                Ok::<_, SeedError>((items.is_empty(), filling, alerts))
            };
            // Some at a time: whoever stops the system waits for no more than these.
            let is_done;
            (is_done, filling, alerts) = tokio::task::spawn_blocking(some).await??;
            if is_done {
                break;
            }
        }
        let Filling { mut known, figures, customers, subscriptions } = filling;
        keep_names(&store, seed, &customers, &subscriptions, now).await?;
        store.remember(&grant, &mut known).await?;
        store.move_all_figures(tenant, &figures).await?;
        store.finish_baseline(&grant, None, now).await?;
        store.release(&grant, Outcome::Complete { from_start: true }, 0, now).await?;
        Ok(true)
    }
}

/// The tenant, of which nothing is asked.
fn switched_off(seed: &Seed) -> Tenant {
    Tenant {
        id: seed.tenant.clone(),
        display_name: seed.display_name.clone(),
        cloud: Cloud::Global,
        alert_source: AlertSource::Graph,
        path_key_hashes: Vec::new(),
        read_secret: read_secret(SEED_SECRETS),
        act_secret: None,
        active: false,
    }
}

impl Filling {
    fn new(known: KnownAlerts) -> Self {
        Self { known, figures: Delta::default(), customers: BTreeSet::new(), subscriptions: BTreeSet::new() }
    }

    /// The items of some alerts.
    fn take(
        &mut self,
        store: &Store,
        grant: &Grant,
        alerts: impl Iterator<Item = simulator::Alert>,
        now: Timestamp,
    ) -> Result<Vec<serde_dynamo::Item>, SeedError> {
        let mut items = Vec::new();
        for alert in alerts {
            let json = serde_json::to_vec(&alert).map_err(SeedError::Unwritable)?;
            let alert = Arc::new(read_alert(&json).map_err(SeedError::Unreadable)?);
            if let Some(write) = written(grant, &alert, now) {
                items.extend(store.items_of_new(&grant.tenant, &write, now)?);
                self.figures.add(&write.delta);
            }
            self.known.note(&alert.id, AlertFingerprint::of(&alert));
            self.customers.extend(alert.customer_id.clone());
            self.subscriptions.extend(alert.subscription_id.clone());
        }
        Ok(items)
    }
}

/// What a first run makes of an alert.
fn written(grant: &Grant, alert: &Arc<Alert>, now: Timestamp) -> Option<AlertWrite> {
    let threshold = FraudThreshold::default();
    let seen = Seen::There(Arc::clone(alert));
    let observation = Observation { seen, source: AlertSource::Graph, run: grant.fence, asked: now };
    let known = observe(None, &observation, threshold).known?;
    Some(AlertWrite::between(&grant.tenant, None, known, threshold, false, now, None))
}

/// Keeps the names of those that alerts are about.
async fn keep_names(
    store: &Store,
    seed: &Seed,
    customers: &BTreeSet<CustomerId>,
    subscriptions: &BTreeSet<SubscriptionId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let due = now + NAMES_ARE_GOOD;
    for CustomerChange { id, company_name, domain, subscriptions: of_customer, .. } in
        seed.history.customers(seed.tenant.as_str())
    {
        let Some(customer) = id.parse().ok().filter(|id| customers.contains(id)) else { continue };
        let is_meant = |id: &String| id.parse().ok().filter(|id| subscriptions.contains(id));
        let of_customer =
            of_customer.iter().filter_map(|(id, name)| Some((NameId::subscription(&is_meant(id)?), name)));
        let of_customer = of_customer.map(|(id, name)| (id, Some(&customer), NameAnswer::Given { name, domain: None }));
        let domain = domain.as_deref();
        let own =
            company_name.iter().map(|name| (NameId::customer(&customer), None, NameAnswer::Given { name, domain }));
        for (id, customer, answer) in own.chain(of_customer) {
            store.keep_name(&seed.tenant, Asked { id: &id, customer, seen: None, answer, due }, now).await?;
        }
    }
    Ok(())
}
