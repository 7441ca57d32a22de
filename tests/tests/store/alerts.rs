//! Alerts: written whole, under a lease and a version, found by every index.

use std::{collections::HashMap, sync::Arc};

use aws_sdk_dynamodb::types::AttributeValue;
use models::{
    ActivityEntry, AffectedResource, Alert, AlertId, Confidence, Resolution, Severity, Status, TransitionKind,
};
use serde_json::{Value, json};
use store::{
    Lease as _, ReadAlerts as _, WriteAlerts as _, Written,
    schema::{
        ALERTS_BY_CUSTOMER, ALERTS_BY_DETECTED, ALERTS_BY_FIRST_OBSERVED, ALERTS_BY_LAST_OBSERVED,
        ALERTS_BY_SUBSCRIPTION,
    },
};
use tokio::task::JoinSet;

use crate::support::{
    Bench, COMPLETE, TERMS, alert, all_of, changed, kept, new, noon, resolved, seconds, tenant, text, told,
};

fn ids(names: &[&str]) -> Vec<AlertId> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

/// An alert with everything that an alert can have.
fn full(id: &str) -> Alert {
    Alert {
        confidence: Some(Confidence::Medium),
        reseller_id: Some("reseller".to_owned()),
        affected_resources: vec![AffectedResource {
            resource_id: "/subscriptions/1/vm".to_owned(),
            resource_type: Some("AzureResource".to_owned()),
        }],
        activity: vec![ActivityEntry {
            status_from: Some(Status::Active),
            status_to: Some(Status::Unknown("new".to_owned())),
            updated_by: Some("someone@contoso.example".to_owned()),
            updated: Some(noon()),
        }],
        additional_details: [("a".to_owned(), json!({ "b": [1, 2.5, null, true] }))].into(),
        ..resolved(&alert(id), "2026-03-02T07:00:00.000000001Z")
    }
}

#[tokio::test]
async fn a_new_alert_is_kept_whole_with_version_one() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    for alert in [full("a"), alert("b")] {
        bench.write_all(&grant, &[new(&alert)]).await;
        assert_eq!(bench.stored(alert.id.as_str()).await, Some(kept(alert, 1)));
    }
    assert_eq!(text(&bench.alert_item("a").await, "known_since"), "2026-03-02T12:00:00.250Z");
}

#[tokio::test]
async fn with_every_change_the_version_grows_by_one() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    bench.write_all(&grant, &[new(&alert("a"))]).await;
    for version in 2..6 {
        let stored = bench.stored("a").await.unwrap();
        let next = Alert { display_name: format!("name {version}"), ..stored.known.alert.as_ref().clone() };
        bench.write_all(&grant, &[changed(&stored, &next)]).await;
        assert_eq!(bench.stored("a").await, Some(kept(next, version)));
    }
}

#[tokio::test]
async fn alerts_that_are_not_kept_are_not_found() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    bench.write_all(&grant, &[new(&alert("a"))]).await;
    let found = bench.store.alerts(&tenant(), &ids(&["a", "b"])).await.unwrap();
    assert_eq!(found.readable.into_keys().collect::<Vec<_>>(), ids(&["a"]));
    assert_eq!(bench.store.alerts(&tenant(), &[]).await.unwrap().readable, HashMap::new());
    let other = "0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a11".parse().unwrap();
    assert_eq!(bench.store.alerts(&other, &ids(&["a"])).await.unwrap().readable, HashMap::new());
}

