//! What follows from fraud events: which of them are being followed up, what was asked about strangers, and the signals.
//!
//! All of it lies in the tenant's own partition of the alerts table, and is gone some days later. Each bound is a condition of the very
//! write that it bounds, so that it holds however many runs there are side by side. A signal is an outbox item whose key is what there may
//! be one of: putting it is deduplication, fast path and guarantee in one.

use std::future::Future;

use aws_sdk_dynamodb::{
    operation::{put_item::PutItemError, update_item::UpdateItemError},
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use jiff::{SignedDuration, Timestamp};
use models::{CustomerId, EventId, EventSubject, TenantId, hour_of};
use sha2::{Digest as _, Sha256};

use crate::{
    OutboxRecord, Store, StoreError, TableRole,
    items::{Item, key},
    lease::number,
    outbox::expiry,
};

const TABLE: TableRole = TableRole::Alerts;

/// Most events of a tenant that are followed up each by itself in an hour; those beyond share what is done without knowing whose they are.
/// Microsoft mails its own alerts at most once an hour and subscription: this is far above any genuine day.
pub const WATCHES_AN_HOUR: u32 = 60;
/// Most questions to Partner Center about customers that we know nothing of, per tenant and hour. It takes 500 calls a minute.
pub const LOOK_UPS_AN_HOUR: u32 = 20;

/// How long an answer about a customer is believed.
const BELIEVED: SignedDuration = SignedDuration::from_hours(24);
/// How long after a question without an answer it may be asked again.
const ASKED_AGAIN: SignedDuration = SignedDuration::from_hours(1);
/// How long an answer may be under way: longer than a run may take.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(3);
/// How long what is noted of an hour is kept: longer than a message may wait in the queue.
const NOTED: SignedDuration = SignedDuration::from_hours(48);
/// How far the clocks of two machines may differ: what lies further ahead stems from a clock that was set back.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(1);

/// Whether an event is followed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// It is, by whoever asks: now, or before they were interrupted.
    ByUs,
    /// Another event about the same, of the same minute, is.
    ByAnother,
    /// There are too many in this hour.
    TooMany,
}

/// Whether Partner Center may be asked about a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// Yes, by whoever asks, once.
    ByUs,
    /// It was asked a moment ago, and the answer is awaited.
    UnderWay,
    /// No: there was no answer, or too many were asked about in this hour.
    No,
}

/// Keeps what follows from fraud events.
pub trait KeepSignals {
    /// Has an event followed up that was received then, one a minute for each subject. Without a subject there is no bound but the
    /// minute.
    fn watch(
        &self,
        tenant: &TenantId,
        event: &EventId,
        subject: Option<&EventSubject>,
        received: Timestamp,
    ) -> impl Future<Output = Result<Watched, StoreError>> + Send;

