//! What goes on by itself: Microsoft is looked at until it is so, then the alerts are resolved, and people are told of what stands still.
//!
//! | what happens | answer to the queue | then |
//! |---|---|---|
//! | something is left to do | done | the next look; the schedule finds what has none |
//! | nothing is left, or it was given up | done | |
//! | Microsoft does not answer within 8 seconds, or an alert can't be resolved | done, and logged | as where something is left |
//! | the store fails, or nobody can be told | failed | it is tried again, then dead letters; the schedule goes on |
//! | the tenant or the operation is gone | done, and logged | nothing can be done |
//!
//! Whether people are to be told of it is decided by what is kept, before anything else is asked: what hangs or fails later can't keep it from them.

use std::{error::Error, future::Future, time::Duration};

use jiff::Timestamp;
use messaging::{AskForFollowUps, PublishError, QueueError, Tell};
use models::{
    Act, Actor, AlertId, AlertResult, FollowUp, Operation, Repeated, SubscriptionEvent, SubscriptionStage,
    SubscriptionWish, Tenant,
};
use partner_center::{Asker, Credentials, EntitlementError, EntitlementStatus};
use store::{FindAlerts, FindOpenAlerts, KeepOperations, ReadTenant, ReadWork, StoreError};

use crate::{StepError, Subscriptions, about, act::place, is_as_wished, told};

/// More steps than an operation has, and than others take meanwhile.
const MOST_STEPS: usize = 16;
/// How long Microsoft has for an answer to one question, or to one alert, within a look: several of them fit into the time of one.
const PATIENCE: Duration = Duration::from_secs(8);
/// Most alerts that are resolved in one look: each takes a call to Microsoft and two transactions, within the time of one invocation.
const MOST_RESOLVED: usize = 50;
/// How many alerts in a row may fail before the rest is left to the next look: something is wrong with Microsoft, not with them.
const HELD_UP: usize = 3;

/// Why an alert could not be resolved for now.
pub type ResolveFailed = Box<dyn Error + Send + Sync>;

/// Resolves alerts, as a person would who asks for it.
pub trait ResolveAlerts {
    /// Resolves an alert as fraud, for this operation, whose results hold nothing of it yet. Repeated, it is done once.
    ///
    /// # Errors
    ///
    /// [`ResolveFailed`] where it is to be tried again.
    fn resolve_as_fraud(
        &self,
        tenant: &Tenant,
        alert: &AlertId,
        operation: &Operation,
    ) -> impl Future<Output = Result<AlertResult, ResolveFailed>> + Send;
}

