//! A browser's session: a random id in a cookie, and what is known of whoever holds it in a table, by the id's hash. Whoever reads the
//! table can act as nobody.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};

use crate::{claims::Claims, cookie::SESSION_COOKIE};

/// After how long without a request a session ends.
pub const IDLE: SignedDuration = SignedDuration::from_hours(1);
/// After how long a session ends, whatever happens.
pub const ABSOLUTE: SignedDuration = SignedDuration::from_hours(8);
/// How often a session's last use is written at most: what an idle hour may be wrong by.
pub const TOUCH_EVERY: SignedDuration = SignedDuration::from_mins(5);

/// The id of a session: 256 random bits. Whoever has it is its holder, so it does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionId([u8; 32]);

/// What a session is kept under: SHA-256 of its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionKey([u8; 32]);

impl SessionId {
    /// An id of these random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The id that a cookie holds: base64url of 32 bytes, in its one canonical form.
    pub(crate) fn read(text: &str) -> Option<Self> {
        if text.len() != 43 {
            return None;
        }
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// What the session is kept under.
    #[must_use]
    pub fn key(&self) -> SessionKey {
        let mut key = [0; 32];
        key.copy_from_slice(digest(&SHA256, &self.0).as_ref());
        SessionKey(key)
    }

    /// The header `Set-Cookie` that hands it to a browser: for this host alone, over TLS alone, to no script, and with no request
    /// that another site begins but a plain link.
    #[must_use]
    pub fn set_cookie(&self) -> String {
        let (id, age) = (URL_SAFE_NO_PAD.encode(self.0), ABSOLUTE.as_secs());
        format!("{SESSION_COOKIE}={id}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={age}")
    }

    /// The header `Set-Cookie` that takes it from a browser.
    #[must_use]
    pub fn unset_cookie() -> String {
        format!("{SESSION_COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0")
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SessionId")
    }
}

impl fmt::Display for SessionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// What is known of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who holds it.
    pub claims: Claims,
    /// When they signed in.
    pub begun: Timestamp,
    /// When it was used last, as far as that is written.
    pub seen: Timestamp,
}

impl Session {
    /// A session that begins now.
    #[must_use]
    pub fn begin(claims: Claims, now: Timestamp) -> Self {
        Self { claims, begun: now, seen: now }
    }

    /// A session as it is kept: its claims in the text that [`Session::stored_claims`] writes. For the sessions table alone.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub fn of_stored(claims: &str, begun: Timestamp, seen: Timestamp) -> Result<Self, serde_json::Error> {
        Ok(Self { claims: Claims::of_stored(claims)?, begun, seen })
    }

    /// Its claims as they are kept, in JSON.
    ///
    /// # Errors
    ///
    /// What can't be written.
    pub fn stored_claims(&self) -> Result<String, serde_json::Error> {
        self.claims.stored()
    }

    /// When it ends if nobody uses it any more.
    #[must_use]
    pub fn ends(&self) -> Timestamp {
        let after = |moment: Timestamp, duration| moment.checked_add(duration).unwrap_or(Timestamp::MAX);
        after(self.seen, IDLE).min(after(self.begun, ABSOLUTE))
    }

    /// Whether it has not ended. What was begun in the future was begun by a clock that is wrong, or by nobody of ours.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp) -> bool {
        now < self.ends() && now.duration_since(self.begun) > -TOUCH_EVERY
    }

    /// Whether it is time to write that it is used.
    #[must_use]
    pub fn is_to_be_touched(&self, now: Timestamp) -> bool {
        now.duration_since(self.seen) >= TOUCH_EVERY
    }
}
