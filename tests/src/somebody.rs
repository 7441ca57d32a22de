//! People who have proven who they are, as `authorize` tells handlers of them, for what is tried without it.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test that can't be set up has to fail loudly")]

use identity::{Caller, Claims, How, Kind, RoleMap, UnverifiedPerson};

use crate::TENANT;

/// Somebody of [`TENANT`], of this object id, name and these roles.
#[must_use]
pub fn claims(oid: &str, name: &str, roles: &[&str]) -> Claims {
    let roles: Vec<_> = roles.iter().map(|role| (*role).to_owned()).collect();
    Claims::of_verified(&UnverifiedPerson { oid, tid: TENANT, name, roles: &roles, wids: &[] }, Kind::Person).unwrap()
}

/// What they are to a handler, where roles allow what this map says, or the default one.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "in the place of `authorize`")]
pub fn caller(claims: &Claims, how: How, map: Option<&str>) -> Caller {
    Caller::of_verified(claims, how, RoleMap::read(map, 1).unwrap().access(claims))
}
