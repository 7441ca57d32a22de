//! Writing a step: the operation as it is from now on, with the line that says so at the end of the tenant's chain, in one transaction.

use models::{Act, Actor, Entry, Operation, OutOfOrder, SubscriptionEvent, TenantId};
use partner_center::Credentials;
use store::{About, ActWrite, Acted, KeepOperations, ReadWork, StoreError, TableRole};

use crate::{Subscriptions, about};

/// How often the end of a tenant's chain is read anew at most: each time somebody else has written a line there.
pub(crate) const ATTEMPTS: u32 = 30;

/// Why a step is not written.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// What comes first has not come: a mistake of ours.
    #[error("a step of an operation is out of order")]
    OutOfOrder(#[from] OutOfOrder),
    /// The store failed.
    #[error("an operation could not be kept")]
    Store(#[from] StoreError),
}

/// What came of writing something.
pub(crate) enum Wrote {
    Done,
    /// The operation is there already, or somebody else has carried it on.
    Moved,
}

impl<S, C> Subscriptions<S, C>
where
    S: store::Act + KeepOperations + ReadWork + Sync,
    C: Credentials + Send + Sync,
{
    /// The operation after this event, as it is kept. Where somebody else has carried it on meanwhile: as they left it.
    pub(crate) async fn step(
        &self,
        operation: Operation,
        by: &Actor,
        event: SubscriptionEvent,
    ) -> Result<Operation, StepError> {
        let after = operation.advanced(event, self.now())?;
        if after.progress == operation.progress {
            return Ok(operation);
        }
        let (Some((_, _, subscription)), Some(progress)) = (about(&after), &after.progress) else {
            return Ok(operation);
        };
        let reached = Act::SubscriptionReached { subscription: subscription.clone(), stage: progress.stage };
        Ok(self.keep(after, by, reached).await?)
    }

    /// The operation with this act, as it is kept.
    pub(crate) async fn keep(&self, after: Operation, by: &Actor, act: Act) -> Result<Operation, StoreError> {
        let (tenant, id) = (after.tenant.clone(), after.id.clone());
        let entry = self.entry(&after, by, act)?;
        match self.write(&tenant, &entry, Some(&after)).await? {
            Wrote::Done => Ok(after),
            Wrote::Moved => self.kept(&tenant, &id).await,
        }
    }

    /// Writes a line, with the operation where that changes, at the end of the tenant's chain.
    pub(crate) async fn write(
        &self,
        tenant: &TenantId,
        entry: &Entry,
        operation: Option<&Operation>,
    ) -> Result<Wrote, StoreError> {
        for _ in 0..ATTEMPTS {
            let head = self.store.tenant_head(tenant).await?;
            if let Some(wrote) = self.write_behind(tenant, head.as_ref(), entry, operation).await? {
                return Ok(wrote);
            }
        }
        Err(contended())
    }

    /// The same where the chain still ends so. None where it does not.
    pub(crate) async fn write_behind(
        &self,
        tenant: &TenantId,
        head: Option<&models::Head>,
        entry: &Entry,
        operation: Option<&Operation>,
    ) -> Result<Option<Wrote>, StoreError> {
        let write = ActWrite { operation, ..ActWrite::new(tenant, About::Tenant(head), std::slice::from_ref(entry)) };
        Ok(match self.store.act(&write, self.now()).await? {
            Acted::Done { .. } => Some(Wrote::Done),
            Acted::OperationMoved => Some(Wrote::Moved),
            // No view is among it.
            Acted::Overtaken | Acted::TooManyViews => None,
        })
    }

    /// A line about an operation.
    pub(crate) fn entry(&self, operation: &Operation, by: &Actor, act: Act) -> Result<Entry, StoreError> {
        let id = self.line_id().ok_or_else(|| unwritable("an id of a line is no GUID"))?;
        Ok(Entry { operation: Some(operation.id.clone()), ..Entry::new(id, self.now(), by.clone(), act) })
    }

    /// An operation that was there a moment ago.
    pub(crate) async fn kept(&self, tenant: &TenantId, id: &models::OperationId) -> Result<Operation, StoreError> {
        let kept = self.store.operation(tenant, id).await?;
        kept.ok_or_else(|| unwritable("the operation is not kept any more"))
    }
}

pub(crate) fn contended() -> StoreError {
    let (action, table) = ("TransactWriteItems (a tenant's lines)", TableRole::Activity);
    StoreError::Contended { action, table, attempts: ATTEMPTS }
}

pub(crate) fn unwritable(why: &'static str) -> StoreError {
    StoreError::Unwritable { table: TableRole::Alerts, source: why.into() }
}
