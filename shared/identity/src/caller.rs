//! Who was found to be calling, as `authorize` says it and API Gateway hands it on: flat texts (a *simple response* of an HTTP API
//! allows no more), read strictly.

use std::collections::BTreeSet;

use models::{ObjectId, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    claims::{Claims, Kind, MOST_NAME_CHARACTERS},
    roles::{Access, Permission},
};

const STATE: &str = "state";
const CALLER: &str = "caller";
/// The largest text of a context, in bytes. API Gateway hands on 10 kB of headers and context together; the largest caller that a
/// role map allows has about 5,000.
pub const MOST_CONTEXT_BYTES: usize = 8_000;

/// What `authorize` found out about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nobody says who they are.
    Anonymous,
    /// It was somebody, but their session or token has ended.
    Expired,
    /// A session, in a request that another site's page began.
    Foreign,
    /// What is shown proves nothing.
    Invalid,
    /// Somebody, and what they may do.
    Ok(Caller),
    /// We can't tell at the moment.
    Unavailable,
}

/// Why there is nobody to act for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCaller {
    /// Nobody says who they are: sign in.
    #[error("nobody is signed in")]
    Anonymous,
    /// Their session or token has ended: sign in again.
    #[error("the session or the token has ended")]
    Expired,
    /// A session counts from our own pages alone, and another site's page began this: signing in again would not help.
    #[error("another site's page began this")]
    Foreign,
    /// What is shown proves nothing, or nothing of ours has looked at it.
    #[error("what is shown proves nothing")]
    Invalid,
    /// We can't tell at the moment: 503.
    #[error("who is calling can't be told at the moment")]
    Unavailable,
}

/// How somebody has proven who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// By an access token.
    Bearer,
    /// By a session, in a browser.
    Session,
}

/// Somebody who has proven who they are, with what they may do. Made by [`Caller::from_context`], and by `authorize` alone otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    oid: ObjectId,
    tid: TenantId,
    name: String,
    kind: Kind,
    how: How,
    access: Access,
}

impl Caller {
    /// Somebody whose claims were verified. For `authorize`; everything behind it takes [`Caller::from_context`], and the lints refuse this there.
    #[must_use]
    pub fn of_verified(claims: &Claims, how: How, access: Access) -> Self {
        let (oid, tid, name) = (claims.oid().clone(), claims.tid().clone(), claims.name().to_owned());
        Self { oid, tid, name, kind: claims.kind(), how, access }
    }

    /// The caller of a context, the `lambda` part of what API Gateway calls the authorizer of a request.
    ///
    /// # Errors
    ///
    /// [`NoCaller`] for everything but a context that says `ok` in the one form that [`Verdict::context`] writes: no context, another shape,
    /// a text twice, one that is too long, another one beside, are all [`NoCaller::Invalid`].
    pub fn from_context<'a>(context: impl IntoIterator<Item = (&'a str, &'a Value)>) -> Result<Self, NoCaller> {
        let (mut state, mut caller) = (None, None);
        for (name, value) in context {
            let text = value.as_str().filter(|text| text.len() <= MOST_CONTEXT_BYTES).ok_or(NoCaller::Invalid)?;
            let place = match name {
                STATE => &mut state,
                CALLER => &mut caller,
                _ => return Err(NoCaller::Invalid),
            };
            if place.replace(text).is_some() {
                return Err(NoCaller::Invalid);
            }
        }
        match (state, caller) {
            (Some("ok"), Some(caller)) => Self::read(caller).ok_or(NoCaller::Invalid),
            (Some("anonymous"), None) => Err(NoCaller::Anonymous),
            (Some("expired"), None) => Err(NoCaller::Expired),
            (Some("foreign"), None) => Err(NoCaller::Foreign),
            (Some("unavailable"), None) => Err(NoCaller::Unavailable),
            _ => Err(NoCaller::Invalid),
        }
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

    /// Their name for display, which is personal data.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is a person.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// How they have proven who they are.
    #[must_use]
    pub fn how(&self) -> How {
        self.how
    }

    /// What they may do, and where.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.access
    }

    fn read(text: &str) -> Option<Self> {
        let Written { v, oid, tid, name, kind, how, access } = serde_json::from_str(text).ok()?;
        let mut read = Access::default();
        let mut tenants = BTreeSet::new();
        for Allowed { tenant, may } in access {
            let of = if tenant == "*" { None } else { Some(tenant.parse().ok()?) };
            if !tenants.insert(of.clone()) {
                return None;
            }
            read.allow(&may, of);
        }
        let sound = v == 1 && name.chars().count() <= MOST_NAME_CHARACTERS && !name.contains(char::is_control);
        sound.then_some(Self { oid, tid, name, kind, how, access: read })
    }

    fn written(&self) -> Option<String> {
        let access = self
            .access
            .entries()
            .map(|(tenant, may)| Allowed { tenant: tenant.map_or("*", TenantId::as_str).to_owned(), may: may.clone() });
        let written = Written {
            v: 1,
            oid: self.oid.clone(),
            tid: self.tid.clone(),
            name: self.name.clone(),
            kind: self.kind,
            how: self.how,
            access: access.collect(),
        };
        serde_json::to_string(&written).ok().filter(|text| text.len() <= MOST_CONTEXT_BYTES)
    }
}

impl Verdict {
    /// The context that says it.
    #[must_use]
    pub fn context(&self) -> Map<String, Value> {
        let (state, caller) = match self {
            Self::Anonymous => ("anonymous", None),
            Self::Expired => ("expired", None),
            Self::Foreign => ("foreign", None),
            Self::Invalid => ("invalid", None),
            Self::Unavailable => ("unavailable", None),
            // What a role map allows always fits; if it ever does not, nobody is let in.
            Self::Ok(caller) => caller.written().map_or(("unavailable", None), |caller| ("ok", Some(caller))),
        };
        let caller = caller.map(|caller| (CALLER.to_owned(), Value::String(caller)));
        [(STATE.to_owned(), Value::from(state))].into_iter().chain(caller).collect()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// The version of this form.
    v: u32,
    oid: ObjectId,
    tid: TenantId,
    name: String,
    kind: Kind,
    how: How,
    access: Vec<Allowed>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Allowed {
    /// A tenant, or `*` for all.
    tenant: String,
    may: BTreeSet<Permission>,
}
