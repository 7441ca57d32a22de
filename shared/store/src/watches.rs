//! Which fraud events are being followed up.
//!
//! One item for each hour of a tenant, in its own partition of the alerts table, says so for all of them. The bound is a condition of the
//! very write that it bounds, so that it holds however many runs there are side by side.

use std::future::Future;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use models::{CustomerId, EventId, EventSubject, TenantId, hour_of};
use sha2::{Digest as _, Sha256};

use crate::{
    Store, StoreError,
    items::{Item, key},
    lease::number,
    signals::{NOTED, refused},
};

/// Most events of a tenant that are followed up each by itself in an hour; those beyond share what is done without knowing whose they are.
/// Microsoft mails its own alerts at most once an hour and subscription: this is far above any genuine day.
pub const WATCHES_AN_HOUR: u32 = 60;
/// Whether an event is followed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// It is, by whoever asks: now, or before they were interrupted.
    ByUs {
        /// The last of its looks that was asked for.
        asked: usize,
    },
    /// Another event about the same, of the same minute, is.
    ByAnother,
    /// There are too many in this hour.
    TooMany,
}

/// Keeps which fraud events are being followed up.
pub trait KeepWatches {
    /// Has an event followed up that was received then, one a minute for each subject. Without a subject there is no bound but the
    /// minute.
    fn watch(
        &self,
        tenant: &TenantId,
        event: &EventId,
        subject: Option<&EventSubject>,
        received: Timestamp,
    ) -> impl Future<Output = Result<Watched, StoreError>> + Send;

    /// The last look after an event that was asked for, where it is this event that is followed up.
    fn asked(
        &self,
        tenant: &TenantId,
        event: &EventId,
        subject: Option<&EventSubject>,
        received: Timestamp,
    ) -> impl Future<Output = Result<Option<usize>, StoreError>> + Send;

    /// Notes that a look after an event was asked for, so that a message that comes twice does not ask for it again.
    fn note_asked(
        &self,
        tenant: &TenantId,
        event: &EventId,
        subject: Option<&EventSubject>,
        received: Timestamp,
        look: usize,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

impl KeepWatches for Store {
    async fn watch(
        &self,
        tenant: &TenantId,
        event: &EventId,
        subject: Option<&EventSubject>,
        received: Timestamp,
    ) -> Result<Watched, StoreError> {
        let name = watch_name(subject, received);
        let request = self
            .noted(tenant, &watch_key(received))
            .expression_attribute_names("#watch", &name)
            .expression_attribute_values(":event", AttributeValue::S(watch_value(event, 0)))
            .expression_attribute_values(":expires", number((received + NOTED).as_second()));
        let request = if subject.is_some() {
            request
                .update_expression("SET #watch = :event, expires_at = :expires ADD watches :one")
                .condition_expression(
                    "attribute_not_exists(#watch) AND (attribute_not_exists(watches) OR watches < :most)",
                )
                .expression_attribute_values(":one", number(1))
                .expression_attribute_values(":most", number(WATCHES_AN_HOUR))
        } else {
            request
                .update_expression("SET #watch = :event, expires_at = :expires")
                .condition_expression("attribute_not_exists(#watch)")
        };
        let Some(there) = refused(request, "UpdateItem (watch)").await? else { return Ok(Watched::ByUs { asked: 0 }) };
        Ok(match (look_of(&there, &name, event), there.get(&name)) {
            (Some(asked), _) => Watched::ByUs { asked },
            (None, Some(_)) => Watched::ByAnother,
            (None, None) => Watched::TooMany,
        })
    }

    async fn asked(
        &self,
        tenant: &TenantId,
        event: &EventId,
        subject: Option<&EventSubject>,
        received: Timestamp,
    ) -> Result<Option<usize>, StoreError> {
        let found = self.get_all(vec![key(tenant.as_str(), &watch_key(received))]).await?;
        Ok(found.first().and_then(|item| look_of(item, &watch_name(subject, received), event)))
    }

    async fn note_asked(
        &self,
        tenant: &TenantId,
        event: &EventId,
        subject: Option<&EventSubject>,
        received: Timestamp,
        look: usize,
    ) -> Result<(), StoreError> {
        let request = self
            .noted(tenant, &watch_key(received))
            .update_expression("SET #watch = :event, expires_at = :expires")
            .expression_attribute_names("#watch", watch_name(subject, received))
            .expression_attribute_values(":event", AttributeValue::S(watch_value(event, look)))
            .expression_attribute_values(":expires", number((received + NOTED).as_second()));
        refused(request, "UpdateItem (watch)").await.map(drop)
    }
}

/// The item that says which events of an hour are followed up.
fn watch_key(received: Timestamp) -> String {
    format!("watch#{}", hour_of(received))
}

/// Which event is followed up, and the last of its looks that was asked for. The beginning tells events of a minute apart.
fn watch_value(event: &EventId, look: usize) -> String {
    format!("{}-{look}", &event.as_str()[..16])
}

/// The last look that was asked for, where it is this event that is followed up.
fn look_of(item: &Item, name: &str, event: &EventId) -> Option<usize> {
    let (watched, look) = item.get(name)?.as_s().ok()?.split_once('-')?;
    if event.as_str().starts_with(watched) { look.parse().ok() } else { None }
}

/// The attribute that says which event of a minute is followed up: short, since an hour's are in one item.
fn watch_name(subject: Option<&EventSubject>, received: Timestamp) -> String {
    let minute = received.strftime("%M");
    let Some(EventSubject { customer, subscription }) = subject else { return format!("unknown-{minute}") };
    let customer = customer.as_ref().map_or("", CustomerId::as_str);
    let digest = hex::encode(Sha256::digest(format!("{customer}#{subscription}")));
    format!("{}-{minute}", &digest[..16])
}
