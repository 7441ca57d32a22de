//! How many downloads strangers can cause.

use jiff::{SignedDuration, Timestamp};

/// Downloads that may follow each other at once; after them one a second.
const BURST: i64 = 5;

/// Downloads that are left. Addresses that had a good certificate have a budget of their own, so that nobody who makes up
/// addresses can keep the real one from being renewed.
#[derive(Debug, Default)]
pub(super) struct Budgets {
    pub(super) familiar: Budget,
    pub(super) strange: Budget,
}

/// Downloads that are left, as the moment from which on they would all be.
#[derive(Debug, Default)]
pub(super) struct Budget {
    full_at: Option<Timestamp>,
}

impl Budget {
    pub(super) fn take(&mut self, now: Timestamp) -> bool {
        let full_at = self.full_at.unwrap_or(now).max(now);
        // A clock that was set back must not lock us out for longer than a full budget takes to come back.
        let full_at = full_at.min(now + SignedDuration::from_secs(BURST));
        let left = full_at.duration_since(now) <= SignedDuration::from_secs(BURST - 1);
        self.full_at = Some(if left { full_at + SignedDuration::from_secs(1) } else { full_at });
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_a_burst_and_then_one_a_second() {
        let start: Timestamp = "2026-04-01T00:00:00Z".parse().unwrap();
        let mut budget = Budget::default();
        let taken = |budget: &mut Budget, now| (0..100).filter(|_| budget.take(now)).count();
        assert_eq!(taken(&mut budget, start), 5);
        assert_eq!(taken(&mut budget, start + SignedDuration::from_secs(1)), 1);
        assert_eq!(taken(&mut budget, start + SignedDuration::from_secs(3)), 2);
        assert_eq!(taken(&mut budget, start + SignedDuration::from_hours(1)), 5);
        assert_eq!(
            taken(&mut budget, start - SignedDuration::from_hours(1)),
            0,
            "a clock set back brings nothing at once"
        );
        assert_eq!(taken(&mut budget, start - SignedDuration::from_hours(1) + SignedDuration::from_secs(5)), 5);
    }
}