#[tokio::test]
async fn an_alert_that_somebody_else_changed_is_a_conflict_and_the_others_of_its_batch_are_written() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    bench.write_all(&grant, &[new(&alert("stale")), new(&alert("good")), new(&alert("there"))]).await;
    let stale = bench.stored("stale").await.unwrap();
    let good = bench.stored("good").await.unwrap();
    let meanwhile = Alert { display_name: "meanwhile".to_owned(), ..alert("stale") };
    bench.write_all(&grant, &[changed(&stale, &meanwhile)]).await;
    let before = bench.statistics(&tenant()).await;

    let closed = |alert: &Alert| resolved(alert, "2026-03-02T08:00:00Z");
    let writes = [
        told(changed(&stale, &closed(&stale.known.alert)), TransitionKind::Resolved, true),
        told(changed(&good, &closed(&good.known.alert)), TransitionKind::Resolved, true),
        // It is there already.
        told(new(&alert("there")), TransitionKind::Opened, true),
        told(new(&alert("fresh")), TransitionKind::Opened, true),
    ];
    let mut written = bench.store.write(&grant, &writes, None, noon()).await.unwrap();
    written.conflicted.sort();
    let expected =
        Written { written: ids(&["good", "fresh"]), conflicted: ids(&["stale", "there"]), ..Written::default() };
    assert_eq!(written, expected);

    assert_eq!(bench.stored("stale").await, Some(kept(meanwhile, 2)));
    assert_eq!(bench.stored("good").await.unwrap().version, 2);
    assert_eq!(bench.stored("there").await.unwrap().version, 1);
    assert_eq!(bench.outbox_of("stale").await, [""; 0]);
    assert_eq!(bench.outbox_of("there").await, [""; 0]);
    assert_eq!(bench.outbox_of("good").await, ["outbox#000000000002#resolved"]);
    assert_eq!(bench.outbox_of("fresh").await, ["outbox#000000000001#opened"]);
    let gauge = |name: &str| ("gauge".to_owned(), name.to_owned());
    let after = bench.statistics(&tenant()).await;
    assert_eq!((before[&gauge("open")], after[&gauge("open")], after[&gauge("resolved")]), (3, 3, 1));
}

#[tokio::test]
async fn a_batch_of_conflicts_alone_writes_nothing() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    let stale = kept(alert("a"), 7);
    let writes = [changed(&stale, &resolved(&stale.known.alert, "2026-03-02T08:00:00Z"))];
    let written = bench.store.write(&grant, &writes, None, noon()).await.unwrap();
    assert_eq!(written, Written { conflicted: ids(&["a"]), ..Written::default() });
    assert_eq!(bench.stored("a").await, None);
    assert_eq!(bench.statistics(&tenant()).await, [].into());
}

#[tokio::test]
async fn who_has_lost_the_lease_writes_nothing() {
    let bench = Bench::new().await;
    let old = bench.grant(&tenant(), noon()).await;
    bench.grant(&tenant(), noon() + TERMS.duration).await;
    let writes: Vec<_> = ["a", "b"].map(|id| told(new(&alert(id)), TransitionKind::Opened, true)).into();
    let written = bench.store.write(&old, &writes, None, noon()).await.unwrap();
    assert_eq!(written, Written { lease_lost: true, ..Written::default() });
    assert_eq!(bench.stored("a").await, None);
    assert_eq!(bench.outbox_of("a").await, [""; 0]);
    assert_eq!(bench.statistics(&tenant()).await, [].into());
}

#[tokio::test]
async fn a_lease_that_nobody_ever_had_is_a_lost_one() {
    let bench = Bench::new().await;
    let grant = store::Grant {
        tenant: tenant(),
        fence: 1,
        started: noon(),
        baseline_pending: true,
        trusts_hint: false,
        resumes: false,
        last_callback: None,
        since: None,
    };
    let written = bench.store.write(&grant, &[new(&alert("a"))], None, noon()).await.unwrap();
    assert!(written.lease_lost);
    assert_eq!(bench.stored("a").await, None);
}

#[tokio::test]
async fn a_released_lease_still_writes_until_the_next_one_is_granted() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    bench.store.release(&grant, COMPLETE, 0, noon()).await.unwrap();
    bench.write_all(&grant, &[new(&alert("a"))]).await;
    bench.grant(&tenant(), noon() + TERMS.gap).await;
    assert!(bench.store.write(&grant, &[new(&alert("b"))], None, noon()).await.unwrap().lease_lost);
}

/// How many actions each transaction over the wire had.
fn actions(bench: &Bench) -> Vec<usize> {
    let sent = bench.wire.sent().into_iter().filter(|sent| sent.operation == "TransactWriteItems");
    let count = |body: &str| {
        let body: Value = serde_json::from_str(body).unwrap();
        body["TransactItems"].as_array().unwrap().len()
    };
    sent.map(|sent| count(&sent.body)).collect()
}

#[tokio::test]
async fn a_hundred_alerts_are_split_and_all_land() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    let writes: Vec<_> =
        (0..100).map(|number| told(new(&alert(&format!("a{number:03}"))), TransitionKind::Opened, true)).collect();
    bench.write_all(&grant, &writes).await;
    // Lease check, 45 alerts, 45 outbox items, one day, the gauge.
    assert_eq!(actions(&bench), [93, 93, 23]);
    let found = bench.store.alerts(&tenant(), &all_of(&writes).written).await.unwrap();
    assert_eq!(found.readable.len(), 100);
    assert!(writes.iter().all(|write| found.readable[write.id()].known == write.known));
    assert_eq!(bench.statistics(&tenant()).await[&("gauge".to_owned(), "open".to_owned())], 100);
}

