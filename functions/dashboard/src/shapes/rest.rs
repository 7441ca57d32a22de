//! Tenants, views, and who asks.

use models::{Tenant, View};
use serde::Serialize;
use store::LastRuns;
use utoipa::ToSchema;

use super::{Moment, PersonShown};

/// The tenants that the caller may see.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tenants {
    /// The tenants, in the order of their ids.
    pub(crate) tenants: Vec<TenantShown>,
}

/// A partner tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TenantShown {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// Which of Microsoft's clouds it lives in.
    cloud: &'static str,
    /// Where its alerts are read from.
    alert_source: &'static str,
    /// Whether it is polled.
    is_active: bool,
    /// Whether its alerts can be decided on here, by whoever may: it has a secret to act with. Whether Microsoft takes that is not said.
    can_act: bool,
    /// When the last complete look at it ended. Absent where there was none, or where it can't be told at the moment.
    last_success: Option<Moment>,
    /// When the last look ended, whatever came of it.
    last_attempt: Option<Moment>,
}

impl TenantShown {
    pub(crate) fn of(tenant: &Tenant, runs: &LastRuns) -> Self {
        Self {
            id: tenant.id.to_string(),
            name: tenant.display_name.clone(),
            cloud: tenant.cloud.as_str(),
            alert_source: tenant.alert_source.as_str(),
            is_active: tenant.active,
            can_act: tenant.act_secret.is_some(),
            last_success: runs.last_success.map(Moment),
            last_attempt: runs.last_attempt.map(Moment),
        }
    }
}

/// Saved views.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Views {
    /// Those that the caller sees: their own, and those that are shared.
    pub(crate) views: Vec<ViewShown>,
    /// How many of the tenant can't be read, and are left out.
    pub(crate) unreadable: usize,
}

/// A saved view.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ViewShown {
    /// Its id.
    id: String,
    /// What it is called. Escape it on display.
    name: String,
    /// The query of `/alerts` that it stands for.
    query: String,
    /// Who saved it.
    owner: PersonShown,
    /// Whether everybody of the tenant sees it.
    is_shared: bool,
    /// Its version: what a change of it names.
    revision: u64,
}

impl From<&View> for ViewShown {
    fn from(view: &View) -> Self {
        Self {
            id: view.id.to_string(),
            name: view.name.as_str().to_owned(),
            query: view.query.as_str().to_owned(),
            owner: (&view.owner).into(),
            is_shared: view.is_shared,
            revision: view.revision,
        }
    }
}

/// Who asks, and what they may do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Me {
    /// Their object id.
    pub(crate) id: String,
    /// The tenant that they signed in to.
    pub(crate) tenant: String,
    /// What they are called.
    pub(crate) name: String,
    /// `person` or `application`.
    pub(crate) kind: &'static str,
    /// `session` or `bearer`: what the request shows.
    pub(crate) how: &'static str,
    /// What they may do, by partner tenant.
    pub(crate) access: Vec<AccessShown>,
}

/// What somebody may do in a tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccessShown {
    /// The partner tenant, or `*` for all.
    pub(crate) tenant: String,
    /// `see`, `resolve`, `cancel`.
    pub(crate) may: Vec<&'static str>,
}
