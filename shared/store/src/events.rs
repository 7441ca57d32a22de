//! Received events: kept once, for thirty days.

use std::{collections::HashMap, future::Future};

use aws_sdk_dynamodb::{
    operation::put_item::PutItemError,
    primitives::Blob,
    types::{AttributeValue, KeysAndAttributes, ReturnValuesOnConditionCheckFailure},
};
use jiff::{SignedDuration, Timestamp};
use models::{EventId, TenantId, TraceContext};

use crate::{Store, StoreError, TableRole, schema::EVENTS_BY_RECEIVED, time::sortable};

const TABLE: TableRole = TableRole::Events;

/// How long an event is kept. It must be longer than the oldest callback that is accepted (29 days, `webhook`), or a replay
/// could come back as new after its record has gone; a test holds the two together.
pub const EVENT_RETENTION: SignedDuration = SignedDuration::from_hours(30 * 24);

/// An authentic callback, to be kept.
#[derive(Debug)]
pub struct ReceivedEvent<'a> {
    /// The tenant at whose address it came in.
    pub tenant: &'a TenantId,
    /// Its id.
    pub id: &'a EventId,
    /// The bytes that were signed.
    pub body: &'a [u8],
    /// When it came in.
    pub received: Timestamp,
    /// Whether the bytes could be read as an event. One that could not is kept for people to look at.
    pub readable: bool,
    /// Where it was taken in.
    pub trace: Option<TraceContext>,
    /// Lambda's id of the invocation that took it in: no other has the same, and no sender chooses it.
    pub request_id: Option<&'a str>,
}

/// Whether an event is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is new and now durable.
    New,
    /// It was kept before; nothing changed.
    Duplicate {
        /// When it came in first. None where its item does not say so.
        first: Option<Timestamp>,
    },
}

/// Keeps received events.
pub trait KeepEvents {
    /// Keeps an event if it is not kept yet: one request, also for a duplicate. An event whose first write was made and not
    /// heard of is new, as its request id tells; without one it looks like a duplicate.
    fn keep(&self, event: &ReceivedEvent<'_>) -> impl Future<Output = Result<Kept, StoreError>> + Send;
}

impl KeepEvents for Store {
    async fn keep(&self, event: &ReceivedEvent<'_>) -> Result<Kept, StoreError> {
        let now = event.received.as_second();
        let expires_at = now + EVENT_RETENTION.as_secs();
        let request = self
            .client
            .put_item()
            .table_name(&self.tables.events)
            .set_item(Some(item(event, expires_at)))
            // TTL deletes late, up to days: what has run out counts as gone.
            .condition_expression("attribute_not_exists(pk) OR expires_at <= :now")
            .expression_attribute_values(":now", AttributeValue::N(now.to_string()))
            // Costs nothing, and tells our own write, whose answer was lost before the SDK tried again, from an earlier one.
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match request.send().await {
            Ok(_) => Ok(Kept::New),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                    let of = |name| failed.item().and_then(|item| item.get(name)?.as_s().ok()).map(String::as_str);
                    let is_ours = event.request_id.is_some() && of("request_id") == event.request_id;
                    let first = of("received").and_then(|received| received.parse().ok());
                    Ok(if is_ours { Kept::New } else { Kept::Duplicate { first } })
                }
                _ => Err(StoreError::failed("PutItem", TABLE, error)),
            },
        }
    }
}

fn item(event: &ReceivedEvent<'_>, expires_at: i64) -> HashMap<String, AttributeValue> {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let mut item = HashMap::from([
        ("pk".to_owned(), text(&format!("{}#{}", event.tenant, event.id))),
        ("tenant".to_owned(), text(event.tenant.as_str())),
        ("received".to_owned(), text(&sortable(event.received))),
        ("expires_at".to_owned(), AttributeValue::N(expires_at.to_string())),
        ("body".to_owned(), AttributeValue::B(Blob::new(event.body))),
    ]);
    if !event.readable {
        item.insert("unreadable".to_owned(), AttributeValue::Bool(true));
    }
    item.extend(event.trace.map(|trace| ("trace".to_owned(), text(&trace.to_string()))));
    item.extend(event.request_id.map(|id| ("request_id".to_owned(), text(id))));
    item
}