#[tokio::test]
async fn alerts_of_many_days_are_split_so_that_their_statistics_fit() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    let of_day = |day: i64| {
        let detected = noon() - seconds(day * 24 * 3600);
        let open = Alert { detected, ..alert(&format!("a{day:03}")) };
        told(new(&resolved(&open, &(detected + seconds(24 * 3600)).to_string())), TransitionKind::Resolved, false)
    };
    let writes: Vec<_> = (0..100).map(of_day).collect();
    bench.write_all(&grant, &writes).await;
    let actions = actions(&bench);
    assert!(actions.iter().all(|count| *count <= 100), "{actions:?}");
    assert!(actions[0] > 90, "{actions:?}");
    assert_eq!(bench.store.alerts(&tenant(), &all_of(&writes).written).await.unwrap().readable.len(), 100);
}

#[tokio::test]
async fn large_alerts_are_split_by_their_size() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    let description = Some("x".repeat(200_000));
    let large = |number| new(&Alert { description: description.clone(), ..alert(&format!("a{number:02}")) });
    let writes: Vec<_> = (0..25).map(large).collect();
    bench.write_all(&grant, &writes).await;
    let sizes: Vec<_> = bench.wire.sent().iter().map(|sent| sent.body.len()).collect();
    assert!(sizes.iter().all(|size| *size < 4_000_000), "{sizes:?}");
    let found = bench.store.alerts(&tenant(), &all_of(&writes).written).await.unwrap();
    assert_eq!(found.readable.len(), 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixty_four_changes_to_one_version_one_is_written() {
    let bench = Arc::new(Bench::new().await);
    let grant = bench.grant(&tenant(), noon()).await;
    bench.write_all(&grant, &[new(&alert("a"))]).await;
    let stored = bench.stored("a").await.unwrap();
    let mut under_way = JoinSet::new();
    for number in 0..64 {
        let (bench, grant, stored) = (Arc::clone(&bench), grant.clone(), stored.clone());
        under_way.spawn(async move {
            let next = Alert { display_name: format!("name {number}"), ..stored.known.alert.as_ref().clone() };
            bench.store.write(&grant, &[changed(&stored, &next)], None, noon()).await.unwrap()
        });
    }
    let all = under_way.join_all().await;
    assert_eq!(all.iter().map(|written| written.written.len()).sum::<usize>(), 1);
    assert_eq!(all.iter().map(|written| written.conflicted.len()).sum::<usize>(), 63);
    assert_eq!(bench.stored("a").await.unwrap().version, 2);
}

/// The alert's version and sort key in each index where it is to be found under this key.
async fn places(bench: &Bench, state: &str) -> Vec<(&'static str, String, String)> {
    let tenant = tenant();
    let mut found = Vec::new();
    for (index, partition, key, sort) in [
        (ALERTS_BY_LAST_OBSERVED, "tenant_state", format!("{tenant}#{state}"), "last_observed"),
        (ALERTS_BY_FIRST_OBSERVED, "tenant_state", format!("{tenant}#{state}"), "first_observed"),
        (ALERTS_BY_SUBSCRIPTION, "tenant_subscription", format!("{tenant}#subscription-1"), "last_observed"),
        (ALERTS_BY_CUSTOMER, "tenant_customer", format!("{tenant}#customer-1"), "last_observed"),
        (ALERTS_BY_DETECTED, "tenant", tenant.to_string(), "detected_id"),
    ] {
        for item in bench.indexed(index, partition, &key).await {
            let version = item["version"].as_n().unwrap().clone();
            assert!(item["summary"].is_m());
            found.push((index, version, text(&item, sort).to_owned()));
        }
    }
    found
}

#[tokio::test]
async fn an_alert_is_found_by_every_index_and_leaves_those_that_it_has_no_key_for() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    bench.write_all(&grant, &[new(&alert("a"))]).await;
    let place = |index, version: &str, sort: &str| (index, version.to_owned(), sort.to_owned());
    let detected = "2026-03-02T06:12:09.123Z#a";
    let expected = [
        place(ALERTS_BY_LAST_OBSERVED, "1", "2026-03-02T06:00:00.000Z"),
        place(ALERTS_BY_FIRST_OBSERVED, "1", "2026-03-02T05:00:00.000Z"),
        place(ALERTS_BY_SUBSCRIPTION, "1", "2026-03-02T06:00:00.000Z"),
        place(ALERTS_BY_CUSTOMER, "1", "2026-03-02T06:00:00.000Z"),
        place(ALERTS_BY_DETECTED, "1", detected),
    ];
    assert_eq!(places(&bench, "open").await, expected);
    assert_eq!(places(&bench, "resolved").await.len(), 3);

    let stored = bench.stored("a").await.unwrap();
    let mut next = resolved(&stored.known.alert, "2026-03-02T08:00:00Z");
    next.subscription_id = None;
    next.last_observed = "2026-03-02T07:30:00Z".parse().unwrap();
    bench.write_all(&grant, &[changed(&stored, &next)]).await;
    let expected = [
        place(ALERTS_BY_LAST_OBSERVED, "2", "2026-03-02T07:30:00.000Z"),
        place(ALERTS_BY_FIRST_OBSERVED, "2", "2026-03-02T05:00:00.000Z"),
        place(ALERTS_BY_CUSTOMER, "2", "2026-03-02T07:30:00.000Z"),
        place(ALERTS_BY_DETECTED, "2", detected),
    ];
    assert_eq!(places(&bench, "resolved").await, expected);
    assert_eq!(places(&bench, "open").await, expected[2..]);

    // And back: with the subscription the alert returns to its index; without a customer it leaves that one.
    let stored = bench.stored("a").await.unwrap();
    bench.write_all(&grant, &[changed(&stored, &Alert { customer_id: None, ..alert("a") })]).await;
    let found: Vec<_> = places(&bench, "open").await.into_iter().map(|(index, ..)| index).collect();
    assert_eq!(found, [ALERTS_BY_LAST_OBSERVED, ALERTS_BY_FIRST_OBSERVED, ALERTS_BY_SUBSCRIPTION, ALERTS_BY_DETECTED]);
}

