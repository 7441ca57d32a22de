//! `GET /api/v1/statistics`.

use api::{Answer, Problem};
use futures_util::future::try_join_all;
use jiff::tz::TimeZone;
use models::{CHART_DAYS, figures, first_of};

use super::{found, of_store};
use crate::{Asked, Dashboard, ReadSealingKeys, Reads, shapes::figures::Statistics};

/// Most tenants that are added up: two requests of each.
pub(crate) const MOST_TENANTS: usize = 100;

impl<S: Reads, K: ReadSealingKeys + Sync> Dashboard<S, K> {
    /// The four figures and the chart, of all tenants that the caller may see or of those that are named, up to a hundred of them.
    pub(crate) async fn statistics(&self, asked: Asked<'_>) -> Result<Answer, Problem> {
        let query = asked.request.query(&["tenant"])?;
        let tenants = self.seen(asked, query.get("tenant").map(String::as_str), MOST_TENANTS).await?;
        let today = TimeZone::UTC.to_datetime(asked.now).date();
        let first = first_of(CHART_DAYS, today);
        let kept = tenants.iter().map(|tenant| self.store.statistics(&tenant.id, first, today));
        let kept = try_join_all(kept).await.map_err(of_store)?;
        let tenants = tenants.iter().map(|tenant| tenant.id.to_string()).collect();
        Ok(found(&Statistics::of(tenants, &figures(&kept, today))))
    }
}
