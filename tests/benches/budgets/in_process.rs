//! Budgets 1, 2 and 4: what the webhook's own work takes, against the one signature check that nobody can leave out.
//!
//! The binaries of `in-process` measure, compiled as what is deployed is. Time is that of the thread on the processor; each
//! measurement is divided by that of `rsa` alone, right before and after it, and the median of all rounds counts.

use std::{path::Path, process::Command};

use in_process::{KINDS, Kind};
use serde::de::DeserializeOwned;
use tests::{
    binaries::{DEPLOYED, build},
    measured::{Asked, Timed, typical},
};

use crate::report::{Budget, Report, Target, detail};

const ACCEPTED: Budget = Budget {
    number: 1,
    target: Target::AtLeast(0.92),
    unit: "",
    of: " of the callbacks that bare signature checks would let through, per second and core",
};
const FORGED: Budget =
    Budget { number: 2, target: Target::AtMost(1.10), unit: "", of: " bare signature checks to judge a forgery" };
const MALFORMED: Budget = Budget {
    number: 2,
    target: Target::AtMost(0.05),
    unit: "",
    of: " bare signature checks to judge a malformed request",
};
const ALLOCATIONS: Budget =
    Budget { number: 4, target: Target::AtMost(12.0), unit: "", of: " allocations for an accepted callback" };

/// How far a request is taken: judged, which the budgets are about, or answered with its lines of the log and of the metrics
/// (`docs/decisions/0017`).
const WAYS: [&str; 2] = ["judged", "answered"];

pub(crate) fn measure(report: &mut Report) {
    let binaries = build(DEPLOYED, &["--package=in-process".to_owned()]);
    time(report, &run(&binaries["callback-time"]));
    memory(report, &run(&binaries["callback-allocations"]));
}

fn time(report: &mut Report, timed: &[Timed]) {
    for (_, kind, _) in KINDS {
        for what in WAYS {
            let typical = typical(timed, what, kind);
            let (ratio, micros) = (typical.ratio, typical.took_ns / 1e3);
            detail(format_args!("a callback {kind}, {what}: {micros:.2} µs, {ratio:.3} bare signature checks"));
        }
    }
    let genuine = typical(timed, "judged", Kind::Genuine.name());
    detail(format_args!("callbacks to the store: {:.0} a second and core", 1e9 / genuine.took_ns));
    report.figure(&ACCEPTED, 1.0 / genuine.ratio);

    let mut certificates: Vec<&str> =
        timed.iter().filter(|timed| timed.what == "certificate").map(|timed| &*timed.kind).collect();
    certificates.sort_unstable();
    certificates.dedup();
    for kind in certificates {
        let typical = typical(timed, "certificate", kind);
        let (ratio, millis) = (typical.ratio, typical.took_ns / 1e6);
        detail(format_args!("a certificate {kind}: {millis:.3} ms, {ratio:.2} bare signature checks"));
    }

    let dearest =
        |what, kinds: &[Kind]| kinds.iter().map(|kind| typical(timed, what, kind.name()).ratio).fold(0.0, f64::max);
    report.figure(&FORGED, dearest("judged", &[Kind::Forged]));
    report.figure(&MALFORMED, dearest("judged", &Kind::MALFORMED));
}

fn memory(report: &mut Report, asked: &[Asked]) {
    let most = |of: fn(&Asked) -> i32| asked.iter().map(of).max().unwrap();
    detail(format_args!("{} bytes beyond those of the signature check", most(Asked::bytes_beyond)));
    report.figure(&ALLOCATIONS, most(Asked::allocations_beyond).into());
}

/// What a binary printed: one measurement a line.
pub(crate) fn run<T: DeserializeOwned>(binary: &Path) -> Vec<T> {
    let ran = Command::new(binary).output().unwrap();
    assert!(ran.status.success(), "{}: {}", binary.display(), String::from_utf8_lossy(&ran.stderr));
    let lines = String::from_utf8(ran.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
