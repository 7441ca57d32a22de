//! An alert as people work on it: with what they wrote on it, and the end of its chain of activity lines.
//!
//! What people write stands in attributes of the alert item that no run writes: `work`, which lists show, `notes`, which they need not carry,
//! `chain`, the head of the activity lines, and `begun`, which operation began last to change where it stands. Items of before that have none of them are as if nothing was written.

use std::{collections::HashMap, future::Future};

use aws_sdk_dynamodb::types::AttributeValue;
use models::{AlertId, AlertNote, Begun, Chain, Head, Marks, OperationId, TenantId, Work};

use crate::{
    Store, StoreError, StoredAlert, TableRole,
    items::{self, Item, key},
};

/// Where the head of a chain is kept, in the item that it moves with.
pub(crate) const CHAIN: &str = "chain";
/// Which operation began last to change where an alert stands.
pub(crate) const BEGUN: &str = "begun";
/// What people wrote that lists show.
pub(crate) const WORK: &str = "work";
/// Their notes.
pub(crate) const NOTES: &str = "notes";

/// An alert with all that people did about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertAtWork {
    /// The alert.
    pub stored: StoredAlert,
    /// What they wrote.
    pub work: Work,
    /// The end of its chain; none where no line was written, or its head is gone.
    pub head: Option<Head>,
    /// Which operation began last to change where it stands. None, where none of this release did.
    pub begun: Option<Begun>,
}

impl AlertAtWork {
    /// Whether another operation has begun to change where it stands since this one did.
    #[must_use]
    pub fn is_begun_by_another(&self, operation: &OperationId) -> bool {
        self.begun.as_ref().is_some_and(|begun| begun.operation != *operation)
    }

    /// Whether, since this operation began, another has, or its standing has turned, whoever turned it.
    #[must_use]
    pub fn has_moved_on(&self, operation: &OperationId) -> bool {
        let has_turned = |begun: &Begun| self.stored.turned.is_behind(begun.version);
        self.is_begun_by_another(operation) || self.begun.as_ref().is_some_and(has_turned)
    }

    /// Whether it stands as in this version, and nobody has begun to change that: what was written since is something else.
    #[must_use]
    pub fn stands_as_of(&self, version: u64) -> bool {
        let is_begun = self.begun.as_ref().is_some_and(|begun| begun.version > version);
        version <= self.stored.version && self.stored.turned.is_as_of(version) && !is_begun
    }
}

/// Reads what whoever acts has to have seen.
pub trait ReadWork {
    /// An alert as people work on it, as it is at this moment. None where it is not kept.
    fn at_work(
        &self,
        tenant: &TenantId,
        id: &AlertId,
    ) -> impl Future<Output = Result<Option<AlertAtWork>, StoreError>> + Send;

    /// The end of a tenant's own chain, as it is at this moment.
    fn tenant_head(&self, tenant: &TenantId) -> impl Future<Output = Result<Option<Head>, StoreError>> + Send;
}

impl ReadWork for Store {
    async fn at_work(&self, tenant: &TenantId, id: &AlertId) -> Result<Option<AlertAtWork>, StoreError> {
        let chain = Chain { tenant: tenant.clone(), alert: Some(id.clone()) };
        let Some(mut item) = self.item_with_head(&chain).await? else { return Ok(None) };
        let name = partition(&chain);
        let head = head_in(&mut item, TableRole::Alerts, &name)?;
        let work = work_in(&mut item, &name)?;
        let begun = taken(&mut item, BEGUN, &name)?;
        Ok(Some(AlertAtWork { stored: items::read_alert(item)?, work, head, begun }))
    }

    async fn tenant_head(&self, tenant: &TenantId) -> Result<Option<Head>, StoreError> {
        self.kept_head(&Chain { tenant: tenant.clone(), alert: None }).await
    }
}

impl Store {
    /// The head of a chain as it is kept.
    pub(crate) async fn kept_head(&self, chain: &Chain) -> Result<Option<Head>, StoreError> {
        let Some(mut item) = self.item_with_head(chain).await? else { return Ok(None) };
        head_in(&mut item, home(chain), &partition(chain))
    }

    /// The item that the head of a chain is kept in.
    async fn item_with_head(&self, chain: &Chain) -> Result<Option<Item>, StoreError> {
        let request = self.client.get_item().table_name(self.home_table(chain)).consistent_read(true);
        let read = request.set_key(Some(head_key(chain))).send().await;
        let read = read.map_err(|error| StoreError::failed("GetItem (head)", home(chain), error))?;
        Ok(read.item)
    }

    /// The table in which the head of a chain is kept.
    pub(crate) fn home_table(&self, chain: &Chain) -> &str {
        match chain.alert {
            Some(_) => &self.tables.alerts,
            None => &self.tables.tenants,
        }
    }
}

/// The role of the table in which the head of a chain is kept.
pub(crate) fn home(chain: &Chain) -> TableRole {
    match chain.alert {
        Some(_) => TableRole::Alerts,
        None => TableRole::Tenants,
    }
}

/// The item in which the head of a chain is kept: the alert's own; a tenant has one for it.
pub(crate) fn head_key(chain: &Chain) -> Item {
    match &chain.alert {
        Some(alert) => items::alert_key(&chain.tenant, alert),
        None => key(&format!("{}#activity", chain.tenant), "head"),
    }
}

/// The partition of a chain's lines.
pub(crate) fn partition(chain: &Chain) -> String {
    match &chain.alert {
        Some(alert) => format!("{}#{alert}", chain.tenant),
        None => chain.tenant.to_string(),
    }
}

/// The head of a chain in the item that it is kept in.
pub(crate) fn head_in(item: &mut Item, table: TableRole, name: &str) -> Result<Option<Head>, StoreError> {
    let head = item.remove(CHAIN).map(serde_dynamo::from_attribute_value).transpose();
    head.map_err(|error| StoreError::bad_item(table, name, error))
}

/// What people wrote, in the alert item.
pub(crate) fn work_in(item: &mut Item, name: &str) -> Result<Work, StoreError> {
    let marks: Option<Marks> = taken(item, WORK, name)?;
    let notes: Option<Vec<AlertNote>> = taken(item, NOTES, name)?;
    Ok(Work { marks: marks.unwrap_or_default(), notes: notes.unwrap_or_default() })
}

/// What people wrote, as attributes of the alert item.
pub(crate) fn work_attributes(work: &Work) -> Result<HashMap<&'static str, AttributeValue>, StoreError> {
    let unwritable = |error| StoreError::unwritable(TableRole::Alerts, error);
    let marks = serde_dynamo::to_attribute_value(&work.marks).map_err(unwritable)?;
    let notes = serde_dynamo::to_attribute_value(&work.notes).map_err(unwritable)?;
    Ok(HashMap::from([(WORK, marks), (NOTES, notes)]))
}

fn taken<T: serde::de::DeserializeOwned>(
    item: &mut Item,
    attribute: &str,
    name: &str,
) -> Result<Option<T>, StoreError> {
    let value = item.remove(attribute).map(serde_dynamo::from_attribute_value).transpose();
    value.map_err(|error| StoreError::bad_item(TableRole::Alerts, name, error))
}
