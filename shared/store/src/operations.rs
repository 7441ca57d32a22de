//! Operations: what somebody asked for, kept from before it is begun until thirty days after its last change.
//!
//! They lie in their tenant's partition of the alerts table, whose items may expire. Each of which something is left has a mark beside it, written and
//! deleted in the same transaction: whoever looks for what is left reads marks, and no operation that is done.

use std::future::Future;

use aws_sdk_dynamodb::{
    operation::put_item::PutItemError,
    types::{AttributeValue, Delete, Put, TransactWriteItem},
};
use jiff::Timestamp;
use models::{OPERATION_RETENTION, Operation, OperationId, Repeated, RequestHash, TenantId};

use crate::{
    Store, StoreError, TableRole,
    items::{Item, key},
    lease::number,
    transaction::Sent,
};

const TABLE: TableRole = TableRole::Alerts;
const PREFIX: &str = "operation#";
/// What the sort keys of marks begin with: one for each operation of which something is left.
const UNFINISHED: &str = "unfinished#";
/// What the sort keys of used keys begin with.
const KEY: &str = "key#";

/// Reads operations.
pub trait ReadOperations {
    /// An operation of a tenant, as it is at this moment.
    fn operation(
        &self,
        tenant: &TenantId,
        id: &OperationId,
    ) -> impl Future<Output = Result<Option<Operation>, StoreError>> + Send;
}

/// Keeps operations. They are written down by [`Act`](crate::Act), with the line that says so.
pub trait KeepOperations: ReadOperations {
    /// The operations of a tenant of which something is left to do. Reads those alone, by their marks, as they are at this moment.
    fn left(&self, tenant: &TenantId) -> impl Future<Output = Result<Left, StoreError>> + Send;

    /// Those of them that can be read.
    fn unfinished(&self, tenant: &TenantId) -> impl Future<Output = Result<Vec<Operation>, StoreError>> + Send
    where
        Self: Sync,
    {
        async { Ok(self.left(tenant).await?.operations) }
    }

    /// Writes how far an operation has come, on condition that nobody has since it was read. False where somebody has.
    fn advance(&self, operation: &Operation) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Notes that a caller of this tenant uses a key for this request, whatever tenants that is about: `id` is of them and the key. False where they used
    /// it for another.
    fn claim_key(
        &self,
        home: &TenantId,
        id: &OperationId,
        request: &RequestHash,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// What is left to do of a tenant's operations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// The operations.
    pub operations: Vec<Operation>,
    /// How many of them can't be read: another release wrote them, or somebody by hand. Each is said in the log.
    pub unreadable: usize,
}

impl ReadOperations for Store {
    async fn operation(&self, tenant: &TenantId, id: &OperationId) -> Result<Option<Operation>, StoreError> {
        let request = self.client.get_item().table_name(&self.tables.alerts).consistent_read(true);
        let read = request.set_key(Some(operation_key(tenant, id))).send().await;
        let read = read.map_err(|error| StoreError::failed("GetItem (operation)", TABLE, error))?;
        read.item.map(|item| read_operation(&item)).transpose()
    }
}

impl KeepOperations for Store {
    async fn left(&self, tenant: &TenantId) -> Result<Left, StoreError> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let mut marks = self
            .client
            .query()
            .table_name(&self.tables.alerts)
            // Whoever begins something about a subscription goes by this: of two at the same moment the later one has to see the other's mark.
            .consistent_read(true)
            .key_condition_expression("pk = :tenant AND begins_with(sk, :prefix)")
            .expression_attribute_values(":tenant", text(tenant.as_str()))
            .expression_attribute_values(":prefix", text(UNFINISHED))
            .into_paginator()
            .items()
            .send();
        let mut left = Left::default();
        while let Some(mark) = marks.next().await {
            let mark = mark.map_err(|error| StoreError::failed("Query (unfinished operations)", TABLE, error))?;
            match self.marked(tenant, &mark).await {
                Ok(operation) => left.operations.extend(operation),
                Err(error @ StoreError::BadItem { .. }) => {
                    left.unreadable += 1;
                    tracing::error!(
                        tenant.id = %tenant, %error, "an operation can't be read: it is left as it is, and holds no other up"
                    );
                }
                Err(error) => return Err(error),
            }
        }
        Ok(left)
    }

