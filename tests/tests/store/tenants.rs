//! The configuration of tenants, as operators change it.

use aws_sdk_dynamodb::types::AttributeValue;
use models::{AlertSource, Cloud, PathKey, Tenant};
use store::{Changed, ReadTenant as _, ReadTenants as _, WriteTenants as _};

use crate::support::{Bench, tenant as id};

fn tenant() -> Tenant {
    Tenant {
        id: id(),
        display_name: "Contoso".to_owned(),
        cloud: Cloud::Global,
        alert_source: AlertSource::Graph,
        path_key_hashes: vec![PathKey::from_bytes([1; 32]).hash()],
        read_secret: "partner-alerts/read/contoso".to_owned(),
        act_secret: None,
        active: true,
    }
}

/// The tenants, but for the one that the local system begins with.
async fn added(bench: &Bench) -> Vec<Tenant> {
    let all = bench.store.tenants().await.unwrap().into_iter();
    all.filter(|tenant| tenant.read_secret != "partner-alerts/read/local").collect()
}

#[tokio::test]
async fn a_tenant_is_added_once() {
    let bench = Bench::new().await;
    assert_eq!(bench.store.add_tenant(&tenant()).await.unwrap(), Changed::Yes);
    let other = Tenant { display_name: "Somebody else".to_owned(), ..tenant() };
    assert_eq!(bench.store.add_tenant(&other).await.unwrap(), Changed::SomebodyWasQuicker);
    assert_eq!(added(&bench).await, [tenant()]);
}

/// Each way in which a configuration can differ.
fn changes() -> Vec<Tenant> {
    vec![
        Tenant { display_name: "Fabrikam".to_owned(), ..tenant() },
        Tenant { cloud: Cloud::China, ..tenant() },
        Tenant { path_key_hashes: vec![], ..tenant() },
        Tenant { read_secret: "partner-alerts/read/other".to_owned(), ..tenant() },
        Tenant { act_secret: Some("partner-alerts/act/contoso".to_owned()), ..tenant() },
        Tenant { active: false, ..tenant() },
    ]
}

#[tokio::test]
async fn a_configuration_is_replaced_as_long_as_it_is_the_one_that_was_read() {
    for changed in changes() {
        let expected = [changed.clone()];
        let bench = Bench::new().await;
        bench.store.add_tenant(&tenant()).await.unwrap();
        assert_eq!(bench.store.replace_tenant(&tenant(), &changed).await.unwrap(), Changed::Yes);
        assert_eq!(added(&bench).await, expected);
        // Whoever still has the old one would undo that.
        let outdated = Tenant { display_name: "Outdated".to_owned(), ..tenant() };
        let late = bench.store.replace_tenant(&tenant(), &outdated).await.unwrap();
        assert_eq!(late, Changed::SomebodyWasQuicker, "{changed:?}");
        assert_eq!(bench.store.remove_tenant(&tenant()).await.unwrap(), Changed::SomebodyWasQuicker);
        assert_eq!(added(&bench).await, expected);
        assert_eq!(bench.store.replace_tenant(&changed, &tenant()).await.unwrap(), Changed::Yes);
    }
}

#[tokio::test]
async fn a_tenant_that_is_removed_leaves_the_others() {
    let bench = Bench::new().await;
    let other = Tenant { id: "0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a11".parse().unwrap(), ..tenant() };
    for tenant in [&tenant(), &other] {
        bench.store.add_tenant(tenant).await.unwrap();
    }
    assert_eq!(bench.store.remove_tenant(&tenant()).await.unwrap(), Changed::Yes);
    assert_eq!(bench.store.remove_tenant(&tenant()).await.unwrap(), Changed::SomebodyWasQuicker);
    assert_eq!(added(&bench).await, [other]);
}

#[tokio::test]
async fn one_tenant_is_read_by_itself_whatever_the_others_are_like() {
    let bench = Bench::new().await;
    let other = Tenant { id: "0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a11".parse().unwrap(), active: false, ..tenant() };
    bench.store.add_tenant(&tenant()).await.unwrap();
    assert_eq!(bench.store.tenant(&other.id).await.unwrap(), None);
    bench.store.add_tenant(&other).await.unwrap();
    assert_eq!(bench.store.tenant(&id()).await.unwrap(), Some(tenant()));
    assert_eq!(bench.store.tenant(&other.id).await.unwrap(), Some(other.clone()));

    let spoilt = AttributeValue::S("neither true nor false".to_owned());
    let update = bench.client.update_item().table_name(&bench.tables.tenants).update_expression("SET active = :spoilt");
    let update = update.key("pk", AttributeValue::S("tenants".to_owned()));
    let update = update.key("sk", AttributeValue::S(other.id.to_string()));
    update.expression_attribute_values(":spoilt", spoilt).send().await.unwrap();
    assert_eq!(bench.store.tenant(&other.id).await.unwrap(), None, "it can't be read");
    assert_eq!(bench.store.tenant(&id()).await.unwrap(), Some(tenant()));
}