#[tokio::test]
async fn the_moment_of_detection_is_corrected_and_its_place_in_exports_is_not() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    bench.write_all(&grant, &[new(&alert("a"))]).await;
    let stored = bench.stored("a").await.unwrap();
    let next = Alert { detected: "2026-01-01T00:00:00Z".parse().unwrap(), ..stored.known.alert.as_ref().clone() };
    bench.store.write(&grant, &[changed(&stored, &next)], None, noon() + seconds(60)).await.unwrap();
    assert_eq!(bench.stored("a").await.unwrap().known.alert.as_ref(), &next);
    let item = bench.alert_item("a").await;
    assert_eq!(text(&item, "detected_id"), "2026-03-02T06:12:09.123Z#a");
    assert_eq!(text(&item, "known_since"), "2026-03-02T12:00:00.250Z");
}

#[tokio::test]
async fn ids_of_customers_and_subscriptions_are_found_in_any_case_and_kept_in_their_own() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    let (subscription_id, customer_id) = ("Subscription-1".parse().ok(), "CUSTOMER-1".parse().ok());
    let shouted = Alert { subscription_id, customer_id, ..alert("a") };
    bench.write_all(&grant, &[new(&shouted)]).await;
    let found: Vec<_> = places(&bench, "open").await.into_iter().map(|(index, ..)| index).collect();
    assert!(found.contains(&ALERTS_BY_SUBSCRIPTION) && found.contains(&ALERTS_BY_CUSTOMER), "{found:?}");
    assert_eq!(bench.stored("a").await.unwrap().known.alert.as_ref(), &shouted);
}

#[tokio::test]
async fn what_people_wrote_survives_a_poll() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    bench.write_all(&grant, &[new(&alert("a"))]).await;
    let work = AttributeValue::M([("assignee".to_owned(), AttributeValue::S("someone".to_owned()))].into());
    let request = bench.client.update_item().table_name(&bench.tables.alerts);
    let request = request.key("pk", AttributeValue::S(format!("{}#a", tenant())));
    let request = request.key("sk", AttributeValue::S("alert".to_owned()));
    let request = request.update_expression("SET #work = :work").expression_attribute_names("#work", "work");
    request.expression_attribute_values(":work", work.clone()).send().await.unwrap();

    let stored = bench.stored("a").await.unwrap();
    bench.write_all(&grant, &[changed(&stored, &resolved(&stored.known.alert, "2026-03-02T08:00:00Z"))]).await;
    assert_eq!(bench.alert_item("a").await["work"], work);
    let listed = bench.indexed(ALERTS_BY_LAST_OBSERVED, "tenant_state", &format!("{}#resolved", tenant())).await;
    assert_eq!(listed[0]["work"], work);
}

