//! The steps that an operation about alerts takes, one alert after the other. Each may be the last that is taken for now, and each may be taken again.
//!
//! | step | written | if it is cut off behind it |
//! |---|---|---|
//! | it is asked for | the operation, and a line of the alert | Microsoft is asked by whoever carries it on |
//! | Microsoft is asked, unless somebody decided anew or the alert's standing has turned since | before the call, that it may have been told | it is asked again, under the same id of the request |
//! | it is done | our copy with its decision, a line, the operation; its outbox item and statistics | nothing is left of this alert |

use std::time::Duration;

use models::{
    Act as Line, AlertId, AlertResult, Asked, Decision, Entry, GIVEN_UP_AFTER, Known, MicrosoftRefusal, Operation,
    RequestId, Standing, SupersededWish, Tenant, TraceContext,
};
use partner_center::{Change, Reason};
use store::{About, Act, ActWrite, Acted, AlertAtWork, AlertWrite, KeepOperations, ReadWork, StoreError};
use uuid::Uuid;

use crate::{
    Resolve,
    microsoft::{Outcome, Set},
};

/// Why an operation goes no further for now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Halt {
    /// Microsoft can't be asked, or gives no answer that can be used.
    #[error("Microsoft gave no answer that can be used")]
    Microsoft(#[source] partner_center::SetStatusError),
    /// Microsoft did not answer in the time that an alert has.
    #[error("Microsoft gave no answer within {} s", .0.as_secs_f32())]
    Hung(Duration),
    /// Microsoft was not told: it could not be looked at, or has turned the call away for now.
    #[error("Microsoft could not be told")]
    NotTold(#[source] partner_center::SetStatusError),
    /// Somebody else carries it on: it is to be read again.
    #[error("somebody else carries it on")]
    Moved,
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// It is not about where alerts stand.
    #[error("it is not about where alerts stand")]
    Strange,
}

/// In which invocation a step is taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Within {
    pub(crate) request: Option<RequestId>,
    pub(crate) trace: Option<TraceContext>,
}

/// What came of writing down that something is wanted of an alert.
pub(crate) enum Begun {
    /// Nothing is to be done: this is its result.
    Not(AlertResult),
    /// It is written.
    Written(Box<Operation>),
}

