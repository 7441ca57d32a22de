//! Schedules: the first tick at once, then one every so often.

use std::{future::Future, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use crate::stop::{Stop, stopped};

/// Ticks until the system stops. A tick that is missed is not made up for: the next one does.
pub(crate) async fn run<F: Future<Output = ()>>(every: Duration, mut stop: Stop, tick: impl Fn() -> F) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            _ = ticks.tick() => tick().await,
            () = stopped(&mut stop) => return,
        }
    }
}
