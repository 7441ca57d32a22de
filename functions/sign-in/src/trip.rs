//! What has to survive a trip to Entra ID and back.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use identity::{ReturnPath, Sealing, SharedRandom};
use jiff::{SignedDuration, Timestamp};
use models::TenantId;
use serde::{Deserialize, Serialize};

use ::pages::HOME;

use crate::Problem;

/// How long a person may take to sign in.
const TIME: SignedDuration = SignedDuration::from_mins(10);
/// What the cookie is sealed for.
const PURPOSE: &str = "sign-in";

/// A sign-in that is under way.
#[derive(Debug)]
pub(crate) struct Trip {
    pub(crate) tenant: TenantId,
    /// Who comes back is who went.
    pub(crate) state: String,
    /// The token was made for this sign-in.
    pub(crate) nonce: String,
    /// Who redeems the code is who asked for it (PKCE).
    pub(crate) verifier: String,
    pub(crate) path: ReturnPath,
}

#[derive(Serialize, Deserialize)]
struct Written {
    tenant: TenantId,
    state: String,
    nonce: String,
    verifier: String,
    path: String,
}

impl Trip {
    pub(crate) const COOKIE: &str = "__Host-sign-in";

    pub(crate) fn begin(tenant: TenantId, path: ReturnPath, random: &SharedRandom) -> Self {
        let [state, nonce, verifier] = [(); 3].map(|()| URL_SAFE_NO_PAD.encode(random()));
        Self { tenant, state, nonce, verifier, path }
    }

    /// The header `Set-Cookie` that sends it along.
    pub(crate) fn set_cookie(&self, sealing: &Sealing, now: Timestamp) -> Result<String, Problem> {
        let written = Written {
            tenant: self.tenant.clone(),
            state: self.state.clone(),
            nonce: self.nonce.clone(),
            verifier: self.verifier.clone(),
            path: self.path.to_string(),
        };
        let text = serde_json::to_vec(&written).map_err(|_| Problem::Unreadable)?;
        let until = now.checked_add(TIME).unwrap_or(Timestamp::MAX);
        let sealed = sealing.seal(PURPOSE, &text, until).map_err(|_| Problem::Unreadable)?;
        // Lax, since Entra ID sends the browser back from another site.
        Ok(format!("{}={sealed}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={}", Self::COOKIE, TIME.as_secs()))
    }

    pub(crate) fn unset_cookie() -> String {
        format!("{}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0", Self::COOKIE)
    }

    /// What a cookie holds.
    pub(crate) fn open(sealing: &Sealing, sealed: &str, now: Timestamp) -> Result<Self, Problem> {
        let text = sealing.open(PURPOSE, sealed, now).map_err(Problem::Trip)?;
        let Written { tenant, state, nonce, verifier, path } =
            serde_json::from_slice(&text).map_err(|_| Problem::Unreadable)?;
        Ok(Self { tenant, state, nonce, verifier, path: ReturnPath::read(&path, HOME) })
    }
}