impl<S, M, Q> Resolve<S, M, Q>
where
    S: Act + KeepOperations + ReadWork + Sync,
    M: Set + Sync,
{
    /// The next step of an operation about this alert.
    ///
    /// # Errors
    ///
    /// [`Halt`]. What was written before it is in the operation all the same.
    pub(crate) async fn step(
        &self,
        tenant: &Tenant,
        operation: &mut Operation,
        alert: &AlertId,
        within: &Within,
    ) -> Result<(), Halt> {
        let wish = wish_of(operation).ok_or(Halt::Strange)?;
        if operation.unwritten.contains_key(alert) {
            if self.is_given_up(operation) {
                return self.note_result(operation, alert, AlertResult::Refused(MicrosoftRefusal::not_told())).await;
            }
            return match self.begin(operation, alert, within).await? {
                Begun::Not(result) => self.note_result(operation, alert, result).await,
                Begun::Written(written) => {
                    *operation = *written;
                    Ok(())
                }
            };
        }
        let Some(seen) = self.store.at_work(&tenant.id, alert).await? else {
            return self.note_result(operation, alert, AlertResult::NotFound).await;
        };
        let outcome = if let Some(outcome) = self.known_outcome(operation, &seen, wish) {
            outcome
        } else {
            let (limit, told) = (self.settings.alert_limit, self.told(tenant, operation, &seen.stored.known, wish));
            // On the heap: the futures of calls to Microsoft are large.
            tokio::time::timeout(limit, Box::pin(told)).await.map_err(|_| Halt::Hung(limit))??
        };
        self.finish(operation, alert, wish, &outcome, within).await
    }

    /// What came of it as far as we know ourselves. Then nobody is called.
    fn known_outcome(&self, operation: &Operation, seen: &AlertAtWork, wish: Change) -> Option<Outcome> {
        let stands = &seen.stored.known.alert;
        let may_be_told = operation.may_be_told(&stands.id);
        if wish.is_seen_in(stands) {
            Some(if may_be_told { Outcome::Taken } else { Outcome::AlreadySo })
        } else if seen.has_moved_on(&operation.id) {
            // Whatever was decided or seen since is newer than this wish, though it may have been waiting for an hour. What Microsoft may have been told
            // of it before is said all the same.
            let now = Standing::of(stands);
            Some(if may_be_told { Outcome::Overlapped(now) } else { Outcome::Superseded(now) })
        } else if self.is_given_up(operation) {
            let why = if may_be_told { MicrosoftRefusal::no_answer() } else { MicrosoftRefusal::not_told() };
            Some(Outcome::Refused(why))
        } else {
            None
        }
    }

    fn is_given_up(&self, operation: &Operation) -> bool {
        self.now().duration_since(operation.at) >= GIVEN_UP_AFTER
    }

    /// What Microsoft answers. That it is about to be told is written before the call, so that whatever becomes of it, and of us, it is known whether what stands
    /// there later may be our doing.
    async fn told(
        &self,
        tenant: &Tenant,
        operation: &mut Operation,
        known: &Known,
        wish: Change,
    ) -> Result<Outcome, Halt> {
        let alert = &known.alert.id;
        let was_told = operation.may_be_told(alert);
        let outcome = if let Some(outcome) = self.microsoft.look(tenant, known, wish).await {
            outcome
        } else {
            // Also where it is written already: whoever else carries it on must not take that back for a call of theirs.
            self.advance(operation, operation.with_telling(alert, self.now())).await?;
            let request = operation.id.microsoft_request_id(alert.as_str()).parse::<Uuid>().unwrap_or_default();
            self.microsoft.set(tenant, known, wish, request).await
        };
        match outcome {
            Outcome::Later(error) => Err(Halt::Microsoft(error)),
            Outcome::NotTold(error) => {
                if !was_told && operation.may_be_told(alert) {
                    self.advance(operation, operation.with_not_told(alert, self.now())).await?;
                }
                Err(Halt::NotTold(error))
            }
            // What an earlier call of ours may have done.
            Outcome::AlreadySo if was_told => Ok(Outcome::Taken),
            Outcome::Superseded(now) if was_told => Ok(Outcome::Overlapped(now)),
            Outcome::Refused(refusal) if was_told => Ok(Outcome::Refused(refusal.of_a_later_call())),
            outcome => Ok(outcome),
        }
    }

    /// Writes down that something is wanted of an alert, if it stands as whoever wants it saw it. An operation of revision 0
    /// is one that is not written yet.
    pub(crate) async fn begin(&self, operation: &Operation, alert: &AlertId, within: &Within) -> Result<Begun, Halt> {
        let wish = wish_of(operation).ok_or(Halt::Strange)?;
        loop {
            let Some(seen) = self.store.at_work(&operation.tenant, alert).await? else {
                return Ok(Begun::Not(AlertResult::NotFound));
            };
            let stands = &seen.stored.known.alert;
            if wish.is_seen_in(stands) {
                return Ok(Begun::Not(AlertResult::AlreadySo));
            }
            let saw = operation.unwritten.get(alert);
            // What says nothing of where it stands (a note, a sight of what was decided here) may have moved it on.
            let is_as_seen = saw.is_some_and(|saw| *saw == seen.stored.version || seen.stands_as_of(*saw));
            if !is_as_seen {
                return Ok(Begun::Not(AlertResult::Superseded { now: Standing::of(stands) }));
            }
            let mut written = operation.with_written(alert, self.now());
            if let Some(older) = self.superseded_by(operation, &seen).await? {
                let now = Standing::of(stands);
                let told = older.may_be_told(alert);
                written.superseded.insert(alert.clone(), SupersededWish { operation: older.id, now, told });
            }
            let entry = self.entry(&seen, &written, Line::StatusAsked, standing_of(wish), within);
            let entry = Entry { note: note_of(&written).cloned(), ..entry };
            let act = ActWrite::new(&operation.tenant, About::Alert(&seen), std::slice::from_ref(&entry));
            let act = ActWrite { operation: Some(&written), begins: true, ..act };
            match self.store.act(&act, self.now()).await? {
                Acted::Done { .. } => return Ok(Begun::Written(Box::new(written))),
                Acted::Overtaken => {}
                Acted::OperationMoved | Acted::TooManyViews => return Err(Halt::Moved),
            }
        }
    }

    /// The operation, still on its way, whose wish ends since this one begins. One that can't be read holds nobody up.
    async fn superseded_by(&self, operation: &Operation, seen: &AlertAtWork) -> Result<Option<Operation>, StoreError> {
        let Some(begun) = seen.begun.as_ref().filter(|begun| begun.operation != operation.id) else { return Ok(None) };
        let older = match self.store.operation(&operation.tenant, &begun.operation).await {
            Err(StoreError::BadItem { .. }) => None,
            read => read?,
        };
        let alert = &seen.stored.known.alert.id;
        Ok(older.filter(|older| older.left().any(|left| left == alert)))
    }

    /// Writes what came of it: into our copy, the log and the operation, at once.
    async fn finish(
        &self,
        operation: &mut Operation,
        alert: &AlertId,
        wish: Change,
        outcome: &Outcome,
        within: &Within,
    ) -> Result<(), Halt> {
        loop {
            let Some(seen) = self.store.at_work(&operation.tenant, alert).await? else {
                return self.note_result(operation, alert, AlertResult::NotFound).await;
            };
            let Ended { line, to, result, known } = self.ended(operation, &seen, wish, outcome);
            let after = operation.with_result(alert.clone(), result, self.now());
            let mut entries = vec![self.entry(&seen, &after, line, to, within)];
            if let (Some(AlertResult::Refused(refusal)), Some(older)) =
                (after.results.get(alert), after.superseded.get(alert))
                && !refusal.is_no_answer()
            {
                let line = Line::StatusNotResumed { superseded: older.operation.clone() };
                entries.push(self.entry(&seen, &after, line, Standing::of(&seen.stored.known.alert), within));
            }
            let decision = known.map(|known| {
                let (threshold, now) = (self.settings.threshold, self.now());
                let stored = Some(&seen.stored);
                AlertWrite::between(&operation.tenant, stored, known, threshold, true, now, within.trace)
            });
            match self.write(&seen, &after, &entries, decision.as_ref()).await? {
                Acted::Done { .. } => {
                    *operation = after;
                    return Ok(());
                }
                Acted::Overtaken => {}
                Acted::OperationMoved | Acted::TooManyViews => return Err(Halt::Moved),
            }
        }
    }

    fn ended(&self, operation: &Operation, seen: &AlertAtWork, wish: Change, outcome: &Outcome) -> Ended {
        let known = &seen.stored.known;
        let wished = standing_of(wish);
        let superseded = |now: Standing| Ended {
            line: Line::StatusSuperseded,
            to: now.clone(),
            result: AlertResult::Superseded { now },
            known: None,
        };
        let overlapped = |now: Standing| Ended {
            line: Line::StatusOverlapped,
            to: now.clone(),
            result: AlertResult::Overlapped { now },
            known: None,
        };
        let refused = |refusal: &MicrosoftRefusal| Ended {
            line: Line::StatusRefused(refusal.clone()),
            to: wished.clone(),
            result: AlertResult::Refused(refusal.clone()),
            known: None,
        };
        match outcome {
            Outcome::Refused(refusal) => refused(refusal),
            Outcome::Later(_) => refused(&MicrosoftRefusal::no_answer()),
            Outcome::NotTold(_) => refused(&MicrosoftRefusal::not_told()),
            Outcome::Superseded(now) => superseded(now.clone()),
            Outcome::Overlapped(now) => overlapped(now.clone()),
            Outcome::AlreadySo => {
                Ended { line: Line::StatusAlreadySo, to: wished, result: AlertResult::AlreadySo, known: None }
            }
            Outcome::Taken if !wish.is_seen_in(&known.alert) && seen.is_begun_by_another(&operation.id) => {
                overlapped(Standing::of(&known.alert))
            }
            Outcome::Taken => Ended {
                line: Line::StatusDone,
                to: wished,
                result: AlertResult::Done { version: AlertWrite::version(Some(seen.stored.version)) },
                known: (!wish.is_seen_in(&known.alert)).then(|| {
                    let decision = Decision { status: wish.status(), reason: wish.reason(), at: self.now() };
                    known.decided(decision, name_of(operation))
                }),
            },
        }
    }

    /// Notes a result of which there is no line, since nothing was done.
    async fn note_result(&self, operation: &mut Operation, alert: &AlertId, result: AlertResult) -> Result<(), Halt> {
        self.advance(operation, operation.with_result(alert.clone(), result, self.now())).await
    }

    /// Writes how far the operation has come, unless somebody else has carried it on.
    async fn advance(&self, operation: &mut Operation, after: Operation) -> Result<(), Halt> {
        if !self.store.advance(&after).await? {
            return Err(Halt::Moved);
        }
        *operation = after;
        Ok(())
    }

    fn entry(&self, seen: &AlertAtWork, operation: &Operation, line: Line, to: Standing, within: &Within) -> Entry {
        Entry {
            from: Some(Standing::of(&seen.stored.known.alert)),
            to: Some(to),
            operation: Some(operation.id.clone()),
            request: within.request.clone(),
            ..Entry::new(self.activity_id(), self.now(), operation.by.clone(), line)
        }
    }

    async fn write(
        &self,
        seen: &AlertAtWork,
        operation: &Operation,
        entries: &[Entry],
        decision: Option<&AlertWrite>,
    ) -> Result<Acted, StoreError> {
        let write = ActWrite::new(&operation.tenant, About::Alert(seen), entries);
        self.store.act(&ActWrite { decision, operation: Some(operation), ..write }, self.now()).await
    }
}

/// How a step ends: what is said of it, and what is known of the alert since, where that is another.
struct Ended {
    line: Line,
    to: Standing,
    result: AlertResult,
    known: Option<Known>,
}

/// The name that our copy shows until Microsoft's does: personal data.
fn name_of(operation: &Operation) -> Option<String> {
    match &operation.by {
        models::Actor::Person(person) => Some(person.name.clone()),
        _ => None,
    }
}

fn note_of(operation: &Operation) -> Option<&models::Note> {
    match &operation.asked {
        Asked::Status { note, .. } => note.as_ref(),
        _ => None,
    }
}

/// Where a wish leads to.
pub(crate) fn standing_of(wish: Change) -> Standing {
    Standing::new(&wish.status(), wish.reason().as_ref())
}

/// What an operation wishes of its alerts.
fn wish_of(operation: &Operation) -> Option<Change> {
    let Asked::Status { to, .. } = &operation.asked else { return None };
    let all = [
        Change::Investigate,
        Change::Reopen,
        Change::Resolve(Reason::Fraud),
        Change::Resolve(Reason::Ignore),
        Change::Resolve(Reason::Legitimate),
    ];
    all.into_iter().find(|wish| standing_of(*wish) == *to)
}
