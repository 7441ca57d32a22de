//! Saved views of a tenant.

use std::future::Future;

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use models::{TenantId, View, ViewId};

use crate::{
    Store, StoreError, TableRole,
    items::{Item, key},
    lease::number,
};

const TABLE: TableRole = TableRole::Tenants;

/// A change of a tenant's saved views, on condition that nobody changed the view since it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ViewWrite {
    /// It is no more.
    Remove {
        /// Which.
        id: ViewId,
        /// Its version when it was read.
        revision: u64,
    },
    /// It is so from now on: a new one is of revision 1.
    Save(View),
}

/// The saved views of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptViews {
    /// Those that can be read.
    pub views: Vec<View>,
    /// How many can't.
    pub unreadable: usize,
}

/// Reads saved views. They are written by [`Act`](crate::Act), with the line that says so.
pub trait KeepViews {
    /// All views of a tenant, each person's own among them: show only those that [are for](View::is_for) who asks.
    fn views(&self, tenant: &TenantId) -> impl Future<Output = Result<KeptViews, StoreError>> + Send;
}

impl KeepViews for Store {
    async fn views(&self, tenant: &TenantId) -> Result<KeptViews, StoreError> {
        let partition = partition(tenant);
        let mut items = self
            .client
            .query()
            .table_name(&self.tables.tenants)
            .consistent_read(true)
            .key_condition_expression("pk = :views")
            .expression_attribute_values(":views", AttributeValue::S(partition.clone()))
            .into_paginator()
            .items()
            .send();
        let mut found = KeptViews::default();
        while let Some(item) = items.next().await {
            let item = item.map_err(|error| StoreError::failed("Query (views)", TABLE, error))?;
            let id = item.get("sk").and_then(|id| id.as_s().ok()).cloned().unwrap_or_default();
            match serde_dynamo::from_item(item) {
                Ok(view) => found.views.push(view),
                Err(error) => {
                    let error = StoreError::bad_item(TABLE, &format!("{partition}, {id}"), error);
                    tracing::error!(tenant.id = %tenant, %error, "a saved view can't be read: lists leave it out");
                    found.unreadable += 1;
                }
            }
        }
        Ok(found)
    }
}

impl Store {
    /// How many views a tenant has, readable or not.
    pub(crate) async fn number_of_views(&self, tenant: &TenantId) -> Result<usize, StoreError> {
        let KeptViews { views, unreadable } = self.views(tenant).await?;
        Ok(views.len() + unreadable)
    }

    /// The change as a part of a transaction.
    pub(crate) fn write_view(&self, tenant: &TenantId, write: &ViewWrite) -> Result<TransactWriteItem, StoreError> {
        let unwritable = |error| StoreError::unwritable(TABLE, error);
        let action = TransactWriteItem::builder();
        let unchanged = |revision: u64| Item::from([(":revision".to_owned(), number(revision))]);
        Ok(match write {
            ViewWrite::Remove { id, revision } => {
                let delete = Delete::builder().table_name(&self.tables.tenants).set_key(Some(view_key(tenant, id)));
                let delete = delete.condition_expression("revision = :revision");
                let delete = delete.set_expression_attribute_values(Some(unchanged(*revision)));
                action.delete(delete.build().map_err(unwritable)?).build()
            }
            ViewWrite::Save(view) => {
                let mut item: Item =
                    serde_dynamo::to_item(view).map_err(|error| StoreError::unwritable(TABLE, error))?;
                item.extend(view_key(tenant, &view.id));
                let put = Put::builder().table_name(&self.tables.tenants).set_item(Some(item));
                let put = match view.revision {
                    0 | 1 => put.condition_expression("attribute_not_exists(pk)"),
                    revision => put
                        .condition_expression("revision = :revision")
                        .set_expression_attribute_values(Some(unchanged(revision - 1))),
                };
                action.put(put.build().map_err(unwritable)?).build()
            }
        })
    }
}

fn partition(tenant: &TenantId) -> String {
    format!("{tenant}#views")
}

fn view_key(tenant: &TenantId, id: &ViewId) -> Item {
    key(&partition(tenant), id.as_str())
}
