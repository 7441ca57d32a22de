//! Very many alerts at once, as a first run would have written them: for the local system and for benchmarks. No function does this.
//!
//! Transactions of 45 alerts are for runs that others may overtake. Where nobody else writes, the same items can be put by whatever is quickest,
//! and the figures be moved once by the sum. Leaves to others: how items are put, and the lease, the hint and the baseline around it.

use jiff::Timestamp;
use models::{Delta, TenantId};

use crate::{
    AlertWrite, Store, StoreError,
    outbox::expiry,
    transaction::{ACTIONS_A_TRANSACTION, Sent},
};

impl Store {
    /// The items that a write of a new alert makes in the alerts table: the alert, and the record of its change.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unwritable`].
    pub fn items_of_new(
        &self,
        tenant: &TenantId,
        write: &AlertWrite,
        now: Timestamp,
    ) -> Result<Vec<serde_dynamo::Item>, StoreError> {
        let mut items = vec![self.alert_update(tenant, write, now)?.into_item().into()];
        if let Some(record) = &write.outbox {
            items.push(record.item(expiry(now))?.into());
        }
        Ok(items)
    }

    /// Moves a tenant's figures by what all of its new alerts add to them.
    ///
    /// # Errors
    ///
    /// [`StoreError`]. Some of the figures may be moved then, and the others not.
    pub async fn move_all_figures(&self, tenant: &TenantId, delta: &Delta) -> Result<(), StoreError> {
        let actions = self.move_figures(tenant, delta)?;
        for some in actions.chunks(ACTIONS_A_TRANSACTION) {
            if let Sent::Rejected(rejected) = self.send(some).await?
                && let Some((_, why)) = rejected.into_iter().next()
            {
                return Err(why.into());
            }
        }
        Ok(())
    }
}
