//! The routes, and what they have in common.

pub(crate) mod activity;
pub(crate) mod alert;
pub(crate) mod alerts;
pub(crate) mod filters;
pub(crate) mod me;
pub(crate) mod names;
pub(crate) mod pulse;
pub(crate) mod statistics;
pub(crate) mod tenants;

use std::collections::BTreeSet;

use api::{Answer, Gate, Kind, Problem};
use http::StatusCode;
use identity::Permission;
use models::{Tenant, TenantId};
use serde::Serialize;
use store::StoreError;

use crate::{Asked, Dashboard, ReadSealingKeys, Reads};

/// An answer that all is well.
pub(crate) fn found(body: &impl Serialize) -> Answer {
    api::json(StatusCode::OK, body)
}

/// A parameter of the query that is not what it should be.
pub(crate) fn refused(name: &'static str, why: &str) -> Problem {
    Problem::new(Kind::Unreadable).because(format!("{name}: {why}.")).with(|it| it.member = Some(name))
}

/// Trouble with the store.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
pub(crate) fn of_store(error: StoreError) -> Problem {
    Problem::unavailable(&error)
}

impl Asked<'_> {
    /// The tenant of the path, which the caller may see.
    pub(crate) fn tenant(&self) -> Result<TenantId, Problem> {
        let tenant = self.request.parameter("tenant")?;
        Gate::allow(self.caller, Permission::See, &tenant)?;
        Ok(tenant)
    }

    /// Refuses every parameter of the query: for routes that take none.
    pub(crate) fn without_query(&self) -> Result<(), Problem> {
        self.request.query(&[]).map(drop)
    }
}

impl<S: Reads, K: ReadSealingKeys + Sync> Dashboard<S, K> {
    /// That there is such a tenant: asked where nothing was found of it. What is kept of one that was removed is shown still.
    async fn is_there(&self, tenant: &TenantId) -> Result<(), Problem> {
        self.store.tenant(tenant).await.map_err(of_store)?.map(drop).ok_or_else(|| Kind::NotFound.into())
    }

    /// The tenants that the caller may see: all of them, or those that are named, separated by commas.
    pub(crate) async fn seen(
        &self,
        asked: Asked<'_>,
        named: Option<&str>,
        most: usize,
    ) -> Result<Vec<Tenant>, Problem> {
        let named: Option<BTreeSet<TenantId>> = named
            .map(|named| {
                let named = named.split(',').map(|id| id.parse().map_err(|_| Problem::new(Kind::NotFound)));
                let named: BTreeSet<TenantId> = named.collect::<Result<_, _>>()?;
                // Before anything is read.
                named.iter().try_for_each(|tenant| Gate::allow(asked.caller, Permission::See, tenant))?;
                Ok::<_, Problem>(named)
            })
            .transpose()?;
        if named.is_none() {
            Gate::allow_somewhere(asked.caller, Permission::See)?;
        }
        let all = self.store.tenants().await.map_err(of_store)?;
        let is_wanted = |tenant: &Tenant| match &named {
            Some(named) => named.contains(&tenant.id),
            None => asked.caller.access().may(Permission::See, &tenant.id),
        };
        let tenants: Vec<Tenant> = all.into_iter().filter(is_wanted).collect();
        if named.is_some_and(|named| named.len() != tenants.len()) {
            return Err(Kind::NotFound.into());
        }
        if tenants.len() > most {
            let why = format!("{} tenants are too many at once: name {most} of them at most", tenants.len());
            return Err(refused("tenant", &why));
        }
        Ok(tenants)
    }
}
