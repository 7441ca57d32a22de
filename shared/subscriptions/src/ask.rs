//! The wish: written down before Microsoft is asked for anything, once for each key, and one at a time for each subscription.

use models::{
    Act, Actor, Asked, CustomerId, Note, Operation, OperationId, OperationState, Repeated, RequestHash, RequestId,
    SubscriptionEvent, SubscriptionId, SubscriptionWish, Tenant, TenantId,
};
use partner_center::{Asker, Credentials, Entitlement, EntitlementError, Found};
use serde::Serialize;
use store::{FindAlerts, FindOpenAlerts, KeepOperations, ReadWork, StoreError};

use crate::{
    PreviewError, StepError, Subscriptions, about, is_as_wished, is_same,
    steps::{ATTEMPTS, Wrote, contended},
};

/// What somebody asks for.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// The partner tenant.
    pub tenant: &'a Tenant,
    /// The subscription.
    pub subscription: &'a SubscriptionId,
    /// Whose it is, where whoever asks knows.
    pub customer: Option<&'a CustomerId>,
    /// What is wished of it.
    pub wish: SubscriptionWish,
    /// What they typed to confirm it: the subscription's name, or its id where it has none.
    pub typed: &'a str,
    /// What they wrote about it.
    pub note: Option<Note>,
    /// Who asks.
    pub by: Actor,
    /// What the operation is called from then on.
    pub id: OperationId,
    /// The request to us by which it is asked.
    pub request: Option<RequestId>,
}

/// Why nothing is begun.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody knows whose it is.
    #[error("no alert that is kept of tenant {tenant} is about the subscription {subscription}")]
    CustomerUnknown {
        /// The tenant.
        tenant: TenantId,
        /// The subscription.
        subscription: SubscriptionId,
    },
    /// The key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyUsedOtherwise,
    /// Partner Center does not know it, or did not say.
    #[error("the subscription could not be looked up")]
    LookUp(#[from] EntitlementError),
    /// What was typed is not its name.
    #[error("what was typed is not the subscription's name")]
    NameDiffers,
    /// It could not be written.
    #[error(transparent)]
    Step(#[from] StepError),
    /// Something is under way about it.
    #[error("an operation about the subscription is under way")]
    UnderWay(Box<Operation>),
}

impl From<StoreError> for AskError {
    fn from(error: StoreError) -> Self {
        Self::Step(error.into())
    }
}

impl From<PreviewError> for AskError {
    fn from(error: PreviewError) -> Self {
        match error {
            PreviewError::CustomerUnknown { tenant, subscription } => Self::CustomerUnknown { tenant, subscription },
            PreviewError::LookUp(error) => Self::LookUp(error),
            PreviewError::Store(error) => error.into(),
        }
    }
}

/// What makes two requests the same. A token is no part of it: a repeated request may come with another one.
#[derive(Serialize)]
struct Same<'a> {
    subscription: &'a SubscriptionId,
    wish: SubscriptionWish,
    typed: &'a str,
    note: Option<&'a Note>,
}

impl Wanted<'_> {
    fn hash(&self) -> RequestHash {
        let Self { subscription, wish, typed, note, .. } = self;
        let same = Same { subscription, wish: *wish, typed, note: note.as_ref() };
        // Texts and a word can always be written.
        RequestHash::of(&serde_json::to_vec(&same).unwrap_or_default())
    }
}

