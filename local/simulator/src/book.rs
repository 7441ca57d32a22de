//! Where the alerts of all tenants are kept: in memory, and in a file if one is named.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::alerts::Alert;

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

/// All alerts of all tenants, in the order in which they were made.
#[derive(Debug)]
pub(crate) struct Book {
    alerts: BTreeMap<String, Vec<Alert>>,
    file: Option<PathBuf>,
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

    pub(crate) fn all(&self, tenant: &str) -> &[Alert] {
        self.alerts.get(tenant).map(Vec::as_slice).unwrap_or_default()
    }

    pub(crate) fn one(&self, tenant: &str, id: &str) -> Option<&Alert> {
        self.all(tenant).iter().find(|alert| alert.id == id)
    }

    pub(crate) fn add(&mut self, tenant: &str, alert: Alert) -> Result<Alert, AlertError> {
        if self.one(tenant, &alert.id).is_some() {
            return Err(AlertError::Duplicate(alert.id));
        }
        let alerts = self.alerts.entry(tenant.to_owned()).or_default();
        alerts.push(alert.clone());
        if let Err(error) = self.save() {
            self.alerts.entry(tenant.to_owned()).or_default().pop();
            return Err(error);
        }
        Ok(alert)
    }

    /// The alert before and after.
    pub(crate) fn update(
        &mut self,
        tenant: &str,
        id: &str,
        change: impl FnOnce(&mut Alert),
    ) -> Result<(Alert, Alert), AlertError> {
        let place = self.all(tenant).iter().position(|alert| alert.id == id);
        let place = place.ok_or_else(|| AlertError::UnknownAlert(id.to_owned()))?;
        let before = self.all(tenant)[place].clone();
        let mut after = before.clone();
        change(&mut after);
        self.put(tenant, place, after.clone());
        if let Err(error) = self.save() {
            self.put(tenant, place, before);
            return Err(error);
        }
        Ok((before, after))
    }

    /// Takes an alert away.
    pub(crate) fn take(&mut self, tenant: &str, id: &str) -> Result<Alert, AlertError> {
        let unknown = || AlertError::UnknownAlert(id.to_owned());
        let alerts = self.alerts.get_mut(tenant).ok_or_else(unknown)?;
        let place = alerts.iter().position(|alert| alert.id == id).ok_or_else(unknown)?;
        let taken = alerts.remove(place);
        if let Err(error) = self.save() {
            self.alerts.entry(tenant.to_owned()).or_default().insert(place, taken);
            return Err(error);
        }
        Ok(taken)
    }

    fn put(&mut self, tenant: &str, place: usize, alert: Alert) {
        if let Some(slot) = self.alerts.get_mut(tenant).and_then(|alerts| alerts.get_mut(place)) {
            *slot = alert;
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
    alerts: BTreeMap<String, Vec<Alert>>,
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
