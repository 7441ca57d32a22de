//! The budgets of what is deployed: `cargo bench --bench budgets`, or only some of them, as in `cargo bench --bench budgets -- 7`.
//!
//! Each figure is a line of its own, `budget <number>: <figure> target <target> ok` (or `short`), below the measurements that it
//! comes from. If one is short, the exit status says so. What takes time or memory is measured in binaries of the deployed profile,
//! as processes of their own; this driver is built quickly and only has to be faster than they are. What is counted, requests and
//! downloads, is counted here, over the local system.
//!
//! `cargo bench --bench budgets -- figures` prints what a hundred tenants take, which is no budget and takes minutes.
//!
//! To add a budget: a module with `measure`, and a row in [`GROUPS`].
#![expect(clippy::unwrap_used, reason = "a measurement that can't be made has to fail loudly")]

mod aws;
mod crowd;
mod downloads;
mod exporting;
mod figures;
mod here;
mod in_process;
mod looking;
mod memory;
mod metered;
mod pages;
mod report;
mod start;
mod unchanged;
mod writes;

use std::{pin::Pin, process::ExitCode};

use report::Report;

type Measure = for<'a> fn(&'a mut Report) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

/// The budgets by number, and what measures them.
const GROUPS: [(&[u8], Measure); 9] = [
    (&[1, 2, 4], |report| Box::pin(async { in_process::measure(report) })),
    (&[3], |report| Box::pin(writes::measure(report))),
    (&[5], |report| Box::pin(unchanged::measure(report))),
    (&[6], |report| Box::pin(async { pages::measure(report) })),
    (&[7], |report| Box::pin(start::measure(report))),
    (&[8], |report| Box::pin(memory::measure(report))),
    (&[9, 10], |report| Box::pin(looking::measure(report))),
    (&[11], |report| Box::pin(exporting::measure(report))),
    (&[12], |report| Box::pin(downloads::measure(report))),
];

#[tokio::main]
async fn main() -> ExitCode {
    // Cargo adds options of its own, which are no numbers.
    let wanted: Vec<u8> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    if std::env::args().any(|argument| argument == "figures") {
        figures::print(wanted.first().map_or(figures::TENANTS, |tenants| (*tenants).into())).await;
        return ExitCode::SUCCESS;
    }
    let mut report = Report::default();
    for (numbers, measure) in GROUPS {
        if wanted.is_empty() || numbers.iter().any(|number| wanted.contains(number)) {
            measure(&mut report).await;
        }
    }
    if report.is_short() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
