//! Open alerts that Microsoft lists no longer: asked for one by one before anything is concluded.
//!
//! A resolved alert that is listed no longer is only forgotten by the hint: nobody waits for it.

use std::{collections::HashSet, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use models::{AlertId, Seen};
use partner_center::{ListAlerts, MicrosoftError, Sight};
use store::{AlertFingerprint, KeepAside, OpenAlert, ReadAlerts, WriteAlerts};
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
/// How many alerts in a row may be in unclear trouble before it counts as that of all, and none is asked for any more.
const TROUBLES: usize = 3;
/// How long Microsoft may fail to say anything of an alert that somebody decided about. After that, nothing is to be seen of it.
const DECISION_TROUBLE: SignedDuration = SignedDuration::from_hours(1);

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
        let mut sightings = Sightings::new();
        let (decided, given_up) = self.decided_and_missing(run, &mut sightings).await?;
        let open = self.open_and_missing(run).await?;
        let is_whole = open.iter().filter(|alert| !alert.is_gone).count() < OPEN;
        let missing = in_turns(&decided, &open);
        // What is left of the time is for writing.
        let end = run.began + self.settings.run_limit * 7 / 8;
        let mut asked = HashSet::new();
        let mut troubles = 0;
        for id in missing.iter().map(|alert| &alert.id).take(ASKED) {
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
                    troubles = 0;
                    sightings.extend(nothing_seen(run, id, now));
                    self.keep_aside(run, vec![alert]).await;
                    continue;
                }
                // Nothing can be known of what this source leaves out: it stays as it was seen last.
                Ok(Sight::NoWayToAsk) => {
                    sightings.extend(missing.iter().filter_map(|alert| nothing_seen(run, &alert.id, now)));
                    asked.extend(missing.iter().map(|alert| alert.id.clone()));
                    break;
                }
                Err(error) => {
                    let whose = Whose::of(&error);
                    if (whose == Whose::Its && error.has_code()) || given_up.contains(id) {
                        sightings.extend(nothing_seen(run, id, now));
                    }
                    let error = runtime::chain(&error);
                    tracing::warn!(
                        tenant.id = %run.tenant.id, alert.id = %id, error,
                        "an alert is listed no longer, and Microsoft could not be asked for it: the next run asks again"
                    );
                    troubles = match whose {
                        Whose::Its => 0,
                        Whose::Unclear => troubles + 1,
                        Whose::Everybodys => TROUBLES,
                    };
                    if troubles == TROUBLES {
                        break;
                    }
                    continue;
                }
            };
            troubles = 0;
            asked.insert(id.clone());
            sightings.insert(id.clone(), Sighting { seen, asked: now, print });
        }
        // What is there is kept in the hint, so that it is asked for again while the list does not show it.
        let there = |id: &AlertId| sightings.get(id).is_some_and(|sighting| sighting.print.is_some());
        // One that can't be read is noted as such already.
        let is_open = |alert: &&OpenAlert| {
            let OpenAlert { id, is_gone, .. } = alert;
            !run.known.has_met(id) && (there(id) || !(*is_gone || asked.contains(id)))
        };
        let again: Vec<AlertId> = missing.iter().filter(is_open).map(|alert| alert.id.clone()).collect();
        for id in &again {
            run.known.note(id, AlertFingerprint::UNLISTED);
        }
        self.settle(run, sightings, Telling::Held).await?;
        self.flush(run).await?;
        if is_whole {
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

    /// Alerts that somebody decided about and the list does not show, and those of them that were decided about so long ago that an answer which
    /// can't be had is none. One of another source can't be asked for: nothing is seen of it.
    async fn decided_and_missing(
        &self,
        run: &Run<'_>,
        sightings: &mut Sightings,
    ) -> Result<(Vec<OpenAlert>, HashSet<AlertId>), ReconcileError> {
        // What is listed and can't be read shows as little.
        let decided = some_decided(run, |id| !run.known.has_met(id) || run.known.was_unreadable(id));
        let (mut missing, mut given_up) = (Vec::new(), HashSet::new());
        if decided.is_empty() {
            return Ok((missing, given_up));
        }
        let now = self.clock.now();
        let stored = self.store.alerts(&run.grant.tenant, &decided).await?;
        for id in decided {
            let known = stored.readable.get(&id).map(|stored| &stored.known);
            let decision = known.and_then(|known| known.decision.as_ref());
            if decision.is_some_and(|decision| now.duration_since(decision.at) >= DECISION_TROUBLE) {
                given_up.insert(id.clone());
            }
            let source = known.and_then(|known| known.source);
            if source.is_some_and(|source| source != run.tenant.alert_source) {
                sightings.extend(nothing_seen(run, &id, now));
            } else {
                missing.push(OpenAlert { id, is_gone: false, source: None });
            }
        }
        Ok((missing, given_up))
    }

    /// Open alerts of the tenant's source that the list does not show. Those come last that Microsoft did not know before: once a day, where all that is
    /// kept is compared.
    async fn open_and_missing(&self, run: &Run<'_>) -> Result<Vec<OpenAlert>, ReconcileError> {
        let Run { known, grant, tenant, .. } = run;
        if grant.trusts_hint && known.has_met_all() {
            return Ok(Vec::new());
        }
        let is_missing = |alert: &OpenAlert| {
            let OpenAlert { id, is_gone, .. } = alert;
            let is_due = !grant.trusts_hint || (known.knows_of(id) && !is_gone);
            is_due && alert.may_be_of(tenant.alert_source) && !known.has_met(id) && !known.is_decided(id)
        };
        let mut open = self.store.open_alerts(&grant.tenant, &is_missing, OPEN).await?;
        let places = open.len().max(1);
        open.rotate_left(first_place(run) % places);
        open.sort_by_key(|alert| alert.is_gone);
        Ok(open)
    }
}

/// Whose trouble it is where one alert could not be asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Nobody's but this alert's.
    Its,
    /// This alert's, or that of all.
    Unclear,
    /// That of all: Microsoft asks to wait, or there is nothing to ask with.
    Everybodys,
}

impl Whose {
    fn of(error: &MicrosoftError) -> Self {
        match error {
            MicrosoftError::Refused { wait_until: Some(_), .. } => Self::Everybodys,
            MicrosoftError::Refused { status: 400 | 404 | 410 | 422, .. } => Self::Its,
            MicrosoftError::Refused { status: 403 | 500.., .. }
            | MicrosoftError::BadAnswer { .. }
            | MicrosoftError::NoAnswer { .. } => Self::Unclear,
            _ => Self::Everybodys,
        }
    }
}

/// One that somebody decided about, one that is open: neither waits behind the others.
fn in_turns(decided: &[OpenAlert], open: &[OpenAlert]) -> Vec<OpenAlert> {
    let places = 0..decided.len().max(open.len());
    places.flat_map(|place| [decided.get(place), open.get(place)]).flatten().cloned().collect()
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
