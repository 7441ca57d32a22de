//! The one step that takes a person's own token: Microsoft is told.

use models::{Act, Actor, Operation, Person, SubscriptionEvent, SubscriptionStage, SubscriptionWish, Tenant};
use partner_center::{Asker, Credentials, EntitlementError, EntitlementPlace, PersonToken, Refusal};
use store::{FindAlerts, FindOpenAlerts, KeepOperations, ReadWork, StoreError};
use uuid::Uuid;

use crate::{
    StepError, Subscriptions, about, is_as_wished,
    steps::{ATTEMPTS, Wrote, contended, unwritable},
};

/// Why Microsoft was not told, or nobody knows whether it was.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// Microsoft refused this token or this moment, or could not be understood or reached. The operation goes on by the next token, and where Microsoft
    /// did take it, by itself.
    #[error("Partner Center refused it, or gave no answer that says whether it took it on")]
    Microsoft(#[from] EntitlementError),
    /// It could not be written.
    #[error(transparent)]
    Step(#[from] StepError),
}

impl From<StoreError> for ActError {
    fn from(error: StoreError) -> Self {
        Self::Step(error.into())
    }
}

impl<S, C> Subscriptions<S, C>
where
    S: store::Act + FindAlerts + FindOpenAlerts + KeepOperations + ReadWork + Sync,
    C: Credentials + Send + Sync,
{
    /// Tells Microsoft by a person's own token, if Microsoft is not known to have taken the operation, and gives what it has come to: also that Microsoft
    /// refused it for good. Asked once more, it is not done a second time.
    ///
    /// # Errors
    ///
    /// [`ActError`].
    pub async fn act(
        &self,
        person: &PersonToken,
        tenant: &Tenant,
        operation: Operation,
        by: &Actor,
    ) -> Result<Operation, ActError> {
        // On the heap: the futures of calls to Microsoft are large.
        Box::pin(self.acted(person, tenant, operation, by)).await
    }

    async fn acted(
        &self,
        person: &PersonToken,
        tenant: &Tenant,
        operation: Operation,
        by: &Actor,
    ) -> Result<Operation, ActError> {
        let Some((wish, customer, subscription)) = about(&operation).filter(|_| operation.takes_person()) else {
            return Ok(operation);
        };
        let (customer, subscription) = (customer.clone(), subscription.clone());
        if !operation.is_wanted_by(by) {
            // Who goes on with what somebody else asked for wants it, too, and says so before it is done.
            let asked = Act::SubscriptionAsked { wish, customer: customer.clone(), subscription: subscription.clone() };
            let entry = self.entry(&operation, by, asked)?;
            self.write(&tenant.id, &entry, None).await?;
        }
        let asker = Asker::Person(person);
        let (place, operation) = match place(&operation) {
            Some(place) => match self.entitlements.read(asker, tenant, &place).await {
                Ok(shown) if is_as_wished(wish, &shown.status) => {
                    return Ok(self.step(operation, by, SubscriptionEvent::SeenAsWished).await?);
                }
                Ok(_) => (place, operation),
                Err(error) => return self.failed(operation, by, error, false).await,
            },
            None => match self.entitlements.find(asker, tenant, &customer, &subscription).await {
                Ok(found) => (found.place, self.note_found(operation, by, &found).await?),
                Err(error) => return self.failed(operation, by, error, false).await,
            },
        };
        // Before the call, so that whatever becomes of it, and of us, it is known that it may have been made.
        let operation = self.note_telling(operation, by, person).await?;
        if !operation.takes_person() {
            return Ok(operation);
        }
        let request = request_id(&operation, wish)?;
        let told = match wish {
            SubscriptionWish::Cancel => self.entitlements.cancel(person, tenant, &place, request).await,
            SubscriptionWish::Reactivate => self.entitlements.reactivate(person, tenant, &place, request).await,
        };
        match told {
            Ok(_) => Ok(self.note_posted(operation, by).await?),
            Err(error) => self.failed(operation, by, error, true).await,
        }
    }

    /// Writes down that Microsoft is about to be told, unless it is so by now that nobody has to tell it.
    async fn note_telling(
        &self,
        mut operation: Operation,
        by: &Actor,
        token: &PersonToken,
    ) -> Result<Operation, StepError> {
        let is_actor = |known: &Person| matches!(by, Actor::Person(person) if known.is(person));
        let known_as = token.person().filter(|known| !is_actor(known));
        for _ in 0..ATTEMPTS {
            let Some((_, _, subscription)) = about(&operation).filter(|_| operation.takes_person()) else {
                return Ok(operation);
            };
            let act = Act::SubscriptionTelling { subscription: subscription.clone(), known_as: known_as.clone() };
            let after = operation.advanced(SubscriptionEvent::Telling, self.now())?;
            match self.write(&operation.tenant, &self.entry(&after, by, act)?, Some(&after)).await? {
                Wrote::Done => return Ok(after),
                Wrote::Moved => operation = self.kept(&operation.tenant, &operation.id).await?,
            }
        }
        Err(contended().into())
    }

    /// Writes down that Microsoft took it, whatever has become of the operation meanwhile: one that was given up goes on.
    async fn note_posted(&self, mut operation: Operation, by: &Actor) -> Result<Operation, StepError> {
        for _ in 0..ATTEMPTS {
            let after = operation.advanced(SubscriptionEvent::Posted, self.now())?;
            let is_known = after.progress == operation.progress;
            let (Some((_, _, subscription)), false) = (about(&after), is_known) else { return Ok(operation) };
            let act = Act::SubscriptionReached { subscription: subscription.clone(), stage: SubscriptionStage::Posted };
            match self.write(&operation.tenant, &self.entry(&after, by, act)?, Some(&after)).await? {
                Wrote::Done => return Ok(after),
                Wrote::Moved => operation = self.kept(&operation.tenant, &operation.id).await?,
            }
        }
        Err(contended().into())
    }

    /// What a failure makes of an operation, when Microsoft was told of it or when it was looked up: refused, where asking again would be refused again;
    /// refused for now, with a line, where another sign-in may do; as it was, where nobody knows what Microsoft did.
    async fn failed(
        &self,
        mut operation: Operation,
        by: &Actor,
        error: EntitlementError,
        was_told: bool,
    ) -> Result<Operation, ActError> {
        let refused = error.clear_refusal().or_else(|| error.turned_away().filter(|_| was_told));
        let Some(refusal) = refused else { return Err(error.into()) };
        let Some((_, _, subscription)) = about(&operation) else { return Err(error.into()) };
        let act = Act::SubscriptionRefused { subscription: subscription.clone(), refusal: refusal.for_log() };
        let entry = self.entry(&operation, by, act)?;
        for _ in 0..ATTEMPTS {
            if !operation.takes_person() {
                self.write(&operation.tenant, &entry, None).await?;
                return Err(error.into());
            }
            // Of several attempts the last was refused, and one before it may have been taken: then nobody knows.
            let event = (was_told && error.attempts() <= 1).then_some(SubscriptionEvent::Refused);
            let next = event.map(|event| operation.advanced(event, self.now())).transpose().map_err(StepError::from)?;
            let next = next.unwrap_or_else(|| operation.clone());
            // What an earlier call may have done is no less done.
            let may_be_taken = next.progress.as_ref().is_some_and(|progress| progress.tellings > 0);
            let ends = error.refusal().is_some_and(is_final) && !may_be_taken;
            let (refusal, now) = (refusal.clone(), self.now());
            let after = if ends { next.refused(refusal, now) } else { next.refused_for_now(refusal, now) };
            let after = Operation { revision: operation.revision + 1, ..after };
            match self.write(&operation.tenant, &entry, Some(&after)).await? {
                Wrote::Done if ends => return Ok(after),
                Wrote::Done => return Err(error.into()),
                Wrote::Moved => operation = self.kept(&operation.tenant, &operation.id).await?,
            }
        }
        Err(contended().into())
    }
}

/// Where the subscription is, once that is known.
pub(crate) fn place(operation: &Operation) -> Option<EntitlementPlace> {
    let (_, customer, subscription) = about(operation)?;
    let plan = operation.progress.as_ref()?.plan.as_deref()?;
    let id = |text: &str| Uuid::try_parse(text).ok();
    Some(EntitlementPlace {
        customer: id(customer.as_str())?,
        plan: id(plan)?,
        subscription: id(subscription.as_str())?,
    })
}

/// The id by which Partner Center does it once, however often and by whose token it is told. After a clear refusal it is another one, since Partner Center may
/// give the answer to an id that it knows once more.
fn request_id(operation: &Operation, wish: SubscriptionWish) -> Result<Uuid, StoreError> {
    let call = match wish {
        SubscriptionWish::Cancel => "cancel",
        SubscriptionWish::Reactivate => "reactivate",
    };
    let call = match operation.progress.as_ref().map_or(0, |progress| progress.refusals) {
        0 => call.to_owned(),
        refusals => format!("{call}#{refusals}"),
    };
    Uuid::try_parse(&operation.id.microsoft_request_id(&call)).map_err(|_| unwritable("the id of a call is no GUID"))
}

/// Whether asking again would be refused again, whoever asks.
fn is_final(refusal: Refusal) -> bool {
    match refusal {
        Refusal::CustomerUnknown
        | Refusal::IdRefused
        | Refusal::NotReactivatable
        | Refusal::ReasonRefused
        | Refusal::RelationshipMissing
        | Refusal::SubscriptionUnknown => true,
        // Somebody else, a new token, or another look may do.
        Refusal::AlertUnknown
        | Refusal::ChangeRefused
        | Refusal::ChangedMeanwhile
        | Refusal::PrivilegesInsufficient
        | Refusal::RolesLacking
        | Refusal::TokenRefused => false,
    }
}
