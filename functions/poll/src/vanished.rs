//! Open alerts that Microsoft lists no longer: asked for one by one before anything is concluded.
//!
//! A resolved alert that is listed no longer is only forgotten by the hint: nobody waits for it.

use std::{collections::HashSet, sync::Arc};

use models::{AlertId, Seen};
use partner_center::{ListAlerts, MicrosoftError, Sight};
use store::{AlertFingerprint, KeepAside, ReadAlerts, WriteAlerts};
use tokio::time::timeout_at;

use crate::{
    Poll, ReconcileError,
    plan::{Sighting, Sightings, Telling},
    run::Run,
};

/// Most alerts that one run asks for; the rest is for the next.
const ASKED: usize = 20;
/// Most of them that somebody decided about: they leave room for the others.
const DECIDED: usize = ASKED / 2;
/// Most open alerts that are looked for at once. Where there are more, nothing is forgotten.
const OPEN: usize = 200;

impl<S, L, Q> Poll<S, L, Q>
where
    S: ReadAlerts + WriteAlerts + KeepAside + Sync,
    L: ListAlerts + Sync,
    Q: Sync,
{
    /// Looks for open alerts that the list has not shown, and settles what Microsoft says of each. Where it gives no answer, nothing is
    /// concluded, and the next run asks again.
    pub(crate) async fn look_for_vanished(&self, run: &mut Run<'_>) -> Result<(), ReconcileError> {
        // Whoever read the end of a list alone doesn't know what is missing in it.
        if !run.from_start {
            return Ok(());
        }
        let missing = self.missing(run).await?;
        // What is left of the time is for writing.
        let end = run.began + self.settings.run_limit * 7 / 8;
        let mut sightings = Sightings::new();
        let mut asked = HashSet::new();
        for id in missing.iter().take(ASKED) {
            let now = self.clock.now();
            // An answer that does not come proves nothing.
            let Ok(answer) = timeout_at(end, self.source.alert(&run.tenant, id)).await else { break };
            let (seen, print) = match answer {
                Ok(Sight::There(alert)) => {
                    run.look_at_status(&alert);
                    let print = AlertFingerprint::of(&alert);
                    (Seen::There(Arc::new(*alert)), Some(print))
                }
                Ok(Sight::Gone) => (Seen::Gone, None),
                Ok(Sight::Unreadable(alert)) => {
                    self.keep_aside(run, vec![alert]).await;
                    continue;
                }
                // Nothing can be known of what this source leaves out: it stays as it was seen last.
                Ok(Sight::NoWayToAsk) => {
                    asked.extend(missing.iter().cloned());
                    break;
                }
                Err(error) => {
                    // Nobody's trouble but this alert's: it keeps no other from being asked for.
                    let is_its_own = matches!(error, MicrosoftError::Refused { status: 400 | 404 | 410 | 422, .. });
                    let error = runtime::chain(&error);
                    tracing::warn!(
                        tenant.id = %run.tenant.id, alert.id = %id, error,
                        "an alert is listed no longer, and Microsoft could not be asked for it: the next run asks again"
                    );
                    if is_its_own {
                        continue;
                    }
                    break;
                }
            };
            asked.insert(id.clone());
            sightings.insert(id.clone(), Sighting { seen, asked: now, print });
        }
        // What is there is kept in the hint, so that it is asked for again while the list does not show it.
        let there = |id: &&AlertId| sightings.get(*id).is_some_and(|sighting| sighting.print.is_some());
        // One that can't be read is noted as such already.
        let is_open = |id: &&AlertId| !run.known.has_met(id) && (!asked.contains(*id) || there(id));
        let again: Vec<AlertId> = missing.iter().filter(is_open).cloned().collect();
        for id in &again {
            run.known.note(id, AlertFingerprint::UNLISTED);
        }
        self.settle(run, sightings, Telling::Held).await?;
        self.flush(run).await?;
        if missing.len() < OPEN {
            run.known.keep_met_and(&again);
        }
        Ok(())
    }

    /// The alerts to ask for: decided about or open, and not listed. Those last that Microsoft did not know before.
    async fn missing(&self, run: &Run<'_>) -> Result<Vec<AlertId>, ReconcileError> {
        let Run { known, grant, .. } = run;
        // Each run begins elsewhere, so that those that can't be asked for leave room for the others.
        let first = usize::try_from(grant.fence).unwrap_or(0) * DECIDED;
        let mut decided: Vec<AlertId> = known.decided().filter(|id| !known.has_met(id)).cloned().collect();
        let places = decided.len().max(1);
        decided.rotate_left(first % places);
        decided.truncate(DECIDED);
        if grant.trusts_hint && known.has_met_all() {
            return Ok(decided);
        }
        let is_missing =
            |id: &AlertId| !known.has_met(id) && !known.is_decided(id) && (!grant.trusts_hint || known.knows_of(id));
        let mut open = self.store.open_alerts(&grant.tenant, &is_missing, OPEN).await?;
        let places = open.len().max(1);
        open.rotate_left(first % places);
        open.sort_by_key(|alert| alert.is_gone);
        Ok(decided.into_iter().chain(open.into_iter().map(|alert| alert.id)).collect())
    }
}
