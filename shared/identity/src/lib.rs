//! Who is calling, and what they may do.
//!
//! Promises: no I/O, no clock, no randomness of its own, no AWS. A [`Caller`] is made only from what `authorize` says of a request
//! ([`Verdict`]), read strictly: whatever else a gateway hands over is a typed [`NoCaller`] and reaches nothing. What is not yet verified
//! has another type than what is ([`Claims`] come from a verified token alone). Roles come from the token, permissions from the
//! [`RoleMap`], and without a role there is no permission.
//!
//! | module | what it holds |
//! |---|---|
//! | `token`, `keys`, `signature` | access tokens, the keys that they are checked with, and ring, which checks them |
//! | `session`, `cookie` | a browser's session, and what a request shows as proof |
//! | `roles`, `caller` | what roles allow, and who was found to be calling |
//! | `sealing` | what leaves us and has to come back as it was |
//! | `origin`, `return_path` | what a browser may be made to do, and where it may be sent |
//!
//! Leaves to others: where keys and sessions lie (`authorize`, `store`), the conversation with Entra ID (`sign-in`), and what a request
//! wants with its permission.

mod caller;
mod claims;
mod cookie;
mod keys;
mod origin;
mod return_path;
mod roles;
mod sealing;
mod session;
mod signature;
mod token;

pub use caller::{Caller, How, MOST_CONTEXT_BYTES, NoCaller, Verdict};
pub use claims::{Claims, Kind, MOST_NAME_CHARACTERS, UnverifiedPerson};
pub use cookie::{Cookies, MOST_SESSIONS, Presented, Unclear};
pub use keys::{FetchKeys, KeyFetchError, Keys, KeysAge, MOST_KEYS_BYTES};
pub use origin::{CrossOrigin, Origin, OriginError, same_origin};
pub use return_path::ReturnPath;
pub use roles::{Access, Permission, RoleMap, RoleMapError};
pub use sealing::{OpenError, SealError, Sealing, SealingKeysError};
pub use session::{ABSOLUTE, IDLE, Session, SessionId, SessionKey, TOUCH_EVERY};
pub use token::{AccessTokens, Audience, Issuers, IssuersError, LEEWAY, MOST_TOKEN_BYTES, NotVerified, Refusal};

use std::sync::Arc;

/// Gives 32 bytes that nobody can guess, other ones each time.
pub type SharedRandom = Arc<dyn Fn() -> [u8; 32] + Send + Sync>;
