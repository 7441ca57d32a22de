//! The search box: one text that may be an alert's id, a subscription's, or the beginning of a customer's name.
//!
//! Asked in this order, in all tenants that the caller may see, side by side: the first that finds something decides what the list is of.

use std::collections::{BTreeMap, BTreeSet};

use api::Problem;
use futures_util::future::try_join_all;
use maud::{Markup, html};
use models::{AlertId, CustomerId, SubscriptionId, TenantId};
use pages::theirs;
use store::{ListOf, ListPage, ListQuery};

use crate::{Dashboard, ReadSealingKeys, Reads, routes::of_store, shapes::alert::listed};

/// Most customers whose alerts a search lists together.
const MOST_CUSTOMERS: u16 = 25;
/// Most names that are said.
const MOST_NAMES: usize = 10;

/// What a search has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing was searched for.
    #[default]
    All,
    /// An alert of this id, in one tenant or several.
    Alert,
    /// Alerts of a subscription.
    Subscription,
    /// Alerts of these customers, by name, and whether there are more.
    Customers(Vec<String>, bool),
    /// Nothing.
    Nothing(String),
}

impl Found {
    /// What is said of it.
    pub(super) fn words(&self) -> Option<Markup> {
        Some(match self {
            Self::All => return None,
            Self::Alert => html! { "The alert of this id, whatever else is chosen." },
            Self::Subscription => html! { "Alerts of this subscription." },
            Self::Customers(names, more) => html! {
                "Alerts of "
                @for (n, name) in names.iter().take(MOST_NAMES).enumerate() { @if n > 0 { ", " } (theirs(name)) }
                @if names.len() > MOST_NAMES { " and " (names.len() - MOST_NAMES) " others" }
                @if *more { " and more: type more of the name" } "."
            },
            Self::Nothing(text) => html! {
                "Nothing is called " (theirs(text)) ": no alert or subscription has this id, and no customer's name begins so."
            },
        })
    }
}

/// What the list is of because of a search.
pub(super) enum Narrowed {
    /// Exactly these alerts.
    Page(ListPage),
    /// A list of these.
    Of(ListOf),
}

impl<S: Reads, K: ReadSealingKeys + Sync> Dashboard<S, K> {
    /// Searches in these tenants.
    pub(super) async fn search(&self, text: &str, tenants: &BTreeSet<TenantId>) -> Result<(Found, Narrowed), Problem> {
        if let Some(page) = self.by_alert_id(text, tenants).await? {
            return Ok((Found::Alert, Narrowed::Page(page)));
        }
        if let Ok(subscription) = text.parse::<SubscriptionId>()
            && self.has_subscription(&subscription, tenants).await?
        {
            return Ok((Found::Subscription, Narrowed::Of(ListOf::Subscription(subscription))));
        }
        let read = tenants.iter().map(async |tenant| {
            let page = self.store.customers_named(tenant, text, MOST_CUSTOMERS, None).await.map_err(of_store)?;
            Ok::<_, Problem>((tenant.clone(), page))
        });
        let mut customers: BTreeMap<TenantId, BTreeSet<CustomerId>> = BTreeMap::new();
        let (mut names, mut more, mut room) = (BTreeSet::new(), false, usize::from(MOST_CUSTOMERS));
        for (tenant, page) in try_join_all(read).await? {
            more |= page.next.is_some() || page.customers.len() > room;
            for customer in page.customers.into_iter().take(room) {
                room -= 1;
                names.insert(customer.name);
                customers.entry(tenant.clone()).or_default().insert(customer.id);
            }
        }
        if customers.is_empty() {
            return Ok((Found::Nothing(text.to_owned()), Narrowed::Page(ListPage::default())));
        }
        Ok((Found::Customers(names.into_iter().collect(), more), Narrowed::Of(ListOf::Customers(customers))))
    }

    /// Whether any tenant has alerts of a subscription.
    async fn has_subscription(&self, id: &SubscriptionId, tenants: &BTreeSet<TenantId>) -> Result<bool, Problem> {
        let query = ListQuery { of: ListOf::Subscription(id.clone()), ..ListQuery::open() };
        let page = self.store.list(tenants, &query, None, 1).await.map_err(of_store)?;
        Ok(!page.alerts.is_empty() || page.unreadable > 0)
    }

    async fn by_alert_id(&self, text: &str, tenants: &BTreeSet<TenantId>) -> Result<Option<ListPage>, Problem> {
        let Ok(id) = text.parse::<AlertId>() else { return Ok(None) };
        let read = tenants.iter().map(async |tenant| {
            let found = self.store.at_work(tenant, &id).await.map_err(of_store)?;
            Ok::<_, Problem>(found.map(|found| listed(tenant, &found)))
        });
        let alerts: Vec<_> = try_join_all(read).await?.into_iter().flatten().collect();
        Ok((!alerts.is_empty()).then(|| ListPage { alerts, ..ListPage::default() }))
    }
}