/// An event as a stream record of the events table tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptEvent {
    /// The tenant at whose address it came in.
    pub tenant: TenantId,
    /// Its id.
    pub id: EventId,
    /// The bytes that were signed.
    pub body: Vec<u8>,
    /// When it came in, in milliseconds.
    pub received: Timestamp,
    /// Whether the bytes can be read as an event.
    pub readable: bool,
    /// Where it was taken in.
    pub trace: Option<TraceContext>,
}

#[derive(serde::Deserialize)]
struct EventItem {
    pk: String,
    tenant: TenantId,
    received: Timestamp,
    #[serde(with = "serde_bytes_compat")]
    body: Vec<u8>,
    #[serde(default)]
    unreadable: bool,
    #[serde(default, deserialize_with = "TraceContext::lenient")]
    trace: Option<TraceContext>,
}

impl KeptEvent {
    /// Reads an event from the image of a stream record.
    ///
    /// # Errors
    ///
    /// [`StoreError::BadItem`] where the image is not an event of ours.
    pub fn from_image(image: serde_dynamo::Item) -> Result<Self, StoreError> {
        let bad =
            |error: Box<dyn std::error::Error + Send + Sync>| StoreError::bad_item(TABLE, "of a stream record", error);
        let item: EventItem = serde_dynamo::from_item(image).map_err(|error| bad(Box::new(error)))?;
        let (_, id) = item.pk.split_once('#').ok_or_else(|| bad("its key has no '#'".into()))?;
        Ok(Self {
            tenant: item.tenant,
            id: id.parse().map_err(|error| bad(Box::new(error)))?,
            body: item.body,
            received: item.received,
            readable: !item.unreadable,
            trace: item.trace,
        })
    }
}

/// The latest events of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LatestEvents {
    /// Those that can be read, the latest first.
    pub events: Vec<KeptEvent>,
    /// How many can't, or could not be had in time. The log says which can't be read.
    pub unreadable: usize,
}

/// Reads received events.
pub trait ReadEvents {
    /// The latest events of a tenant, up to so many (1 to 100): two requests.
    fn latest_events(
        &self,
        tenant: &TenantId,
        most: i32,
    ) -> impl Future<Output = Result<LatestEvents, StoreError>> + Send;
}

impl ReadEvents for Store {
    async fn latest_events(&self, tenant: &TenantId, most: i32) -> Result<LatestEvents, StoreError> {
        let table = self.tables.events.as_str();
        let query = self
            .client
            .query()
            .table_name(table)
            .index_name(EVENTS_BY_RECEIVED)
            .key_condition_expression("tenant = :tenant")
            .expression_attribute_values(":tenant", AttributeValue::S(tenant.to_string()))
            .scan_index_forward(false)
            .limit(most);
        let found = query.send().await.map_err(|error| StoreError::failed("Query (events)", TABLE, error))?;
        let keys: Vec<_> = found
            .items
            .unwrap_or_default()
            .into_iter()
            .filter_map(|mut item| Some(HashMap::from([("pk".to_owned(), item.remove("pk")?)])))
            .collect();
        let wanted = keys.len();
        if wanted == 0 {
            return Ok(LatestEvents::default());
        }
        let keys = KeysAndAttributes::builder().set_keys(Some(keys)).build();
        let keys = keys.map_err(|error| StoreError::unwritable(TABLE, error))?;
        // 256 kB each at most, so that an answer, which has at most 16 MB, may lack some: those are counted and not asked for again.
        let read = self.client.batch_get_item().request_items(table, keys).send().await;
        let read = read.map_err(|error| StoreError::failed("BatchGetItem (events)", TABLE, error))?;
        let items = read.responses.unwrap_or_default().remove(table).unwrap_or_default();
        let read = items.into_iter().filter_map(|item| {
            let event = KeptEvent::from_image(item.into());
            event
                .inspect_err(
                    |error| tracing::error!(tenant.id = %tenant, %error, "an event can't be read: it is left out"),
                )
                .ok()
        });
        let mut events: Vec<_> = read.collect();
        events.sort_by(|one, other| (other.received, &other.id).cmp(&(one.received, &one.id)));
        Ok(LatestEvents { unreadable: wanted.saturating_sub(events.len()), events })
    }
}

/// Reads a binary attribute.
mod serde_bytes_compat {
    use serde::{Deserializer, de::Visitor};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Vec<u8>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a binary attribute")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_owned())
            }

            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
                Ok(bytes)
            }
        }
        deserializer.deserialize_byte_buf(Bytes)
    }
}
