//! Lists of alerts, over several tenants at once.
//!
//! An index answers for each tenant by itself, those of a list side by side, and their answers are merged in the order of the list. Where a page
//! ends is one position in that order, whatever the number of tenants, and holds no more than the caller was shown or might have been. A page
//! reads at most [`MOST_READ`] items: a filter that lets few pass ends with how far it has searched. Indexes may lag behind by moments.
//!
//! While alerts come and move, a list with the newest first shows none twice: what moves, moves to what was shown already. The other way round one
//! may be shown again at its new place.

mod merge;
mod query;
mod walk;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    sync::atomic::{AtomicUsize, Ordering},
};

use futures_util::future::try_join_all;
use jiff::Timestamp;
use models::{
    AlertId, AlertState, AlertType, Confidence, CustomerId, Marks, ObjectId, ResolvedReason, Severity, Status,
    SubscriptionId, TenantId, Turned,
};
use serde::{Deserialize, Serialize};

use crate::{Store, StoreError};
use merge::{Frontier, Merge};
use query::{Lane, Part};

pub use walk::{WalkAlerts, WalkPage, WalkPosition, WholeAlert};

/// Most tenants of one list.
pub const MOST_LISTED_TENANTS: usize = 25;
/// Most items that a page reads.
pub const MOST_READ: usize = 2_000;
/// Most items that one request reads where a filter is to be passed.
const FILTERED_AT_ONCE: usize = 500;

/// An alert as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each says something of its own")]
pub struct ListedAlert {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its id.
    pub id: AlertId,
    /// Its version with us.
    pub version: u64,
    /// Its name.
    pub name: String,
    /// Its exact kind.
    pub alert_type: AlertType,
    /// Where it stands.
    pub status: Status,
    /// How bad it is.
    pub severity: Severity,
    /// How sure Microsoft is.
    pub confidence: Option<Confidence>,
    /// The customer.
    pub customer: Option<CustomerId>,
    /// The subscription.
    pub subscription: Option<SubscriptionId>,
    /// When Microsoft detected it.
    pub detected: Timestamp,
    /// When it was first observed.
    pub first_observed: Timestamp,
    /// When it was last observed.
    pub last_observed: Timestamp,
    /// Why it was resolved.
    pub resolved_reason: Option<ResolvedReason>,
    /// When it was resolved.
    pub resolved_on: Option<Timestamp>,
    /// A simulated alert.
    pub is_test: bool,
    /// Whether Microsoft said that it knows it no longer.
    pub is_gone: bool,
    /// Whether a person decided, and Microsoft has not shown it yet.
    pub is_pending: bool,
    /// Whether Microsoft did not take the last decision.
    pub not_accepted: bool,
    /// When we first saw it; none where that was not noted.
    pub known_since: Option<Timestamp>,
    /// By which versions its standing turned.
    pub turned: Turned,
    /// What people wrote on it in a few words.
    pub marks: Marks,
}

/// Which alerts, by the index that has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListOf {
    /// Of whatever state.
    All,
    /// Those of a customer.
    Customer(CustomerId),
    /// Those of these customers, by tenant. Other tenants have none.
    Customers(BTreeMap<TenantId, BTreeSet<CustomerId>>),
    /// Those that are open, or those that are resolved.
    State(AlertState),
    /// Those of a subscription.
    Subscription(SubscriptionId),
}

/// The moment that a list goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListMoment {
    /// When it was first observed. No index has it for a customer or a subscription: there the last observation takes its place.
    FirstObserved,
    /// When it was last observed.
    LastObserved,
}

/// Who looks after an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListAssignee {
    /// Nobody in particular.
    Nobody,
    /// This person.
    Person(ObjectId),
}

/// What an alert has to be to be shown; what is empty or none lets all pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListFilter {
    /// Who looks after it.
    pub assignee: Option<ListAssignee>,
    /// Why it was resolved: one of these.
    pub reasons: BTreeSet<ResolvedReason>,
    /// How bad it is: one of these. What is not known counts as high, so that no new word hides an alert.
    pub severities: BTreeSet<Severity>,
    /// Whether it is set aside at this moment.
    pub snoozed: Option<(bool, Timestamp)>,
    /// Whether it needs somebody. Where the list is of one state, that decides.
    pub state: Option<AlertState>,
    /// Where it stands: one of these.
    pub statuses: BTreeSet<Status>,
    /// Whether it is a simulated one.
    pub test: Option<bool>,
    /// Its exact kind: one of these names.
    pub types: BTreeSet<String>,
}

/// A list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListQuery {
    /// Of which alerts.
    pub of: ListOf,
    /// The moment that it goes by.
    pub by: ListMoment,
    /// Whether the newest come first.
    pub newest_first: bool,
    /// No alert whose moment is before this one.
    pub since: Option<Timestamp>,
    /// No alert whose moment is behind this one.
    pub until: Option<Timestamp>,
    /// What an alert has to be.
    pub filter: ListFilter,
}

impl ListQuery {
    /// The list of all that is open, the newest first, by the last observation.
    #[must_use]
    pub fn open() -> Self {
        Self {
            of: ListOf::State(AlertState::Open),
            by: ListMoment::LastObserved,
            newest_first: true,
            since: None,
            until: None,
            filter: ListFilter::default(),
        }
    }

