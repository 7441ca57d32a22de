//! A turn of an export, from its claim to its end.
//!
//! The order is always: the part, then what is known of it. Whatever breaks off in between, the next turn reads the same pages again and sends the part under
//! the same number, in place of the one that nobody knows of.

use exports::{Export, Place};
use jiff::{SignedDuration, Timestamp};
use messaging::AskForExports;
use models::ExportTurn;
use store::ReadTenants;

use super::{Claim, Failure, Job, Jobs, KeepExports, Kept, MARGIN, MOST_TURNS, Put, State, Tag};

/// After how many turns that came to nothing an export is given up.
const MOST_TROUBLES: u32 = 3;
/// How long after such a turn the next one comes.
const AFTER_TROUBLE: SignedDuration = SignedDuration::from_secs(30);

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Why a turn ends before its time.
#[derive(Debug)]
enum Halt {
    /// Somebody else has the export.
    Lost,
    /// Something failed.
    Failed(Error),
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// An export that this turn has claimed.
struct Held<'a, B> {
    bucket: &'a B,
    job: Job,
    tag: Tag,
}

impl<B: KeepExports + Sync> Held<'_, B> {
    /// Writes down how it stands. What is there afterwards decides, since a write whose answer was lost finds itself in its way.
    async fn keep(&mut self, job: Job) -> Result<(), Halt> {
        let put = self.bucket.put_job(&job, Some(&self.tag)).await;
        self.tag = match put {
            Ok(Put::Done(tag)) => tag,
            Ok(Put::Other) | Err(_) => {
                let found = self.bucket.job(&job.id).await?.filter(|found| found.job == job);
                match (found, put) {
                    (Some(found), _) => found.tag,
                    (None, Err(error)) => return Err(error.into()),
                    (None, Ok(_)) => return Err(Halt::Lost),
                }
            }
        };
        self.job = job;
        Ok(())
    }
}

