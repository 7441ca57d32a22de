//! Tenants, views, operations, and who asks.

use std::collections::BTreeMap;

use models::{Operation, Tenant, View};
use serde::Serialize;
use serde_json::Value;
use store::LastRuns;
use utoipa::ToSchema;

use super::{ActorShown, Moment, PersonShown};

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

/// What somebody asked for, and how far it has come.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OperationShown {
    /// Its id.
    id: String,
    /// The partner tenant.
    tenant: String,
    /// Who asked.
    by: ActorShown,
    /// When.
    at: Moment,
    /// What they asked for: its `kind`, and what belongs to it.
    #[schema(value_type = Object)]
    asked: Value,
    /// Where it is: its `kind` (`asked`, `in_progress`, `done`, `lapsed`, `refused`, `stuck`), and what belongs to it.
    #[schema(value_type = Object)]
    state: Value,
    /// How far a wish about a subscription has come.
    #[schema(value_type = Option<Object>)]
    progress: Option<Value>,
    /// What came of it so far, by alert.
    #[schema(value_type = BTreeMap<String, Object>)]
    results: BTreeMap<String, Value>,
    /// The wishes that this one took the place of, by alert: each with its `operation`, and `now`, where the alert stood. None is taken up again.
    #[schema(value_type = BTreeMap<String, Object>)]
    superseded: BTreeMap<String, Value>,
    /// When it changed last.
    changed: Moment,
}

impl From<&Operation> for OperationShown {
    fn from(operation: &Operation) -> Self {
        fn value(of: &impl Serialize) -> Value {
            serde_json::to_value(of).unwrap_or_default()
        }
        Self {
            id: operation.id.to_string(),
            tenant: operation.tenant.to_string(),
            by: (&operation.by).into(),
            at: Moment(operation.at),
            asked: value(&operation.asked),
            state: value(&operation.state),
            progress: operation.progress.as_ref().map(value),
            results: operation.results.iter().map(|(alert, result)| (alert.to_string(), value(result))).collect(),
            superseded: operation.superseded.iter().map(|(alert, older)| (alert.to_string(), value(older))).collect(),
            changed: Moment(operation.changed),
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
