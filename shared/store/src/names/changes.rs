//! Writing what came of asking for a name.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    operation::{transact_write_items::TransactWriteItemsError, update_item::UpdateItemError},
    types::{AttributeValue, Delete, Put, TransactWriteItem, Update},
};
use jiff::Timestamp;
use models::{NameId, NameKind, TenantId, folded};

use super::{Asked, NameAnswer, TABLE, name_key, search_key};
use crate::{Changed, Store, StoreError, time::sortable};

/// Most bytes that are kept of a name.
const NAME_BYTES: usize = 1_000;

/// The update of a name's item.
struct Change {
    expression: String,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
    /// The name, cut, and the sort key that the customer is searched by from now on.
    name: Option<String>,
    search: Option<String>,
}

impl Change {
    fn of(asked: Asked<'_>, now: Timestamp) -> Self {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let now = text(&sortable(now));
        let mut set = vec![("asked", now.clone()), ("due", text(&sortable(asked.due)))];
        set.extend(asked.customer.map(|customer| ("customer", text(customer.as_str()))));
        let (mut rest, mut kept, mut search) = (String::new(), None, None);
        let mut names: HashMap<String, String> = HashMap::new();
        match asked.answer {
            NameAnswer::Given { name, domain } => {
                let name = &name[..name.floor_char_boundary(NAME_BYTES)];
                kept = Some(name.to_owned());
                let is_customer = asked.id.kind() == NameKind::Customer;
                search = is_customer.then(|| format!("{}#{}", folded(name), asked.id.id()));
                set.extend([("name", text(name)), ("read", now.clone())]);
                set.extend(search.as_deref().map(|search| ("search", text(search))));
                let domain = domain.map(|domain| &domain[..domain.floor_char_boundary(NAME_BYTES)]);
                set.extend(domain.map(|domain| ("domain", text(domain))));
                " REMOVE #gone".clone_into(&mut rest);
                names.insert("#gone".to_owned(), "gone".to_owned());
            }
            NameAnswer::NotGiven => {
                ", #gone = if_not_exists(#gone, :asked)".clone_into(&mut rest);
                names.insert("#gone".to_owned(), "gone".to_owned());
            }
            NameAnswer::Failed => {}
        }
        let assignments: Vec<String> = set.iter().map(|(name, _)| format!("#{name} = :{name}")).collect();
        names.extend(set.iter().map(|(name, _)| (format!("#{name}"), (*name).to_owned())));
        let values = set.into_iter().map(|(name, value)| (format!(":{name}"), value)).collect();
        Self { expression: format!("SET {}{rest}", assignments.join(", ")), names, values, name: kept, search }
    }

    /// With the condition that the customer is still searched by what was seen.
    fn conditioned(
        &self,
        seen: Option<&str>,
    ) -> (&'static str, HashMap<String, String>, HashMap<String, AttributeValue>) {
        let (mut names, mut values) = (self.names.clone(), self.values.clone());
        names.insert("#search".to_owned(), "search".to_owned());
        let condition = match seen {
            None => "attribute_not_exists(#search)",
            Some(seen) => {
                values.insert(":seen".to_owned(), AttributeValue::S(seen.to_owned()));
                "#search = :seen"
            }
        };
        (condition, names, values)
    }
}

impl Store {
    pub(super) async fn change_name(
        &self,
        tenant: &TenantId,
        asked: Asked<'_>,
        now: Timestamp,
    ) -> Result<Changed, StoreError> {
        let change = Change::of(asked, now);
        let search = asked.seen.and_then(|seen| seen.search.as_deref());
        let name = asked.seen.and_then(|seen| seen.name.as_deref());
        match &change.search {
            Some(to) if name != change.name.as_deref() || search != Some(to) => {
                self.move_name(tenant, asked, &change, search, to).await
            }
            _ => self.update_name(tenant, asked.id, &change, search).await,
        }
    }

    /// Writes what leaves the item that the customer is searched by as it is.
    async fn update_name(
        &self,
        tenant: &TenantId,
        id: &NameId,
        change: &Change,
        seen: Option<&str>,
    ) -> Result<Changed, StoreError> {
        let (condition, names, values) = change.conditioned(seen);
        let request = self
            .client
            .update_item()
            .table_name(&self.tables.tenants)
            .set_key(Some(name_key(tenant, id)))
            .update_expression(&change.expression)
            .condition_expression(condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values));
        match request.send().await {
            Ok(_) => Ok(Changed::Yes),
            Err(error) => match error.as_service_error() {
                Some(
                    UpdateItemError::ConditionalCheckFailedException(_)
                    | UpdateItemError::TransactionConflictException(_),
                ) => Ok(Changed::SomebodyWasQuicker),
                _ => Err(StoreError::failed("UpdateItem (name)", TABLE, error)),
            },
        }
    }

    /// Writes a customer's name together with what it is searched by.
    async fn move_name(
        &self,
        tenant: &TenantId,
        asked: Asked<'_>,
        change: &Change,
        seen: Option<&str>,
        search: &str,
    ) -> Result<Changed, StoreError> {
        let table = &self.tables.tenants;
        let unwritable = |error| StoreError::unwritable(TABLE, error);
        let (condition, names, values) = change.conditioned(seen);
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(name_key(tenant, asked.id)))
            .update_expression(&change.expression)
            .condition_expression(condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .build()
            .map_err(unwritable)?;
        let mut item = search_key(tenant, search);
        item.insert("id".to_owned(), AttributeValue::S(asked.id.id().to_owned()));
        item.insert("name".to_owned(), AttributeValue::S(change.name.clone().unwrap_or_default()));
        let put = Put::builder().table_name(table).set_item(Some(item)).build().map_err(unwritable)?;
        let mut actions =
            vec![TransactWriteItem::builder().update(update).build(), TransactWriteItem::builder().put(put).build()];
        // One that is only spelt otherwise is searched by what it was.
        if let Some(seen) = seen.filter(|seen| *seen != search) {
            let delete = Delete::builder().table_name(table).set_key(Some(search_key(tenant, seen)));
            actions.push(TransactWriteItem::builder().delete(delete.build().map_err(unwritable)?).build());
        }
        match self.client.transact_write_items().set_transact_items(Some(actions)).send().await {
            Ok(_) => Ok(Changed::Yes),
            Err(error) => match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(canceled))
                    if canceled.cancellation_reasons().iter().any(|reason| is_somebody_else(reason.code())) =>
                {
                    Ok(Changed::SomebodyWasQuicker)
                }
                _ => Err(StoreError::failed("TransactWriteItems (name)", TABLE, error)),
            },
        }
    }
}

fn is_somebody_else(code: Option<&str>) -> bool {
    matches!(code, Some("ConditionalCheckFailed" | "TransactionConflict"))
}
