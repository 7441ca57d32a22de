//! What was seen, compared with what is kept, and written where it differs.

use std::collections::HashSet;

use models::{AlertId, CustomerId, Step, SubscriptionId};
use store::{AlertFingerprint, AlertWrite, ReadAlerts, Rejected, StoredAlerts, WriteAlerts};

use crate::{
    Poll, ReconcileError,
    aside::LOGGED_A_RUN,
    plan::{Sightings, Telling, Terms, plan},
    run::Run,
};

/// How often alerts that somebody else changed meanwhile are read again within one run; what is left comes with the next.
const ROUNDS: usize = 3;

impl<S, L, Q> Poll<S, L, Q>
where
    S: ReadAlerts + WriteAlerts + Sync,
{
    /// Writes what differs, and notes in the hint what is settled. What is held back is added to what the run holds.
    ///
    /// An alert whose item can't be read is left as it is, and hides no other: it is logged, and tried again by every run.
    pub(crate) async fn settle(
        &self,
        run: &mut Run<'_>,
        open: Sightings,
        telling: Telling,
    ) -> Result<(), ReconcileError> {
        if open.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = open.keys().cloned().collect();
        let stored = self.store.alerts(&run.grant.tenant, &ids).await;
        // What can't be compared is not written.
        run.is_unsettled |= stored.is_err();
        self.settle_with(run, open, stored?, telling).await
    }

    /// The same, of alerts that were read already. One that the table does not take keeps no other from landing: it is logged, and tried
    /// again by the next run.
    async fn settle_with(
        &self,
        run: &mut Run<'_>,
        mut open: Sightings,
        mut stored: StoredAlerts,
        telling: Telling,
    ) -> Result<(), ReconcileError> {
        let mut told = HashSet::new();
        // Whatever ends this early leaves it so.
        let was_unsettled = std::mem::replace(&mut run.is_unsettled, true);
        for _ in 0..ROUNDS {
            if open.is_empty() {
                break;
            }
            for (id, error) in &stored.broken {
                run.counts.broken += 1;
                open.remove(id);
                if run.counts.broken <= LOGGED_A_RUN {
                    tracing::error!(
                        tenant.id = %run.tenant.id, alert.id = %id, error = runtime::chain(error),
                        "an alert is not kept as it should be, and is left as it is: mend its item"
                    );
                }
            }
            run.want_names(&open, &stored.readable);
            let now = self.clock.now();
            let terms = Terms {
                source: run.tenant.alert_source,
                threshold: self.settings.threshold,
                digest_above: self.settings.digest_above,
                telling,
                now,
                trace: run.trace,
            };
            let plan = plan(&run.grant, &open, &stored.readable, &told, &terms);
            for id in plan.held {
                run.held_from.extend(stored.readable.remove_entry(&id));
                let held = open.remove_entry(&id);
                run.held_bytes += held.as_ref().map_or(0, |(_, sighting)| sighting.weight());
                run.held.extend(held);
            }
            let written = self.store.write(&run.grant, &plan.writes, plan.digest.as_ref(), now).await?;
            for (id, why) in &written.rejected {
                open.remove(id);
                run.reject(id, why, plan.writes.iter().find(|write| write.id() == id));
            }
            for why in &written.uncounted {
                run.counts.uncounted += 1;
                if run.counts.uncounted <= LOGGED_A_RUN {
                    why.log_uncounted(&run.tenant.id);
                }
            }
            for write in plan.writes.iter().filter(|write| written.written.contains(write.id())) {
                run.count(&write.known.alert, plan.steps.get(write.id()).copied().unwrap_or(Step::Corrected));
                if write.was_decided && write.known.decision.is_none() {
                    run.known.settle(write.id());
                }
            }
            // The digest is part of the first transaction, which has failed where nothing is written.
            if !written.written.is_empty() {
                run.digests += u32::from(plan.digest.is_some());
                told.extend(plan.told);
            }
            if written.lease_lost {
                return Err(ReconcileError::LeaseLost);
            }
            let conflicted: HashSet<_> = written.conflicted.into_iter().collect();
            let (again, settled) = open.into_iter().partition(|(id, _)| conflicted.contains(id));
            run.note(settled);
            open = again;
            if !open.is_empty() {
                let ids: Vec<_> = open.keys().cloned().collect();
                stored = self.store.alerts(&run.grant.tenant, &ids).await?;
            }
        }
        if !open.is_empty() {
            return Err(ReconcileError::Unsettled(open.len()));
        }
        run.is_unsettled = was_unsettled;
        Ok(())
    }

    /// Writes what was held back. It is not read again: where somebody has changed it since, the write shows it.
    pub(crate) async fn flush(&self, run: &mut Run<'_>) -> Result<(), ReconcileError> {
        let held = std::mem::take(&mut run.held);
        run.held_bytes = 0;
        let stored = StoredAlerts { readable: std::mem::take(&mut run.held_from), ..StoredAlerts::default() };
        let telling = Telling::Now { digests: run.digests };
        self.settle_with(run, held, stored, telling).await
    }
}

impl Run<'_> {
    /// Says that the table does not take an alert, and lets the next run try it again, whatever the hint says.
    fn reject(&mut self, id: &AlertId, why: &Rejected, write: Option<&AlertWrite>) {
        self.known.note(id, AlertFingerprint::UNLISTED);
        self.counts.broken += 1;
        if self.counts.broken <= LOGGED_A_RUN {
            let alert = write.map(|write| &write.known.alert);
            let customer = alert.and_then(|alert| alert.customer_id.as_ref()).map(CustomerId::as_str);
            let subscription = alert.and_then(|alert| alert.subscription_id.as_ref()).map(SubscriptionId::as_str);
            tracing::error!(
                tenant.id = %self.tenant.id, alert.id = %id, customer.id = customer, subscription.id = subscription,
                error = %why,
                "the table does not take an alert, of which nobody is told: look at it in Partner Center"
            );
        }
    }
}
