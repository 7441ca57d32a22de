//! A tenant's list of alerts, page by page, whatever its source.
//!
//! Promises: a walk ends, wherever pages lead; what was read of a list is given page by page, so that memory holds one of them; a walk
//! that was broken off can be taken up where it was, or says that it can't, so that nobody tries for ever. Leaves to others: what is
//! done with the pages, and where a place is kept (`poll`); an alert that comes twice, or not at all, since the list moved under the
//! walk, which no page shows.

use std::{collections::HashSet, future::Future};

use models::{Alert, AlertId, Tenant};
use serde::{Deserialize, Serialize};

use crate::{MicrosoftError, SupportIds, UnreadableAlert, exchange::Call, heard};

const CALL: &str = "listing security alerts";

/// A place in a list that can be read on from: by this run, or a later one. Only the source that gave it understands it, and believes
/// none of it: one that was tampered with leads nowhere but to [`MicrosoftError::PlaceRefused`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Place(pub(crate) String);

/// The longest place, in bytes: room for any address that servers are known to take, and little enough to be kept.
const MOST_BYTES: usize = 8_192;

impl Place {
    /// The place as a text that can be kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text of a place, unless it is longer than any that a source gives, or holds what no address does.
    pub(crate) fn text(&self) -> Option<&str> {
        let fits = self.0.len() <= MOST_BYTES && self.0.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then_some(self.0.as_str())
    }
}

impl From<String> for Place {
    /// A place that was kept. Whether it is one says the source when it is asked for it.
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// The error of a place that its source has not given.
pub(crate) fn no_place(call: Call<'_>) -> MicrosoftError {
    MicrosoftError::PlaceRefused { call: call.name, tenant: call.tenant.to_string(), source: None }
}

/// What came of asking for the page at this place.
///
/// Where Microsoft finds fault with the question, it finds fault with the place: there is nothing else in it. Graph says 400 of one that
/// has expired (`Directory_ExpiredPageToken`), and other services of its 410.
pub(crate) fn at_place(
    call: Call<'_>,
    at: Option<&Place>,
    came: Result<Page, MicrosoftError>,
) -> Result<Page, MicrosoftError> {
    match came {
        Err(refused @ MicrosoftError::Refused { status: 400 | 404 | 410, .. }) if at.is_some() => {
            let tenant = call.tenant.to_string();
            Err(MicrosoftError::PlaceRefused { call: call.name, tenant, source: Some(Box::new(refused)) })
        }
        came => came,
    }
}

/// A page of a tenant's list.
#[derive(Debug, Default)]
pub struct Page {
    /// The alerts that could be read.
    pub alerts: Vec<Alert>,
    /// The alerts that could not, each with its reason and its bytes. The next run reads them again.
    pub unreadable: Vec<UnreadableAlert>,
    /// Where the list goes on. None where it ends.
    pub next: Option<Place>,
}

/// What Microsoft says of one alert that was asked for by its id.
#[derive(Debug)]
pub enum Sight {
    /// It is there.
    There(Box<Alert>),
    /// It is there, and can't be read.
    Unreadable(UnreadableAlert),
    /// Microsoft knows no such alert (any more), and says so itself.
    Gone,
    /// The source has no way to ask for one alert: nothing is known of it.
    NoWayToAsk,
}

/// A place that a tenant's alerts are read from.
pub trait ListAlerts {
    /// A page of a tenant's security alerts: the first one, or the one at a place that an earlier page named.
    ///
    /// [`MicrosoftError::PlaceRefused`] where that place is good no more.
    fn page(&self, tenant: &Tenant, at: Option<&Place>) -> impl Future<Output = Result<Page, MicrosoftError>> + Send;

    /// One alert of a tenant.
    fn alert(&self, tenant: &Tenant, id: &AlertId) -> impl Future<Output = Result<Sight, MicrosoftError>> + Send;
}

/// A place where one alert can be looked at, by all that is known of it.
pub trait LookAtAlerts {
    /// This alert as Microsoft has it. fraudEvents has no call that is about one event, and is asked for those of its subscription: what they leave out
    /// is neither there nor gone.
    fn look_at(&self, tenant: &Tenant, alert: &Alert) -> impl Future<Output = Result<Sight, MicrosoftError>> + Send;
}

/// A walk through all pages of a list.
#[derive(Debug)]
pub struct Walk {
    /// Where it goes on. None before the first page and behind the last.
    next: Option<Place>,
    /// How many pages it has read, over all runs that it took.
    pages: usize,
    /// The places that this run was at.
    seen: HashSet<Place>,
    /// What Microsoft calls the last of them, where somebody listens.
    ids: Option<SupportIds>,
    most: usize,
    ended: bool,
    /// There is no way on from where it is.
    lost: bool,
}

impl Walk {
    /// A walk from the start, of at most this many pages.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { next: None, pages: 0, seen: HashSet::new(), ids: None, most, ended: false, lost: false }
    }

    /// A walk that was broken off after so many pages, and goes on at this place.
    #[must_use]
    pub fn resumed(at: Place, pages: usize, most: usize) -> Self {
        Self { next: Some(at), pages, ..Self::new(most) }
    }

    /// The next page. None where the list has ended.
    ///
    /// # Errors
    ///
    /// [`MicrosoftError`]: the list is not complete, and nothing may be concluded from what is missing in it. Asked again, the walk goes
    /// on at the page that failed; whether there is sense in it, [`place`](Self::place) says.
    pub async fn next_page(
        &mut self,
        source: &(impl ListAlerts + Sync),
        tenant: &Tenant,
    ) -> Result<Option<Page>, MicrosoftError> {
        if self.ended {
            return Ok(None);
        }
        let page = match self.look(source, tenant).await {
            Ok(page) => page,
            Err(error) => {
                self.lost |= matches!(error, MicrosoftError::PlaceRefused { .. });
                return Err(error);
            }
        };
        self.pages += 1;
        self.ids = heard::last_answer();
        self.seen.extend(self.next.take());
        self.next.clone_from(&page.next);
        self.ended = page.next.is_none();
        Ok(Some(page))
    }

    async fn look(&mut self, source: &(impl ListAlerts + Sync), tenant: &Tenant) -> Result<Page, MicrosoftError> {
        let bad = |problem: String| {
            let problem = match &self.ids {
                Some(ids) => format!("{problem} ({ids})"),
                None => problem,
            };
            MicrosoftError::BadAnswer { call: CALL, tenant: tenant.id.to_string(), problem }
        };
        if self.pages >= self.most {
            self.lost = true;
            return Err(bad(format!("more than {} pages", self.most)));
        }
        if self.next.as_ref().is_some_and(|place| self.seen.contains(place)) {
            self.lost = true;
            return Err(bad("its pages lead back to one that was read".to_owned()));
        }
        source.page(tenant, self.next.as_ref()).await
    }

    /// Where the walk goes on, and after how many pages. None before the first page and behind the last, and where it can't go on: its
    /// place was refused, its pages lead in a circle, or they are too many. A walk that is resumed there would fail for ever.
    #[must_use]
    pub fn place(&self) -> Option<(&Place, usize)> {
        self.next.as_ref().filter(|_| !self.lost).map(|place| (place, self.pages))
    }
}
