//! What a run found, and how it says so: in the log, and in numbers.

use jiff::SignedDuration;
use models::{Alert, CustomerId, ReconcileCause, Step, SubscriptionId};
use runtime::Counts;

use crate::{Poll, run::Run};

/// How long after a callback what is found counts as announced by it.
const ANNOUNCED: SignedDuration = SignedDuration::from_mins(15);

/// What a run found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Found {
    /// Alerts that Microsoft lists.
    pub(crate) listed: usize,
    /// Alerts that changed, the new ones among them.
    pub(crate) changed: usize,
    /// Alerts that were not kept before.
    pub(crate) new: usize,
    /// Alerts that Microsoft knows no longer.
    pub(crate) vanished: usize,
    /// Decisions that Microsoft did not take, or shows nothing of.
    pub(crate) not_accepted: usize,
    /// Alerts that can't be read as Microsoft lists them.
    pub(crate) unreadable: usize,
    /// Those of them that it wrote.
    pub(crate) kept_aside: usize,
    /// Alerts that can't be read as they are kept, or that the table does not take.
    pub(crate) broken: usize,
    /// Transactions that did not move the statistics.
    pub(crate) uncounted: usize,
    /// Pages that were read.
    pub(crate) pages: usize,
}

impl Run<'_> {
    /// How many of the alerts that it found no callback had announced. What was there before the first look needed none.
    pub(crate) fn unannounced(&self) -> usize {
        let since_callback = self.grant.last_callback.map(|callback| self.grant.started.duration_since(callback));
        let announced = since_callback.is_some_and(|since| since < ANNOUNCED);
        let by_schedule = matches!(self.cause, ReconcileCause::Schedule) && !self.grant.baseline_pending;
        if by_schedule && !announced { self.counts.new } else { 0 }
    }

    /// Counts a step that is written.
    pub(crate) fn count(&mut self, alert: &Alert, step: Step) {
        self.counts.changed += 1;
        let tenant = &self.tenant.id;
        let Alert { id, customer_id, subscription_id, .. } = alert;
        let (customer, subscription) =
            (customer_id.as_ref().map(CustomerId::as_str), subscription_id.as_ref().map(SubscriptionId::as_str));
        match step {
            Step::Appeared | Step::AppearedResolved => self.counts.new += 1,
            Step::DecisionNotAccepted => {
                self.counts.not_accepted += 1;
                tracing::error!(
                    tenant.id = %tenant, alert.id = %id, customer.id = customer, subscription.id = subscription,
                    "a decision was not accepted: Microsoft goes on showing another state, which counts"
                );
            }
            Step::DecisionUnseen => {
                self.counts.not_accepted += 1;
                tracing::error!(
                    tenant.id = %tenant, alert.id = %id, customer.id = customer, subscription.id = subscription,
                    "a decision was not seen: Microsoft shows nothing of the alert, which stays as it was decided"
                );
            }
            Step::Vanished => {
                self.counts.vanished += 1;
                tracing::warn!(
                    tenant.id = %tenant, alert.id = %id, customer.id = customer, subscription.id = subscription,
                    "Microsoft knows an open alert no longer: it stays as it was seen last"
                );
            }
            Step::CameBack => tracing::info!(
                tenant.id = %tenant, alert.id = %id, customer.id = customer, subscription.id = subscription,
                "Microsoft knows an alert again that it had known no longer"
            ),
            _ => {}
        }
    }

    /// Says of an alert that it has no status that can be read.
    pub(crate) fn look_at_status(&self, alert: &Alert) {
        if alert.status.is_unreadable() {
            tracing::warn!(
                tenant.id = %self.tenant.id, alert.id = %alert.id,
                "an alert has no readable status: it counts as open"
            );
        }
    }

    /// Adds to these numbers what it found.
    fn count_up(&self, counts: Counts) -> Counts {
        counts
            .with("AlertsUnreadable", self.counts.unreadable)
            .with("AlertsBroken", self.counts.broken)
            .with("AlertsChanged", self.counts.changed)
            .with("AlertsVanished", self.counts.vanished)
            .with("DecisionsNotAccepted", self.counts.not_accepted)
            .with("AlertsFoundWithoutCallback", self.unannounced())
            .with("StatisticsRejected", self.counts.uncounted)
    }
}

impl<S, L, Q> Poll<S, L, Q> {
    /// Says what a complete run found.
    pub(crate) fn report(&self, run: &Run<'_>) {
        let Found { listed, changed, vanished, unreadable, pages, .. } = run.counts;
        tracing::info!(
            tenant.id = %run.tenant.id,
            cause = cause_name(run.cause),
            pages,
            listed,
            unreadable,
            changed,
            vanished,
            baseline = run.grant.baseline_pending,
            resumed = run.is_resumed(),
            "tenant reconciled"
        );
        let counts = Counts::new().with("TenantsPolled", 1).with("AlertsListed", listed);
        self.metrics.report(self.clock.now(), &run.count_up(counts));
    }

    /// Says what a run found that failed. No other run counts it again: what was written of it is known.
    pub(crate) fn report_unfinished(&self, run: &Run<'_>) {
        let Found { changed, unreadable, broken, .. } = run.counts;
        if changed + unreadable + broken > 0 {
            self.metrics.report(self.clock.now(), &run.count_up(Counts::new()));
        }
    }
}

pub(crate) fn cause_name(cause: &ReconcileCause) -> &'static str {
    match cause {
        ReconcileCause::Again => "again",
        ReconcileCause::Callback { .. } => "callback",
        ReconcileCause::Schedule => "schedule",
    }
}
