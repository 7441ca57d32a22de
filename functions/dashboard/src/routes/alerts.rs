//! `GET /api/v1/alerts`.

use std::collections::{BTreeSet, HashMap};

use api::{Answer, Problem};
use models::{NameId, TenantId};
use store::{ListPosition, ListedAlert, MOST_LISTED_TENANTS};

use super::{filters, filters::ListParameters, found, names::Names, of_store};
use crate::{
    Asked, Dashboard, ReadSealingKeys, Reads,
    places::List,
    shapes::{
        Moment,
        alert::{AlertShown, AlertsPage},
    },
};

impl<S: Reads, K: ReadSealingKeys + Sync> Dashboard<S, K> {
    /// Alerts of all tenants that the caller may see, by filters, page by page.
    ///
    /// A page reads 2,000 alerts at most; a filter that lets few through ends with `searched_to`, and goes on by `next`. With the newest first no alert
    /// comes twice while others come and move.
    pub(crate) async fn alerts(&self, asked: Asked<'_>) -> Result<Answer, Problem> {
        let mut query = asked.request.query(&filters::NAMES)?;
        let parameters = ListParameters::read(&query)?;
        let list = parameters.list(asked.caller, asked.now)?;
        let size = parameters.size()?;
        let tenants = self.seen(asked, parameters.tenant.as_deref(), MOST_LISTED_TENANTS).await?;
        let tenants: BTreeSet<TenantId> = tenants.into_iter().map(|tenant| tenant.id).collect();
        // A place is for the same filters, whatever the size of a page.
        query.retain(|name, _| !matches!(*name, "cursor" | "size"));
        let places = List { name: "alerts", filters: &query };
        let from: Option<ListPosition> = self.places.open(places, parameters.cursor.as_ref(), asked).await?;
        let page = self.store.list(&tenants, &list, from.as_ref(), size).await.map_err(of_store)?;
        let next = self.places.seal(places, page.next.as_ref(), asked).await?;
        let names = Names::read(&self.store, wanted(&page.alerts)).await;
        Ok(found(&AlertsPage {
            alerts: page.alerts.into_iter().map(|alert| AlertShown::of(alert, &names, asked.now)).collect(),
            next,
            searched_to: page.searched_to.map(Moment),
            unreadable: page.unreadable,
        }))
    }
}

/// The names that these alerts need.
pub(crate) fn wanted(alerts: &[ListedAlert]) -> HashMap<TenantId, BTreeSet<NameId>> {
    let mut wanted: HashMap<TenantId, BTreeSet<NameId>> = HashMap::new();
    for alert in alerts {
        let of_tenant = wanted.entry(alert.tenant.clone()).or_default();
        of_tenant.extend(alert.customer.as_ref().map(NameId::customer));
        of_tenant.extend(alert.subscription.as_ref().map(NameId::subscription));
    }
    wanted
}
