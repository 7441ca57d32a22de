//! Randomness comes in from outside.

use uuid::Uuid;

/// A random id, of the machine's randomness: 122 bits of it, in the form of RFC 9562, version 4.
///
/// # Panics
///
/// Where the machine has no randomness, which on Linux is so at most while it starts.
#[must_use]
pub fn random_id() -> Uuid {
    Uuid::new_v4()
}
