//! What the functions of a test counted.

use std::sync::{Arc, Mutex, PoisonError};

use runtime::{Counts, Metrics};

/// The counts of each invocation, in order.
#[derive(Clone, Debug, Default)]
pub struct Counted(Arc<Mutex<Vec<Counts>>>);

impl Counted {
    /// Metrics that end up here.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        let here = self.clone();
        Metrics::to(move |_, counts| here.0.lock().unwrap_or_else(PoisonError::into_inner).push(counts.clone()))
    }

    /// What was counted since the last time this was asked.
    #[must_use]
    pub fn take(&self) -> Vec<Counts> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
