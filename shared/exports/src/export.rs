//! An export, page by page: the walk over alerts, their names, and the text that comes of them.

use std::collections::{BTreeSet, VecDeque};

use jiff::Timestamp;
use models::{AlertId, Tenant, TenantId};
use serde::{Deserialize, Serialize};
use store::{ListQuery, ReadNames, ReadWork, StoreError, WalkAlerts, WalkPosition, WholeAlert};

use crate::{
    Format,
    exported::{Around, Exported, Names, wanted},
    writer::{Unwritable, Writer, Written},
};

/// How many alerts are read at once: about as many as DynamoDB gives in one answer.
const AT_ONCE: usize = 500;

/// What an export reads.
pub trait Source: ReadNames + ReadWork + WalkAlerts + Sync {}

impl<S: ReadNames + ReadWork + WalkAlerts + Sync> Source for S {}

/// Which alerts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Those that a query lets through, in the order of their detection, tenant by tenant.
    Of(Box<ListQuery>),
    /// The alert of this id, of each tenant that has one.
    Alert(AlertId),
    /// None.
    Nothing,
}

/// How much an export may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Most {
    /// Alerts.
    pub rows: usize,
    /// Bytes, as they travel as a text within JSON, which is how a function hands its answer over.
    pub bytes: usize,
    /// Alerts that are read to find these.
    pub read: usize,
}

/// Why an export does not go on.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// DynamoDB failed.
    #[error("the alerts could not be read")]
    Store(#[from] StoreError),
    /// It is more than it may be.
    #[error("it is more than it may be: {} alerts, {} bytes or {} alerts to look through", .0.rows, .0.bytes, .0.read)]
    TooMuch(Most),
    /// A record can't be written.
    #[error("an alert could not be written down")]
    Unwritable(#[source] Unwritable),
}

/// Where an export goes on, in another process if need be. To be handed out to nobody: it names an alert.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The tenants that are left, the first of them under way.
    pub left: Vec<TenantId>,
    /// How many alerts were written.
    pub rows: usize,
    /// How many could not be read.
    pub unreadable: usize,
    /// How many were looked through.
    pub read: usize,
    /// Whether the text is whole.
    pub is_over: bool,
    from: Option<WalkPosition>,
    written: Written,
}

impl Place {
    /// The beginning of an export of these tenants.
    #[must_use]
    pub fn beginning(tenants: Vec<TenantId>) -> Self {
        Self { left: tenants, ..Self::default() }
    }
}

/// An export that is under way.
#[derive(Debug)]
pub struct Export<S> {
    store: S,
    /// The tenants that are left, the first of them under way.
    tenants: VecDeque<Tenant>,
    what: What,
    from: Option<WalkPosition>,
    writer: Writer,
    is_over: bool,
    now: Timestamp,
    origin: Option<String>,
    most: Option<Most>,
    taken: Most,
    unreadable: usize,
}

impl<S: Source> Export<S> {
    /// An export of alerts of these tenants, as they stand at this moment.
    pub fn new(
        store: S,
        tenants: impl IntoIterator<Item = Tenant>,
        what: What,
        format: Format,
        now: Timestamp,
    ) -> Self {
        Self {
            store,
            tenants: tenants.into_iter().collect(),
            what,
            from: None,
            writer: Writer::new(format),
            is_over: false,
            now,
            origin: None,
            most: None,
            taken: Most { rows: 0, bytes: 0, read: 0 },
            unreadable: 0,
        }
    }

    /// The same with links to our pages, which are at this origin.
    #[must_use]
    pub fn with_links_to(self, origin: &str) -> Self {
        Self { origin: Some(origin.to_owned()), ..self }
    }

    /// The same of so much at most: what is more is an error.
    #[must_use]
    pub fn of_at_most(self, most: Most) -> Self {
        Self { most: Some(most), ..self }
    }

    /// The same from a place on that this export was at before. A tenant that is not among its tenants any more is left out from there on.
    #[must_use]
    pub fn from_place(self, place: &Place) -> Self {
        let tenants: VecDeque<_> =
            place.left.iter().filter_map(|id| self.tenants.iter().find(|tenant| tenant.id == *id).cloned()).collect();
        let is_there = tenants.front().map(|tenant| &tenant.id) == place.left.first();
        Self {
            tenants,
            from: place.from.clone().filter(|_| is_there),
            writer: self.writer.behind(place.written),
            is_over: place.is_over,
            taken: Most { rows: place.rows, bytes: 0, read: place.read },
            unreadable: place.unreadable,
            ..self
        }
    }

