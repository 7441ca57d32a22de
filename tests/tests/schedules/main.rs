//! Thousands of random schedules over `poll`: Microsoft changes, fails and lies; AWS refuses, loses and doubles; runs overlap and are
//! cut off; clocks jump; people decide. Each ends with an undisturbed run of each tenant and one sweep, and then
//!
//! 1. our table holds exactly what Microsoft holds, and what vanished stays as it was last seen;
//! 2. each change of fraud severity was published, always under one name, and nothing else was;
//! 3. versions grow by one, and the statistics are the sum of what the alerts contribute;
//! 4. leases are free, and no undisturbed run was kept from being complete;
//! 5. what somebody decided here stayed until Microsoft showed it, or for a quarter of an hour, and was then said not to be accepted.
//!
//! A schedule is made of a seed. `SCHEDULE_SEED=<seed>` plays that one alone; `SCHEDULE_FIRST` and `SCHEDULE_COUNT` choose others.
#![expect(clippy::needless_range_loop, reason = "a tenant is its place, in more than one list")]
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

mod account;
mod asked;
mod decisions;
mod history;
mod invariants;
mod microsoft;
mod plan;
mod players;
mod runs;
mod script;
mod stage;
mod world;

use runtime::{Variable, Variables};

/// How many schedules are played.
const COUNT: u64 = 10_000;

const SEED: Variable =
    Variable { name: "SCHEDULE_SEED", meaning: "the seed of the one schedule to play", default: None };
const FIRST: Variable = Variable { name: "SCHEDULE_FIRST", meaning: "the first seed", default: None };
const HOW_MANY: Variable = Variable { name: "SCHEDULE_COUNT", meaning: "how many schedules are played", default: None };

#[test]
fn whatever_happens_nothing_is_lost_and_nothing_doubled() {
    let variables = Variables::of_process();
    let number = |variable: &Variable| variables.optional::<u64>(variable).unwrap();
    let first = number(&SEED).or(number(&FIRST)).unwrap_or(0);
    let count = if number(&SEED).is_some() { 1 } else { number(&HOW_MANY).unwrap_or(COUNT) };
    let seeds = first..first + count;
    if let Some(failure) = players::play(seeds) {
        panic!("{failure}");
    }
}
