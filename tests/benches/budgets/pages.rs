//! Budget 6: reading a page of alerts and finding each of them known, against a parse of the same page into plain structs.
//!
//! Ours takes members of any type and keeps what can't be read aside; the yardstick takes the page to be as documented. It is
//! compiled by the same profile, in the same binary. Time is that of the thread on the processor; each measurement is divided by
//! the yardstick right before and after it, and the median of all rounds counts.

use in_process::PAGES;
use tests::{
    binaries::{DEPLOYED, build},
    measured::typical,
};

use crate::{
    in_process::run,
    report::{Budget, Report, Target, detail},
};

const BUDGET: Budget = Budget {
    number: 6,
    target: Target::AtLeast(0.6),
    unit: "",
    of: " of the alerts that a bare parse would read, read and compared in the same time",
};

pub(crate) fn measure(report: &mut Report) {
    let timed = run(&build(DEPLOYED, &["--package=in-process".to_owned()])["page-time"]);
    let mut worst = f64::INFINITY;
    for (_, kind) in PAGES {
        for what in ["read", "read and compared"] {
            let typical = typical(&timed, what, kind);
            let (share, millis) = (1.0 / typical.ratio, typical.took_ns / 1e6);
            detail(format_args!("a page {kind}, {what}: {millis:.2} ms, {share:.3} of a bare parse's speed"));
        }
        worst = worst.min(1.0 / typical(&timed, "read and compared", kind).ratio);
    }
    report.figure(&BUDGET, worst);
}
