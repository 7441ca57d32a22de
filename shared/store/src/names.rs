//! Names for display: of customers, their Azure subscriptions and indirect resellers.
//!
//! Each has an item of its own under its id, and a customer one more under its folded name, to be searched by; the two change together or
//! not at all. A name that Microsoft no longer gives stays, and says since when. A name is data from outside: it is bounded, and otherwise
//! kept as it came; whoever shows it escapes it. Leaves to others: what is asked for, and when again (`poll`).

use std::{
    collections::{BTreeSet, HashMap},
    future::Future,
    time::Duration,
};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use jiff::{Timestamp, civil::Date};
use models::{CustomerId, NameId, TenantId, folded};
use serde::Deserialize;

use crate::{Changed, Store, StoreError, TableRole, items::Item};

mod changes;
mod claims;

const TABLE: TableRole = TableRole::Tenants;
/// Most keys of a batch (DynamoDB's limit).
const BATCH: usize = 100;
/// How often what a batch left over is asked for, and the first pause.
const ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// A name as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptName {
    /// Whose it is.
    pub id: NameId,
    /// The name. None where Microsoft never gave one.
    pub name: Option<String>,
    /// A customer's domain.
    pub domain: Option<String>,
    /// A subscription's customer.
    pub customer: Option<CustomerId>,
    /// When Microsoft gave the name last.
    pub read: Option<Timestamp>,
    /// When it is to be asked for again.
    pub due: Timestamp,
    /// Since when Microsoft gives none.
    pub gone: Option<Timestamp>,
    /// The sort key of the item that a customer is searched by.
    search: Option<String>,
}

/// What came of asking for a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameAnswer<'a> {
    /// Microsoft gave it.
    Given {
        /// The name.
        name: &'a str,
        /// A customer's domain.
        domain: Option<&'a str>,
    },
    /// Microsoft gives none: there is no such customer, no relationship with it, or no such subscription of it.
    NotGiven,
    /// Nothing is known: the question failed.
    Failed,
}

/// A customer that was found by its name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NamedCustomer {
    /// The customer.
    pub id: CustomerId,
    /// Its name.
    pub name: String,
}

/// Some of the customers whose names begin alike, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomersPage {
    /// The customers.
    pub customers: Vec<NamedCustomer>,
    /// Where the list goes on. None where it ends.
    pub next: Option<String>,
}

/// Reads names.
pub trait ReadNames {
    /// These names, as far as they are kept.
    fn names(
        &self,
        tenant: &TenantId,
        of: &BTreeSet<NameId>,
    ) -> impl Future<Output = Result<HashMap<NameId, KeptName>, StoreError>> + Send;

    /// Up to so many customers whose names begin so, whatever the case; on from where the page before ended. All of them where nothing is
    /// asked for.
    fn customers_named(
        &self,
        tenant: &TenantId,
        beginning: &str,
        most: u16,
        after: Option<&str>,
    ) -> impl Future<Output = Result<CustomersPage, StoreError>> + Send;
}

/// Keeps names.
pub trait KeepNames {
    /// All names that are kept of a tenant. One whose item can't be read is logged and left out.
    fn all_names(&self, tenant: &TenantId) -> impl Future<Output = Result<Vec<KeptName>, StoreError>> + Send;

    /// Begins this day's look at what is old. False where it was begun already.
    fn begin_day(&self, tenant: &TenantId, day: Date) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Claims a tenant's names until then: false where somebody else has. It keeps nobody from reconciling the tenant.
    fn claim_names(
        &self,
        tenant: &TenantId,
        until: Timestamp,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Keeps what came of asking for a name, and when to ask again. `seen` is what was kept of it; where somebody else has changed that,
    /// theirs is as new.
    fn keep_name(
        &self,
        tenant: &TenantId,
        asked: Asked<'_>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Changed, StoreError>> + Send;
}

/// A name that was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Whose it is.
    pub id: &'a NameId,
    /// A subscription's customer.
    pub customer: Option<&'a CustomerId>,
    /// What was kept of it.
    pub seen: Option<&'a KeptName>,
    /// What came of it.
    pub answer: NameAnswer<'a>,
    /// When it is to be asked for again.
    pub due: Timestamp,
}

#[derive(Deserialize)]
struct NameItem {
    sk: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    domain: Option<String>,
    #[serde(default)]
    customer: Option<CustomerId>,
    #[serde(default)]
    read: Option<Timestamp>,
    due: Timestamp,
    #[serde(default)]
    gone: Option<Timestamp>,
    #[serde(default)]
    search: Option<String>,
}

impl KeptName {
    /// A name that an alert brought and that is kept from now on.
    #[must_use]
    pub fn brought(id: NameId, name: String, due: Timestamp) -> Self {
        Self { id, name: Some(name), domain: None, customer: None, read: None, due, gone: None, search: None }
    }

