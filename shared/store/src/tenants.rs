//! The configuration of the tenants: all under one partition key, since most readers want all of them.

use std::{collections::HashMap, future::Future};

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::{delete_item::DeleteItemError, put_item::PutItemError},
    types::AttributeValue,
};
use models::{Tenant, TenantId};

use crate::{Store, StoreError, TableRole};

const TABLE: TableRole = TableRole::Tenants;
const PARTITION: &str = "tenants";
/// The one attribute of a configuration that may be absent.
const OPTIONAL: &str = "act_secret";

/// Reads the configuration of the tenants.
pub trait ReadTenants {
    /// All tenants, the inactive ones included. One whose item can't be read is logged and left out: its trouble is no
    /// other's.
    fn tenants(&self) -> impl Future<Output = Result<Vec<Tenant>, StoreError>> + Send;
}

/// Reads the configuration of one tenant: what that takes does not grow with the number of tenants.
pub trait ReadTenant {
    /// This tenant, inactive or not. None where there is none, or where its item can't be read, which is logged.
    fn tenant(&self, id: &TenantId) -> impl Future<Output = Result<Option<Tenant>, StoreError>> + Send;
}

/// Reads the configuration of the tenants for whoever counts those that can't be read, too.
pub trait ReadAllTenants {
    /// All tenants, the inactive ones included. Those whose items can't be read are logged.
    fn all_tenants(&self) -> impl Future<Output = Result<AllTenants, StoreError>> + Send;
}

/// Changes the configuration of the tenants: for operators' tools, not for functions.
pub trait WriteTenants {
    /// Adds a tenant, or replaces its configuration.
    fn put_tenant(&self, tenant: &Tenant) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Adds a tenant, unless there is one of its id.
    fn add_tenant(&self, tenant: &Tenant) -> impl Future<Output = Result<Changed, StoreError>> + Send;

    /// Puts a configuration in the place of one that was read, unless somebody else has changed that since.
    fn replace_tenant(
        &self,
        seen: &Tenant,
        tenant: &Tenant,
    ) -> impl Future<Output = Result<Changed, StoreError>> + Send;

    /// Takes a configuration away that was read, unless somebody has changed it since. The tenant's state, alerts and events
    /// stay.
    fn remove_tenant(&self, seen: &Tenant) -> impl Future<Output = Result<Changed, StoreError>> + Send;
}

/// Whether a change was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It was.
    Yes,
    /// Somebody else was quicker; nothing was changed.
    SomebodyWasQuicker,
}

/// The tenants whose items can be read, and of the others what is wrong with each.
#[derive(Debug, Default)]
pub struct AllTenants {
    /// Those that can be read.
    pub readable: Vec<Tenant>,
    /// The ids of the others, and why they can't be read. The reasons are ours or the parser's; the configuration holds no secret.
    pub unreadable: Vec<(String, String)>,
}

impl Store {
    /// All tenants, and which could not be read: for whoever has to mend them.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn tenants_with_unreadable(&self) -> Result<AllTenants, StoreError> {
        self.configurations("pk = :pk", []).await
    }

    /// The tenants whose keys fulfil this condition, with these values beside that of their partition.
    async fn configurations<const N: usize>(
        &self,
        condition: &str,
        values: [(&str, AttributeValue); N],
    ) -> Result<AllTenants, StoreError> {
        let mut request = self.client.query().table_name(&self.tables.tenants).key_condition_expression(condition);
        for (name, value) in [(":pk", AttributeValue::S(PARTITION.into()))].into_iter().chain(values) {
            request = request.expression_attribute_values(name, value);
        }
        let mut pages = request.into_paginator().send();
        let mut all = AllTenants::default();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| StoreError::failed("Query", TABLE, error))?;
            for mut item in page.items.unwrap_or_default() {
                let key = item.remove("sk").and_then(|key| key.as_s().ok().cloned()).unwrap_or_default();
                match serde_dynamo::from_item(item) {
                    Ok(tenant) => all.readable.push(tenant),
                    Err(error) => all.unreadable.push((key, error.to_string())),
                }
            }
        }
        Ok(all)
    }
}

impl ReadTenants for Store {
    async fn tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        self.all_tenants().await.map(|all| all.readable)
    }
}

