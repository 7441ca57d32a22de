//! `GET /`: the figures, the chart, and the table of alerts of all tenants that the caller may see.

use std::collections::BTreeSet;

use api::{Answer, Kind, Problem};
use futures_util::future::try_join_all;
use http::StatusCode;
use identity::Permission;
use jiff::{Timestamp, tz::TimeZone};
use maud::html;
use models::{CHART_DAYS, Figures, KeptStatistics, Tenant, TenantId, figures, first_of};
use pages::{Page, Pulse, moment};
use store::{ListPage, ListPosition, ListedAlert, MOST_LISTED_TENANTS};

use super::{
    cards, filters, frame,
    order::Order,
    search::{Found, Narrowed},
    view::View,
};
use crate::{
    Asked, Dashboard, ReadSealingKeys, Reads,
    places::List,
    routes::{alerts::wanted, filters::ListParameters, names::Names, of_store, pulse},
};

/// What the table shows.
pub(super) struct Shown<'a> {
    pub(super) view: &'a View,
    /// All that the caller may see.
    pub(super) tenants: &'a [Tenant],
    pub(super) listed: &'a Listed,
    pub(super) names: &'a Names,
    pub(super) may_resolve: bool,
    pub(super) may_cancel: bool,
}

/// A page of the list.
#[derive(Default)]
pub(super) struct Listed {
    pub(super) page: ListPage,
    pub(super) next: Option<String>,
    pub(super) found: Found,
    /// How many tenants are left out, since a list is of so many at most.
    pub(super) left_out: usize,
    /// Whether there are too many alerts for the order that was asked for.
    pub(super) unordered: bool,
}

impl Shown<'_> {
    /// What the partner tenant of an alert is called.
    pub(super) fn tenant_of<'b>(&'b self, alert: &'b ListedAlert) -> &'b str {
        let tenant = self.tenants.iter().find(|tenant| tenant.id == alert.tenant);
        tenant.map_or(alert.tenant.as_str(), |tenant| tenant.display_name.as_str())
    }

    /// Whether the list is of no customer and no subscription: then it can go by the first observation, too.
    pub(super) fn is_by_state(&self) -> bool {
        ["customer", "subscription", "q"].into_iter().all(|name| self.view.get(name).is_none())
    }
}

impl<S: Reads, K: ReadSealingKeys + Sync> Dashboard<S, K> {
    /// The page that an Admin Agent keeps open.
    pub(super) async fn list_page(&self, asked: Asked<'_>) -> Result<Answer, Problem> {
        let view = View::read(asked.request)?;
        let tenants = self.seen(asked, None, usize::MAX).await?;
        let chosen = chosen(&view, &tenants)?;
        let (listed, kept, saved) = tokio::try_join!(
            self.listed(asked, &view, &chosen),
            self.kept(&chosen, asked.now),
            self.saved(asked, &chosen, &tenants),
        )?;
        let names = Names::read(&self.store, wanted(&listed.page.alerts)).await;
        let today = TimeZone::UTC.to_datetime(asked.now).date();
        let figures = figures(&kept, today);
        let access = asked.caller.access();
        let may = |permission| tenants.iter().any(|tenant| access.may(permission, &tenant.id));
        let (may_resolve, may_cancel) = (may(Permission::Resolve), may(Permission::Cancel));
        let shown = Shown { view: &view, tenants: &tenants, listed: &listed, names: &names, may_resolve, may_cancel };
        let body = html! {
            p class="dim small" {
                "As of " (moment(asked.now)) ", " (chosen.len()) " of " (tenants.len()) " partner tenant" @if tenants.len() != 1 { "s" } "."
            }
            div id="figures" data-fresh { (cards::cards(&figures, &view, today)) }
            (cards::chart(&figures.chart))
            (saved.panel(asked, &view, &chosen))
            (filters::panel(&view, &tenants))
            (shown.table(asked))
        };
        let pulse = pulse_of(&figures, &kept, &view);
        Ok(Page::new(StatusCode::OK, "Security alerts", body).within(frame(asked, ::pages::HOME, Some(pulse))).answer())
    }

    /// The statistics of these tenants.
    async fn kept(&self, tenants: &[&Tenant], now: Timestamp) -> Result<Vec<KeptStatistics>, Problem> {
        let today = TimeZone::UTC.to_datetime(now).date();
        let first = first_of(CHART_DAYS, today);
        try_join_all(tenants.iter().map(|tenant| self.store.statistics(&tenant.id, first, today)))
            .await
            .map_err(of_store)
    }

    /// The page of the list that a view shows.
    async fn listed(&self, asked: Asked<'_>, view: &View, tenants: &[&Tenant]) -> Result<Listed, Problem> {
        let left_out = tenants.len().saturating_sub(MOST_LISTED_TENANTS);
        let tenants: BTreeSet<TenantId> =
            tenants.iter().take(MOST_LISTED_TENANTS).map(|tenant| tenant.id.clone()).collect();
        let parameters = ListParameters::read(&view.of_list())?;
        let (mut list, size) = (parameters.list(asked.caller, asked.now)?, parameters.size()?);
        let mut found = Found::All;
        if let Some(text) = view.get("q") {
            let (what, narrowed) = self.search(text.trim(), &tenants).await?;
            found = what;
            match narrowed {
                Narrowed::Page(page) => return Ok(Listed { page, found, left_out, ..Listed::default() }),
                Narrowed::Of(of) => list = list.narrowed(of),
            }
        }
        let mut filters = view.of_list();
        filters.retain(|name, _| !matches!(*name, "cursor" | "size"));
        let order = Order::of(view);
        if let Some(order) = order
            && let Some(all) = self.few(&tenants, &list).await?
        {
            let filters = (&filters, view.get("q"), view.get("order"));
            let places = List { name: "page of ordered alerts", filters: &filters };
            let from = self.places.open(places, parameters.cursor.as_ref(), asked).await?;
            let turned = view.get("direction") == Some("oldest");
            let (alerts, next) = order.page(all.alerts, turned, from.as_ref(), size);
            let next = self.places.seal(places, next.as_ref(), asked).await?;
            let page = ListPage { alerts, unreadable: all.unreadable, ..ListPage::default() };
            return Ok(Listed { page, next, found, left_out, unordered: false });
        }
        let filters = (filters, view.get("q"));
        let places = List { name: "page of alerts", filters: &filters };
        let from: Option<ListPosition> = self.places.open(places, parameters.cursor.as_ref(), asked).await?;
        let page = self.store.list(&tenants, &list, from.as_ref(), size).await.map_err(of_store)?;
        let next = self.places.seal(places, page.next.as_ref(), asked).await?;
        Ok(Listed { page, next, found, left_out, unordered: order.is_some() })
    }
}

/// The tenants of a view: all, or those that it names. One that the caller may not see isn't there.
pub(super) fn chosen<'a>(view: &View, tenants: &'a [Tenant]) -> Result<Vec<&'a Tenant>, Problem> {
    let Some(named) = view.get("tenant") else { return Ok(tenants.iter().collect()) };
    let one = |id: &str| tenants.iter().find(|tenant| tenant.id.as_str() == id).ok_or_else(|| Kind::NotFound.into());
    named.split(',').map(one).collect()
}

/// What tells that there is something new.
fn pulse_of(figures: &Figures, kept: &[KeptStatistics], view: &View) -> Pulse {
    let address = view.of_tenants().with("columns", "").address_at("/api/v1/pulse");
    Pulse { address, mark: pulse::mark(kept.iter().map(|kept| &kept.gauge)), unresolved: figures.unresolved.now }
}
