//! Orders that no index serves: by severity, and by the time that is left to answer. They are of open alerts alone, of which there are few enough to be
//! read at once; where there are more than that, the table says so and keeps the order of the index.

use std::{cmp::Reverse, collections::BTreeSet};

use api::Problem;
use jiff::Timestamp;
use models::{AlertId, TenantId};
use serde::{Deserialize, Serialize};
use store::{ListPage, ListQuery, ListedAlert, MOST_READ};

use super::view::View;
use crate::{Dashboard, ReadSealingKeys, Reads, routes::of_store};

/// An order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The earliest detected first: of those the least time is left.
    Left,
    /// The worst first.
    Severity,
}

/// A place in an order: the alert that a page goes on behind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Place(Reverse<u8>, Timestamp, TenantId, AlertId);

impl Order {
    /// The names that orders have in addresses.
    pub(super) const NAMES: [&str; 2] = ["left", "severity"];

    /// The order of a view, if it is one of these and the view is of open alerts.
    pub(super) fn of(view: &View) -> Option<Self> {
        match view.get("order").filter(|_| Self::may_be_of(view))? {
            "left" => Some(Self::Left),
            "severity" => Some(Self::Severity),
            _ => None,
        }
    }

    /// Whether a view can have such an order: whether it is of open alerts.
    pub(super) fn may_be_of(view: &View) -> bool {
        view.get("state").is_none_or(|state| state == "open")
    }

    fn place(self, alert: &ListedAlert) -> Place {
        let rank = if self == Self::Severity { alert.severity.rank() } else { 0 };
        Place(Reverse(rank), alert.detected, alert.tenant.clone(), alert.id.clone())
    }

    /// The page behind a place, and the place where the next one begins.
    pub(super) fn page(
        self,
        mut alerts: Vec<ListedAlert>,
        turned: bool,
        from: Option<&Place>,
        size: usize,
    ) -> (Vec<ListedAlert>, Option<Place>) {
        alerts.sort_by_cached_key(|alert| self.place(alert));
        if turned {
            alerts.reverse();
        }
        let is_behind = |alert: &ListedAlert| {
            from.is_none_or(|from| if turned { self.place(alert) < *from } else { self.place(alert) > *from })
        };
        let mut behind = alerts.into_iter().filter(is_behind);
        let page: Vec<_> = behind.by_ref().take(size).collect();
        let next = behind.next().and_then(|_| page.last()).map(|last| self.place(last));
        (page, next)
    }
}

impl<S: Reads, K: ReadSealingKeys + Sync> Dashboard<S, K> {
    /// All alerts of a list; none where they are too many to be sorted.
    pub(super) async fn few(
        &self,
        tenants: &BTreeSet<TenantId>,
        list: &ListQuery,
    ) -> Result<Option<ListPage>, Problem> {
        let all = self.store.list(tenants, list, None, MOST_READ).await.map_err(of_store)?;
        Ok(all.next.is_none().then_some(all))
    }
}