impl ReadTenant for Store {
    async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        // A query for one key takes what GetItem would, and no further permission.
        let key = AttributeValue::S(id.to_string());
        let found = self.configurations("pk = :pk AND sk = :sk", [(":sk", key)]).await?;
        log_unreadable(&found);
        Ok(found.readable.into_iter().next())
    }
}

impl ReadAllTenants for Store {
    async fn all_tenants(&self) -> Result<AllTenants, StoreError> {
        let all = self.tenants_with_unreadable().await?;
        log_unreadable(&all);
        Ok(all)
    }
}

fn log_unreadable(tenants: &AllTenants) {
    for (key, error) in &tenants.unreadable {
        // The others go on.
        tracing::error!(
            tenant.id = %key, %error,
            "the configuration of a tenant can't be read: the tenant is left out until it is mended"
        );
    }
}

impl WriteTenants for Store {
    async fn put_tenant(&self, tenant: &Tenant) -> Result<(), StoreError> {
        let request = self.client.put_item().table_name(&self.tables.tenants).set_item(Some(item(tenant)?));
        request.send().await.map_err(|error| StoreError::failed("PutItem", TABLE, error))?;
        Ok(())
    }

    async fn add_tenant(&self, tenant: &Tenant) -> Result<Changed, StoreError> {
        let request = self.client.put_item().table_name(&self.tables.tenants).set_item(Some(item(tenant)?));
        let made = request.condition_expression("attribute_not_exists(pk)").send().await;
        changed(made, |error| matches!(error, PutItemError::ConditionalCheckFailedException(_)), "PutItem")
    }

    async fn replace_tenant(&self, seen: &Tenant, tenant: &Tenant) -> Result<Changed, StoreError> {
        let unchanged = Unchanged::since(&item(seen)?);
        let request = self.client.put_item().table_name(&self.tables.tenants).set_item(Some(item(tenant)?));
        let request = request.condition_expression(unchanged.expression);
        let made = request
            .set_expression_attribute_names(Some(unchanged.names))
            .set_expression_attribute_values(Some(unchanged.values))
            .send()
            .await;
        changed(made, |error| matches!(error, PutItemError::ConditionalCheckFailedException(_)), "PutItem")
    }

    async fn remove_tenant(&self, seen: &Tenant) -> Result<Changed, StoreError> {
        let unchanged = Unchanged::since(&item(seen)?);
        let request = self.client.delete_item().table_name(&self.tables.tenants).set_key(Some(key(seen)));
        let request = request.condition_expression(unchanged.expression);
        let made = request
            .set_expression_attribute_names(Some(unchanged.names))
            .set_expression_attribute_values(Some(unchanged.values))
            .send()
            .await;
        changed(made, |error| matches!(error, DeleteItemError::ConditionalCheckFailedException(_)), "DeleteItem")
    }
}

type Item = HashMap<String, AttributeValue>;

fn key(tenant: &Tenant) -> Item {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    HashMap::from([("pk".to_owned(), text(PARTITION)), ("sk".to_owned(), text(tenant.id.as_str()))])
}

fn item(tenant: &Tenant) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(tenant).map_err(|error| StoreError::unwritable(TABLE, error))?;
    item.extend(key(tenant));
    Ok(item)
}

/// The condition that an item is what it was.
struct Unchanged {
    expression: String,
    names: HashMap<String, String>,
    values: Item,
}

impl Unchanged {
    fn since(seen: &Item) -> Self {
        let (mut terms, mut names, mut values) = (Vec::new(), HashMap::new(), HashMap::new());
        for (place, (name, value)) in seen.iter().enumerate() {
            terms.push(format!("#a{place} = :a{place}"));
            names.insert(format!("#a{place}"), name.clone());
            values.insert(format!(":a{place}"), value.clone());
        }
        // What may be absent, and was.
        if !seen.contains_key(OPTIONAL) {
            terms.push("attribute_not_exists(#optional)".to_owned());
            names.insert("#optional".to_owned(), OPTIONAL.to_owned());
        }
        Self { expression: terms.join(" AND "), names, values }
    }
}

fn changed<T, E>(
    made: Result<T, SdkError<E>>,
    is_conflict: impl Fn(&E) -> bool,
    action: &'static str,
) -> Result<Changed, StoreError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match made {
        Ok(_) => Ok(Changed::Yes),
        Err(error) if error.as_service_error().is_some_and(is_conflict) => Ok(Changed::SomebodyWasQuicker),
        Err(error) => Err(StoreError::failed(action, TABLE, error)),
    }
}
