//! Names change, go, come back, are alike, and are strange.

use jiff::SignedDuration;
use simulator::Relationship;
use tests::{ByHand, TENANT, text};

use crate::support::{
    called, change, customer, deliver, describe, found, kept, kept_subscription, name, old, raise_of, related, settle,
    subscription,
};

const LONG: SignedDuration = SignedDuration::from_hours(8 * 24);

async fn with_one_customer() -> ByHand {
    let system = ByHand::start().await;
    raise_of(&system, "a", &customer(1), &subscription(1));
    system.complete(1, 1).await;
    settle(&system).await;
    system
}

/// Looks after what is old, a while later.
async fn later(system: &ByHand) {
    system.clock.advance(LONG);
    let mut messages = vec![old()];
    while !messages.is_empty() {
        messages = deliver(system, &messages).await;
    }
}

/// The sort keys that customers are searched by.
async fn search_keys(system: &ByHand) -> Vec<String> {
    let items = system.items(&system.test.system.tables().tenants).await;
    let of_customers = items.iter().filter(|item| text(item, "pk") == format!("{TENANT}#customers"));
    of_customers.map(|item| text(item, "sk")).collect()
}

#[tokio::test]
async fn a_customer_that_is_called_otherwise_is_found_by_its_new_name_alone() {
    let system = with_one_customer().await;
    for renamed in ["Contoso Ltd", "CONTOSO ltd", "Fabrikam"] {
        called(&system, &customer(1), renamed);
        later(&system).await;
        assert_eq!(name(&system, &customer(1)).await.as_deref(), Some(renamed));
        assert_eq!(found(&system, "").await, [renamed]);
        assert_eq!(search_keys(&system).await.len(), 1);
    }
    assert_eq!(found(&system, "contoso").await, Vec::<String>::new());
    let subscriptions = [(subscription(1), "Production".to_owned())].into();
    describe(&system, simulator::CustomerChange { id: customer(1), subscriptions, ..change() });
    later(&system).await;
    assert_eq!(kept_subscription(&system, &subscription(1)).await.unwrap().name.as_deref(), Some("Production"));
}

#[tokio::test]
async fn a_name_that_microsoft_no_longer_gives_stays_and_says_since_when() {
    let system = with_one_customer().await;
    related(&system, &customer(1), Relationship::Ended);
    later(&system).await;
    let gone = system.now();
    let of_customer = kept(&system, &customer(1)).await.unwrap();
    assert_eq!((of_customer.name.as_deref(), of_customer.gone), (Some("Customer 00000001"), Some(gone)));
    let below = kept_subscription(&system, &subscription(1)).await.unwrap();
    assert_eq!((below.name.as_deref(), below.gone), (Some("Subscription 00000001"), Some(gone)));
    later(&system).await;
    assert_eq!(kept(&system, &customer(1)).await.unwrap().gone, Some(gone), "since then, and not since the last look");
    assert_eq!(found(&system, "customer").await, ["Customer 00000001"]);

    related(&system, &customer(1), Relationship::Reseller);
    later(&system).await;
    assert_eq!(kept(&system, &customer(1)).await.unwrap().gone, None);
    later(&system).await;
    assert_eq!(kept_subscription(&system, &subscription(1)).await.unwrap().gone, None);
}

#[tokio::test]
async fn two_customers_of_one_name_are_both_found() {
    let system = ByHand::start().await;
    for (number, name) in [(1, "Contoso"), (2, "CONTOSO"), (3, "Contoso Ltd"), (4, "Adatum")] {
        called(&system, &customer(number), name);
        raise_of(&system, name, &customer(number), &subscription(number));
    }
    system.complete(4, 4).await;
    settle(&system).await;
    // A blank comes before the mark that stands between name and id.
    assert_eq!(found(&system, "conTOSO").await, ["Contoso Ltd", "Contoso", "CONTOSO"]);
    assert_eq!(found(&system, "a").await, ["Adatum"]);
    called(&system, &customer(2), "Fabrikam");
    later(&system).await;
    assert_eq!(found(&system, "contoso").await, ["Contoso Ltd", "Contoso"]);
}

#[tokio::test]
async fn a_strange_name_is_kept_as_data_and_cut_where_it_is_too_long() {
    let system = ByHand::start().await;
    let long = format!("Long {}", "ß".repeat(10_000));
    let strange = [
        ("Con\u{202e}toso\u{0}\u{7}\n \"{{<script>", "contoso \"{{<script>"),
        ("شركة كونتوسو", "شركة"),
        ("a = :b OR attribute_exists(x)", "a = :b or"),
        ("#1 :name", "#1"),
        ("__proto__", "__proto__"),
        (long.as_str(), "long ßßß"),
        ("\u{fffe}\u{200b}x", "\u{fffe}x"),
    ];
    for (number, (name, _)) in strange.iter().enumerate() {
        called(&system, &customer(number), name);
        raise_of(&system, &number.to_string(), &customer(number), &subscription(number));
    }
    system.complete(strange.len(), strange.len()).await;
    settle(&system).await;
    for (number, (given, beginning)) in strange.into_iter().enumerate() {
        let kept = name(&system, &customer(number)).await.unwrap();
        if given == long {
            assert!(
                (990..=1_000).contains(&kept.len()) && given.starts_with(kept.trim_end_matches('…')),
                "{}",
                kept.len()
            );
        } else {
            assert_eq!(kept, given);
        }
        assert_eq!(found(&system, beginning).await, [kept], "{beginning}");
    }
}

#[tokio::test]
async fn a_name_of_nothing_is_none() {
    let system = ByHand::start().await;
    called(&system, &customer(1), " ");
    raise_of(&system, "a", &customer(1), &subscription(1));
    system.complete(1, 1).await;
    settle(&system).await;
    let kept = kept(&system, &customer(1)).await.unwrap();
    assert!(kept.name.is_none() && kept.gone.is_some());
    // It is a customer all the same.
    assert!(kept_subscription(&system, &subscription(1)).await.unwrap().name.is_some());
}
