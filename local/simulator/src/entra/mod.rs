//! Entra ID: the token endpoint and the two ways in which a person consents.
//!
//! Numbers and words of errors are those of Microsoft's published list; a client must go by `error`, not by them.

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;

mod assertion;
mod authorize;
mod client;
mod device;
mod problem;
mod sign_ins;
mod token;
mod tokens;

pub(crate) use sign_ins::{Decision, SignIns};
pub use sign_ins::{PendingSignIn, SignInError};
pub(crate) use tokens::{Grant, Tokens};
pub use tokens::{Person, Role};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/devicelogin", get(device::page))
        .route("/{tenant}/oauth2/v2.0/authorize", get(authorize::authorize))
        .route("/{tenant}/oauth2/v2.0/devicecode", post(device::device_code))
        .route("/{tenant}/oauth2/v2.0/token", post(token::token))
}
