//! `GET /api/v1/tenants`.

use api::{Answer, Problem};
use futures_util::future::join_all;
use store::LastRuns;

use super::found;
use crate::{
    Asked, Dashboard, ReadSealingKeys, Reads,
    shapes::rest::{TenantShown, Tenants},
};

impl<S: Reads, K: ReadSealingKeys + Sync> Dashboard<S, K> {
    /// The tenants that the caller may see, and when each was last looked at.
    pub(crate) async fn tenants(&self, asked: Asked<'_>) -> Result<Answer, Problem> {
        asked.without_query()?;
        let tenants = self.seen(asked, None, usize::MAX).await?;
        let shown = tenants.iter().map(async |tenant| {
            let runs = self.store.last_runs(&tenant.id).await.unwrap_or_else(|error| {
                let error = runtime::chain(&error);
                tracing::warn!(tenant.id = %tenant.id, error, "when a tenant was last looked at can't be read");
                LastRuns::default()
            });
            TenantShown::of(tenant, &runs)
        });
        Ok(found(&Tenants { tenants: join_all(shown).await }))
    }
}