    /// The same list of these, whatever it was of: of the same state where it was of one. No index has them by the first observation.
    #[must_use]
    pub fn narrowed(self, to: ListOf) -> Self {
        let state = match self.of {
            ListOf::State(state) => Some(state),
            _ => self.filter.state,
        };
        Self { of: to, by: ListMoment::LastObserved, filter: ListFilter { state, ..self.filter }, ..self }
    }
}

/// A place in the order of a list: the alert that it goes on behind. To be handed out sealed only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPosition {
    at: Timestamp,
    tenant: TenantId,
    part: Part,
    alert: AlertId,
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListPage {
    /// The alerts, in the order of the list.
    pub alerts: Vec<ListedAlert>,
    /// Where it goes on; it may be that nothing comes any more.
    pub next: Option<ListPosition>,
    /// How far it was searched, where the page ended because enough was read and not because it was full.
    pub searched_to: Option<Timestamp>,
    /// How many alerts could not be read and were left out. The log says which.
    pub unreadable: usize,
}

/// Lists alerts.
pub trait ListAlerts {
    /// A page of up to `size` alerts (1 to 100) of these tenants, up to [`MOST_LISTED_TENANTS`] of them, on from a position.
    fn list(
        &self,
        tenants: &BTreeSet<TenantId>,
        query: &ListQuery,
        from: Option<&ListPosition>,
        size: usize,
    ) -> impl Future<Output = Result<ListPage, StoreError>> + Send;

    /// All alerts of a list, in no order, if [`MOST_READ`] items are enough to find them; none where they are not.
    fn few(
        &self,
        tenants: &BTreeSet<TenantId>,
        query: &ListQuery,
    ) -> impl Future<Output = Result<Option<ListPage>, StoreError>> + Send;
}

impl ListAlerts for Store {
    async fn list(
        &self,
        tenants: &BTreeSet<TenantId>,
        query: &ListQuery,
        from: Option<&ListPosition>,
        size: usize,
    ) -> Result<ListPage, StoreError> {
        let lanes = query::lanes(tenants, query, from);
        let mut merge = Merge::new(query.newest_first, lanes.len());
        let at_once = if query.filter == ListFilter::default() { size } else { FILTERED_AT_ONCE };
        // So that the first round always fits.
        let at_once = at_once.min(MOST_READ / lanes.len().max(1)).max(1);
        let (mut page, mut read) = (ListPage::default(), 0);
        let mut last = None;
        loop {
            while page.alerts.len() < size
                && let Some((lane, found)) = merge.pop()
            {
                last = Some(lanes[lane].position(found.at, found.alert.id.clone()));
                page.alerts.push(found.alert);
            }
            if page.alerts.len() >= size {
                page.next = last.filter(|_| !merge.is_over());
                return Ok(page);
            }
            let due = merge.due();
            if due.is_empty() {
                return Ok(page);
            }
            if read + due.len() * at_once > MOST_READ {
                let horizon = merge.horizon();
                page.searched_to = horizon.as_ref().map(|(_, at, _)| *at);
                page.next = horizon.map(|(lane, at, alert)| lanes[lane].position(at, alert));
                return Ok(page);
            }
            let due = due.into_iter().map(|(lane, frontier)| {
                let request = self.read_lane(&lanes[lane], query, frontier, at_once);
                async move { request.await.map(|found| (lane, found)) }
            });
            for (lane, found) in try_join_all(due).await? {
                read += found.read;
                page.unreadable += found.unreadable;
                merge.add(lane, found.alerts, found.frontier);
            }
        }
    }

    async fn few(&self, tenants: &BTreeSet<TenantId>, query: &ListQuery) -> Result<Option<ListPage>, StoreError> {
        let (lanes, read) = (query::lanes(tenants, query, None), AtomicUsize::new(0));
        let pages = try_join_all(lanes.iter().map(|lane| self.read_whole(lane, query, &read))).await?;
        let pages: Option<Vec<_>> = pages.into_iter().collect();
        Ok(pages.map(|pages| ListPage {
            unreadable: pages.iter().map(|page| page.unreadable).sum(),
            alerts: pages.into_iter().flat_map(|page| page.alerts).collect(),
            ..ListPage::default()
        }))
    }
}

impl Store {
    /// Reads a lane to its end, as long as all lanes together have not read too much.
    async fn read_whole(
        &self,
        lane: &Lane,
        query: &ListQuery,
        read: &AtomicUsize,
    ) -> Result<Option<ListPage>, StoreError> {
        let (mut page, mut frontier) = (ListPage::default(), Frontier::Start);
        while frontier != Frontier::End {
            let batch = self.read_lane(lane, query, frontier, FILTERED_AT_ONCE).await?;
            if read.fetch_add(batch.read, Ordering::Relaxed) + batch.read > MOST_READ {
                return Ok(None);
            }
            page.alerts.extend(batch.alerts.into_iter().map(|found| found.alert));
            page.unreadable += batch.unreadable;
            frontier = batch.frontier;
        }
        Ok(Some(page))
    }
}

/// An alert that a lane has found, and its moment as the index has it.
#[derive(Debug)]
struct Found {
    at: Timestamp,
    alert: ListedAlert,
}

/// What one request has found.
#[derive(Debug)]
struct Batch {
    alerts: Vec<Found>,
    frontier: Frontier,
    read: usize,
    unreadable: usize,
}
