//! Where the alerts of all tenants are kept: in memory, and in a file if one is named.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::alerts::{Alert, Lag};

/// An alert can't be made or changed.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// The tenant has an alert of this id.
    #[error("there is an alert {0} already")]
    Duplicate(String),
    /// The state file could not be written; nothing was changed.
    #[error("failed to write the state file {}", path.display())]
    StateFile {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The tenant has no alert of this id.
    #[error("there is no alert {0}")]
    UnknownAlert(String),
    /// The simulator was not started with this tenant.
    #[error("there is no tenant {0}")]
    UnknownTenant(String),
}

/// All alerts of all tenants, in the order in which they were made, and never one less.
#[derive(Debug)]
pub(crate) struct Book {
    alerts: BTreeMap<String, Vec<Kept>>,
    file: Option<PathBuf>,
}

/// An alert, and who does not see it as it is.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Kept {
    #[serde(flatten)]
    alert: Alert,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    gone: bool,
    #[serde(skip)]
    by_id: Option<Late>,
    #[serde(skip)]
    in_list: Option<Late>,
}

/// What one way of looking goes on showing, and for how many requests.
#[derive(Clone, Debug)]
struct Late {
    requests: u32,
    shown: Option<Alert>,
}

impl Kept {
    fn there(&self) -> Option<&Alert> {
        (!self.gone).then_some(&self.alert)
    }

    /// Both ways of looking are late from now on, as far as `lag` says so: what they showed so far, they show further on.
    fn behind(&mut self, lag: Lag, shown: Option<&Alert>) {
        for (late, requests) in [(&mut self.by_id, lag.get), (&mut self.in_list, lag.list)] {
            match late {
                Some(late) => late.requests = late.requests.max(requests),
                None if requests > 0 => *late = Some(Late { requests, shown: shown.cloned() }),
                None => {}
            }
        }
    }
}

/// What a request sees of an alert that one way of looking may be late with.
fn seen(late: &mut Option<Late>, there: Option<Alert>) -> Option<Alert> {
    let Some(Late { requests, shown }) = late else { return there };
    let shown = shown.clone();
    *requests -= 1;
    if *requests == 0 {
        *late = None;
    }
    shown
}

impl Book {
    /// Reads the file if there is one.
    pub(crate) fn open(file: Option<PathBuf>) -> io::Result<Self> {
        let alerts = match &file {
            Some(path) => match fs::read(path) {
                Ok(bytes) => serde_json::from_slice::<State>(&bytes)?.alerts,
                Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
                Err(error) => return Err(error),
            },
            None => BTreeMap::new(),
        };
        Ok(Self { alerts, file })
    }

    /// The alerts as they are, without those that are gone.
    pub(crate) fn all(&self, tenant: &str) -> impl DoubleEndedIterator<Item = &Alert> {
        self.kept(tenant).iter().filter_map(Kept::there)
    }

    /// One of them.
    pub(crate) fn one(&self, tenant: &str, id: &str) -> Option<&Alert> {
        self.all(tenant).find(|alert| alert.id == id)
    }

    /// Whether there is, or was, an alert of this id.
    pub(crate) fn knows(&self, tenant: &str, id: &str) -> bool {
        self.place(tenant, id).is_some()
    }

    /// What a request sees that asks for a list, or a page of it.
    pub(crate) fn listed(&mut self, tenant: &str) -> Vec<Alert> {
        let kept = self.alerts.get_mut(tenant).map(Vec::as_mut_slice).unwrap_or_default();
        kept.iter_mut().filter_map(|kept| seen(&mut kept.in_list, (!kept.gone).then(|| kept.alert.clone()))).collect()
    }

    /// What a request sees that asks for one alert.
    pub(crate) fn read(&mut self, tenant: &str, id: &str) -> Option<Alert> {
        let place = self.place(tenant, id)?;
        let kept = self.alerts.get_mut(tenant)?.get_mut(place)?;
        seen(&mut kept.by_id, (!kept.gone).then(|| kept.alert.clone()))
    }

