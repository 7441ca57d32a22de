//! Who asks, and whether they may.

use identity::{Caller, How, NoCaller, Origin, Permission, same_origin};
use models::TenantId;

use crate::{Kind, Problem, Request};

/// Lets through who is known.
#[derive(Clone, Debug)]
pub struct Gate {
    origin: Origin,
}

impl Gate {
    /// Our pages are here: what changes something, by the cookie of a session, has to come from one of them.
    #[must_use]
    pub fn new(origin: Origin) -> Self {
        Self { origin }
    }

    /// Where our pages are.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Who sends a request. `authorize` has looked at where it comes from already; it is looked at again, since what is asked of it here does not
    /// hang on how the gateway is configured.
    ///
    /// # Errors
    ///
    /// [`Kind::NotSignedIn`], [`Kind::SessionEnded`], [`Kind::ProofNotAccepted`], [`Kind::CallerUnknown`], [`Kind::ForeignOrigin`].
    pub fn caller<'a>(&self, request: &'a Request) -> Result<&'a Caller, Problem> {
        let caller = request.caller.as_ref().map_err(|nobody| match nobody {
            NoCaller::Anonymous => Kind::NotSignedIn,
            NoCaller::Expired => Kind::SessionEnded,
            NoCaller::Foreign => Kind::ForeignOrigin,
            NoCaller::Invalid => Kind::ProofNotAccepted,
            NoCaller::Unavailable => Kind::CallerUnknown,
        })?;
        if caller.how() == How::Session {
            same_origin(&self.origin, &request.method, &request.headers).map_err(|_| Kind::ForeignOrigin)?;
        }
        Ok(caller)
    }

    /// That somebody may do this with the alerts of a tenant. Asked before anything is read: a tenant that is not theirs is answered like one that
    /// isn't there, and as quickly.
    ///
    /// # Errors
    ///
    /// [`Kind::NotFound`] where they may not even see it, [`Kind::NotAllowed`] where they may see it.
    pub fn allow(caller: &Caller, permission: Permission, tenant: &TenantId) -> Result<(), Problem> {
        let access = caller.access();
        if access.may(permission, tenant) {
            return Ok(());
        }
        let sees = access.may(Permission::See, tenant);
        Err(if sees { Kind::NotAllowed } else { Kind::NotFound }.into())
    }

    /// That somebody may do this somewhere: for what is about no tenant, or about many.
    ///
    /// # Errors
    ///
    /// [`Kind::NotAllowed`].
    pub fn allow_somewhere(caller: &Caller, permission: Permission) -> Result<(), Problem> {
        let may = caller.access().entries().any(|(_, allowed)| allowed.contains(&permission));
        if may { Ok(()) } else { Err(Kind::NotAllowed.into()) }
    }
}
