//! The place of a list: sealed, for whoever asked, for what they asked, and for an hour.

use identity::{Caller, Sealing};
use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

use crate::{Kind, Problem};

/// How long a place is good for. Each page brings a new one.
pub const CURSOR_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// Makes and reads the places of one list.
#[derive(Debug)]
pub struct Cursors<'a> {
    sealing: &'a Sealing,
    purpose: String,
}

impl<'a> Cursors<'a> {
    /// The places of this list, as this caller asks for it by these filters. A place of another list, of somebody else, or by other filters opens
    /// for none of it.
    #[must_use]
    pub fn new(sealing: &'a Sealing, list: &str, caller: &Caller, filters: &impl Serialize) -> Self {
        // What can't be written has no places: a hash of nothing is like no other.
        let filters = serde_json::to_vec(filters).unwrap_or_default();
        let filters = hex::encode(Sha256::digest(&filters));
        let purpose = format!("cursor of {list}, for {} of {}, by {filters}", caller.oid(), caller.tid());
        Self { sealing, purpose }
    }

    /// Seals a place.
    ///
    /// # Errors
    ///
    /// [`Kind::Unavailable`] where it is longer than comes back.
    pub fn seal(&self, place: &impl Serialize, now: Timestamp) -> Result<String, Problem> {
        let text = serde_json::to_vec(place).map_err(|error| Problem::unavailable(&error))?;
        let until = now.checked_add(CURSOR_LIFETIME).unwrap_or(Timestamp::MAX);
        self.sealing.seal(&self.purpose, &text, until).map_err(|error| Problem::unavailable(&error))
    }

    /// Opens a place.
    ///
    /// # Errors
    ///
    /// [`Kind::CursorNotAccepted`].
    pub fn open<T: DeserializeOwned>(&self, cursor: &str, now: Timestamp) -> Result<T, Problem> {
        let refused = || Problem::new(Kind::CursorNotAccepted);
        let text = self.sealing.open(&self.purpose, cursor, now).map_err(|_| refused())?;
        serde_json::from_slice(&text).map_err(|_| refused())
    }
}
