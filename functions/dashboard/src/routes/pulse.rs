//! `GET /api/v1/pulse`: whether there is something new, in one cheap request.

use api::{Answer, Problem};
use futures_util::future::try_join_all;
use models::KeptCounters;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::{found, of_store};
use crate::{Asked, Dashboard, ReadSealingKeys, Reads, routes::statistics::MOST_TENANTS};

/// Whether there is something new.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Pulse {
    /// How many alerts need attention.
    unresolved: i64,
    /// Differs as soon as alerts have come, or others are open or resolved. What was only worked on does not show in it.
    mark: String,
}

impl<S: Reads, K: ReadSealingKeys + Sync> Dashboard<S, K> {
    /// Whether there is something new of all tenants that the caller may see, or of those that are named, up to the first hundred: an item of each.
    pub(crate) async fn pulse(&self, asked: Asked<'_>) -> Result<Answer, Problem> {
        let query = asked.request.query(&["tenant"])?;
        let mut tenants = self.seen(asked, query.get("tenant").map(String::as_str), usize::MAX).await?;
        tenants.truncate(MOST_TENANTS);
        let gauges = try_join_all(tenants.iter().map(|tenant| self.store.gauge(&tenant.id))).await.map_err(of_store)?;
        let unresolved = gauges.iter().filter_map(|gauge| gauge.get("open")).sum();
        Ok(found(&Pulse { unresolved, mark: mark(&gauges) }))
    }
}

/// A mark of these totals, in their order: another where any of them is another.
pub(crate) fn mark<'a>(gauges: impl IntoIterator<Item = &'a KeptCounters>) -> String {
    let gauges: Vec<_> = gauges.into_iter().collect();
    // Names and numbers can always be written.
    hex::encode(&Sha256::digest(serde_json::to_vec(&gauges).unwrap_or_default())[..8])
}
