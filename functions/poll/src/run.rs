//! One run: read the list page by page, compare each page with what is kept, write only what changed.
//!
//! It may be cut off at any point and started again: alerts are written before the hint of what is known, the baseline is
//! noted after everything else, and a write that was done already is found unchanged. A list that broke off has what was read of it
//! written and told; nothing is concluded from what is missing in it.

use std::{collections::HashMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use models::{AlertId, NamesOfAlerts, ReconcileCause, Seen, Tenant, TraceContext};
use partner_center::{Heard, ListAlerts, Page, Place, Walk};
use store::{
    AlertFingerprint, Grant, KeepAside, KeepPlaces, KeptPlace, KnownAlerts, Outcome, ReadAlerts, StoredAlert,
    WriteAlerts,
};
use tokio::time::{Instant, timeout_at};

use crate::{
    Poll, ReconcileError, Reconciled,
    baseline::Baseline,
    found::Found,
    plan::{Sighting, Sightings, Telling},
};

/// Most changes that are held back until the list is read; a digest stands for each so many.
const HELD: usize = 500;
/// Most bytes of them, as JSON: 500 alerts of the samples' size have half of it, and one may have 300,000.
const HELD_BYTES: usize = 4 << 20;
/// From how many pages on a list is read on where Microsoft broke it off. Below that, reading it again costs less than what may have
/// changed on them. One that takes longer than a run may is read on wherever it is.
const WORTH_RESUMING: usize = 10;
/// How long a tenant waits for its first complete run. After that what could be read is told, and what comes is news: a list that is
/// never read to its end would otherwise be silent for ever.
const BASELINE_PATIENCE: SignedDuration = SignedDuration::from_hours(1);
/// How long a place can be read on from. Microsoft says nothing of how long its links live.
const PLACE_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// A run: under which lease, of whom, why, and how far it is.
pub(crate) struct Run<'a> {
    pub(crate) grant: Grant,
    pub(crate) tenant: Tenant,
    pub(crate) cause: &'a ReconcileCause,
    pub(crate) trace: Option<TraceContext>,
    /// What is known of the tenant's alerts, and what the list has shown of them.
    pub(crate) known: KnownAlerts,
    /// Changes that people are told of, until the list is read.
    pub(crate) held: Sightings,
    /// What those alerts were before, as far as they were kept.
    pub(crate) held_from: HashMap<AlertId, StoredAlert>,
    /// How many bytes they have, as JSON.
    pub(crate) held_bytes: usize,
    /// How many digests it has made.
    pub(crate) digests: u32,
    /// What it tells where it is the tenant's first.
    pub(crate) baseline: Baseline,
    /// Whether the walk began where the list does: only then is missing what it has not met.
    pub(crate) from_start: bool,
    /// Where the list goes on behind the last page that was taken.
    taken: Option<(Place, usize)>,
    /// Where the list goes on behind what is written.
    place: Option<KeptPlace>,
    /// Whether something that was read may not be written, or be written and not in the hint: it stays so for the rest of the run.
    pub(crate) is_unsettled: bool,
    /// When it began.
    pub(crate) began: Instant,
    /// What its calls hear from Microsoft.
    pub(crate) heard: Heard,
    pub(crate) counts: Found,
    /// The names that alerts need: of those that it wrote, or of all where it compared all.
    pub(crate) names: NamesOfAlerts,
}

impl<'a> Run<'a> {
    pub(crate) fn new(grant: Grant, tenant: Tenant, cause: &'a ReconcileCause, trace: Option<TraceContext>) -> Self {
        Self {
            baseline: Baseline::of(grant.fence),
            grant,
            tenant,
            cause,
            trace,
            known: KnownAlerts::default(),
            held: Sightings::new(),
            held_from: HashMap::new(),
            held_bytes: 0,
            digests: 0,
            from_start: true,
            taken: None,
            place: None,
            is_unsettled: false,
            began: Instant::now(),
            heard: Heard::default(),
            counts: Found::default(),
            names: NamesOfAlerts::default(),
        }
    }

    /// Whether it read on a list that an earlier one had begun.
    pub(crate) fn is_resumed(&self) -> bool {
        !self.from_start
    }

    /// Adds the names that alerts need, unless they are the same that they needed before.
    pub(crate) fn want_names(&mut self, sightings: &Sightings, stored: &HashMap<AlertId, StoredAlert>) {
        for (id, sighting) in sightings {
            let Seen::There(alert) = &sighting.seen else { continue };
            let before = stored.get(id);
            let differ = before.is_none_or(|before| NamesOfAlerts::differ(&before.known.alert, alert));
            if !self.grant.trusts_hint || differ {
                self.names.add(alert, self.tenant.alert_source);
            }
        }
    }

    /// Notes in the hint what is settled.
    pub(crate) fn note(&mut self, settled: Sightings) {
        for (id, sighting) in settled {
            if let Some(print) = sighting.print {
                self.known.note(&id, print);
            }
        }
    }

    /// Notes where the list goes on, if everything that was read before it is written.
    fn note_place(&mut self, now: Timestamp) {
        if self.is_unsettled || !self.held.is_empty() {
            return;
        }
        self.place = self.taken.as_ref().map(|(place, pages)| KeptPlace {
            place: place.as_str().to_owned(),
            source: self.tenant.alert_source.as_str().to_owned(),
            pages: *pages,
            kept: now,
        });
    }

    /// Whether more is held back than may be.
    fn holds_enough(&self) -> bool {
        self.held.len() > HELD || self.held_bytes > HELD_BYTES
    }
}

