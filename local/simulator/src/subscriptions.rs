//! How Azure subscriptions stand, and what people did to them. It is kept in memory alone, whatever is kept of alerts.
//!
//! A cancellation shows after a while, as Microsoft's does: ten minutes of the simulator's clock, unless something else is said.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::app::{Shared, lock};
use crate::entra::Grant;
use crate::entra::later;

/// How Partner Center goes about cancelling and reactivating. Where Microsoft's pages disagree or say nothing, both can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SubscriptionRules {
    /// What a cancellation is answered.
    pub answer: CancelAnswer,
    /// Whether applications may do it by themselves: the pages say that they may, and that it takes roles which no application has.
    pub applications: bool,
    /// Seconds until what was done shows.
    pub delay_seconds: u32,
    /// Whether a cancellation resolves the subscription's alerts as fraud, as it does on the dashboard.
    pub resolves_alerts: bool,
}

impl Default for SubscriptionRules {
    fn default() -> Self {
        Self { answer: CancelAnswer::Entitlement, applications: false, delay_seconds: 600, resolves_alerts: false }
    }
}

/// The two documented answers to a cancellation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CancelAnswer {
    /// 202 without a body.
    Accepted,
    /// 200 with the subscription, which is still active.
    Entitlement,
}

/// What somebody has done to an Azure subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionAct {
    /// Whether it was cancelled; reactivated if not.
    pub cancelled: bool,
    /// By whom.
    pub by: String,
    /// The subscription.
    pub subscription: String,
    /// The partner's tenant.
    pub tenant: String,
    /// From when on it shows.
    pub shows: Timestamp,
}

/// All that was done, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    pub(crate) rules: SubscriptionRules,
    pub(crate) acts: Vec<SubscriptionAct>,
}

/// The requests that were done, by tenant, `MS-RequestId` and what they were about: each is done once.
#[derive(Default)]
pub(crate) struct Once(HashSet<[String; 3]>);

impl Once {
    /// Whether it was done already.
    pub(crate) fn was_done(&self, tenant: &str, id: Option<&str>, what: &str) -> bool {
        id.is_some_and(|id| self.0.contains(&[tenant, id, what].map(str::to_owned)))
    }

    /// Whether it has yet to be done, which it counts as from then on. A request without an id is done each time.
    pub(crate) fn is_first(&mut self, tenant: &str, id: Option<&str>, what: &str) -> bool {
        id.is_none_or(|id| self.0.insert([tenant, id, what].map(str::to_owned)))
    }
}

impl Shared {
    /// `active` or `inactive`.
    pub(crate) fn subscription_status(&self, tenant: &str, subscription: &str) -> &'static str {
        let (now, known) = (self.now(), lock(&self.subscriptions));
        let shows = |act: &&SubscriptionAct| act.is_about(tenant, subscription) && act.shows <= now;
        if known.acts.iter().rev().find(shows).is_some_and(|act| act.cancelled) { "inactive" } else { "active" }
    }

    /// Whether a subscription was cancelled last, be it shown or not.
    pub(crate) fn was_cancelled(&self, tenant: &str, subscription: &str) -> bool {
        let known = lock(&self.subscriptions);
        known.acts.iter().rev().find(|act| act.is_about(tenant, subscription)).is_some_and(|act| act.cancelled)
    }

    /// Cancels or reactivates it. What that does to alerts shows at once.
    pub(crate) fn act_on_subscription(&self, grant: &Grant, subscription: &str, cancelled: bool) {
        let now = self.now();
        let rules = {
            let mut known = lock(&self.subscriptions);
            let rules = known.rules;
            known.acts.push(SubscriptionAct {
                cancelled,
                by: grant.actor().to_owned(),
                subscription: subscription.to_owned(),
                tenant: grant.tenant.clone(),
                shows: later(now, rules.delay_seconds.into()),
            });
            rules
        };
        if !(cancelled && rules.resolves_alerts) {
            return;
        }
        let mut book = lock(&self.book);
        let about = |alert: &&crate::Alert| alert.subscription_id.eq_ignore_ascii_case(subscription);
        let ids: Vec<String> = book.all(&grant.tenant).filter(about).map(|alert| alert.id.clone()).collect();
        for id in ids {
            let fraud = Some("fraud".to_owned());
            let resolved =
                book.update(&grant.tenant, &id, |alert| alert.move_to("resolved", fraud, grant.actor(), now));
            if let Err(error) = resolved {
                tracing::warn!(%error, "an alert of a cancelled subscription stays as it was");
            }
        }
    }
}

impl SubscriptionAct {
    fn is_about(&self, tenant: &str, subscription: &str) -> bool {
        self.tenant == tenant && self.subscription.eq_ignore_ascii_case(subscription)
    }
}
