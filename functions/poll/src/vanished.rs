//! Open alerts that Microsoft lists no longer: asked for one by one before anything is concluded.
//!
//! A resolved alert that is listed no longer is only forgotten by the hint: nobody waits for it.

use std::{collections::HashSet, sync::Arc};

use jiff::Timestamp;
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
        self.forget_marks(run).await?;
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
                    sightings.extend(nothing_seen(run, id, now));
                    self.keep_aside(run, vec![alert]).await;
                    continue;
                }
                // Nothing can be known of what this source leaves out: it stays as it was seen last.
                Ok(Sight::NoWayToAsk) => {
                    sightings.extend(missing.iter().filter_map(|id| nothing_seen(run, id, now)));
                    asked.extend(missing.iter().cloned());
                    break;
                }
                Err(error) => {
                    // Nobody's trouble but this alert's: it keeps no other from being asked for.
                    let is_its_own = matches!(error, MicrosoftError::Refused { status: 400 | 404 | 410 | 422, .. });
                    let is_graphs = error.has_code();
                    let error = runtime::chain(&error);
                    tracing::warn!(
                        tenant.id = %run.tenant.id, alert.id = %id, error,
                        "an alert is listed no longer, and Microsoft could not be asked for it: the next run asks again"
                    );
                    if is_its_own {
                        sightings.extend(nothing_seen(run, id, now).filter(|_| is_graphs));
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

    /// Takes away marks of decisions that their alerts don't have, of as many as are asked for: nothing would ever show them.
    async fn forget_marks(&self, run: &mut Run<'_>) -> Result<(), ReconcileError> {
        let decided = some_decided(run, |_| true);
        if decided.is_empty() {
            return Ok(());
        }
        let stored = self.store.alerts(&run.grant.tenant, &decided).await?;
        for id in decided {
            let is_pending = stored.readable.get(&id).is_some_and(|stored| stored.known.decision.is_some());
            if is_pending || stored.broken.contains_key(&id) {
                continue;
            }
            // The next run finds the mark again.
            if let Err(error) = self.store.forget_decision(&run.grant, &mut run.known, &id).await {
                tracing::warn!(
                    tenant.id = %run.tenant.id, alert.id = %id, error = runtime::chain(&error),
                    "the mark of a decision that is none could not be taken away"
                );
            }
        }
        Ok(())
    }

    /// The alerts to ask for: decided about or open, and not listed. Those last that Microsoft did not know before.
    async fn missing(&self, run: &Run<'_>) -> Result<Vec<AlertId>, ReconcileError> {
        let Run { known, grant, .. } = run;
        // What is listed and can't be read shows as little.
        let decided = some_decided(run, |id| !known.has_met(id) || known.was_unreadable(id));
        let first = first_place(run);
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

/// Each run begins elsewhere, so that those that can't be asked for leave room for the others.
fn first_place(run: &Run<'_>) -> usize {
    usize::try_from(run.grant.fence).unwrap_or(0) * DECIDED
}

/// As many as a run asks for of those alerts that somebody decided about.
fn some_decided(run: &Run<'_>, is_wanted: impl Fn(&AlertId) -> bool) -> Vec<AlertId> {
    let mut decided: Vec<AlertId> = run.known.decided().filter(|id| is_wanted(id)).cloned().collect();
    let places = decided.len().max(1);
    decided.rotate_left(first_place(run) % places);
    decided.truncate(DECIDED);
    decided
}

/// That nothing was seen of an alert that somebody decided about: of any other that says nothing.
fn nothing_seen(run: &Run<'_>, id: &AlertId, asked: Timestamp) -> Option<(AlertId, Sighting)> {
    let sighting = Sighting { seen: Seen::Nothing, asked, print: None };
    run.known.is_decided(id).then(|| (id.clone(), sighting))
}
