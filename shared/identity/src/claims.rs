//! What Entra ID says of somebody, once that is verified.

use std::collections::BTreeSet;

use models::{ObjectId, TenantId};
use serde::{Deserialize, Serialize};

/// The longest name that is kept, in characters. Entra ID's user principal names have at most 113.
pub const MOST_NAME_CHARACTERS: usize = 128;
/// The most roles that are kept, and the longest of them in bytes: more than an application of ours defines.
const MOST_ROLES: usize = 32;
const MOST_ROLE_BYTES: usize = 64;

/// Entra ID's template of the directory role Global Administrator, as `wids` names it. Source:
/// <https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference>
const GLOBAL_ADMINISTRATOR_TEMPLATE: &str = "62e90394-69f5-4237-9190-012177145e10";
/// The role that it stands for here, which is also the value of the app role.
pub(crate) const GLOBAL_ADMINISTRATOR: &str = "GlobalAdministrator";
/// The app role of Partner Center's Admin Agents.
pub(crate) const ADMIN_AGENT: &str = "AdminAgent";

/// Who somebody is, and their roles. Made of a verified token, or of the session that one led to, and of nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    oid: ObjectId,
    tid: TenantId,
    name: String,
    kind: Kind,
    roles: BTreeSet<String>,
}

/// Claims as a session keeps them. A member that is not known is one of a later release, which this one may follow again.
#[derive(Serialize, Deserialize)]
struct Stored {
    oid: ObjectId,
    tid: TenantId,
    name: String,
    kind: Kind,
    roles: BTreeSet<String>,
}

/// Whether somebody is a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A program that acts for itself.
    Application,
    /// A person, who may use a program.
    Person,
}

/// What a token says of somebody. The names are those of the token's claims; groups are not among them, so that no group, and no
/// reference to groups that were too many for the token, can grant anything.
#[derive(Clone, Debug, Default)]
pub struct UnverifiedPerson<'a> {
    /// `oid`.
    pub oid: &'a str,
    /// `tid`.
    pub tid: &'a str,
    /// `preferred_username`.
    pub name: &'a str,
    /// `roles`.
    pub roles: &'a [String],
    /// `wids`.
    pub wids: &'a [String],
}

impl Claims {
    /// The claims of a token that has been verified. None where it does not say who it is about.
    #[must_use]
    pub fn of_verified(person: &UnverifiedPerson<'_>, kind: Kind) -> Option<Self> {
        let fits = |role: &&String| !role.is_empty() && role.len() <= MOST_ROLE_BYTES;
        let mut roles: BTreeSet<_> = person.roles.iter().filter(fits).take(MOST_ROLES).cloned().collect();
        if person.wids.iter().any(|template| template.eq_ignore_ascii_case(GLOBAL_ADMINISTRATOR_TEMPLATE)) {
            roles.insert(GLOBAL_ADMINISTRATOR.to_owned());
        }
        Some(Self {
            oid: person.oid.parse().ok()?,
            tid: person.tid.parse().ok()?,
            name: person.name.chars().filter(|mark| !mark.is_control()).take(MOST_NAME_CHARACTERS).collect(),
            kind,
            roles,
        })
    }

    /// Claims as a session of ours keeps them.
    pub(crate) fn of_stored(text: &str) -> Result<Self, serde_json::Error> {
        let Stored { oid, tid, name, kind, roles } = serde_json::from_str(text)?;
        Ok(Self { oid, tid, name, kind, roles })
    }

    /// The same, written.
    pub(crate) fn stored(&self) -> Result<String, serde_json::Error> {
        let Self { oid, tid, name, kind, roles } = self.clone();
        serde_json::to_string(&Stored { oid, tid, name, kind, roles })
    }

    /// Their object id in their tenant.
    #[must_use]
    pub fn oid(&self) -> &ObjectId {
        &self.oid
    }

    /// The tenant that they signed in to.
    #[must_use]
    pub fn tid(&self) -> &TenantId {
        &self.tid
    }

    /// Their name for display: personal data, for no log.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is a person.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Values of their app roles, and `GlobalAdministrator` where the token says that they hold that directory role.
    #[must_use]
    pub fn roles(&self) -> &BTreeSet<String> {
        &self.roles
    }
}