    fn of(item: Item) -> Result<Self, StoreError> {
        let key = item.get("sk").and_then(|key| key.as_s().ok()).cloned().unwrap_or_default();
        let item: NameItem = serde_dynamo::from_item(item).map_err(|error| StoreError::bad_item(TABLE, &key, error))?;
        let NameItem { sk, name, domain, customer, read, due, gone, search } = item;
        let id = sk.parse().map_err(|error: String| StoreError::bad_item(TABLE, &key, error))?;
        Ok(Self { id, name, domain, customer, read, due, gone, search })
    }
}

fn key(partition: &str, sort: &str) -> Item {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    HashMap::from([("pk".to_owned(), text(partition)), ("sk".to_owned(), text(sort))])
}

fn name_key(tenant: &TenantId, id: &NameId) -> Item {
    key(&format!("{tenant}#names"), &id.to_string())
}

fn search_key(tenant: &TenantId, sort: &str) -> Item {
    key(&format!("{tenant}#customers"), sort)
}

impl ReadNames for Store {
    async fn names(&self, tenant: &TenantId, of: &BTreeSet<NameId>) -> Result<HashMap<NameId, KeptName>, StoreError> {
        let keys: Vec<Item> = of.iter().map(|id| name_key(tenant, id)).collect();
        let mut found = HashMap::with_capacity(of.len());
        for some in keys.chunks(BATCH) {
            for item in self.get_names(some.to_vec()).await? {
                found.extend(readable(tenant, item).map(|name| (name.id.clone(), name)));
            }
        }
        Ok(found)
    }

    async fn customers_named(
        &self,
        tenant: &TenantId,
        beginning: &str,
        most: u16,
        after: Option<&str>,
    ) -> Result<CustomersPage, StoreError> {
        let beginning = folded(beginning);
        let request = self.client.query().table_name(&self.tables.tenants).limit(i32::from(most.max(1)));
        let request = request
            .expression_attribute_values(":pk", AttributeValue::S(format!("{tenant}#customers")))
            .set_exclusive_start_key(after.map(|sort| search_key(tenant, sort)));
        let request = if beginning.is_empty() {
            request.key_condition_expression("pk = :pk")
        } else {
            let request = request.key_condition_expression("pk = :pk AND begins_with(sk, :beginning)");
            request.expression_attribute_values(":beginning", AttributeValue::S(beginning.clone()))
        };
        let page = request.send().await.map_err(|error| StoreError::failed("Query (customers)", TABLE, error))?;
        let last = page.last_evaluated_key().and_then(|key| key.get("sk")).and_then(|key| key.as_s().ok());
        let mut found = CustomersPage { customers: Vec::new(), next: last.cloned() };
        for item in page.items.unwrap_or_default() {
            let customer: NamedCustomer =
                serde_dynamo::from_item(item).map_err(|error| StoreError::bad_item(TABLE, tenant.as_str(), error))?;
            // A key goes on behind the name: `a#` begins the keys of all who are called `a`.
            if folded(&customer.name).starts_with(&beginning) {
                found.customers.push(customer);
            }
        }
        Ok(found)
    }
}

impl KeepNames for Store {
    async fn all_names(&self, tenant: &TenantId) -> Result<Vec<KeptName>, StoreError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.tables.tenants)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(format!("{tenant}#names")))
            .into_paginator()
            .send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| StoreError::failed("Query (names)", TABLE, error))?;
            names.extend(page.items.unwrap_or_default().into_iter().filter_map(|item| readable(tenant, item)));
        }
        Ok(names)
    }

    async fn begin_day(&self, tenant: &TenantId, day: Date) -> Result<bool, StoreError> {
        self.try_begin_day(tenant, day).await
    }

    async fn claim_names(&self, tenant: &TenantId, until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        self.try_claim(tenant, until, now).await
    }

    async fn keep_name(&self, tenant: &TenantId, asked: Asked<'_>, now: Timestamp) -> Result<Changed, StoreError> {
        self.change_name(tenant, asked, now).await
    }
}

impl Store {
    async fn get_names(&self, mut keys: Vec<Item>) -> Result<Vec<Item>, StoreError> {
        let table = self.tables.tenants.as_str();
        let (mut items, mut pause) = (Vec::with_capacity(keys.len()), FIRST_PAUSE);
        for attempt in 1.. {
            let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).build();
            let wanted = wanted.map_err(|error| StoreError::unwritable(TABLE, error))?;
            let output = self.client.batch_get_item().request_items(table, wanted).send().await;
            let output = output.map_err(|error| StoreError::failed("BatchGetItem (names)", TABLE, error))?;
            items.extend(output.responses.unwrap_or_default().remove(table).unwrap_or_default());
            let unread = output.unprocessed_keys.unwrap_or_default().remove(table);
            keys = unread.map(|unread| unread.keys).unwrap_or_default();
            if keys.is_empty() {
                break;
            }
            if attempt == ATTEMPTS {
                let action = "BatchGetItem (names)";
                return Err(StoreError::Contended { action, table: TABLE, attempts: ATTEMPTS });
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Ok(items)
    }
}

/// A name; one whose item can't be read is logged, and asked for anew.
fn readable(tenant: &TenantId, item: Item) -> Option<KeptName> {
    KeptName::of(item)
        .inspect_err(|error| tracing::error!(tenant.id = %tenant, %error, "a name that is kept can't be read"))
        .ok()
}