impl<S, L, Q> Poll<S, L, Q>
where
    S: ReadAlerts + WriteAlerts + KeepAside + KeepPlaces + Sync,
    L: ListAlerts + Sync,
    Q: Sync,
{
    pub(crate) async fn run(&self, run: &mut Run<'_>) -> Result<Reconciled, ReconcileError> {
        run.known = self.store.known(&run.tenant.id).await?;
        let mut walk = self.set_out(run).await?;
        let walked = self.walk(run, &mut walk).await;
        // What was read before the list broke off is known all the same.
        let flushed = self.flush(run).await;
        if walk.place().is_none() {
            // There is no way on, and nothing to go on with.
            run.place = None;
        } else {
            run.note_place(self.clock.now());
        }
        let read = walked.and(flushed);
        let waited = run.grant.since.is_some_and(|since| run.grant.started.duration_since(since) >= BASELINE_PATIENCE);
        // What was not written is told when it is: it must not be in the digest, too.
        if read.is_ok() || (waited && run.counts.pages > 0 && !run.is_unsettled) {
            self.finish_baseline(run).await?;
        }
        read?;
        self.look_for_vanished(run).await?;
        // A hint that could not be written would hide an alert that goes back to what it was: the run is then not complete.
        self.store.remember(&run.grant, &mut run.known).await?;
        self.report(run);
        Ok(Reconciled::Done { listed: run.counts.listed, changed: run.counts.changed })
    }

    /// Where the list is to be read from.
    async fn set_out(&self, run: &mut Run<'_>) -> Result<Walk, ReconcileError> {
        let most = self.settings.pages;
        if !run.grant.resumes {
            return Ok(Walk::new(most));
        }
        let now = self.clock.now();
        let usable = |kept: &KeptPlace| {
            let age = now.duration_since(kept.kept);
            kept.source == run.tenant.alert_source.as_str() && !age.is_negative() && age < PLACE_LIFE
        };
        let Some(kept) = self.store.kept_place(&run.tenant.id).await?.filter(usable) else {
            return Ok(Walk::new(most));
        };
        run.from_start = false;
        Ok(Walk::resumed(Place::from(kept.place), kept.pages, most))
    }

    async fn walk(&self, run: &mut Run<'_>, walk: &mut Walk) -> Result<(), ReconcileError> {
        // The rest of the time is for what is left to be written.
        let limit = self.settings.run_limit * 3 / 4;
        let end = run.began + limit;
        loop {
            let asked = self.clock.now();
            let next = timeout_at(end, walk.next_page(&self.source, &run.tenant)).await;
            let page = match next.map_err(|_| ReconcileError::out_of_time(limit, &run.heard))? {
                Ok(Some(page)) => page,
                Ok(None) => return Ok(()),
                Err(error) if run.is_resumed() && run.counts.pages == 0 && error.is_about_the_place() => {
                    tracing::info!(
                        tenant.id = %run.tenant.id, error = runtime::chain(&error),
                        "the list can't be read on where it broke off: it is read from the start"
                    );
                    *walk = Walk::new(self.settings.pages);
                    run.from_start = true;
                    continue;
                }
                Err(error) => return Err(ReconcileError::Microsoft(error)),
            };
            run.counts.pages += 1;
            self.take(run, page, asked).await?;
            run.taken = walk.place().map(|(place, pages)| (place.clone(), pages));
            if run.holds_enough() {
                self.flush(run).await?;
            }
            run.note_place(self.clock.now());
        }
    }

    /// Takes a page. Pages may shift while they are read: an alert that is listed twice counts as listed last.
    async fn take(&self, run: &mut Run<'_>, page: Page, asked: Timestamp) -> Result<(), ReconcileError> {
        let mut sightings = Sightings::new();
        let mut readable = Vec::new();
        for alert in page.alerts {
            let print = AlertFingerprint::of(&alert);
            let alert = Arc::new(alert);
            let id = &alert.id;
            if run.known.meet(id) {
                run.counts.listed += 1;
            }
            if run.grant.baseline_pending {
                run.baseline.count(&alert, self.settings.threshold);
            }
            if run.known.was_unreadable(id) {
                readable.push(id.clone());
            }
            let is_known = run.grant.trusts_hint && run.known.knows(id, print) && !run.known.is_decided(id);
            let sighting = Sighting { seen: Seen::There(Arc::clone(&alert)), asked, print: Some(print) };
            if let Some(held) = run.held.get_mut(id) {
                *held = sighting;
            } else if is_known {
                sightings.remove(id);
            } else {
                run.look_at_status(&alert);
                sightings.insert(id.clone(), sighting);
            }
        }
        self.settle(run, sightings, Telling::Held).await?;
        self.keep_aside(run, page.unreadable).await;
        self.mark_readable(&run.grant, &readable).await;
        Ok(())
    }

    /// Keeps what a run that failed had read and written, so that the next one can go on there, if it can.
    pub(crate) async fn keep_progress(&self, run: &mut Run<'_>, error: &ReconcileError) -> Outcome {
        let is_too_long = matches!(error, ReconcileError::OutOfTime { .. });
        let is_worth_it = |place: &KeptPlace| run.counts.pages > 0 && (is_too_long || place.pages >= WORTH_RESUMING);
        let Some(place) = run.place.take().filter(is_worth_it) else { return Outcome::Failed };
        let keeping = async {
            self.store.remember(&run.grant, &mut run.known).await?;
            self.store.keep_place(&run.grant, &place).await
        };
        let kept = keeping.await;
        match kept {
            Ok(()) => Outcome::Cut { hint_is_whole: !run.is_unsettled },
            Err(error) => {
                let error = runtime::chain(&error);
                tracing::warn!(tenant.id = %run.tenant.id, error, "where the list broke off could not be kept: it is read from the start");
                Outcome::Failed
            }
        }
    }
}
