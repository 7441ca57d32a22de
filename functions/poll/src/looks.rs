//! The looks that follow a verified fraud event, and what is told where nothing bears it out.
//!
//! A look is a run like any other. Before it begins, the next one is on the queue: whatever becomes of this one, the chain goes on, and
//! nothing is kept in memory. The first look decides whether the event has a chain of its own, so that a flood of events is a bounded
//! number of messages (decision 0024 has the figures).
//!
//! | what happens | then |
//! |---|---|
//! | an alert that we keep confirms the event | nothing: the alert is told as ever |
//! | from five minutes on nothing does | an unconfirmed fraud signal, unless the customer is somebody else's |
//! | Microsoft refuses our credentials | the same at once |
//! | another run covers a look that is to be judged, or what it wrote may not show yet | the look comes back to be judged, four times at most |
//! | the run fails | the next look is its retry |
//! | the queue or the store fails | failed: SQS tries again, then dead letters |

use jiff::{SignedDuration, Timestamp};
use messaging::{AskForNames, QueueError, Ring};
use models::{
    CustomerId, Doorbell, Notice, ReconcileCause, ReconcileRequest, SignalNotice, SignalReason, SubscriptionId, Tenant,
    TraceContext, confirms,
};
use partner_center::{ListAlerts, MicrosoftError, ReadCustomers};
use runtime::Counts;
use store::{
    Candidate, FindAlerts, KeepAside, KeepPlaces, KeepSignals, KeepWatches, Lease, NoteCallbacks, OutboxRecord,
    ReadAlerts, ReadNames, ReadTenant, StoreError, Watched, WriteAlerts,
};

use crate::{Poll, ReconcileError, Reconciled, customers::Whose};

/// How long after it was due a look waits for a run to be judged by, as long as it may come back at all.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);