    /// Where it goes on.
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            left: self.tenants.iter().map(|tenant| tenant.id.clone()).collect(),
            rows: self.taken.rows,
            unreadable: self.unreadable,
            read: self.taken.read,
            is_over: self.is_over,
            from: self.from.clone(),
            written: self.writer.written(),
        }
    }

    /// How many alerts were written.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.taken.rows
    }

    /// How many alerts could not be read and are missing. The log says which.
    #[must_use]
    pub fn unreadable(&self) -> usize {
        self.unreadable
    }

    /// The next part of the text, which is never empty. None behind the last.
    ///
    /// # Errors
    ///
    /// [`ExportError`]: what came before is not the whole.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, ExportError> {
        while let Some(part) = self.step().await? {
            if !part.is_empty() {
                return Ok(Some(part));
            }
        }
        Ok(None)
    }

    /// The text of the next page, which may be empty: for whoever has something else to look at in between. None behind the last.
    ///
    /// # Errors
    ///
    /// As [`Export::next`].
    pub async fn step(&mut self) -> Result<Option<Vec<u8>>, ExportError> {
        if self.is_over {
            return Ok(None);
        }
        let part = self.part().await?;
        self.taken.bytes += weight(&part);
        let taken = self.taken;
        let is_too_much = |most: &Most| taken.rows > most.rows || taken.bytes > most.bytes || taken.read > most.read;
        match self.most.filter(is_too_much) {
            Some(most) => Err(ExportError::TooMuch(most)),
            None => Ok(Some(part)),
        }
    }

    /// The text of the next page; empty where it lets no alert through.
    async fn part(&mut self) -> Result<Vec<u8>, ExportError> {
        let Some(tenant) = self.tenants.front().cloned() else {
            self.is_over = true;
            return self.writer.end().map_err(ExportError::Unwritable);
        };
        let alerts = self.page(&tenant).await?;
        self.taken.rows += alerts.len();
        let names = self.names(&tenant, &alerts).await;
        let around = Around { tenant: &tenant, names: &names, origin: self.origin.as_deref(), now: self.now };
        let rows = alerts.iter().map(|alert| Exported::of(alert, around));
        self.writer.rows(rows).map_err(ExportError::Unwritable)
    }

    /// The next page of a tenant's alerts; with the last of them the next tenant's turn comes.
    async fn page(&mut self, tenant: &Tenant) -> Result<Vec<WholeAlert>, ExportError> {
        let (alerts, next) = match &self.what {
            What::Nothing => (Vec::new(), None),
            What::Alert(id) => {
                self.taken.read += 1;
                let found = self.store.at_work(&tenant.id, id).await?;
                (found.map(WholeAlert::from).into_iter().collect(), None)
            }
            What::Of(query) => {
                let page = self.store.walk(&tenant.id, query, self.from.as_ref(), AT_ONCE).await?;
                self.taken.read += page.read;
                self.unreadable += page.unreadable;
                (page.alerts, page.next)
            }
        };
        self.from = next;
        if self.from.is_none() {
            self.tenants.pop_front();
        }
        Ok(alerts)
    }

    /// The names of what these alerts are about. Where they can't be read, ids have to do.
    async fn names(&self, tenant: &Tenant, alerts: &[WholeAlert]) -> Names {
        let mut ids = BTreeSet::new();
        for alert in alerts {
            wanted(&alert.stored.known.alert, &mut ids);
        }
        if ids.is_empty() {
            return Names::new();
        }
        match self.store.names(&tenant.id, &ids).await {
            Ok(names) => names.into_iter().filter_map(|(id, kept)| Some((id, kept.name?))).collect(),
            Err(error) => {
                let error = runtime::chain(&error);
                tracing::warn!(tenant.id = %tenant.id, error, "names can't be read: ids are shown without them");
                Names::new()
            }
        }
    }
}

/// How many bytes a text is within JSON.
fn weight(part: &[u8]) -> usize {
    let of = |byte: &u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
        0..0x20 => 6,
        _ => 1,
    };
    part.iter().map(of).sum()
}