impl<S, B, Q> Jobs<S, B, Q>
where
    S: Clone + exports::Source + ReadTenants,
    B: KeepExports + Sync,
    Q: AskForExports + Sync,
{
    /// Gives an export its turn, in an invocation of this id, which Lambda ends at this moment.
    ///
    /// # Errors
    ///
    /// Where nothing of it could be written down: SQS gives the message again.
    pub async fn turn(&self, turn: &ExportTurn, invocation: &str, ends: Timestamp) -> Result<(), Error> {
        let Some(Kept { job, tag }) = self.bucket.job(&turn.export).await? else {
            tracing::info!(export.id = %turn.export, "an export is there no more");
            return Ok(());
        };
        // A turn that is under way asks for the next one, or its own message comes again.
        if job.is_over() || job.is_claimed(self.clock.now()) {
            return Ok(());
        }
        let mut held = Held { bucket: &self.bucket, job, tag };
        let turned = match self.claim(&mut held, invocation, ends).await {
            Ok(()) if held.job.is_over() => Ok(()),
            Ok(()) => self.write(&mut held, ends).await,
            // Without a claim there is nothing to write down.
            Err(Halt::Failed(error)) => return Err(error),
            Err(Halt::Lost) => Err(Halt::Lost),
        };
        let next = match turned {
            Ok(()) => SignedDuration::ZERO,
            Err(Halt::Lost) => {
                tracing::info!(export.id = %turn.export, "an export has its turn elsewhere");
                return Ok(());
            }
            Err(Halt::Failed(error)) => {
                let error = runtime::chain(&*error);
                tracing::warn!(export.id = %turn.export, error, "a turn of an export came to nothing");
                match self.note_trouble(&mut held).await {
                    Ok(()) => AFTER_TROUBLE,
                    Err(Halt::Lost) => return Ok(()),
                    Err(Halt::Failed(error)) => return Err(error),
                }
            }
        };
        if !held.job.is_over() {
            self.queue.ask_for_export(turn, next).await?;
        }
        Ok(())
    }

    /// Takes the turn, unless the export has had all of its turns.
    async fn claim(&self, held: &mut Held<'_, B>, invocation: &str, ends: Timestamp) -> Result<(), Halt> {
        let mut job = held.job.clone();
        job.turns += 1;
        job.changed = self.clock.now();
        if job.turns > MOST_TURNS {
            job.state = State::Failed(Failure::TooMuch);
            tracing::warn!(export.id = %job.id, rows = job.place.rows, "an export takes too long and is given up");
        } else {
            job.claim = Some(Claim { by: invocation.to_owned(), until: ends });
            if job.upload.is_none() {
                job.upload = Some(self.bucket.begin(&job.id, job.format).await?);
            }
        }
        held.keep(job).await
    }

    /// Writes on, until the text is whole or the time is over.
    async fn write(&self, held: &mut Held<'_, B>, ends: Timestamp) -> Result<(), Halt> {
        let upload = held.job.upload.clone().unwrap_or_default();
        let mut text = match held.job.rest {
            Some(turn) => self.bucket.left(&held.job.id, turn).await?,
            None => Vec::new(),
        };
        let mut export = self.resumed(held).await?;
        while let Some(page) = export.step().await? {
            text.extend(page);
            if text.len() >= self.settings.part_bytes {
                self.send(held, &upload, std::mem::take(&mut text), export.place()).await?;
            }
            if self.clock.now() + MARGIN >= ends {
                return self.leave(held, text, export.place()).await;
            }
        }
        if !text.is_empty() {
            self.send(held, &upload, text, export.place()).await?;
        }
        self.bucket.finish(&held.job, &upload).await?;
        let Place { rows, unreadable, .. } = held.job.place;
        held.keep(Job { state: State::Done, claim: None, changed: self.clock.now(), ..held.job.clone() }).await?;
        tracing::info!(export.id = %held.job.id, rows, unreadable, "an export is written");
        Ok(())
    }

    /// The export where it goes on, of the tenants that are still there.
    async fn resumed(&self, held: &mut Held<'_, B>) -> Result<Export<S>, Halt> {
        let job = &mut held.job;
        let mut tenants = self.store.tenants().await?;
        tenants.retain(|tenant| job.place.left.contains(&tenant.id));
        // Written down with the next part.
        job.removed += job.place.left.len() - tenants.len();
        let export = Export::new(self.store.clone(), tenants, job.what.clone(), job.format, job.began);
        Ok(export.with_links_to(&self.origin).from_place(&job.place))
    }

    /// Sends a part, which ends at this place.
    async fn send(&self, held: &mut Held<'_, B>, upload: &str, text: Vec<u8>, place: Place) -> Result<(), Halt> {
        let tag = self.bucket.part(&held.job, upload, held.job.parts.len() + 1, text).await?;
        let mut job = Job { place, rest: None, troubles: 0, changed: self.clock.now(), ..held.job.clone() };
        job.parts.push(tag);
        held.keep(job).await
    }

    /// Leaves the rest to the next turn, and with it what is not enough for a part.
    async fn leave(&self, held: &mut Held<'_, B>, text: Vec<u8>, place: Place) -> Result<(), Halt> {
        let turn = held.job.turns;
        let rest = (!text.is_empty()).then_some(turn);
        if rest.is_some() {
            self.bucket.leave(&held.job.id, turn, text).await?;
        }
        held.keep(Job { place, rest, claim: None, troubles: 0, changed: self.clock.now(), ..held.job.clone() }).await
    }

    /// Writes down that a turn came to nothing, and gives the export up where that is one too many.
    async fn note_trouble(&self, held: &mut Held<'_, B>) -> Result<(), Halt> {
        // As it was written down last: what a turn has done since counts for nothing.
        // The turn may have given it back, and not heard so.
        let is_ours = |found: &Kept| found.job.claim.is_none() || found.job.claim == held.job.claim;
        let Kept { job, tag } = self.bucket.job(&held.job.id).await?.filter(is_ours).ok_or(Halt::Lost)?;
        (held.job, held.tag) = (job, tag);
        if held.job.is_over() {
            return Ok(());
        }
        let mut job = Job { claim: None, changed: self.clock.now(), ..held.job.clone() };
        job.troubles += 1;
        if job.troubles >= MOST_TROUBLES {
            job.state = State::Failed(Failure::Trouble);
            tracing::error!(export.id = %job.id, rows = job.place.rows, "an export is given up");
        }
        held.keep(job).await
    }
}
