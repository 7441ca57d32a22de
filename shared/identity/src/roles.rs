//! What roles allow.
//!
//! A map is a list of grants: whoever has all roles of a grant has its permissions in its tenants. The default follows Microsoft: an Admin
//! Agent sees and resolves; cancelling a subscription takes a Global Administrator who is an Admin Agent too, and no map can ask for less.
//!
//! Roles are given by the administrators of the tenant that somebody signs in to. Where there are several such tenants, a grant that reaches further
//! than that tenant has to say whose roles it believes (`from`).

use std::collections::{BTreeMap, BTreeSet};

use models::TenantId;
use serde::{Deserialize, Serialize};

use crate::claims::{ADMIN_AGENT, Claims, GLOBAL_ADMINISTRATOR, Kind};

/// The most tenants that a map names in all: what a caller may do has to fit into what API Gateway hands on.
const MOST_TENANTS: usize = 50;
/// What Microsoft asks of whoever cancels a subscription.
const TO_CANCEL: [&str; 2] = [ADMIN_AGENT, GLOBAL_ADMINISTRATOR];

/// What somebody may do with the alerts of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// Cancel a subscription. It takes the person's own token besides.
    Cancel,
    /// Resolve alerts, and write on them.
    Resolve,
    /// See alerts.
    See,
}

/// What somebody may do, by partner tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    everywhere: BTreeSet<Permission>,
    by_tenant: BTreeMap<TenantId, BTreeSet<Permission>>,
}

impl Access {
    /// Whether they may do this with the alerts of this tenant.
    #[must_use]
    pub fn may(&self, permission: Permission, tenant: &TenantId) -> bool {
        let here = || self.by_tenant.get(tenant).is_some_and(|allowed| allowed.contains(&permission));
        self.everywhere.contains(&permission) || here()
    }

    /// In which of these tenants they may do this, in the order given.
    #[must_use]
    pub fn among<'a>(&self, permission: Permission, tenants: &'a [TenantId]) -> Vec<&'a TenantId> {
        tenants.iter().filter(|tenant| self.may(permission, tenant)).collect()
    }

    /// Whether they may do nothing at all: they have no role.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.everywhere.is_empty() && self.by_tenant.values().all(BTreeSet::is_empty)
    }

    /// Everything that is allowed: in all tenants (`None`) or in one.
    pub fn entries(&self) -> impl Iterator<Item = (Option<&TenantId>, &BTreeSet<Permission>)> {
        let everywhere = (!self.everywhere.is_empty()).then_some((None, &self.everywhere));
        everywhere.into_iter().chain(self.by_tenant.iter().map(|(tenant, allowed)| (Some(tenant), allowed)))
    }

    pub(crate) fn allow(&mut self, permissions: &BTreeSet<Permission>, tenant: Option<TenantId>) {
        match tenant {
            None => self.everywhere.extend(permissions),
            Some(tenant) => self.by_tenant.entry(tenant).or_default().extend(permissions),
        }
    }
}

/// Which roles allow what, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleMap(Vec<Grant>);

