//! Randomness comes in from outside.

use ring::rand::{SystemRandom, generate};
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

/// 32 random bytes, of the machine's randomness: for keys, ids and nonces that nobody may guess.
///
/// # Panics
///
/// Where the machine has no randomness, which on Linux is so at most while it starts.
#[must_use]
#[expect(clippy::expect_used, reason = "going on without randomness would be worse than not going on")]
pub fn random_bytes() -> [u8; 32] {
    generate(&SystemRandom::new()).expect("the machine has randomness").expose()
}
