//! The figures are the sum of what the stored alerts contribute, whatever was tried on the way.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use models::{Alert, Delta, Resolution, ResolvedReason, StatisticsKey, Status, TenantId, contribution};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof},
    test_runner::{Config, TestRunner},
};
use store::{AlertWrite, Grant, ReadAlerts as _, StoredAlert, WriteAlerts as _};

use crate::support::{Bench, alert, kept, new, noon};

/// What is tried with one alert.
#[derive(Clone, Debug)]
struct Try {
    status: Status,
    detected_day: i64,
    resolved_hour: Option<i64>,
    is_test: bool,
    stale: bool,
}

/// What is tried in one write: with each of these alerts something, or with a lease that has passed on.
#[derive(Clone, Debug)]
struct Batch {
    tries: BTreeMap<usize, Try>,
    lost: bool,
}

fn any_try() -> impl Strategy<Value = Try> {
    let status = prop_oneof![
        Just(Status::Active),
        Just(Status::Investigating),
        Just(Status::Resolved),
        Just(Status::Unknown("new".to_owned()))
    ];
    // Also before the detection, and after the longest bucket.
    let hour = proptest::option::of(prop_oneof![-30_i64..100, Just(800)]);
    (status, 0_i64..3, hour, any::<bool>(), proptest::bool::weighted(0.2)).prop_map(
        |(status, detected_day, resolved_hour, is_test, stale)| Try {
            status,
            detected_day,
            resolved_hour,
            is_test,
            stale,
        },
    )
}

fn any_batches() -> impl Strategy<Value = Vec<Batch>> {
    let batch = (proptest::collection::btree_map(0..4_usize, any_try(), 1..4), proptest::bool::weighted(0.15))
        .prop_map(|(tries, lost)| Batch { tries, lost });
    vec(batch, 1..7)
}

fn attempted(number: usize, tried: &Try) -> Alert {
    let detected = noon() + SignedDuration::from_hours(24 * tried.detected_day);
    let on = tried.resolved_hour.map(|hour| detected + SignedDuration::from_hours(hour));
    let resolution = Resolution { reason: Some(ResolvedReason::Legitimate), on, by: None };
    Alert { status: tried.status.clone(), detected, resolution, is_test: tried.is_test, ..alert(&format!("a{number}")) }
}

/// The counters that these alerts make.
fn sums<'a>(alerts: impl IntoIterator<Item = &'a Alert>) -> BTreeMap<(String, String), i64> {
    let mut sum = Delta::default();
    alerts.into_iter().for_each(|alert| sum.add(&contribution(alert)));
    let key = |key| match key {
        StatisticsKey::Day(day) => day.to_string(),
        StatisticsKey::Gauge => "gauge".to_owned(),
    };
    let counters = |(item, counters): (StatisticsKey, models::Counters)| {
        counters.into_iter().map(|(name, value)| ((key(item), name.to_owned()), value)).collect::<Vec<_>>()
    };
    sum.items().flat_map(counters).collect()
}

async fn run(bench: &Bench, tenant: &TenantId, batches: &[Batch]) {
    let grant = bench.grant(tenant, noon()).await;
    let mut expected: BTreeMap<usize, StoredAlert> = BTreeMap::new();
    for batch in batches {
        let mut writes = Vec::new();
        let mut after = expected.clone();
        let (mut to_be_written, mut in_conflict) = (Vec::new(), Vec::new());
        for (number, tried) in &batch.tries {
            let (number, alert) = (*number, attempted(*number, tried));
            let stored = expected.get(&number);
            let delta = Delta::between(stored.map(|stored| stored.known.alert.as_ref()), &alert);
            let version = stored.map(|stored| stored.version);
            if tried.stale {
                in_conflict.push(alert.id.clone());
                let previous = Some(AlertWrite::version(version) + 1);
                writes.push(AlertWrite { delta, previous, ..new(&alert) });
            } else {
                to_be_written.push(alert.id.clone());
                after.insert(number, kept(alert.clone(), AlertWrite::version(version)));
                writes.push(AlertWrite { delta, previous: version, ..new(&alert) });
            }
        }
        let grant = Grant { fence: if batch.lost { 0 } else { grant.fence }, ..grant.clone() };
        let mut written = bench.store.write(&grant, &writes, None, noon()).await.unwrap();
        assert_eq!(written.lease_lost, batch.lost);
        if batch.lost {
            assert_eq!((written.written, written.conflicted), (Vec::new(), Vec::new()));
        } else {
            written.conflicted.sort();
            assert_eq!((written.written, written.conflicted), (to_be_written, in_conflict));
            expected = after;
        }
    }
    let ids: Vec<_> = expected.values().map(|stored| stored.known.alert.id.clone()).collect();
    let stored = bench.store.alerts(tenant, &ids).await.unwrap().readable;
    assert_eq!(stored.len(), expected.len());
    assert!(expected.values().all(|expected| stored[&expected.known.alert.id] == *expected));
    assert_eq!(bench.statistics(tenant).await, sums(stored.values().map(|stored| stored.known.alert.as_ref())));
}

#[test]
fn statistics_are_the_sum_of_what_the_stored_alerts_contribute() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let bench = runtime.block_on(Bench::new());
    let case = std::cell::Cell::new(0);
    let config = Config { cases: 48, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&any_batches(), |batches| {
        case.set(case.get() + 1);
        let tenant: TenantId = format!("0a1b2c3d-2f0a-4f7b-8a34-{:012x}", case.get()).parse().unwrap();
        runtime.block_on(run(&bench, &tenant, &batches));
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