impl<S, C> Subscriptions<S, C>
where
    S: store::Act + FindAlerts + FindOpenAlerts + KeepOperations + ReadWork + Sync,
    C: Credentials + Send + Sync,
{
    /// Writes down what somebody wants, if it is there and they typed its name. The same request under the same id gives what it has come to; where somebody else
    /// wants the same already, and Microsoft is not known to have taken it, theirs is given, with a line that this person wants it, too.
    ///
    /// # Errors
    ///
    /// [`AskError`]. Nothing was asked of Microsoft but to look.
    pub async fn ask(&self, asker: Asker<'_>, wanted: &Wanted<'_>) -> Result<Operation, AskError> {
        let hash = wanted.hash();
        let Wanted { tenant, subscription, .. } = *wanted;
        if let Some(before) = self.store.operation(&tenant.id, &wanted.id).await? {
            let before = same(before, &hash)?;
            return match &before.instead {
                Some(other) => self.given_instead(other, wanted).await,
                None => Ok(before),
            };
        }
        let customer = self.customer_of(tenant, subscription, wanted.customer).await?;
        let found = self.entitlements.find(asker, tenant, &customer, subscription).await?;
        if !is_called(&found.entitlement, subscription, wanted.typed) {
            return Err(AskError::NameDiffers);
        }
        match self.begin(wanted, customer, hash.clone()).await {
            Err(AskError::UnderWay(operation)) if is_taken_on(&operation, wanted) => {
                self.note_instead(&operation, wanted, hash).await?;
                self.take_on(*operation, wanted).await
            }
            begun => Ok(self.note_found(begun?, &wanted.by, &found).await?),
        }
    }

    /// Keeps what this request is given, so that it is given the same when it is repeated, also when that is done.
    async fn note_instead(&self, given: &Operation, wanted: &Wanted<'_>, hash: RequestHash) -> Result<(), AskError> {
        let (id, tenant, by) = (wanted.id.clone(), given.tenant.clone(), wanted.by.clone());
        let kept = Operation::asked(id, tenant, by, hash.clone(), given.asked.clone(), self.now());
        let kept = Operation { instead: Some(given.id.clone()), state: OperationState::Done, ..kept };
        if !self.store.advance(&kept).await? {
            same(self.kept(&kept.tenant, &kept.id).await?, &hash)?;
        }
        Ok(())
    }

    /// What a request was given when it came first. Cut off before it was taken on, that is done now.
    async fn given_instead(&self, other: &OperationId, wanted: &Wanted<'_>) -> Result<Operation, AskError> {
        let given = self.kept(&wanted.tenant.id, other).await?;
        if is_taken_on(&given, wanted) { self.take_on(given, wanted).await } else { Ok(given) }
    }

    /// Writes down that somebody wants what somebody else has asked for already: from then on they may go on with it.
    async fn take_on(&self, mut operation: Operation, wanted: &Wanted<'_>) -> Result<Operation, AskError> {
        for _ in 0..ATTEMPTS {
            if !is_taken_on(&operation, wanted) {
                return Err(AskError::UnderWay(Box::new(operation)));
            }
            let Some((wish, customer, subscription)) =
                about(&operation).filter(|_| !operation.is_wanted_by(&wanted.by))
            else {
                return Ok(operation);
            };
            let act = Act::SubscriptionAsked { wish, customer: customer.clone(), subscription: subscription.clone() };
            let after = operation.taken_on(wanted.by.clone(), self.now());
            let mut entry = self.entry(&after, &wanted.by, act)?;
            (entry.note, entry.request) = (wanted.note.clone(), wanted.request.clone());
            match self.write(&operation.tenant, &entry, Some(&after)).await? {
                Wrote::Done => return Ok(after),
                Wrote::Moved => operation = self.kept(&operation.tenant, &operation.id).await?,
            }
        }
        Err(contended().into())
    }

    async fn begin(&self, wanted: &Wanted<'_>, customer: CustomerId, hash: RequestHash) -> Result<Operation, AskError> {
        let (tenant, subscription) = (&wanted.tenant.id, wanted.subscription.clone());
        let asked = Asked::Subscription {
            wish: wanted.wish,
            customer: customer.clone(),
            subscription: subscription.clone(),
            note: wanted.note.clone(),
        };
        let act = Act::SubscriptionAsked { wish: wanted.wish, customer, subscription };
        for _ in 0..ATTEMPTS {
            // The end of the chain first: whoever begins something after that has moved it, and nothing of this is written.
            let head = self.store.tenant_head(tenant).await?;
            if let Some(under_way) = self.under_way(tenant, wanted.subscription).await?
                && under_way.id != wanted.id
            {
                return Err(AskError::UnderWay(Box::new(under_way)));
            }
            let (id, by) = (wanted.id.clone(), wanted.by.clone());
            let begun = Operation::asked(id, tenant.clone(), by, hash.clone(), asked.clone(), self.now());
            let mut entry = self.entry(&begun, &wanted.by, act.clone())?;
            (entry.note, entry.request) = (wanted.note.clone(), wanted.request.clone());
            match self.write_behind(tenant, head.as_ref(), &entry, Some(&begun)).await? {
                Some(Wrote::Done) => return Ok(begun),
                Some(Wrote::Moved) => return same(self.kept(tenant, &wanted.id).await?, &hash),
                None => {}
            }
        }
        Err(contended().into())
    }

    /// The operation once it is known where the subscription is, and how it stands.
    pub(crate) async fn note_found(
        &self,
        operation: Operation,
        by: &Actor,
        found: &Found,
    ) -> Result<Operation, StepError> {
        let plan = found.plan.id.to_string();
        let wish = operation.progress.as_ref().map(|progress| progress.wish);
        let operation = self.step(operation, by, SubscriptionEvent::EntitlementFound { plan }).await?;
        match wish {
            Some(wish) if operation.needs_person() && is_as_wished(wish, &found.entitlement.status) => {
                self.step(operation, by, SubscriptionEvent::SeenAsWished).await
            }
            _ => Ok(operation),
        }
    }
}

/// Whether somebody else asked for the very same, and anybody's token may still do it.
fn is_taken_on(operation: &Operation, wanted: &Wanted<'_>) -> bool {
    let is_same_wish = about(operation).is_some_and(|(wish, ..)| wish == wanted.wish);
    is_same_wish && operation.takes_person() && !is_same(&operation.by, &wanted.by)
}

#[expect(clippy::result_large_err, reason = "the errors of its callers, which are awaited")]
fn same(before: Operation, hash: &RequestHash) -> Result<Operation, AskError> {
    if before.repeated_by(hash) == Repeated::Another { Err(AskError::KeyUsedOtherwise) } else { Ok(before) }
}

/// Whether this is what a subscription is called. One without a name, or with one that nobody can type, is called by its id.
pub(crate) fn is_called(entitlement: &Entitlement, id: &SubscriptionId, typed: &str) -> bool {
    let typed = typed.trim();
    let is_named = entitlement.name.as_deref().is_some_and(|name| !typed.is_empty() && typed == name.trim());
    is_named || (name_to_type(entitlement).is_none() && typed.eq_ignore_ascii_case(id.as_str()))
}

/// The name of a subscription that has one which somebody can type. Whoever has taken it over names it, and a mark that nobody sees must not keep it running.
pub(crate) fn name_to_type(entitlement: &Entitlement) -> Option<&str> {
    let name = entitlement.name.as_deref().map(str::trim)?;
    let is_typed = !name.is_empty() && !name.contains(|mark: char| mark.is_control() || models::is_invisible(mark));
    is_typed.then_some(name)
}
