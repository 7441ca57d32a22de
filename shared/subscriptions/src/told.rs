//! What those who look after Partner Alerts are told of an operation that stands still: ids and words of our own.

use models::{CustomerId, Operation, SubscriptionId, SubscriptionProgress, SubscriptionStage, SubscriptionWish};

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) subject: &'static str,
    pub(crate) text: String,
}

/// That an operation stands still.
pub(crate) fn stuck(
    operation: &Operation,
    progress: &SubscriptionProgress,
    (wish, customer, subscription): (SubscriptionWish, &CustomerId, &SubscriptionId),
) -> News {
    let (subject, what) = match wish {
        SubscriptionWish::Cancel => ("Partner Alerts: a cancellation stands still", "cancellation"),
        SubscriptionWish::Reactivate => ("Partner Alerts: a reactivation stands still", "reactivation"),
    };
    let (stands, advice) = words(progress.stage);
    let text = format!(
        "The {what} of a subscription has got no further since {:.0}: {stands}.\n\nWhat to do: {advice}.\n\nTenant: {}\nCustomer: {customer}\n\
         Subscription: {subscription}\nOperation: {}\n\nIt goes on by itself where it can, and you are told again where it stands still anew. What each \
         stage means: docs/operations.md, \"Cancelling subscriptions\"\n",
        progress.since, operation.tenant, operation.id,
    );
    News { subject, text }
}

/// That alerts of a cancelled subscription stay open.
pub(crate) fn alerts_left(
    operation: &Operation,
    left: usize,
    (customer, subscription): (&CustomerId, &SubscriptionId),
) -> News {
    let text = format!(
        "A subscription is cancelled, and {left} of its alerts stay open: Microsoft does not take it that they are resolved, or what is kept of \
         them can't be read.\n\nWhat to do: the history of each alert says how it was refused, and the log of `resolve` which can't be read; resolve them by hand, in Partner Center's own dashboard where it has to be.\n\nTenant: {}\nCustomer: {customer}\n\
         Subscription: {subscription}\nOperation: {}\n",
        operation.tenant, operation.id,
    );
    News { subject: "Partner Alerts: alerts of a cancelled subscription stay open", text }
}

/// That an operation is given up.
pub(crate) fn given_up(
    operation: &Operation,
    progress: &SubscriptionProgress,
    (wish, customer, subscription): (SubscriptionWish, &CustomerId, &SubscriptionId),
) -> News {
    let (subject, what) = match wish {
        SubscriptionWish::Cancel => ("Partner Alerts: a cancellation is given up", "cancellation"),
        SubscriptionWish::Reactivate => ("Partner Alerts: a reactivation is given up", "reactivation"),
    };
    let (stands, _) = words(progress.stage);
    let text = format!(
        "The {what} of a subscription has got no further since {:.0}, and is given up: {stands}.\n\nWhat to do: look at the subscription in Partner Center \
         and in Azure: assume that it runs and costs. Ask for it anew once it can be seen (`partner-alerts doctor`).\n\nTenant: {}\nCustomer: {customer}\n\
         Subscription: {subscription}\nOperation: {}\n",
        progress.since, operation.tenant, operation.id,
    );
    News { subject, text }
}

/// Where it stands, and what to do.
fn words(stage: SubscriptionStage) -> (&'static str, &'static str) {
    match stage {
        SubscriptionStage::Asked | SubscriptionStage::EntitlementFound => (
            "nobody has signed in for it, or Microsoft did not take it on",
            "sign in for it (a Global Administrator who is Admin Agent), or cancel in Partner Center; after an hour it is given up, and has to be asked for anew",
        ),
        SubscriptionStage::Telling => (
            "Microsoft was told and may have taken it on: there was no answer, and it can't be seen how it stands",
            "look at the subscription in Partner Center: if it runs as before, sign in for it again, or cancel it there; then look why it can't be seen (`partner-alerts doctor`)",
        ),
        SubscriptionStage::Posted | SubscriptionStage::Following => (
            "Microsoft took it on, and does not show it",
            "look at the subscription in Partner Center and in Azure: until Microsoft shows it, assume that it runs and costs as before; then ask Microsoft's support",
        ),
        SubscriptionStage::Reached
        | SubscriptionStage::AlertsResolved
        | SubscriptionStage::Done
        | SubscriptionStage::Unknown => (
            "Microsoft shows it, and alerts of the subscription could not all be resolved",
            "look whether the tenant's act secret works (`partner-alerts doctor`), or resolve them by hand",
        ),
    }
}
