//! Unconfirmed fraud signals, and what was asked about strangers before.
//!
//! All of it lies in the tenant's own partition of the alerts table, and is gone some days later. The bound is a condition of the very
//! write that it bounds, so that it holds however many runs there are side by side. A signal is an outbox item whose key is what there may
//! be one of: putting it is deduplication, fast path and guarantee in one.

use std::future::Future;

use aws_sdk_dynamodb::{
    operation::{put_item::PutItemError, update_item::UpdateItemError},
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use jiff::{SignedDuration, Timestamp};
use models::{CustomerId, TenantId, hour_of};

use crate::{
    OutboxRecord, Store, StoreError, TableRole,
    items::{Item, key},
    lease::number,
    outbox::expiry,
};

const TABLE: TableRole = TableRole::Alerts;

/// Most questions to Partner Center about customers that we know nothing of, per tenant and hour. It takes 500 calls a minute.
pub const LOOK_UPS_AN_HOUR: u32 = 20;

/// How long an answer about a customer is believed.
const BELIEVED: SignedDuration = SignedDuration::from_hours(24);
/// How long after a question without an answer it may be asked again.
const ASKED_AGAIN: SignedDuration = SignedDuration::from_hours(1);
/// How long an answer may be under way: longer than a run may take.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(3);
/// How long what is noted of an hour is kept: longer than a message may wait in the queue.
pub(crate) const NOTED: SignedDuration = SignedDuration::from_hours(48);
/// How far the clocks of two machines may differ: what lies further ahead stems from a clock that was set back.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(1);

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

/// Keeps signals, and what was asked before.
pub trait KeepSignals {
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

    /// Notes the answer: whether it is a customer of the tenant's, or none where nobody answers.
    fn remember(
        &self,
        tenant: &TenantId,
        customer: &CustomerId,
        answer: Option<bool>,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Puts a signal into the outbox, unless it is there. Says whether it is new.
    fn signal(&self, record: &OutboxRecord, now: Timestamp) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

type Update = aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;

impl KeepSignals for Store {
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
            .update_expression("SET asked = :now, expires_at = :expires REMOVE ours, unanswered")
            .condition_expression(
                "attribute_not_exists(asked) OR asked > :ahead OR asked <= :stale OR (attribute_not_exists(ours) \
                 AND (asked <= :unanswered OR (attribute_not_exists(unanswered) AND asked <= :under_way)))",
            )
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .expression_attribute_values(":ahead", number((now + CLOCK_TOLERANCE).as_millisecond()))
            .expression_attribute_values(":stale", before(BELIEVED))
            .expression_attribute_values(":unanswered", before(ASKED_AGAIN))
            // Whoever asked was cut off.
            .expression_attribute_values(":under_way", before(UNDER_WAY))
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
        answer: Option<bool>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let request = self
            .noted(tenant, &customer_key(customer))
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .expression_attribute_values(":expires", number((now + NOTED).as_second()));
        let request = match answer {
            Some(ours) => request
                .update_expression("SET asked = :now, ours = :ours, expires_at = :expires")
                .expression_attribute_values(":ours", AttributeValue::Bool(ours)),
            None => request
                .update_expression("SET asked = :now, unanswered = :true, expires_at = :expires")
                .expression_attribute_values(":true", AttributeValue::Bool(true)),
        };
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
    pub(crate) fn noted(&self, tenant: &TenantId, sort: &str) -> Update {
        let request = self.client.update_item().table_name(&self.tables.alerts);
        request.set_key(Some(key(tenant.as_str(), sort)))
    }
}

fn customer_key(customer: &CustomerId) -> String {
    format!("customer#{}", customer.as_str().to_ascii_lowercase())
}

/// Sends an update. What is there where its condition does not hold; none where it was made.
pub(crate) async fn refused(request: Update, action: &'static str) -> Result<Option<Item>, StoreError> {
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
    unanswered: bool,
}

impl Answer {
    fn of(item: &Item) -> Self {
        let asked = item.get("asked").and_then(|value| value.as_n().ok()?.parse().ok());
        let ours = item.get("ours").and_then(|value| value.as_bool().ok().copied());
        let unanswered = item.contains_key("unanswered");
        Self { asked: asked.and_then(|asked| Timestamp::from_millisecond(asked).ok()), ours, unanswered }
    }

    fn is_younger_than(&self, period: SignedDuration, now: Timestamp) -> bool {
        self.asked.is_some_and(|asked| asked <= now + CLOCK_TOLERANCE && asked > now - period)
    }

    fn believed(&self, now: Timestamp) -> Option<bool> {
        self.ours.filter(|_| self.is_younger_than(BELIEVED, now))
    }

    fn claimed(&self, now: Timestamp) -> Claimed {
        // One that has come meanwhile is found by asking again.
        let awaited = !self.unanswered && self.is_younger_than(UNDER_WAY, now);
        if self.ours.is_some() || awaited { Claimed::UnderWay } else { Claimed::No }
    }
}
