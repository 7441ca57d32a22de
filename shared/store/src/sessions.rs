//! Sessions of browsers, by the hash of their ids: who reads the table can act as nobody.

use std::future::Future;

use aws_sdk_dynamodb::{
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnValue},
};
use identity::{Session, SessionKey};
use jiff::Timestamp;
use serde::Deserialize;

use crate::{Store, StoreError, TableRole, items::Item, time::sortable};

const TABLE: TableRole = TableRole::Sessions;

/// Reads sessions.
pub trait ReadSessions {
    /// The session of this key, if there is one. It may have ended: what has run out is deleted late.
    fn session(&self, key: &SessionKey) -> impl Future<Output = Result<Option<Session>, StoreError>> + Send;
}

/// Begins and ends sessions.
pub trait KeepSessions {
    /// Keeps a session that has just begun.
    fn put_session(&self, key: &SessionKey, session: &Session) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Whether there is a session of this key, readable or not.
    fn has_session(&self, key: &SessionKey) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Ends a session, if there is one.
    fn delete_session(&self, key: &SessionKey) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// A session as an operator finds it.
#[derive(Clone, Debug)]
pub struct KeptSession {
    key: String,
    /// What is known of it. None where that can't be read: nobody gets in by it, and it ends with the others.
    pub session: Option<Session>,
}

/// Ends other people's sessions.
pub trait EndSessions {
    /// All sessions. Those that have run out may be among them: they are deleted late.
    fn sessions(&self) -> impl Future<Output = Result<Vec<KeptSession>, StoreError>> + Send;

    /// Ends one. False where it is no longer there.
    fn end_session(&self, session: &KeptSession) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// Notes that sessions are used.
pub trait TouchSessions {
    /// Notes that a session is used now. False where it is no longer there: what was ended meanwhile stays so.
    fn touch_session(
        &self,
        key: &SessionKey,
        session: &Session,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

#[derive(Deserialize)]
struct SessionItem {
    claims: String,
    begun: Timestamp,
    seen: Timestamp,
}

impl ReadSessions for Store {
    async fn session(&self, key: &SessionKey) -> Result<Option<Session>, StoreError> {
        // Strongly: what was begun or ended by the request before counts in this one.
        let request = self.client.get_item().table_name(&self.tables.sessions).consistent_read(true);
        let read = request.key("pk", text(key)).send().await;
        let Some(item) = read.map_err(|error| StoreError::failed("GetItem", TABLE, error))?.item else {
            return Ok(None);
        };
        // The key is of no use to whoever reads it in a log, and says which item it is.
        session_of(item).map(Some).map_err(|error| StoreError::bad_item(TABLE, &key.to_string(), error))
    }
}

fn session_of(item: Item) -> Result<Session, Box<dyn std::error::Error + Send + Sync>> {
    let SessionItem { claims, begun, seen } = serde_dynamo::from_item(item)?;
    Ok(Session::of_stored(&claims, begun, seen)?)
}

impl EndSessions for Store {
    async fn sessions(&self) -> Result<Vec<KeptSession>, StoreError> {
        let request = self.client.scan().table_name(&self.tables.sessions).consistent_read(true);
        let mut items = request.into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(|error| StoreError::failed("Scan", TABLE, error))?;
            let key = item.get("pk").and_then(|key| key.as_s().ok()).cloned().unwrap_or_default();
            found.push(KeptSession { key, session: session_of(item).ok() });
        }
        Ok(found)
    }

    async fn end_session(&self, session: &KeptSession) -> Result<bool, StoreError> {
        let request = self.client.delete_item().table_name(&self.tables.sessions);
        let request = request.key("pk", AttributeValue::S(session.key.clone())).return_values(ReturnValue::AllOld);
        let gone = request.send().await.map_err(|error| StoreError::failed("DeleteItem", TABLE, error))?;
        Ok(gone.attributes.is_some())
    }
}

impl KeepSessions for Store {
    async fn put_session(&self, key: &SessionKey, session: &Session) -> Result<(), StoreError> {
        let claims = session.stored_claims().map_err(|error| StoreError::unwritable(TABLE, error))?;
        let request = self
            .client
            .put_item()
            .table_name(&self.tables.sessions)
            .item("pk", text(key))
            .item("claims", AttributeValue::S(claims))
            .item("begun", AttributeValue::S(sortable(session.begun)))
            .item("seen", AttributeValue::S(sortable(session.seen)))
            .item("expires_at", expires_at(session));
        request.send().await.map_err(|error| StoreError::failed("PutItem", TABLE, error))?;
        Ok(())
    }

    async fn has_session(&self, key: &SessionKey) -> Result<bool, StoreError> {
        let request = self.client.get_item().table_name(&self.tables.sessions).consistent_read(true);
        let read = request.key("pk", text(key)).projection_expression("pk").send().await;
        Ok(read.map_err(|error| StoreError::failed("GetItem", TABLE, error))?.item.is_some())
    }

    async fn delete_session(&self, key: &SessionKey) -> Result<(), StoreError> {
        let request = self.client.delete_item().table_name(&self.tables.sessions).key("pk", text(key));
        request.send().await.map_err(|error| StoreError::failed("DeleteItem", TABLE, error))?;
        Ok(())
    }
}

impl TouchSessions for Store {
    async fn touch_session(&self, key: &SessionKey, session: &Session, now: Timestamp) -> Result<bool, StoreError> {
        let used = Session { seen: now, ..session.clone() };
        let request = self
            .client
            .update_item()
            .table_name(&self.tables.sessions)
            .key("pk", text(key))
            .update_expression("SET seen = :seen, expires_at = :ends")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":seen", AttributeValue::S(sortable(now)))
            .expression_attribute_values(":ends", expires_at(&used));
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(StoreError::failed("UpdateItem", TABLE, error)),
            },
        }
    }
}

fn text(key: &SessionKey) -> AttributeValue {
    AttributeValue::S(key.to_string())
}

/// When DynamoDB may delete it: not before it has ended.
fn expires_at(session: &Session) -> AttributeValue {
    AttributeValue::N(session.ends().as_second().saturating_add(1).to_string())
}
