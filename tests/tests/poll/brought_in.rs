//! Alerts that the local system brings in at once are kept as if a first run had found them.

use std::collections::BTreeMap;

use models::TenantId;
use simulator::History;
use store::{Recount as _, Recounted};
use tests::{ByHand, Item, TENANT, text};

const OTHER: &str = "0b0b0b0b-1111-4222-8333-444444444444";
/// More than one page of the list, and more than one transaction.
const ALERTS: usize = 260;

/// The items of a tenant, but what is told, and names: a run only asks for those.
async fn kept(system: &ByHand, tenant: &str) -> BTreeMap<(String, String), Item> {
    let tables = system.test.system.tables();
    let mut items = system.items(&tables.alerts).await;
    items.extend(system.items(&tables.tenants).await);
    let mut kept = BTreeMap::new();
    for mut item in items {
        let (partition, sort) = (text(&item, "pk"), text(&item, "sk"));
        let is_told_or_named =
            sort.contains("digest-baseline") || partition.ends_with("#names") || partition.ends_with("#customers");
        if !partition.starts_with(tenant) || is_told_or_named {
            continue;
        }
        // Whoever has the lease has a name of its own.
        item.remove("holder");
        kept.insert((partition.replace(tenant, "T"), sort), without(item, tenant));
    }
    kept
}

/// The item, as if it were of another tenant.
fn without(item: Item, tenant: &str) -> Item {
    let replaced = |value: aws_sdk_dynamodb::types::AttributeValue| match value.as_s() {
        Ok(text) => aws_sdk_dynamodb::types::AttributeValue::S(text.replace(tenant, "T")),
        Err(_) => value,
    };
    item.into_iter().map(|(name, value)| (name, replaced(value))).collect()
}

#[tokio::test]
async fn what_is_brought_in_at_once_is_kept_as_a_first_run_keeps_it_with_its_figures_and_its_hint() {
    let system = ByHand::start().await;
    let history = History::of_weeks(1, system.now(), ALERTS.try_into().unwrap());
    system.microsoft.raise_all(TENANT, history).unwrap();
    system.complete(ALERTS, ALERTS).await;
    let tenant: TenantId = OTHER.parse().unwrap();
    let seed = local::Seed { tenant: tenant.clone(), display_name: "Another".to_owned(), history };

    assert!(system.test.system.seed(&seed).await.unwrap());

    let (of_run, brought_in) = (kept(&system, TENANT).await, kept(&system, OTHER).await);
    assert!(of_run.len() > ALERTS + 61, "alerts, their records, days, hints: {}", of_run.len());
    for (key, item) in &of_run {
        assert_eq!(brought_in.get(key), Some(item), "{key:?}");
    }
    assert_eq!(brought_in.len(), of_run.len());
    let counted = system.store().recount(&tenant).await.unwrap();
    assert_eq!(counted, Recounted { alerts: ALERTS, ..Recounted::default() });
}

#[tokio::test]
async fn what_is_brought_in_already_stays_and_is_counted_once() {
    let system = ByHand::start().await;
    let tenant: TenantId = OTHER.parse().unwrap();
    let history = History::of_weeks(1, system.now(), 30);
    let seed = local::Seed { tenant: tenant.clone(), display_name: "Another".to_owned(), history };

    assert!(system.test.system.seed(&seed).await.unwrap());
    assert!(!system.test.system.seed(&seed).await.unwrap());

    let counted = system.store().recount(&tenant).await.unwrap();
    assert_eq!(counted, Recounted { alerts: 30, ..Recounted::default() });
}
