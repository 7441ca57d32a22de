//! Alerts that can't be read: kept aside with their bytes, so that none is lost and the run goes on.

use std::{collections::BTreeMap, sync::Arc};

use models::{Alert, AlertId};
use partner_center::UnreadableAlert;
use store::{AlertFingerprint, Grant, KeepAside, KnownAlerts, Unreadable};

use crate::Poll;

/// Most of them that one run writes; those after it go on, since what is kept as it came is not written again.
const KEPT_A_RUN: usize = 500;
/// Most of them that are logged one by one in a run.
const LOGGED_A_RUN: usize = 10;

impl<S: KeepAside + Sync, L, Q> Poll<S, L, Q> {
    /// Keeps aside what can't be read and is not kept as it came already, and notes it in the hint.
    ///
    /// A store that refuses one is logged, and keeps nothing else from being done: the next run tries again.
    pub(crate) async fn keep_aside(&self, grant: &Grant, unreadable: &[UnreadableAlert], known: &mut KnownAlerts) {
        for alert in unreadable.iter().take(LOGGED_A_RUN) {
            tracing::error!(
                tenant.id = %grant.tenant, alert.id = %alert.id, error = alert.problem,
                "Microsoft lists an alert that can't be read: it is kept aside"
            );
        }
        let prints = unreadable.iter().map(|alert| (alert, AlertFingerprint::of_unreadable(alert.body.bytes())));
        let news: Vec<_> =
            prints.filter(|(alert, print)| !(grant.trusts_hint && known.knows(&alert.id, *print))).collect();
        for (alert, print) in news.into_iter().take(KEPT_A_RUN) {
            let UnreadableAlert { id, body, problem } = alert;
            let unreadable = Unreadable { id, body: body.bytes(), whole: body.whole(), problem };
            match self.store.keep_aside(grant, unreadable, self.clock.now()).await {
                Ok(()) => known.note(id, print),
                Err(error) => tracing::error!(
                    tenant.id = %grant.tenant, alert.id = %id, error = runtime::chain(&error),
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

/// Those of the listed alerts that were last known as ones that can't be read.
pub(crate) fn readable_again(observed: &BTreeMap<AlertId, Arc<Alert>>, known: &KnownAlerts) -> Vec<AlertId> {
    observed.keys().filter(|id| known.was_unreadable(id)).cloned().collect()
}
