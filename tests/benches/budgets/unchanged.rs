//! Budget 5: what a run of a tenant asks of DynamoDB that finds nothing new.
//!
//! All that the run reads counts: the tenant's configuration, the hint of what is known. So that what grows with the number of tenants
//! would show, there are a hundred of them.

use crate::{
    crowd::Crowd,
    report::{Budget, Report, Target, detail},
};

const WRITES: Budget =
    Budget { number: 5, target: Target::AtMost(0.0), unit: "", of: " alert writes in a run of 1,000 unchanged alerts" };
const READS: Budget =
    Budget { number: 5, target: Target::AtMost(30.0), unit: "", of: " read units in a run of 1,000 unchanged alerts" };
const TENANTS: usize = 100;
const ALERTS: usize = 1_000;

pub(crate) async fn measure(report: &mut Report) {
    let mut crowd = Box::pin(Crowd::start(TENANTS)).await;
    let tenant = crowd.tenants[TENANTS / 2].clone();
    crowd.raise(&tenant, ALERTS);
    let first = crowd.run(&tenant).await;
    assert!(usize::try_from(first.taken.alert_writes).unwrap() >= ALERTS, "the first run did not write them");
    let unchanged = crowd.run(&tenant).await;
    for (operation, (requests, units)) in &unchanged.taken.operations {
        detail(format_args!("{operation}: {requests} requests, {units} units"));
    }
    report.figure(&WRITES, unchanged.taken.alert_writes.into());
    report.figure(&READS, unchanged.taken.read_units());
}