/// Why a look has to be tried again.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// People could not be told.
    #[error("nobody could be told of an operation that stands still")]
    NotTold(#[from] PublishError),
    /// The next look could not be asked for.
    #[error("the next look at an operation could not be asked for")]
    Queue(#[from] QueueError),
    /// It could not be read or written.
    #[error(transparent)]
    Step(#[from] StepError),
}

impl From<StoreError> for FollowError {
    fn from(error: StoreError) -> Self {
        Self::Step(error.into())
    }
}

/// What goes on by itself.
#[derive(Debug)]
pub struct Follower<S, C, R, P, Q> {
    subscriptions: Subscriptions<S, C>,
    resolve: R,
    people: P,
    queue: Q,
}

/// What a look at an operation came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Followed {
    /// It is about something else.
    NotForUs,
    /// Nothing is left to do, or can be done.
    NothingLeft,
    /// It needs another look.
    SomethingLeft,
}

impl<S, C, R, P, Q> Follower<S, C, R, P, Q> {
    /// What goes on with these. `people` are those who look after Partner Alerts.
    #[must_use]
    pub fn new(subscriptions: Subscriptions<S, C>, resolve: R, people: P, queue: Q) -> Self {
        Self { subscriptions, resolve, people, queue }
    }
}

impl<S, C, R, P, Q> Follower<S, C, R, P, Q>
where
    S: store::Act + FindAlerts + FindOpenAlerts + KeepOperations + ReadTenant + ReadWork + Sync,
    C: Credentials + Send + Sync,
    R: ResolveAlerts + Sync,
    P: Tell + Sync,
    Q: AskForFollowUps + Sync,
{
    /// Carries an operation on as far as it goes now, and asks for the next look where something is left. Not for us is one about something else.
    ///
    /// # Errors
    ///
    /// [`FollowError`].
    pub async fn follow(&self, look: &FollowUp) -> Result<Followed, FollowError> {
        let left = self.look(look).await?;
        if left == Followed::SomethingLeft
            && let Some((next, after)) = look.next()
        {
            self.queue.ask_for_follow_ups(&[next], after).await?;
        }
        Ok(left)
    }

    async fn look(&self, look: &FollowUp) -> Result<Followed, FollowError> {
        let FollowUp { tenant, operation: id, .. } = look;
        let Some(operation) = self.subscriptions.store.operation(tenant, id).await? else {
            tracing::warn!(tenant.id = %tenant, operation.id = %id, "an operation can't be carried on: it, or its tenant, is gone");
            return Ok(Followed::NothingLeft);
        };
        if about(&operation).is_none() {
            return Ok(Followed::NotForUs);
        }
        // By what is kept, and before anybody else is called: whatever hangs or fails behind this, people know.
        let told = self.tell_if_stuck(&operation).await;
        let operation = told.as_ref().ok().cloned().flatten().unwrap_or(operation);
        let carried = self.carry_on(operation).await;
        told?;
        carried
    }

    async fn carry_on(&self, mut operation: Operation) -> Result<Followed, FollowError> {
        let Some(tenant) = self.subscriptions.store.tenant(&operation.tenant).await? else {
            tracing::warn!(tenant.id = %operation.tenant, operation.id = %operation.id, "an operation can't be carried on: it, or its tenant, is gone");
            return Ok(Followed::NothingLeft);
        };
        let began = self.subscriptions.now();
        for _ in 0..MOST_STEPS {
            let before = (operation.progress.clone(), operation.results.len());
            operation = self.go_on(&tenant, operation, began).await?;
            if operation.repeated_by(&operation.request) != Repeated::Unfinished {
                return Ok(Followed::NothingLeft);
            }
            if before == (operation.progress.clone(), operation.results.len()) {
                break;
            }
        }
        if operation.is_hopeless(self.subscriptions.now()) {
            self.give_up(operation).await?;
            return Ok(Followed::NothingLeft);
        }
        Ok(Followed::SomethingLeft)
    }

    /// The operation after the next step that can be made now. As it was, where none can.
    async fn go_on(&self, tenant: &Tenant, operation: Operation, began: Timestamp) -> Result<Operation, FollowError> {
        use SubscriptionStage as Stage;
        let Some(stage) = operation.progress.as_ref().map(|progress| progress.stage) else { return Ok(operation) };
        match stage {
            Stage::Asked | Stage::EntitlementFound | Stage::Telling | Stage::Posted | Stage::Following => {
                self.see(tenant, operation).await
            }
            Stage::Reached => self.resolve_alerts(tenant, operation, began).await,
            Stage::AlertsResolved => {
                Ok(self.subscriptions.step(operation, &Actor::System, SubscriptionEvent::Finished).await?)
            }
            Stage::Done | Stage::Unknown => Ok(operation),
        }
    }

    /// Looks how the subscription stands at Microsoft.
    async fn see(&self, tenant: &Tenant, operation: Operation) -> Result<Operation, FollowError> {
        let (subscriptions, by) = (&self.subscriptions, &Actor::System);
        let Some((wish, ..)) = about(&operation) else { return Ok(operation) };
        let (operation, seen) = match self.status(tenant, operation).await? {
            (operation, Ok(status)) => (operation, Some(is_as_wished(wish, &status))),
            (operation, Err(error)) => {
                let (error, advice) = (runtime::chain(&error), error.what_to_do().unwrap_or_default());
                tracing::warn!(
                    tenant.id = %operation.tenant, operation.id = %operation.id, error, advice,
                    "it can't be seen how a subscription stands: the next look tries again"
                );
                (operation, None)
            }
        };
        let stage = operation.progress.as_ref().map(|progress| progress.stage);
        match seen {
            Some(true) => Ok(subscriptions.step(operation, by, SubscriptionEvent::SeenAsWished).await?),
            Some(false) if stage == Some(SubscriptionStage::Telling) => self.not_taken(operation).await,
            Some(false) if !operation.needs_person() => {
                Ok(subscriptions.step(operation, by, SubscriptionEvent::SeenAsBefore).await?)
            }
            seen => {
                let Some(lapsed) = operation.lapsed(seen.is_some(), subscriptions.now()) else { return Ok(operation) };
                let Some((_, _, subscription)) = about(&lapsed) else { return Ok(operation) };
                let act = Act::SubscriptionLapsed { subscription: subscription.clone() };
                Ok(subscriptions.keep(lapsed, by, act).await?)
            }
        }
    }

    /// Microsoft was told, and does not show it: once it has had the time, a person has to tell it again.
    async fn not_taken(&self, operation: Operation) -> Result<Operation, FollowError> {
        let subscriptions = &self.subscriptions;
        let is_time = operation.progress.as_ref().is_some_and(|progress| progress.should_show(subscriptions.now()));
        let Some((_, _, subscription)) = about(&operation).filter(|_| is_time) else { return Ok(operation) };
        let act = Act::SubscriptionNotTaken { subscription: subscription.clone() };
        let after = operation.advanced(SubscriptionEvent::NotTaken, subscriptions.now()).map_err(StepError::from)?;
        Ok(subscriptions.keep(after, &Actor::System, act).await?)
    }

    /// How the subscription stands, and the operation with the plan, which may have been found only now.
    async fn status(
        &self,
        tenant: &Tenant,
        operation: Operation,
    ) -> Result<(Operation, Result<EntitlementStatus, EntitlementError>), StepError> {
        let subscriptions = &self.subscriptions;
        if let Some(place) = place(&operation) {
            let shown = subscriptions.entitlements.read(Asker::Tenant, tenant, &place);
            return Ok((operation, in_time(tenant, shown).await.map(|shown| shown.status)));
        }
        let Some((_, customer, subscription)) = about(&operation) else {
            return Ok((operation, Ok(EntitlementStatus::Other("none".to_owned()))));
        };
        let found = subscriptions.entitlements.find(Asker::Tenant, tenant, customer, subscription);
        match in_time(tenant, found).await {
            Ok(found) => {
                let operation = subscriptions.note_found(operation, &Actor::System, &found).await?;
                Ok((operation, Ok(found.entitlement.status)))
            }
            Err(error) => Ok((operation, Err(error))),
        }
    }

    /// Resolves what is open of the subscription, one alert after the other, and notes what came of each. What gets no answer in time, or fails, goes to the
    /// back, behind what was not tried since, and is left to the next look. What can't be read stays open, and is counted as such.
    async fn resolve_alerts(
        &self,
        tenant: &Tenant,
        mut operation: Operation,
        began: Timestamp,
    ) -> Result<Operation, FollowError> {
        let (subscriptions, by) = (&self.subscriptions, &Actor::System);
        let Some((wish, _, subscription)) = about(&operation) else { return Ok(operation) };
        if wish == SubscriptionWish::Reactivate {
            return Ok(subscriptions.step(operation, by, SubscriptionEvent::Finished).await?);
        }
        let limit = MOST_RESOLVED + operation.results.len() + operation.unanswered.len();
        let open = subscriptions.store.open_alerts_of(&tenant.id, subscription, limit).await?;
        let (mut open, unreadable) = (open.alerts, open.unreadable);
        open.retain(|alert| !operation.results.contains_key(&alert.id));
        if open.is_empty() || operation.is_hopeless(subscriptions.now()) {
            let left = operation.left_open() + open.len() + unreadable;
            return self.note_alerts(operation, left).await;
        }
        // Each would fail, and be noted.
        if !tenant.active || tenant.act_secret.is_none() {
            return Ok(operation);
        }
        let last = |alert: &AlertId| operation.unanswered.get(alert).copied();
        open.retain(|alert| last(&alert.id).is_none_or(|last| last < began));
        open.sort_by_key(|alert| last(&alert.id));
        let mut failed = 0;
        for alert in open {
            if failed == HELD_UP {
                break;
            }
            let resolving = self.resolve.resolve_as_fraud(tenant, &alert.id, &operation);
            let after = match tokio::time::timeout(PATIENCE, resolving).await {
                Ok(Ok(result)) => {
                    failed = 0;
                    operation.with_result(alert.id.clone(), result, subscriptions.now())
                }
                Ok(Err(error)) => {
                    failed += 1;
                    warn_of(&operation, &alert.id, &runtime::chain(&*error));
                    operation.with_no_answer(alert.id.clone(), subscriptions.now())
                }
                Err(_) => {
                    failed += 1;
                    warn_of(
                        &operation,
                        &alert.id,
                        &format!("there was no answer within {} seconds", PATIENCE.as_secs()),
                    );
                    operation.with_no_answer(alert.id.clone(), subscriptions.now())
                }
            };
            if !subscriptions.store.advance(&after).await? {
                return Ok(subscriptions.kept(&operation.tenant, &operation.id).await?);
            }
            operation = after;
        }
        Ok(operation)
    }

    /// Notes that nothing more is done about alerts, of which so many stay open: people are told of those first.
    async fn note_alerts(&self, operation: Operation, left: usize) -> Result<Operation, FollowError> {
        let (subscriptions, by, event) = (&self.subscriptions, &Actor::System, SubscriptionEvent::AlertsResolved);
        let Some((_, customer, subscription)) = about(&operation).filter(|_| left > 0) else {
            return Ok(subscriptions.step(operation, by, event).await?);
        };
        let news = told::alerts_left(&operation, left, (customer, subscription));
        self.people.tell(news.subject, &news.text).await?;
        let alerts = u64::try_from(left).unwrap_or(u64::MAX);
        let act = Act::SubscriptionAlertsLeft { subscription: subscription.clone(), alerts };
        let after = operation.advanced(event, subscriptions.now()).map_err(StepError::from)?;
        Ok(subscriptions.keep(after, by, act).await?)
    }

    /// Gives up what has stood still for days, and tells people first.
    async fn give_up(&self, operation: Operation) -> Result<(), FollowError> {
        let subscriptions = &self.subscriptions;
        let (Some((wish, customer, subscription)), Some(progress)) = (about(&operation), &operation.progress) else {
            return Ok(());
        };
        let news = told::given_up(&operation, progress, (wish, customer, subscription));
        self.people.tell(news.subject, &news.text).await?;
        let act = Act::SubscriptionGivenUp { subscription: subscription.clone(), at: progress.stage };
        subscriptions.keep(operation.given_up(subscriptions.now()), &Actor::System, act).await?;
        Ok(())
    }

    /// Tells people of what stands still, and notes that it did: in this order, so that a telling can come twice and is never lost. Gives the operation as it
    /// is since; none where nobody had to be told.
    async fn tell_if_stuck(&self, operation: &Operation) -> Result<Option<Operation>, FollowError> {
        let subscriptions = &self.subscriptions;
        let Some(raised) = operation.raised(subscriptions.now()) else { return Ok(None) };
        let (Some((wish, customer, subscription)), Some(progress)) = (about(&raised), &raised.progress) else {
            return Ok(None);
        };
        let news = told::stuck(&raised, progress, (wish, customer, subscription));
        self.people.tell(news.subject, &news.text).await?;
        tracing::warn!(
            tenant.id = %raised.tenant, operation.id = %raised.id, subscription.id = %subscription,
            "an operation about a subscription stands still: people were told"
        );
        let act = Act::SubscriptionStuck { subscription: subscription.clone(), at: progress.stage };
        Ok(Some(subscriptions.keep(raised, &Actor::System, act).await?))
    }
}

/// What Microsoft says within the patience of a look.
async fn in_time<T>(
    tenant: &Tenant,
    asking: impl Future<Output = Result<T, EntitlementError>>,
) -> Result<T, EntitlementError> {
    let (call, after) = ("looking how an Azure subscription stands", PATIENCE);
    let out_of_time = |_| EntitlementError::OutOfTime { call, tenant: tenant.id.clone(), after };
    // On the heap: the futures of calls to Microsoft are large.
    tokio::time::timeout(after, Box::pin(asking)).await.map_err(out_of_time)?
}

fn warn_of(operation: &Operation, alert: &AlertId, error: &str) {
    tracing::warn!(
        tenant.id = %operation.tenant, alert.id = %alert, operation.id = %operation.id, error,
        "an alert of a subscription that is cancelled could not be resolved: the next look tries again"
    );
}