/// Why a look could not be followed up.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error("the next look could not be asked for")]
    Queue(#[from] QueueError),
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// What an event is judged by.
#[derive(Clone, Copy)]
struct Grounds {
    /// Why it is not confirmed, if nothing confirms it.
    reason: SignalReason,
    /// Whether there may be more than is seen yet.
    fresh: bool,
}

/// What came of judging an event.
enum Verdict {
    /// There is nothing more to do.
    Settled,
    /// It can't be judged yet.
    Later,
}

impl<S, L, Q> Poll<S, L, Q>
where
    S: ReadTenant
        + Lease
        + ReadAlerts
        + WriteAlerts
        + KeepAside
        + KeepPlaces
        + FindAlerts
        + KeepSignals
        + KeepWatches
        + NoteCallbacks
        + ReadNames
        + Sync,
    L: ListAlerts + ReadCustomers + Sync,
    Q: Ring + AskForNames + Sync,
{
    /// Makes a look. False where SQS has to try again.
    pub(crate) async fn look(
        &self,
        request: &ReconcileRequest,
        bell: &Doorbell,
        received: Timestamp,
        trace: Option<TraceContext>,
    ) -> bool {
        let followed_up = self.try_look(request, bell, received, trace).await;
        if let Err(error) = &followed_up {
            let (customer, subscription) = ids(bell.customer.as_ref(), bell.subscription.as_ref());
            tracing::error!(
                tenant.id = %request.tenant, event.id = %bell.event, customer.id = customer, subscription.id = subscription,
                error = runtime::chain(error),
                "a fraud event could not be followed up: the queue tries again"
            );
            self.report_failure();
        }
        followed_up.is_ok()
    }

    async fn try_look(
        &self,
        request: &ReconcileRequest,
        bell: &Doorbell,
        received: Timestamp,
        trace: Option<TraceContext>,
    ) -> Result<(), LookError> {
        let Some(tenant) = self.store.tenant(&request.tenant).await?.filter(|tenant| tenant.active) else {
            tracing::warn!(tenant.id = %request.tenant, "a look was asked for at a tenant that is not polled");
            return Ok(());
        };
        // Whatever fails of it, it is looked first.
        let prepared = self.prepare(&tenant, bell, received, trace).await;
        let bare = ReconcileRequest { cause: ReconcileCause::Callback(bell.bare()), ..request.clone() };
        let ran = self.run_in_chain(&bare, bell.hops(), trace).await;
        match prepared? {
            Some(bell) => self.conclude(&tenant, &bell, received, &ran, trace).await,
            None => Ok(()),
        }
    }

    /// What comes before a look: the event is followed up, and the next look is on the queue. None where another event's looks will do.
    async fn prepare(
        &self,
        tenant: &Tenant,
        bell: &Doorbell,
        received: Timestamp,
        trace: Option<TraceContext>,
    ) -> Result<Option<Doorbell>, LookError> {
        let (bell, asked) = if bell.look > 0 || bell.again {
            let asked = self.store.asked(&tenant.id, &bell.event, bell.subject().as_ref(), received).await?;
            (bell.clone(), asked.unwrap_or_default())
        } else {
            match self.begin(tenant, bell, received).await? {
                (bell, Watched::ByUs { asked }) => (bell, asked),
                (_, Watched::ByAnother | Watched::TooMany) => return Ok(None),
            }
        };
        // Of a message that comes twice, the first has asked for the next one.
        if let Some((next, delay)) = bell.next(self.clock.now()).filter(|_| asked <= bell.look) {
            let (look, subject) = (next.look, bell.subject());
            self.ring_for(tenant, next, delay, trace).await?;
            self.store.note_asked(&tenant.id, &bell.event, subject.as_ref(), received, look).await?;
        }
        Ok(Some(bell))
    }

    /// Has the event followed up by its own looks, or by those that it shares.
    async fn begin(
        &self,
        tenant: &Tenant,
        bell: &Doorbell,
        received: Timestamp,
    ) -> Result<(Doorbell, Watched), LookError> {
        // For people alone: no look waits for it.
        if let Err(error) = self.store.note_callback(&tenant.id, received).await {
            let error = runtime::chain(&error);
            tracing::warn!(tenant.id = %tenant.id, event.id = %bell.event, error, "when Microsoft last rang could not be noted");
        }
        let subject = bell.subject();
        let watched = self.store.watch(&tenant.id, &bell.event, subject.as_ref(), received).await?;
        if watched != Watched::TooMany {
            return Ok((bell.clone(), watched));
        }
        // What it names is let go: of so many nobody can say whose they are.
        let bell = Doorbell { customer: None, subscription: None, ..bell.clone() };
        let watched = self.store.watch(&tenant.id, &bell.event, None, received).await?;
        Ok((bell, watched))
    }

    /// What comes after a look: the event is judged, if it is time to.
    async fn conclude(
        &self,
        tenant: &Tenant,
        bell: &Doorbell,
        received: Timestamp,
        ran: &Result<Reconciled, ReconcileError>,
        trace: Option<TraceContext>,
    ) -> Result<(), LookError> {
        let now = self.clock.now();
        let due = bell.due().unwrap_or(received).min(now);
        let comes_back = bell.again();
        let may_wait = comes_back.is_some() && now.duration_since(due) < PATIENCE;
        let reason = match ran {
            Ok(Reconciled::NotPolled) => return Ok(()),
            Err(error) if error.is_for_somebody_to_mend() => SignalReason::Refused,
            _ if !bell.is_to_be_judged(now) => return Ok(()),
            Ok(Reconciled::Done { .. }) => SignalReason::NotFound,
            Ok(Reconciled::Covered) if self.store.looked_since(&tenant.id, due, now).await? => SignalReason::NotFound,
            Ok(Reconciled::Covered) if may_wait => return self.come_back(tenant, comes_back, trace).await,
            Err(_) | Ok(Reconciled::Covered) => SignalReason::NotRead,
        };
        // Indexes follow the table a moment later. One that is late by itself, as of an event that was delivered anew, waits once.
        let fresh = (may_wait || !bell.again) && matches!(ran, Ok(Reconciled::Done { changed: 1.., .. }));
        match self.judge(tenant, bell, received, Grounds { reason, fresh }, trace).await? {
            Verdict::Settled => Ok(()),
            Verdict::Later => self.come_back(tenant, comes_back, trace).await,
        }
    }

    async fn come_back(
        &self,
        tenant: &Tenant,
        comes_back: Option<(Doorbell, SignedDuration)>,
        trace: Option<TraceContext>,
    ) -> Result<(), LookError> {
        match comes_back {
            Some((bell, pause)) => Ok(self.ring_for(tenant, bell, pause, trace).await?),
            None => Ok(()),
        }
    }

    async fn ring_for(
        &self,
        tenant: &Tenant,
        bell: Doorbell,
        delay: SignedDuration,
        trace: Option<TraceContext>,
    ) -> Result<(), QueueError> {
        let request = ReconcileRequest { tenant: tenant.id.clone(), cause: ReconcileCause::Callback(bell), trace };
        self.queue.ring(&request, delay).await
    }

    /// Tells of the event, unless an alert confirms it or the customer is somebody else's.
    async fn judge(
        &self,
        tenant: &Tenant,
        bell: &Doorbell,
        received: Timestamp,
        Grounds { reason, fresh }: Grounds,
        trace: Option<TraceContext>,
    ) -> Result<Verdict, LookError> {
        let changed = bell.changed.unwrap_or(received);
        let since = changed.min(received).saturating_sub(models::CONFIRMED_SINCE).unwrap_or(Timestamp::MIN);
        let found = match &bell.subject() {
            Some(subject) => self.store.candidates(&tenant.id, subject).await?,
            None => Vec::new(),
        };
        let (customer, subscription) = ids(bell.customer.as_ref(), bell.subscription.as_ref());
        let confirming = |one: &&Candidate| confirms(&one.alert, one.known_since, one.relation, since);
        if let Some(Candidate { alert, .. }) = found.iter().find(confirming) {
            tracing::info!(
                tenant.id = %tenant.id, event.id = %bell.event, customer.id = customer, subscription.id = subscription,
                alert.id = %alert.id, "the fraud event is confirmed"
            );
            return Ok(Verdict::Settled);
        }
        if fresh {
            return Ok(Verdict::Later);
        }
        let ours = !found.is_empty();
        let refused = reason == SignalReason::Refused;
        let whose = if ours { Whose::Ours } else { self.whose(tenant, bell, refused).await? };
        let customer_known = match whose {
            Whose::Awaited if bell.again().is_some() => return Ok(Verdict::Later),
            Whose::Awaited | Whose::CantTell => false,
            Whose::Foreign => {
                tracing::info!(
                    tenant.id = %tenant.id, event.id = %bell.event, customer.id = customer, subscription.id = subscription,
                    "a fraud event is about a customer that is none of ours: nobody is told"
                );
                self.metrics.report(self.clock.now(), &Counts::new().with("FraudEventsForeign", 1));
                return Ok(Verdict::Settled);
            }
            Whose::Ours => true,
        };
        let notice = SignalNotice {
            reason,
            event_id: bell.event.clone(),
            received,
            changed,
            customer_known,
            customer_id: bell.customer.clone(),
            subscription_id: bell.subscription.clone(),
        };
        self.tell(tenant, notice, trace).await?;
        Ok(Verdict::Settled)
    }

    async fn tell(&self, tenant: &Tenant, notice: SignalNotice, trace: Option<TraceContext>) -> Result<(), StoreError> {
        let now = self.clock.now();
        let told = notice.clone();
        let notice = Notice::Signal(notice);
        let record = OutboxRecord { tenant: tenant.id.clone(), created: now, notice, publish: true, trace };
        if self.store.signal(&record, now).await? {
            let (customer, subscription) = ids(told.customer_id.as_ref(), told.subscription_id.as_ref());
            tracing::warn!(
                tenant.id = %tenant.id, event.id = %told.event_id, customer.id = customer, subscription.id = subscription,
                reason = told.reason.as_str(),
                "a fraud event is not confirmed: an unconfirmed fraud signal goes out"
            );
            self.metrics.report(now, &Counts::new().with("FraudSignalsUnconfirmed", 1));
        }
        Ok(())
    }
}

/// What an event is about, as log lines have it.
fn ids<'a>(
    customer: Option<&'a CustomerId>,
    subscription: Option<&'a SubscriptionId>,
) -> (Option<&'a str>, Option<&'a str>) {
    (customer.map(CustomerId::as_str), subscription.map(SubscriptionId::as_str))
}

/// Whether Microsoft will not let us look until somebody mends something. What may pass by itself has until the look at five minutes.
pub(crate) fn refuses_us(error: &MicrosoftError) -> bool {
    use partner_center::Diagnosis::{RelationshipMissing, Throttled, Unavailable};
    match error {
        MicrosoftError::AppOnly { .. } => true,
        MicrosoftError::Credential { source, .. } => !source.may_pass(),
        MicrosoftError::Refused { status, .. } => match error.diagnosis() {
            Some(RelationshipMissing | Throttled | Unavailable) => false,
            Some(_) => true,
            None => matches!(status, 401 | 403),
        },
        MicrosoftError::BadAnswer { .. } | MicrosoftError::NoAnswer { .. } | MicrosoftError::PlaceRefused { .. } => {
            false
        }
    }
}
