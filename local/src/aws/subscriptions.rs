//! Who hears a topic: made, confirmed or not, listed and ended. What is published goes to the local system's own screen.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A subscription.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    pub(super) topic: String,
    pub(super) protocol: String,
    pub(super) endpoint: String,
    pub(super) is_confirmed: bool,
}

/// All subscriptions, by ARN.
#[derive(Clone, Debug, Default)]
pub(super) struct Subscriptions(Arc<Mutex<BTreeMap<String, Subscription>>>);

impl Subscriptions {
    /// Subscribes an endpoint. What belongs to the account is confirmed at once; people and others have to do so themselves, by what SNS
    /// sends them, and here nothing is sent.
    pub(super) fn add(&self, topic: &str, protocol: &str, endpoint: &str) -> (String, Subscription) {
        let is_confirmed = ["lambda", "sqs", "firehose", "application"].contains(&protocol);
        let arn = format!("{topic}:{}", uuid::Uuid::new_v4());
        let [topic, protocol, endpoint] = [topic, protocol, endpoint].map(str::to_owned);
        let made = Subscription { topic, protocol, endpoint, is_confirmed };
        self.all().insert(arn.clone(), made.clone());
        (arn, made)
    }

    pub(super) fn remove(&self, arn: &str) {
        self.all().remove(arn);
    }

    /// Those of a topic, with their ARNs.
    pub(super) fn of(&self, topic: &str) -> Vec<(String, Subscription)> {
        let all = self.all();
        let of_topic = all.iter().filter(|(_, subscription)| subscription.topic == topic);
        of_topic.map(|(arn, subscription)| (arn.clone(), subscription.clone())).collect()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Subscription>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
