//! `GET /api/v1/me`.

use api::{Answer, Problem};
use identity::{How, Kind, Permission};

use super::found;
use crate::{
    Asked,
    shapes::rest::{AccessShown, Me},
};

/// Who the caller is, and what they may do.
pub(crate) fn me(asked: Asked<'_>) -> Result<Answer, Problem> {
    asked.without_query()?;
    let caller = asked.caller;
    let access = caller.access().entries().map(|(tenant, may)| AccessShown {
        tenant: tenant.map_or_else(|| "*".to_owned(), ToString::to_string),
        may: may.iter().copied().map(named).collect(),
    });
    Ok(found(&Me {
        id: caller.oid().to_string(),
        tenant: caller.tid().to_string(),
        name: caller.name().to_owned(),
        kind: match caller.kind() {
            Kind::Application => "application",
            Kind::Person => "person",
        },
        how: match caller.how() {
            How::Bearer => "bearer",
            How::Session => "session",
        },
        access: access.collect(),
    }))
}

fn named(permission: Permission) -> &'static str {
    match permission {
        Permission::Cancel => "cancel",
        Permission::Resolve => "resolve",
        Permission::See => "see",
    }
}