/// Nested lists, this deep.
fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(1e300), |inner, _| json!([inner]))
}

/// Values that break expressions, keys or parsers that are not careful.
fn hostile(id: &str) -> Alert {
    let names = ["", "#", ":", "a = :b OR attribute_exists(x)", "status", "name", "version", "__proto__", "\0", "$ref"];
    let mut details: std::collections::BTreeMap<String, Value> = names
        .into_iter()
        .map(|name| (name.to_owned(), json!({ name: [name, -1e300, 5e-324, u64::MAX, i64::MIN] })))
        .collect();
    details.insert("deep".to_owned(), nested(100));
    Alert {
        display_name: String::new(),
        description: Some("<script>\u{202e}\0\r\n\u{1b}[31m".to_owned()),
        reseller_id: Some(String::new()),
        catalog_offer_id: Some("#version".to_owned()),
        alert_type: models::AlertType(String::new()),
        status: Status::Unknown(":version".to_owned()),
        severity: Severity::Unknown(String::new()),
        customer_id: Some("#".repeat(128).parse().unwrap()),
        subscription_id: Some("é".repeat(64).parse().unwrap()),
        resolution: Resolution { reason: None, on: None, by: Some(String::new()) },
        affected_resources: vec![AffectedResource { resource_id: String::new(), resource_type: Some(String::new()) }],
        activity: vec![ActivityEntry { status_from: None, status_to: None, updated_by: None, updated: None }],
        additional_details: details,
        ..alert(id)
    }
}

#[tokio::test]
async fn hostile_values_are_kept_as_data() {
    let bench = Bench::new().await;
    let grant = bench.grant(&tenant(), noon()).await;
    for id in ["#", "alert#outbox#", ":x", "a = :b OR attribute_exists(x)", " ", &"é".repeat(128), &"x".repeat(256)] {
        let hostile = hostile(id);
        bench.write_all(&grant, &[told(new(&hostile), TransitionKind::Opened, true)]).await;
        let stored = bench.stored(id).await.unwrap();
        assert_eq!(stored, kept(hostile.clone(), 1), "{id}");
        bench.write_all(&grant, &[told(changed(&stored, &hostile), TransitionKind::Reopened, true)]).await;
        assert_eq!(bench.stored(id).await.unwrap().version, 2, "{id}");
    }
    let customer = format!("{}#{}", tenant(), "#".repeat(128));
    assert_eq!(bench.indexed(ALERTS_BY_CUSTOMER, "tenant_customer", &customer).await.len(), 7);
}

#[test]
fn ids_that_would_not_fit_a_key_never_get_here() {
    for bad in [String::new(), "\0".to_owned(), "a\0".to_owned(), "x".repeat(257), "é".repeat(129)] {
        assert!(bad.parse::<AlertId>().is_err(), "{bad:?}");
    }
}

#[tokio::test]
async fn an_item_that_can_t_be_read_is_an_error_that_names_it_and_hides_no_other() {
    let bench = Bench::new().await;
    let key = format!("{}#a", tenant());
    let item = [("pk", key.as_str()), ("sk", "alert"), ("summary", "no map")];
    let item = item.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned())));
    bench.client.put_item().table_name(&bench.tables.alerts).set_item(Some(item.into())).send().await.unwrap();
    let grant = bench.grant(&tenant(), noon()).await;
    bench.write_all(&grant, &[new(&alert("b"))]).await;
    let found = bench.store.alerts(&tenant(), &ids(&["a", "b"])).await.unwrap();
    assert_eq!(found.readable.into_keys().collect::<Vec<_>>(), ids(&["b"]));
    let broken: Vec<_> = found.broken.into_iter().collect();
    let [(id, error)] = broken.as_slice() else { panic!("{broken:?}") };
    assert_eq!(id.as_str(), "a");
    assert_eq!(error.to_string(), format!("an item of the alerts table is not what it should be (key {key})"));
}

#[tokio::test]
async fn more_than_a_hundred_alerts_are_read_in_batches() {
    let bench = Bench::new().await;
    let all: Vec<AlertId> = (0..250).map(|number| format!("a{number}").parse().unwrap()).collect();
    bench.store.alerts(&tenant(), &all).await.unwrap();
    assert_eq!(bench.wire.operations(), ["BatchGetItem"; 3]);
}
