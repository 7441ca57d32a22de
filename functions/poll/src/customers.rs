//! Whether a customer is one of ours, for events that no alert speaks for.
//!
//! Any partner can have Microsoft send a genuine event to our address, so a customer is ours only where Microsoft says so to our own
//! credentials: by a name that it gave, or when it is asked. It is asked once about each, so many times an hour and no more, and what it
//! says is remembered. It comes after a run that may have taken nearly all of the function's time, and has a bound of its own, so that a
//! look always ends.

use std::{collections::BTreeSet, time::Duration};

use models::{Doorbell, NameId, Tenant};
use partner_center::{MicrosoftError, ReadCustomers};
use store::{Claimed, KeepSignals, ReadNames, StoreError};

use crate::Poll;

/// How long Partner Center is waited for. A run takes up to 110 of the function's 120 seconds.
const LOOK_UP_LIMIT: Duration = Duration::from_secs(5);

/// Why Partner Center has not said whose a customer is.
#[derive(Debug, thiserror::Error)]
enum LookUpError {
    #[error(transparent)]
    Microsoft(#[from] MicrosoftError),
    #[error("there was no answer within {} seconds", LOOK_UP_LIMIT.as_secs())]
    OutOfTime,
}

/// Whose the customer of an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Partner Center is being asked by another look.
    Awaited,
    /// We can't tell: the event names nobody, or nobody answers.
    CantTell,
    /// Somebody else's.
    Foreign,
    /// Ours.
    Ours,
}

impl From<bool> for Whose {
    fn from(ours: bool) -> Self {
        if ours { Self::Ours } else { Self::Foreign }
    }
}

impl<S: KeepSignals + ReadNames + Sync, L: ReadCustomers + Sync, Q: Sync> Poll<S, L, Q> {
    /// Whose the customer of an event is. Where our credentials are refused, nobody is asked.
    pub(crate) async fn whose(&self, tenant: &Tenant, bell: &Doorbell, refused: bool) -> Result<Whose, StoreError> {
        let Some(customer) = &bell.customer else { return Ok(Whose::CantTell) };
        if let Some(ours) = self.store.remembered(&tenant.id, customer, self.clock.now()).await? {
            return Ok(ours.into());
        }
        // Only customers have names that Microsoft gave us.
        let id = NameId::customer(customer);
        let named = self.store.names(&tenant.id, &BTreeSet::from([id])).await?;
        if named.values().any(|kept| kept.read.is_some() && kept.gone.is_none()) {
            return Ok(Whose::Ours);
        }
        if refused {
            return Ok(Whose::CantTell);
        }
        match self.store.claim(&tenant.id, customer, self.clock.now()).await? {
            Claimed::ByUs => {}
            Claimed::No => return Ok(Whose::CantTell),
            Claimed::UnderWay => return Ok(Whose::Awaited),
        }
        let asked = tokio::time::timeout(LOOK_UP_LIMIT, self.source.customer(tenant, customer)).await;
        let ours = match asked.map_err(|_| LookUpError::OutOfTime).and_then(|answer| Ok(answer?)) {
            Ok(found) => Some(found.is_some()),
            Err(error) => {
                tracing::warn!(
                    tenant.id = %tenant.id, event.id = %bell.event, customer.id = %customer, error = runtime::chain(&error),
                    "whose customer a fraud event is about could not be asked"
                );
                None
            }
        };
        self.store.remember(&tenant.id, customer, ours, self.clock.now()).await?;
        Ok(ours.map_or(Whose::CantTell, Whose::from))
    }
}
