//! Large exports: how each is called, and the message on the exports queue that carries one on.
//!
//! A message holds the id alone: how far the export has come, and what it is of, lies where its file is written.

use serde::{Deserialize, Serialize};

use crate::{
    IdempotencyKey, MessageId, ObjectId, TenantId,
    ids::{hex_digest, text_id},
};

text_id! {
    /// An export that is written in turns: SHA-256 in hexadecimal.
    ExportId, |text| hex_digest("export id", text)
}

impl ExportId {
    /// The id of what this person, of this tenant, asks for under this key.
    #[must_use]
    pub fn of_key(tenant: &TenantId, person: &ObjectId, key: &IdempotencyKey) -> Self {
        Self(MessageId::of_parts(&["export", tenant.as_str(), person.as_str(), key.as_str()]).into())
    }

    /// The id of what somebody asks for without a key: of a random id, so that nothing repeats it.
    #[must_use]
    pub fn of_random(id: &str) -> Self {
        Self(MessageId::of_parts(&["export without a key", id]).into())
    }
}

/// An export is to be carried on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportTurn {
    /// Which.
    pub export: ExportId,
}
