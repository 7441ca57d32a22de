//! What a hundred tenants with a thousand alerts each take: a first run of each, one that finds nothing new, and one that finds one
//! alert in a hundred resolved. No budget, and minutes of work: `cargo bench --bench budgets -- figures`, or `figures 10` for ten tenants.

use crate::{
    crowd::{Crowd, Ran},
    memory::MB,
};

pub(crate) const TENANTS: usize = 100;
const ALERTS: usize = 1_000;
const CHANGED: usize = 10;

pub(crate) async fn print(tenants: usize) {
    let mut crowd = Box::pin(Crowd::start(tenants)).await;
    let tenants = crowd.tenants.clone();
    for tenant in &tenants {
        crowd.raise(tenant, ALERTS);
    }
    println!("{} tenants with {ALERTS} alerts each; one process, one tenant after the other", tenants.len());
    println!(
        "{:<18} {:>8} {:>12} {:>12} {:>13} {:>11} {:>11} {:>11}",
        "a run, by tenant",
        "to Graph",
        "read units",
        "write units",
        "alerts table",
        "s, median",
        "peak MB",
        "growth MB"
    );
    for (what, changed) in [("the first", 0), ("nothing new", 0), ("1 % resolved", CHANGED)] {
        let mut ran = Vec::with_capacity(tenants.len());
        for tenant in &tenants {
            crowd.resolve(tenant, (0..changed).map(|number| number * (ALERTS / CHANGED)));
            ran.push(crowd.run(tenant).await);
        }
        line(what, &ran);
    }
}

fn line(what: &str, ran: &[Ran]) {
    let mean = |of: &dyn Fn(&Ran) -> f64| {
        let sum: f64 = ran.iter().map(of).sum();
        sum / f64::from(u32::try_from(ran.len()).unwrap())
    };
    let graph = mean(&|ran| f64::from(u32::try_from(ran.graph).unwrap()));
    let [reads, writes] = [mean(&|ran| ran.taken.read_units()), mean(&|ran| ran.taken.write_units())];
    let items = mean(&|ran| ran.taken.alert_writes.into());
    let seconds = tests::measured::median(ran.iter().map(|ran| ran.seconds).collect());
    let peak = ran.iter().map(|ran| ran.peak).fold(0.0, f64::max) / MB;
    // What the first tenant brings along, connections and caches, does not count.
    let growth = (ran[ran.len() - 1].after - ran[0].after) / MB;
    println!(
        "{what:<18} {graph:>8.1} {reads:>12.1} {writes:>12.1} {items:>13.1} {seconds:>11.3} {peak:>11.2} {growth:>11.2}"
    );
}
