//! What is to be asked for, given what is kept. Pure.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use models::{
    BroughtReseller, CustomerId, NameId, NameKind, SubscriptionId, WantedCustomer, WantedNames, WantedSubscription,
};
use store::KeptName;

/// A customer, and what is due of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) customer: CustomerId,
    /// What is kept of the customer.
    pub(super) kept: Option<KeptName>,
    /// Whether its own name is due.
    pub(super) asks_for_customer: bool,
    /// Its subscriptions whose names are due, with what is kept of each.
    pub(super) subscriptions: Vec<(SubscriptionId, Option<KeptName>)>,
}

impl Task {
    /// Whether the customer was none when it was last asked for: then its subscriptions need not be asked for either.
    pub(super) fn is_none(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.gone.is_some())
    }

    fn is_empty(&self) -> bool {
        !self.asks_for_customer && self.subscriptions.is_empty()
    }

    /// Since when it is due; what nobody has asked for comes first, and what has just failed last.
    fn since(&self) -> Option<Timestamp> {
        let customer = self.asks_for_customer.then_some(self.kept.as_ref());
        let subscriptions = self.subscriptions.iter().map(|(_, kept)| kept.as_ref());
        customer.into_iter().chain(subscriptions).map(|kept| kept.map(|kept| kept.due)).min().flatten()
    }
}

/// A name that alerts need.
pub(super) struct Named<'a> {
    pub(super) id: NameId,
    /// A subscription's customer.
    pub(super) customer: Option<&'a CustomerId>,
    /// The name, where an alert brought it.
    pub(super) name: Option<&'a str>,
}

/// All names that a request is about.
pub(super) fn named<'a>(customers: &'a [WantedCustomer], resellers: &'a [BroughtReseller]) -> Vec<Named<'a>> {
    let mut named = Vec::new();
    for WantedCustomer { id, name, subscriptions } in customers {
        named.push(Named { id: NameId::customer(id), customer: None, name: name.as_deref() });
        named.extend(subscriptions.iter().map(|subscription| Named {
            id: NameId::subscription(&subscription.id),
            customer: Some(id),
            name: subscription.name.as_deref(),
        }));
    }
    let reseller = |brought: &'a BroughtReseller| {
        Some(Named { id: NameId::reseller(&brought.id)?, customer: None, name: Some(&brought.name) })
    };
    named.extend(resellers.iter().filter_map(reseller));
    named
}

fn is_due(kept: Option<&KeptName>, now: Timestamp) -> bool {
    kept.is_none_or(|kept| kept.due <= now)
}

/// What alerts need and is not kept, or is old.
pub(super) fn of_alerts(customers: &[WantedCustomer], kept: &HashMap<NameId, KeptName>, now: Timestamp) -> Vec<Task> {
    let task = |wanted: &WantedCustomer| {
        let own = kept.get(&NameId::customer(&wanted.id));
        let subscriptions = wanted.subscriptions.iter();
        let subscriptions =
            subscriptions.map(|wanted| (wanted.id.clone(), kept.get(&NameId::subscription(&wanted.id)).cloned()));
        Task {
            customer: wanted.id.clone(),
            kept: own.cloned(),
            asks_for_customer: is_due(own, now),
            subscriptions: subscriptions.filter(|(_, kept)| is_due(kept.as_ref(), now)).collect(),
        }
    };
    in_order(customers.iter().map(task))
}

/// What is old of all that is kept.
pub(super) fn of_old(names: Vec<KeptName>, now: Timestamp) -> Vec<Task> {
    let mut tasks = BTreeMap::<String, Task>::new();
    let task =
        |customer: CustomerId| Task { customer, kept: None, asks_for_customer: false, subscriptions: Vec::new() };
    for name in names {
        let due = is_due(Some(&name), now);
        match name.id.kind() {
            NameKind::Customer => {
                let Ok(customer) = name.id.id().parse() else { continue };
                let task = tasks.entry(name.id.id().to_owned()).or_insert_with(|| task(customer));
                task.asks_for_customer = due;
                task.kept = Some(name);
            }
            NameKind::Subscription if due => {
                let (Some(customer), Ok(id)) = (name.customer.clone(), name.id.id().parse()) else { continue };
                let key = customer.as_str().to_ascii_lowercase();
                tasks.entry(key).or_insert_with(|| task(customer)).subscriptions.push((id, Some(name)));
            }
            // Microsoft is not asked for those of resellers: they come with alerts.
            NameKind::Reseller | NameKind::Subscription => {}
        }
    }
    in_order(tasks.into_values())
}

fn in_order(tasks: impl Iterator<Item = Task>) -> Vec<Task> {
    let mut tasks: Vec<Task> = tasks.filter(|task| !task.is_empty()).collect();
    tasks.sort_by_key(Task::since);
    tasks
}

/// The tasks as a request for them.
pub(super) fn wanted(tasks: &[Task]) -> WantedNames {
    let subscription = |(id, _): &(SubscriptionId, _)| WantedSubscription { id: id.clone(), name: None };
    let customer = |task: &Task| WantedCustomer {
        id: task.customer.clone(),
        name: None,
        subscriptions: task.subscriptions.iter().map(subscription).collect(),
    };
    WantedNames::OfAlerts { customers: tasks.iter().map(customer).collect(), resellers: Vec::new() }
}
