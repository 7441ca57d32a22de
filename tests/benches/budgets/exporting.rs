//! Budget 11: an export of a tenant's alerts as CSV, against the bare SDK query of the same index, and the memory that it takes for ten times as many alerts.
//!
//! The export is compiled as it is deployed and asks the local system, as the yardstick does in the same process: what both wait for is the same. Memory is
//! the most that the kernel has seen of a process that makes one export, and nothing else.

use std::{path::Path, process::Command};

use local::Seed;
use serde::{Deserialize, de::DeserializeOwned};
use tests::{
    BY_HAND, TestSystem,
    binaries::{DEPLOYED, build, variables},
    lambda::{Environment, environment},
    measured::typical,
};

use crate::{
    memory::MB,
    report::{Budget, Report, Target, detail},
};

const SPEED: Budget = Budget {
    number: 11,
    target: Target::AtLeast(0.8),
    unit: "",
    of: " of the alerts that a bare query would read, written as CSV in the same time",
};
const GROWTH: Budget = Budget {
    number: 11,
    target: Target::AtMost(1.1),
    unit: "",
    of: " times the memory for 100,000 alerts that 10,000 take",
};
const PEAK: Budget =
    Budget { number: 11, target: Target::AtMost(32.0), unit: " MB", of: " of memory for 100,000 alerts" };
const SIZES: [usize; 2] = [10_000, 100_000];

#[derive(Deserialize)]
struct Used {
    rows: usize,
    peak: f64,
}

pub(crate) async fn measure(report: &mut Report) {
    let binary = &build(DEPLOYED, &["--package=in-process".to_owned()])["export"];
    let test = Box::pin(TestSystem::start(&BY_HAND)).await.unwrap();
    let parts = test.system.parts();
    let now = parts.clock.now();
    let mut environment = environment(parts, variables("dashboard")).await;
    environment.push(("AWS_LAMBDA_FUNCTION_NAME".to_owned(), "export".to_owned()));
    let mut peaks = Vec::new();
    for (number, size) in SIZES.into_iter().enumerate() {
        let Seed { tenant, display_name, history } = Seed::of(&size.to_string(), now).unwrap();
        let id = tenant.to_string();
        assert!(test.system.seed(&Seed { tenant, display_name, history }).await.unwrap());
        if number == 0 {
            let timed = run(binary, &environment, &[&id, "time"]).await;
            let typical = typical(&timed, "exported", "as CSV");
            detail(format_args!("{size} alerts as CSV: {:.0} ms", typical.took_ns / 1e6));
            report.figure(&SPEED, 1.0 / typical.ratio);
        }
        let used: Vec<Used> = run(binary, &environment, &[&id, "memory"]).await;
        assert_eq!(used[0].rows, size);
        detail(format_args!("{size} alerts as CSV: {:.1} MB at the peak", used[0].peak / MB));
        peaks.push(used[0].peak);
    }
    report.figure(&GROWTH, peaks[1] / peaks[0]);
    report.figure(&PEAK, peaks[1] / MB);
}

/// What a process says, line by line, while the system that it asks goes on here.
async fn run<T: DeserializeOwned>(binary: &Path, environment: &Environment, arguments: &[&str]) -> Vec<T> {
    let mut command = Command::new(binary);
    command.env_clear().envs(environment.iter().cloned()).args(arguments);
    let ran = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(ran.status.success(), "{}: {}", binary.display(), String::from_utf8_lossy(&ran.stderr));
    let lines = String::from_utf8(ran.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