/// Why a role map can't be used.
#[derive(Debug, thiserror::Error)]
pub enum RoleMapError {
    /// A grant gives cancelling to fewer roles than Microsoft asks for.
    #[error(
        "a grant of \"cancel\" has to ask for the roles \"{}\" and \"{}\", as Microsoft does: add them to its \"roles\"",
        TO_CANCEL[0], TO_CANCEL[1]
    )]
    CancelForTooFew,
    /// A grant allows nothing, to nobody or nowhere.
    #[error(
        "grant {0} has an empty list: name its roles, permissions, tenants and whose roles it believes, or leave the grant out"
    )]
    Empty(usize),
    /// It reaches tenants whose administrators did not give the roles, and does not say whose roles it believes.
    #[error(
        "grant {0} reaches other tenants than the one that somebody signs in to, and people sign in to several, whose administrators each give the \
         roles: add \"from\" with the ids of those whose roles it is to believe, or let its \"tenants\" be \"own\""
    )]
    FromWhere(usize),
    /// It is no JSON of the documented form.
    #[error("it is not of the form [{{\"roles\":[…],\"permissions\":[…],\"tenants\":\"*\"}}]: {0}")]
    Malformed(serde_json::Error),
    /// It names more tenants than a caller can be told with.
    #[error("it names {0} tenants; at most {MOST_TENANTS} fit: use \"*\" or \"own\" where you can")]
    TooManyTenants(usize),
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    roles: BTreeSet<String>,
    permissions: BTreeSet<Permission>,
    tenants: Tenants,
    /// The tenants of people's tokens that it counts for: all where it is left out.
    #[serde(default)]
    from: Option<BTreeSet<TenantId>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Tenants {
    Word(Word),
    Named(BTreeSet<TenantId>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Word {
    #[serde(rename = "*")]
    All,
    /// The one that the person signed in to.
    #[serde(rename = "own")]
    Own,
}

impl RoleMap {
    /// The map where configuration has none and people sign in to one tenant, as configuration would write it.
    pub const DEFAULT: &str = r#"[{"roles":["AdminAgent"],"permissions":["see","resolve"],"tenants":"*"},{"roles":["AdminAgent","GlobalAdministrator"],"permissions":["cancel"],"tenants":"own"}]"#;
    /// The same where they sign in to several: a tenant's administrators give roles, and no rights in another.
    pub const DEFAULT_OF_SEVERAL: &str = r#"[{"roles":["AdminAgent"],"permissions":["see","resolve"],"tenants":"own"},{"roles":["AdminAgent","GlobalAdministrator"],"permissions":["cancel"],"tenants":"own"}]"#;

    /// The map that a text says, or the default, where people sign in to so many tenants.
    ///
    /// # Errors
    ///
    /// [`RoleMapError`].
    pub fn read(text: Option<&str>, sign_in_tenants: usize) -> Result<Self, RoleMapError> {
        let default = if sign_in_tenants > 1 { Self::DEFAULT_OF_SEVERAL } else { Self::DEFAULT };
        let grants: Vec<Grant> = serde_json::from_str(text.unwrap_or(default)).map_err(RoleMapError::Malformed)?;
        let mut tenants = BTreeSet::new();
        for (place, grant) in grants.iter().enumerate() {
            let nowhere = matches!(&grant.tenants, Tenants::Named(named) if named.is_empty());
            let of_nobody = grant.from.as_ref().is_some_and(BTreeSet::is_empty);
            if grant.roles.is_empty() || grant.permissions.is_empty() || nowhere || of_nobody {
                return Err(RoleMapError::Empty(place + 1));
            }
            if sign_in_tenants > 1 && grant.from.is_none() && grant.tenants != Tenants::Word(Word::Own) {
                return Err(RoleMapError::FromWhere(place + 1));
            }
            let asks_for = |role: &&str| grant.roles.contains(*role);
            if grant.permissions.contains(&Permission::Cancel) && !TO_CANCEL.iter().all(asks_for) {
                return Err(RoleMapError::CancelForTooFew);
            }
            if let Tenants::Named(named) = &grant.tenants {
                tenants.extend(named);
            }
        }
        match tenants.len() {
            0..=MOST_TENANTS => Ok(Self(grants)),
            more => Err(RoleMapError::TooManyTenants(more)),
        }
    }

    /// What somebody may do. An application never cancels, whatever its roles: that takes a person's own token.
    #[must_use]
    pub fn access(&self, claims: &Claims) -> Access {
        let mut access = Access::default();
        for grant in self.0.iter().filter(|grant| grant.counts_for(claims)) {
            let mut permissions = grant.permissions.clone();
            if claims.kind() == Kind::Application {
                permissions.remove(&Permission::Cancel);
            }
            match &grant.tenants {
                Tenants::Word(Word::All) => access.allow(&permissions, None),
                Tenants::Word(Word::Own) => access.allow(&permissions, Some(claims.tid().clone())),
                Tenants::Named(tenants) => {
                    for tenant in tenants {
                        access.allow(&permissions, Some(tenant.clone()));
                    }
                }
            }
        }
        access
    }
}

impl Grant {
    fn counts_for(&self, claims: &Claims) -> bool {
        let is_believed = self.from.as_ref().is_none_or(|from| from.contains(claims.tid()));
        is_believed && self.roles.is_subset(claims.roles())
    }
}
