//! The unconfirmed fraud signal: Microsoft sent a genuine fraud event, and its list of alerts does not bear it out.
//!
//! A doorbell that rings at a dead connection must not go unheard. What confirms an event is a pure rule here.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Alert, AlertState, CustomerId, EventId, SubscriptionId};

/// How long before an event an alert may have become known, and still be what the event is about.
pub const CONFIRMED_SINCE: SignedDuration = SignedDuration::from_hours(1);

/// Why an event is not confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalReason {
    /// Microsoft's list has no such alert five minutes after the event.
    NotFound,
    /// Microsoft's list could not be read within five minutes of the event.
    NotRead,
    /// Microsoft refuses our credentials: we can't look.
    Refused,
}

impl SignalReason {
    /// The name that messages and logs use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::NotRead => "not_read",
            Self::Refused => "refused",
        }
    }
}

/// A fraud event that is not confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignalNotice {
    /// Why it is not.
    pub reason: SignalReason,
    /// The event.
    pub event_id: EventId,
    /// When it was received.
    pub received: Timestamp,
    /// When Microsoft says that the resource changed.
    pub changed: Timestamp,
    /// Whether the event is about a customer of the partner's. Where not, we can't tell whose it is; of one who is known to be
    /// somebody else's there is no signal.
    pub customer_known: bool,
    /// The customer that the event names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// The subscription that the event names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription_id: Option<SubscriptionId>,
}

impl SignalNotice {
    /// What there is one signal about in an hour: a subscription of a customer of ours, or everything of which we can't tell whose
    /// it is.
    #[must_use]
    pub fn about(&self) -> &str {
        let known = self.subscription_id.as_ref().filter(|_| self.customer_known);
        known.map_or("unknown", SubscriptionId::as_str)
    }

    /// The hour that the signal belongs to, in UTC: that of the receipt, which no clock changes any more.
    #[must_use]
    pub fn hour(&self) -> String {
        hour_of(self.received)
    }
}

/// The hour of a moment in UTC, as in `2026-03-02T09`.
#[must_use]
pub fn hour_of(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H").to_string()
}

/// How an alert is related to what an event names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It is of the same customer. The event may name the Azure plan, and alerts name the Azure subscription.
    Customer,
    /// It is of the same subscription.
    Subscription,
}

/// Whether an alert that became known to us at `known_since` confirms an event from an hour after `since` on.
#[must_use]
pub fn confirms(alert: &Alert, known_since: Timestamp, relation: Relation, since: Timestamp) -> bool {
    let open = alert.state() == AlertState::Open;
    let seen = alert.last_observed >= since || alert.resolution.on.is_some_and(|on| on >= since);
    match relation {
        // One that was over before is no news, even where we have come to know of it only now.
        Relation::Customer => known_since >= since && (open || seen),
        // A test alert that has been open for weeks says nothing of an attack.
        Relation::Subscription => known_since >= since || seen || (open && !alert.is_test),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{AlertType, Resolution, Severity, Status};

    fn at(text: &str) -> Timestamp {
        format!("2026-03-02T{text}Z").parse().unwrap()
    }

    fn alert(status: Status, last_observed: &str, resolved: Option<&str>, is_test: bool) -> Alert {
        Alert {
            id: "alert".parse().unwrap(),
            display_name: String::new(),
            description: None,
            alert_type: AlertType("CryptoMining".to_owned()),
            status,
            severity: Severity::High,
            confidence: None,
            customer_id: None,
            subscription_id: None,
            reseller_id: None,
            catalog_offer_id: None,
            detected: at("01:00:00"),
            first_observed: at("01:00:00"),
            last_observed: at(last_observed),
            resolution: Resolution { on: resolved.map(at), ..Resolution::default() },
            is_test,
            affected_resources: Vec::new(),
            activity: Vec::new(),
            additional_details: BTreeMap::new(),
        }
    }

    #[test]
    fn what_confirms_an_event_is_an_alert_of_its_subscription_or_a_new_one_of_its_customer() {
        // Long ago, and at the first moment that counts.
        let (old, since) = ("02:00:00", "08:00:00");
        let open = |seen| alert(Status::Active, seen, None, false);
        let over = |seen, on| alert(Status::Resolved, seen, Some(on), false);
        for (what, alert, known, of_subscription, of_customer) in [
            ("an open one of long ago", open(old), old, true, false),
            ("an open one that became known since", open(old), since, true, true),
            ("an open one that was observed since", open(since), old, true, false),
            ("one of a status that we have not met", alert(Status::from("new"), old, None, false), old, true, false),
            ("one that was over before", over(old, old), old, false, false),
            ("one that was over before, and became known since", over(old, old), since, true, false),
            ("one that was resolved since", over(old, since), old, true, false),
            ("one that was resolved since, and became known since", over(old, since), since, true, true),
            ("one that was over before, and observed since", over(since, old), old, true, false),
            ("one that was resolved a moment too early", over(old, "07:59:59"), "07:59:59", false, false),
            ("an open test alert of long ago", alert(Status::Active, old, None, true), old, false, false),
            ("an open test alert that became known since", alert(Status::Active, old, None, true), since, true, true),
        ] {
            assert_eq!(confirms(&alert, at(known), Relation::Subscription, at(since)), of_subscription, "{what}");
            assert_eq!(confirms(&alert, at(known), Relation::Customer, at(since)), of_customer, "{what}");
        }
    }
}