    /// Whether this is a customer of the tenant's, as far as Partner Center has said so lately.
    fn remembered(
        &self,
        tenant: &TenantId,
        customer: &CustomerId,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<bool>, StoreError>> + Send;

    /// Claims the one question about a customer.
    fn claim(
        &self,
        tenant: &TenantId,
        customer: &CustomerId,
        now: Timestamp,
    ) -> impl Future<Output = Result<Claimed, StoreError>> + Send;

    /// Notes the answer.
    fn remember(
        &self,
        tenant: &TenantId,
        customer: &CustomerId,
        ours: bool,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Puts a signal into the outbox, unless it is there. Says whether it is new.
    fn signal(&self, record: &OutboxRecord, now: Timestamp) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

type Update = aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;

impl KeepSignals for Store {
    async fn watch(
        &self,
        tenant: &TenantId,
        event: &EventId,
        subject: Option<&EventSubject>,
        received: Timestamp,
    ) -> Result<Watched, StoreError> {
        let name = watch_name(subject, received);
        // The beginning tells events of a minute apart.
        let event = &event.as_str()[..16];
        let request = self
            .noted(tenant, &format!("watch#{}", hour_of(received)))
            .expression_attribute_names("#watch", &name)
            .expression_attribute_values(":event", AttributeValue::S(event.to_owned()))
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
        let Some(there) = refused(request, "UpdateItem (watch)").await? else { return Ok(Watched::ByUs) };
        Ok(match there.get(&name) {
            Some(AttributeValue::S(watched)) if watched == event => Watched::ByUs,
            Some(_) => Watched::ByAnother,
            None => Watched::TooMany,
        })
    }

    async fn remembered(
        &self,
        tenant: &TenantId,
        customer: &CustomerId,
        now: Timestamp,
    ) -> Result<Option<bool>, StoreError> {
        let found = self.get_all(vec![key(tenant.as_str(), &customer_key(customer))]).await?;
        Ok(found.first().and_then(|item| Answer::of(item).believed(now)))
    }

    async fn claim(&self, tenant: &TenantId, customer: &CustomerId, now: Timestamp) -> Result<Claimed, StoreError> {
        let before = |period: SignedDuration| number((now - period).as_millisecond());
        let request = self
            .noted(tenant, &customer_key(customer))
            .update_expression("SET asked = :now, expires_at = :expires REMOVE ours")
            .condition_expression(
                "attribute_not_exists(asked) OR asked > :ahead OR asked <= :stale \
                 OR (attribute_not_exists(ours) AND asked <= :unanswered)",
            )
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .expression_attribute_values(":ahead", number((now + CLOCK_TOLERANCE).as_millisecond()))
            .expression_attribute_values(":stale", before(BELIEVED))
            .expression_attribute_values(":unanswered", before(ASKED_AGAIN))
            .expression_attribute_values(":expires", number((now + NOTED).as_second()));
        if let Some(there) = refused(request, "UpdateItem (customer)").await? {
            return Ok(Answer::of(&there).claimed(now));
        }
        let request = self
            .noted(tenant, &format!("look-ups#{}", hour_of(now)))
            .update_expression("SET expires_at = :expires ADD asked :one")
            .condition_expression("attribute_not_exists(asked) OR asked < :most")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":most", number(LOOK_UPS_AN_HOUR))
            .expression_attribute_values(":expires", number((now + NOTED).as_second()));
        Ok(refused(request, "UpdateItem (look-ups)").await?.map_or(Claimed::ByUs, |_| Claimed::No))
    }

    async fn remember(
        &self,
        tenant: &TenantId,
        customer: &CustomerId,
        ours: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let request = self
            .noted(tenant, &customer_key(customer))
            .update_expression("SET asked = :now, ours = :ours, expires_at = :expires")
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .expression_attribute_values(":ours", AttributeValue::Bool(ours))
            .expression_attribute_values(":expires", number((now + NOTED).as_second()));
        refused(request, "UpdateItem (customer)").await.map(drop)
    }

    async fn signal(&self, record: &OutboxRecord, now: Timestamp) -> Result<bool, StoreError> {
        let put = self.client.put_item().table_name(&self.tables.alerts).set_item(Some(record.item(expiry(now))?));
        match put.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(StoreError::failed("PutItem (signal)", TABLE, error)),
            },
        }
    }
}

impl Store {
    fn noted(&self, tenant: &TenantId, sort: &str) -> Update {
        let request = self.client.update_item().table_name(&self.tables.alerts);
        request.set_key(Some(key(tenant.as_str(), sort)))
    }
}

/// The attribute that says which event of a minute is followed up: short, since an hour's are in one item.
fn watch_name(subject: Option<&EventSubject>, received: Timestamp) -> String {
    let minute = received.strftime("%M");
    let Some(EventSubject { customer, subscription }) = subject else { return format!("unknown-{minute}") };
    let customer = customer.as_ref().map_or("", CustomerId::as_str);
    let digest = hex::encode(Sha256::digest(format!("{customer}#{subscription}")));
    format!("{}-{minute}", &digest[..16])
}

fn customer_key(customer: &CustomerId) -> String {
    format!("customer#{}", customer.as_str().to_ascii_lowercase())
}

/// Sends an update. What is there where its condition does not hold; none where it was made.
async fn refused(request: Update, action: &'static str) -> Result<Option<Item>, StoreError> {
    let request = request.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let Err(error) = request.send().await else { return Ok(None) };
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
            Ok(Some(refused.item().cloned().unwrap_or_default()))
        }
        _ => Err(StoreError::failed(action, TABLE, error)),
    }
}

/// What is noted of a question about a customer.
struct Answer {
    asked: Option<Timestamp>,
    ours: Option<bool>,
}

impl Answer {
    fn of(item: &Item) -> Self {
        let asked = item.get("asked").and_then(|value| value.as_n().ok()?.parse().ok());
        let ours = item.get("ours").and_then(|value| value.as_bool().ok().copied());
        Self { asked: asked.and_then(|asked| Timestamp::from_millisecond(asked).ok()), ours }
    }

    fn is_younger_than(&self, period: SignedDuration, now: Timestamp) -> bool {
        self.asked.is_some_and(|asked| asked <= now + CLOCK_TOLERANCE && asked > now - period)
    }

    fn believed(&self, now: Timestamp) -> Option<bool> {
        self.ours.filter(|_| self.is_younger_than(BELIEVED, now))
    }

    fn claimed(&self, now: Timestamp) -> Claimed {
        // One that has come meanwhile is found by asking again.
        if self.ours.is_some() || self.is_younger_than(UNDER_WAY, now) { Claimed::UnderWay } else { Claimed::No }
    }
}
