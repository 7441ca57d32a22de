//! The configuration of the tenants: all under one partition key, since every reader wants all of them.

use std::future::Future;

use aws_sdk_dynamodb::types::AttributeValue;
use models::Tenant;

use crate::{Store, StoreError, TableRole};

const TABLE: TableRole = TableRole::Tenants;
const PARTITION: &str = "tenants";

/// Reads the configuration of the tenants.
pub trait ReadTenants {
    /// All tenants, the inactive ones included. One whose item can't be read is logged and left out: its trouble is no
    /// other's.
    fn tenants(&self) -> impl Future<Output = Result<Vec<Tenant>, StoreError>> + Send;
}

/// Changes the configuration of the tenants: for operators' tools, not for functions.
pub trait WriteTenants {
    /// Adds a tenant, or replaces its configuration.
    fn put_tenant(&self, tenant: &Tenant) -> impl Future<Output = Result<(), StoreError>> + Send;
}

impl ReadTenants for Store {
    async fn tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.tables.tenants)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(PARTITION.into()))
            .into_paginator()
            .send();
        let mut tenants = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| StoreError::failed("Query", TABLE, error))?;
            for mut item in page.items.unwrap_or_default() {
                let key = item.remove("sk").and_then(|key| key.as_s().ok().cloned()).unwrap_or_default();
                match serde_dynamo::from_item(item) {
                    Ok(tenant) => tenants.push(tenant),
                    // The others go on. The reason is ours or the parser's; the configuration holds no secret.
                    Err(error) => tracing::error!(
                        tenant.id = key, %error,
                        "the configuration of a tenant can't be read: the tenant is left out until it is mended"
                    ),
                }
            }
        }
        Ok(tenants)
    }
}

impl WriteTenants for Store {
    async fn put_tenant(&self, tenant: &Tenant) -> Result<(), StoreError> {
        let item: std::collections::HashMap<String, AttributeValue> =
            serde_dynamo::to_item(tenant).map_err(|error| StoreError::unwritable(TABLE, error))?;
        self.client
            .put_item()
            .table_name(&self.tables.tenants)
            .set_item(Some(item))
            .item("pk", AttributeValue::S(PARTITION.into()))
            .item("sk", AttributeValue::S(tenant.id.to_string()))
            .send()
            .await
            .map_err(|error| StoreError::failed("PutItem", TABLE, error))?;
        Ok(())
    }
}
