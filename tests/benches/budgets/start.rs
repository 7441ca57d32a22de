//! Budget 7: from the start of the process to its first request for an invocation, against the least that a function can be.
//!
//! All take turns, so that what else the machine does falls on all of them alike, and the median of each counts.

use std::{collections::BTreeMap, path::Path};

use tests::{
    binaries::{DEPLOYED, FUNCTIONS, STARTED_WITH, build},
    lambda::{Environment, Lambda},
    measured::median,
};

use crate::report::{Budget, Report, Target, detail};

const BUDGET: Budget =
    Budget { number: 7, target: Target::AtMost(3.0), unit: "", of: " times the start of a bare function" };
/// How often each is started.
const ROUNDS: usize = 101;
const BARE: &str = "bare";

pub(crate) async fn measure(report: &mut Report) {
    let mut binaries = build(DEPLOYED, &FUNCTIONS.map(|name| format!("--package={name}")));
    // On its own, so that it has no feature of a dependency that only ours need.
    binaries.extend(build(DEPLOYED, &[format!("--package={BARE}")]));
    // Nothing of it is asked at start.
    let environment: Environment = STARTED_WITH.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let mut took: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for _ in 0..ROUNDS {
        for (name, binary) in &binaries {
            took.entry(name).or_default().push(once(binary, &environment).await);
        }
    }
    let medians: BTreeMap<&str, f64> = took.into_iter().map(|(name, took)| (name, median(took))).collect();
    for (name, seconds) in &medians {
        detail(format_args!("{name}: {:.2} ms to the first request, median of {ROUNDS}", seconds * 1e3));
    }
    let worst = FUNCTIONS.map(|name| medians[name] / medians[BARE]).into_iter().fold(0.0, f64::max);
    report.figure(&BUDGET, worst);
}

async fn once(binary: &Path, environment: &[(String, String)]) -> f64 {
    let mut lambda = Lambda::start(binary, environment).await;
    let took = lambda.ready().await.unwrap();
    lambda.kill().await;
    took.as_secs_f64()
}