    async fn advance(&self, operation: &Operation) -> Result<bool, StoreError> {
        match self.send(&self.write_operation(operation)?).await? {
            Sent::Done => Ok(true),
            Sent::ConditionFailed(_) => Ok(false),
            Sent::Rejected(rejected) => rejected.into_iter().next().map_or(Ok(true), |(_, why)| Err(why.into())),
        }
    }

    async fn claim_key(
        &self,
        home: &TenantId,
        id: &OperationId,
        request: &RequestHash,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut item = key(home.as_str(), &format!("{KEY}{id}"));
        item.insert("request".to_owned(), AttributeValue::S(request.to_string()));
        item.insert("expires_at".to_owned(), expires_at(now));
        let put = self.client.put_item().table_name(&self.tables.alerts).set_item(Some(item));
        let put = put.condition_expression("attribute_not_exists(pk) OR #request = :request");
        let put = put.expression_attribute_names("#request", "request");
        match put.expression_attribute_values(":request", AttributeValue::S(request.to_string())).send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(StoreError::failed("PutItem (key of a request)", TABLE, error)),
            },
        }
    }
}

impl Store {
    /// An operation as a part of a transaction, on condition that nobody wrote it since it was read, and behind it the mark by which it is found while
    /// something is left of it.
    pub(crate) fn write_operation(&self, operation: &Operation) -> Result<Vec<TransactWriteItem>, StoreError> {
        if operation.holds_unknown() {
            let error = std::io::Error::other("something of it only a newer release knows, and would be lost");
            return Err(StoreError::unwritable(TABLE, error));
        }
        let unwritable = |error| StoreError::unwritable(TABLE, error);
        let text = serde_json::to_string(operation).map_err(|error| StoreError::unwritable(TABLE, error))?;
        let mut item = operation_key(&operation.tenant, &operation.id);
        item.insert("operation".to_owned(), AttributeValue::S(text));
        item.insert("revision".to_owned(), number(operation.revision));
        item.insert("expires_at".to_owned(), expires_at(operation.changed));
        let put = Put::builder().table_name(&self.tables.alerts).set_item(Some(item));
        let put = match operation.revision.saturating_sub(1) {
            0 => put.condition_expression("attribute_not_exists(pk)"),
            before => {
                put.condition_expression("revision = :before").expression_attribute_values(":before", number(before))
            }
        };
        let put = put.build().map_err(unwritable)?;
        let mut actions = vec![TransactWriteItem::builder().put(put).build()];
        let mut mark = key(operation.tenant.as_str(), &format!("{UNFINISHED}{}", operation.id));
        if operation.repeated_by(&operation.request) == Repeated::Unfinished {
            mark.insert("expires_at".to_owned(), expires_at(operation.changed));
            let put = Put::builder().table_name(&self.tables.alerts).set_item(Some(mark));
            actions.push(TransactWriteItem::builder().put(put.build().map_err(unwritable)?).build());
        } else if operation.revision > 1 {
            let delete = Delete::builder().table_name(&self.tables.alerts).set_key(Some(mark));
            actions.push(TransactWriteItem::builder().delete(delete.build().map_err(unwritable)?).build());
        }
        Ok(actions)
    }

    /// The operation that a mark stands for, if something is left of it.
    async fn marked(&self, tenant: &TenantId, mark: &Item) -> Result<Option<Operation>, StoreError> {
        let at = text_of(mark, "sk");
        let id = at.trim_start_matches(UNFINISHED).parse::<OperationId>();
        let id = id.map_err(|error| StoreError::bad_item(TABLE, at, error))?;
        let operation = self.operation(tenant, &id).await?;
        Ok(operation.filter(|operation| operation.repeated_by(&operation.request) == Repeated::Unfinished))
    }
}

fn expires_at(changed: Timestamp) -> AttributeValue {
    AttributeValue::N((changed.as_second() + OPERATION_RETENTION.as_secs()).to_string())
}

fn text_of<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

fn operation_key(tenant: &TenantId, id: &OperationId) -> Item {
    key(tenant.as_str(), &format!("{PREFIX}{id}"))
}

fn read_operation(item: &Item) -> Result<Operation, StoreError> {
    let unreadable = |error| StoreError::bad_item(TABLE, text_of(item, "sk"), error);
    serde_json::from_str(text_of(item, "operation")).map_err(unreadable)
}
