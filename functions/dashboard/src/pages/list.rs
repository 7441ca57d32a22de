//! `GET /`: the figures, the chart, and the table of alerts of all tenants that the caller may see.

use std::collections::BTreeSet;

use api::{Answer, Gate, Kind, Problem};
use futures_util::future::try_join_all;
use http::StatusCode;
use identity::{Access, Permission};
use jiff::{Timestamp, tz::TimeZone};
use maud::html;
use models::{CHART_DAYS, Figures, KeptStatistics, Status, Tenant, TenantId, figures, first_of};
use pages::{Page, Pulse, moment};
use serde::{Serialize, de::DeserializeOwned};
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
    routes::{alerts::wanted, filters::ListParameters, names::Names, of_store, pulse, statistics::MOST_TENANTS},
};

/// What the table shows.
pub(super) struct Shown<'a> {
    pub(super) view: &'a View,
    /// All that the caller may see.
    pub(super) tenants: &'a [Tenant],
    pub(super) listed: &'a Listed,
    pub(super) names: &'a Names,
    pub(super) access: &'a Access,
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
    /// Whether the place that was asked for is good no more, so that this is the beginning.
    pub(super) is_lost: bool,
}

impl Shown<'_> {
    /// What the partner tenant of an alert is called.
    pub(super) fn tenant_of<'b>(&'b self, alert: &'b ListedAlert) -> &'b str {
        let tenant = self.tenants.iter().find(|tenant| tenant.id == alert.tenant);
        tenant.map_or(alert.tenant.as_str(), |tenant| tenant.display_name.as_str())
    }

    /// Whether an alert can be decided on, by this person and in its tenant.
    pub(super) fn is_to_decide(&self, alert: &ListedAlert) -> bool {
        let can_act = |tenant: &Tenant| tenant.id == alert.tenant && tenant.active && tenant.act_secret.is_some();
        alert.status != Status::Resolved
            && self.access.may(Permission::Resolve, &alert.tenant)
            && self.tenants.iter().any(can_act)
    }

    /// Whether this person may cancel the subscription of an alert.
    pub(super) fn is_to_cancel(&self, alert: &ListedAlert) -> bool {
        alert.subscription.is_some() && self.access.may(Permission::Cancel, &alert.tenant)
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
        let mut chosen = chosen(&view, asked, &tenants)?;
        let of_all = chosen.len();
        chosen.truncate(MOST_TENANTS);
        let (listed, kept, saved) = tokio::try_join!(
            self.listed(asked, &view, &chosen),
            self.kept(&chosen, asked.now),
            self.saved(asked, &chosen, &tenants),
        )?;
        let names = Names::read(&self.store, wanted(&listed.page.alerts)).await;
        let today = TimeZone::UTC.to_datetime(asked.now).date();
        let figures = figures(&kept, today);
        let access = asked.caller.access();
        let shown = Shown { view: &view, tenants: &tenants, listed: &listed, names: &names, access };
        let body = html! {
            p class="dim small" id="moment" data-fresh {
                "As of " (moment(asked.now)) ", " (chosen.len()) " of " (tenants.len()) " partner tenant" @if tenants.len() != 1 { "s" } "."
                @if of_all > chosen.len() { " More are not added up at once: choose tenants below." }
            }
            div id="figures" data-fresh { (cards::cards(&figures, &view, today)) (cards::chart(&figures.chart)) }
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
            && let Some(all) = self.store.few(&tenants, &list).await.map_err(of_store)?
        {
            let filters = (&filters, view.get("q"), view.get("order"));
            let places = List { name: "page of ordered alerts", filters: &filters };
            let (from, is_lost) = self.place(places, parameters.cursor.as_ref(), asked).await?;
            let turned = view.get("direction") == Some("oldest");
            let (alerts, next) = order.page(all.alerts, turned, from.as_ref(), size);
            let next = self.places.seal(places, next.as_ref(), asked).await?;
            let page = ListPage { alerts, unreadable: all.unreadable, ..ListPage::default() };
            return Ok(Listed { page, next, found, left_out, unordered: false, is_lost });
        }
        let filters = (filters, view.get("q"));
        let places = List { name: "page of alerts", filters: &filters };
        let (from, is_lost): (Option<ListPosition>, _) = self.place(places, parameters.cursor.as_ref(), asked).await?;
        let page = self.store.list(&tenants, &list, from.as_ref(), size).await.map_err(of_store)?;
        let next = self.places.seal(places, page.next.as_ref(), asked).await?;
        Ok(Listed { page, next, found, left_out, unordered: order.is_some(), is_lost })
    }

    /// The place of a list that an address names, or its beginning where the place is good no more: an address may be older than a place lives, and the
    /// order of a list may have come to be another. And whether that is so.
    async fn place<T: DeserializeOwned>(
        &self,
        places: List<'_, impl Serialize + Sync>,
        cursor: Option<&String>,
        asked: Asked<'_>,
    ) -> Result<(Option<T>, bool), Problem> {
        match self.places.open(places, cursor, asked).await {
            Ok(place) => Ok((place, false)),
            Err(problem) if problem.kind().status() == StatusCode::BAD_REQUEST => Ok((None, true)),
            Err(problem) => Err(problem),
        }
    }
}

/// The tenants of a view: all, or those that it names, each once. One that the caller may not see isn't there.
pub(super) fn chosen<'a>(view: &View, asked: Asked<'_>, tenants: &'a [Tenant]) -> Result<Vec<&'a Tenant>, Problem> {
    let Some(named) = view.get("tenant") else { return Ok(tenants.iter().collect()) };
    let named = named.split(',').map(|id| id.parse().map_err(|_| Problem::new(Kind::NotFound)));
    let named: BTreeSet<TenantId> = named.collect::<Result<_, _>>()?;
    named.iter().try_for_each(|tenant| Gate::allow(asked.caller, Permission::See, tenant))?;
    let found: Vec<_> = tenants.iter().filter(|tenant| named.contains(&tenant.id)).collect();
    if found.len() == named.len() { Ok(found) } else { Err(Kind::NotFound.into()) }
}

/// What tells that there is something new.
fn pulse_of(figures: &Figures, kept: &[KeptStatistics], view: &View) -> Pulse {
    let address = view.of_tenants().with("columns", "").address_at("/api/v1/pulse");
    Pulse { address, mark: pulse::mark(kept.iter().map(|kept| &kept.gauge)), unresolved: figures.unresolved.now }
}