    pub(crate) fn add(&mut self, tenant: &str, alert: Alert, lag: Lag) -> Result<Alert, AlertError> {
        if self.knows(tenant, &alert.id) {
            return Err(AlertError::Duplicate(alert.id));
        }
        let mut kept = Kept { alert: alert.clone(), gone: false, by_id: None, in_list: None };
        kept.behind(lag, None);
        self.alerts.entry(tenant.to_owned()).or_default().push(kept);
        if let Err(error) = self.save() {
            self.alerts.entry(tenant.to_owned()).or_default().pop();
            return Err(error);
        }
        Ok(alert)
    }

    /// Many alerts at once, all of them or none.
    pub(crate) fn add_all(&mut self, tenant: &str, alerts: Vec<Alert>) -> Result<(), AlertError> {
        if let Some(known) = alerts.iter().find(|alert| self.knows(tenant, &alert.id)) {
            return Err(AlertError::Duplicate(known.id.clone()));
        }
        let before = self.kept(tenant).len();
        let kept = alerts.into_iter().map(|alert| Kept { alert, gone: false, by_id: None, in_list: None });
        self.alerts.entry(tenant.to_owned()).or_default().extend(kept);
        self.save().inspect_err(|_| self.alerts.entry(tenant.to_owned()).or_default().truncate(before))
    }

    /// An alert that is there, before and after.
    pub(crate) fn update(
        &mut self,
        tenant: &str,
        id: &str,
        change: impl FnOnce(&mut Alert),
    ) -> Result<(Alert, Alert), AlertError> {
        let before = self.one(tenant, id).cloned().ok_or_else(|| AlertError::UnknownAlert(id.to_owned()))?;
        let after = self.change(tenant, id, None, Lag::default(), change)?;
        Ok((before, after))
    }

    /// An alert after a change, be it there or not.
    pub(crate) fn change(
        &mut self,
        tenant: &str,
        id: &str,
        gone: Option<bool>,
        lag: Lag,
        change: impl FnOnce(&mut Alert),
    ) -> Result<Alert, AlertError> {
        let place = self.place(tenant, id).ok_or_else(|| AlertError::UnknownAlert(id.to_owned()))?;
        let before = self.kept(tenant)[place].clone();
        let mut after = before.clone();
        after.behind(lag, before.there());
        change(&mut after.alert);
        after.gone = gone.unwrap_or(before.gone);
        let alert = after.alert.clone();
        self.put(tenant, place, after);
        if let Err(error) = self.save() {
            self.put(tenant, place, before);
            return Err(error);
        }
        Ok(alert)
    }

    /// Forgets all of a tenant's alerts, as if none had ever been.
    pub(crate) fn forget(&mut self, tenant: &str) -> Result<(), AlertError> {
        self.alerts.remove(tenant);
        self.save()
    }

    fn kept(&self, tenant: &str) -> &[Kept] {
        self.alerts.get(tenant).map(Vec::as_slice).unwrap_or_default()
    }

    fn place(&self, tenant: &str, id: &str) -> Option<usize> {
        self.kept(tenant).iter().position(|kept| kept.alert.id == id)
    }

    fn put(&mut self, tenant: &str, place: usize, kept: Kept) {
        if let Some(slot) = self.alerts.get_mut(tenant).and_then(|alerts| alerts.get_mut(place)) {
            *slot = kept;
        }
    }

    fn save(&self) -> Result<(), AlertError> {
        let Some(path) = &self.file else { return Ok(()) };
        write_atomically(path, &State { alerts: self.alerts.clone() })
            .map_err(|source| AlertError::StateFile { path: path.clone(), source })
    }
}

#[derive(Deserialize, Serialize)]
struct State {
    alerts: BTreeMap<String, Vec<Kept>>,
}

/// Whoever reads the file sees the old one or the new one, also after a crash.
fn write_atomically(path: &Path, state: &State) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let mut file = fs::File::create(&beside)?;
    file.write_all(&serde_json::to_vec(state)?)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}
