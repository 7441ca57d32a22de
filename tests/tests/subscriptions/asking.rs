//! What is asked for, and what is not taken.

use models::SubscriptionWish;
use simulator::{CustomerChange, Relationship};
use subscriptions::AskError;

use crate::support::{CUSTOMER, NAME, OTHER, SUBSCRIPTION, Wanting, acting, administrator, lines, system};

#[tokio::test]
async fn nothing_begins_without_the_name_and_the_same_request_begins_once() {
    let system = system().await;
    let acting = acting(&system);
    let (person, _) = administrator(&system, &acting, "ada@contoso.example").await;
    let wish = || Wanting::cancel(&person, "k");
    for typed in ["", "subscription 6c2e9a47", "Subscription", SUBSCRIPTION] {
        let refused = Wanting { typed, ..wish() }.ask(&system, &acting).await.unwrap_err();
        assert!(matches!(refused, AskError::NameDiffers), "{typed}: {refused:?}");
    }
    let unknown = Wanting { subscription: "99999999-0d3b-4f58-b1e6-92a7c4d0f381", ..wish() };
    assert!(matches!(unknown.ask(&system, &acting).await, Err(AskError::CustomerUnknown { .. })));
    assert!(lines(&system).await.is_empty());
    let padded = format!("  {NAME} ");
    let first = Wanting { typed: &padded, ..wish() }.ask(&system, &acting).await.unwrap();
    let again = Wanting { typed: &padded, ..wish() }.ask(&system, &acting).await.unwrap();
    assert_eq!(first, again);
    for other in [wish(), Wanting { wish: SubscriptionWish::Reactivate, typed: &padded, ..wish() }] {
        assert!(matches!(other.ask(&system, &acting).await, Err(AskError::KeyUsedOtherwise)));
    }
    assert_eq!(lines(&system).await, ["ada: asked Cancel", "ada: EntitlementFound"]);
}

#[tokio::test]
async fn of_one_subscription_one_operation_is_under_way_however_many_ask_at_the_same_time() {
    let system = system().await;
    let acting = acting(&system);
    let (ada, _) = administrator(&system, &acting, "ada@contoso.example").await;
    let (bob, _) = administrator(&system, &acting, "bob@contoso.example").await;
    let keys: Vec<String> = (0..8).map(|number| format!("k{number}")).collect();
    let asked = keys.iter().enumerate().map(|(place, key)| {
        let (by, wish) =
            if place % 2 == 0 { (&ada, SubscriptionWish::Cancel) } else { (&bob, SubscriptionWish::Reactivate) };
        let (system, acting) = (&system, &acting);
        async move { Wanting { wish, ..Wanting::cancel(by, key) }.ask(system, acting).await }
    });
    let asked = futures(asked).await;
    let begun: Vec<_> = asked.iter().flatten().collect();
    assert_eq!(begun.len(), 1, "{asked:?}");
    let id = &begun[0].id;
    for refused in asked.iter().filter_map(|asked| asked.as_ref().err()) {
        let AskError::UnderWay(under_way) = refused else { panic!("{refused:?}") };
        assert_eq!(under_way.id, *id);
    }
    let elsewhere = Wanting { subscription: OTHER, typed: "Subscription 11112222", ..Wanting::cancel(&bob, "other") };
    elsewhere.ask(&system, &acting).await.unwrap();
}

/// All of these, side by side.
async fn futures<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = all.map(Box::pin).map(|it| (Some(it), None)).collect();
    std::future::poll_fn(|context| {
        for (running, done) in &mut waiting {
            if let Some(future) = running
                && let std::task::Poll::Ready(output) = future.as_mut().poll(context)
            {
                (*running, *done) = (None, Some(output));
            }
        }
        if waiting.iter().all(|(running, _)| running.is_none()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    waiting.into_iter().filter_map(|(_, done)| done).collect()
}

#[tokio::test]
async fn a_customer_who_is_none_of_the_tenants_any_more_is_refused_before_anything_is_written() {
    let system = system().await;
    let acting = acting(&system);
    let (person, _) = administrator(&system, &acting, "ada@contoso.example").await;
    let change = CustomerChange {
        id: CUSTOMER.to_owned(),
        relationship: Some(Relationship::Ended),
        ..CustomerChange::default()
    };
    system.microsoft.describe_customer(change).unwrap();
    let refused = Wanting::cancel(&person, "k").ask(&system, &acting).await.unwrap_err();
    assert!(matches!(refused, AskError::LookUp(_)), "{refused:?}");
    assert!(lines(&system).await.is_empty());
}
