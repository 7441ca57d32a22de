//! Alerts that can't be read: kept aside with their bytes, so that none is lost and the run goes on.

use models::AlertId;
use partner_center::UnreadableAlert;
use store::{AlertFingerprint, Grant, KeepAside, Unreadable};

use crate::{Poll, run::Run};

/// Most of them that one run writes; those after it go on, since what is kept as it came is not written again.
const KEPT_A_RUN: usize = 500;
/// Most of them that are logged one by one in a run; the same of others that something is wrong with.
pub(crate) const LOGGED_A_RUN: usize = 10;

impl<S: KeepAside + Sync, L, Q> Poll<S, L, Q> {
    /// Keeps aside what can't be read and is not kept as it came already, and notes it in the hint.
    ///
    /// A store that refuses one is logged, and keeps nothing else from being done: the next run tries again.
    pub(crate) async fn keep_aside(&self, run: &mut Run<'_>, unreadable: Vec<UnreadableAlert>) {
        for UnreadableAlert { id, body, problem } in unreadable {
            // One that was listed both ways is there.
            if !run.known.meet(&id) {
                continue;
            }
            run.counts.unreadable += 1;
            if run.counts.unreadable <= LOGGED_A_RUN {
                tracing::error!(
                    tenant.id = %run.tenant.id, alert.id = %id, error = problem,
                    "Microsoft lists an alert that can't be read: it is kept aside"
                );
            }
            let print = AlertFingerprint::of_unreadable(body.bytes());
            if (run.grant.trusts_hint && run.known.knows(&id, print)) || run.counts.kept_aside == KEPT_A_RUN {
                continue;
            }
            run.counts.kept_aside += 1;
            let unreadable = Unreadable { id: &id, body: body.bytes(), whole: body.whole(), problem: &problem };
            match self.store.keep_aside(&run.grant, unreadable, self.clock.now()).await {
                Ok(()) => run.known.note(&id, print),
                Err(error) => tracing::error!(
                    tenant.id = %run.tenant.id, alert.id = %id, error = runtime::chain(&error),
                    "an alert that can't be read could not be kept aside"
                ),
            }
        }
    }

    /// Marks those that were kept aside and can be read by now.
    pub(crate) async fn mark_readable(&self, grant: &Grant, readable: &[AlertId]) {
        for id in readable {
            if let Err(error) = self.store.readable_again(grant, id, self.clock.now()).await {
                tracing::warn!(
                    tenant.id = %grant.tenant, alert.id = %id, error = runtime::chain(&error),
                    "an alert that was kept aside can be read, and could not be marked so"
                );
            }
        }
    }
}
