//! Figures that drifted, found and mended.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use made_alerts::alert;
use models::{Alert, AlertSource, FraudThreshold, Known, TenantId};
use serde_json::json;
use store::{Acquired, AlertWrite, Grant, Lease as _, LeaseTerms, Store, WriteAlerts as _};
use tests::TENANT;

use crate::support::{Here, OTHER};

pub(crate) const NOW: Timestamp = made_alerts::DETECTED;
const RECOUNT: [&str; 2] = ["statistics", "recount"];

/// A system that keeps two alerts of its tenant.
async fn with_alerts() -> Here {
    let here = Here::new().await;
    keep(&here, [alert("one"), alert("two")]).await;
    here
}

/// A run of the system's tenant writes these.
pub(crate) async fn keep(here: &Here, alerts: impl IntoIterator<Item = Alert>) {
    let (store, tenant) = (store(here), TENANT.parse::<TenantId>().unwrap());
    let terms = LeaseTerms { duration: jiff::SignedDuration::from_secs(60), gap: jiff::SignedDuration::from_secs(1) };
    let Acquired::Granted(grant) = store.acquire(&tenant, terms, "the test", NOW).await.unwrap() else { panic!() };
    let Grant { fence, .. } = grant;
    let write = |alert| {
        let known = Known::seen(Arc::new(alert), AlertSource::Graph, fence);
        AlertWrite::between(&tenant, None, known, FraudThreshold::High, false, NOW, None)
    };
    let writes: Vec<_> = alerts.into_iter().map(write).collect();
    store.write(&grant, &writes, None, NOW).await.unwrap();
}

fn store(here: &Here) -> Store {
    Store::new(aws_sdk_dynamodb::Client::new(&here.test.system.parts().aws), here.test.system.tables().clone())
}

/// Somebody changes an attribute of an item by hand.
async fn set(here: &Here, table: &str, key: [&str; 2], name: &str, value: AttributeValue) {
    let client = aws_sdk_dynamodb::Client::new(&here.test.system.parts().aws);
    let [partition, sort] = key.map(|key| AttributeValue::S(key.to_owned()));
    let update = client.update_item().table_name(table).key("pk", partition).key("sk", sort);
    let update = update.update_expression("SET #name = :value").expression_attribute_names("#name", name);
    update.expression_attribute_values(":value", value).send().await.unwrap();
}

async fn store_item(here: &Here, table: &str, key: [&str; 2]) -> tests::Item {
    let client = aws_sdk_dynamodb::Client::new(&here.test.system.parts().aws);
    let [partition, sort] = key.map(|key| AttributeValue::S(key.to_owned()));
    client.get_item().table_name(table).key("pk", partition).key("sk", sort).send().await.unwrap().item.unwrap()
}

#[tokio::test]
async fn figures_that_drifted_are_shown_and_set_to_what_the_alerts_add_up_to() {
    let here = with_alerts().await;
    let fine = here.told(&RECOUNT).await;
    assert!(fine.contains("the figures are what 2 alerts add up to"), "{fine}");
    let statistics = format!("{TENANT}#stats");
    let tenants = here.test.system.tables().tenants.clone();
    set(&here, &tenants, [&statistics, "gauge"], "open", AttributeValue::N("5".into())).await;
    set(&here, &tenants, [&statistics, "2026-01-01"], "new", AttributeValue::N("1".into())).await;

    let output = here.run(&[&RECOUNT[..], &[TENANT]].concat()).await;
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("are not what 2 alerts add up to; --mend sets them to it"), "{told}");
    let output = here.run(&[&["--json"], &RECOUNT[..]].concat()).await;
    let expected = json!([{
        "tenant": TENANT, "state": "drift", "alerts": 2, "unreadable_alerts": 0,
        "drift": [
            { "item": "2026-01-01", "counter": "new", "kept": 1, "counted": 0 },
            { "item": "gauge", "counter": "open", "kept": 5, "counted": 2 },
        ],
    }]);
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap(), expected);

    let mended = here.told(&[&RECOUNT[..], &["--mend"]].concat()).await;
    assert!(mended.contains("and are so now"), "{mended}");
    assert_eq!(here.told(&RECOUNT).await, fine);
}

#[tokio::test]
async fn a_counter_that_is_no_number_is_shown_as_such_and_mended_and_what_is_no_counter_stays() {
    let here = with_alerts().await;
    let statistics = format!("{TENANT}#stats");
    let tenants = here.test.system.tables().tenants.clone();
    let odd = || AttributeValue::S("two".into());
    for (item, name, value) in [
        ("gauge", "open", odd()),
        ("gauge", "test", AttributeValue::N("1.5".into())),
        ("2026-03-02", "resolved", AttributeValue::Null(true)),
        ("gauge", "note", odd()),
    ] {
        set(&here, &tenants, [&statistics, item], name, value).await;
    }

    let output = here.run(&[&["--json"], &RECOUNT[..]].concat()).await;
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = json!([
        { "item": "2026-03-02", "counter": "resolved", "kept": null, "counted": 0 },
        { "item": "gauge", "counter": "open", "kept": null, "counted": 2 },
        { "item": "gauge", "counter": "test", "kept": null, "counted": 0 },
    ]);
    assert_eq!((&shown[0]["state"], &shown[0]["drift"]), (&json!("drift"), &expected));

    let mended = here.told(&[&RECOUNT[..], &["--mend"]].concat()).await;
    assert!(mended.contains("and are so now") && mended.contains("no number"), "{mended}");
    let fine = here.told(&RECOUNT).await;
    assert!(fine.contains("the figures are what 2 alerts add up to"), "{fine}");
    let item = store_item(&here, &tenants, [&statistics, "gauge"]).await;
    assert_eq!(item["note"], odd());
    assert_eq!(item["open"], AttributeValue::N("2".into()));
}

#[tokio::test]
async fn what_cannot_be_compared_is_said_and_not_mended() {
    let here = with_alerts().await;
    let alerts = here.test.system.tables().alerts.clone();
    let key = format!("{TENANT}#one");
    set(&here, &alerts, [&key, "alert"], "detail", AttributeValue::S("no map".into())).await;

    let output = here.run(&[&RECOUNT[..], &["--mend"]].concat()).await;
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("1 alerts are not kept as they should be") && !told.contains("are so now"), "{told}");

    let refused = here.refused(&[&RECOUNT[..], &[OTHER]].concat()).await;
    assert!(refused.contains(&format!("there is no tenant {OTHER}")), "{refused}");
}
