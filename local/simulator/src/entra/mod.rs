//! Entra ID: an OpenID provider, with the token endpoint and the two ways in which a person signs in and consents.
//!
//! Numbers and words of errors are those of Microsoft's published list; a client must go by `error`, not by them.

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;

mod assertion;
mod authorize;
mod chooser;
mod client;
mod device;
mod openid;
mod problem;
mod sign_ins;
mod signing;
mod token;
mod tokens;

pub(crate) use openid::access_token_of;
pub(crate) use sign_ins::{Decision, SignIns};
pub use sign_ins::{PendingSignIn, SignInError};
pub(crate) use signing::TokenKeys;
pub(crate) use tokens::{Grant, Tokens, later};
pub use tokens::{Person, Role};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/devicelogin", get(device::page))
        .route("/{tenant}/oauth2/v2.0/authorize", get(authorize::authorize).post(authorize::chosen))
        .route("/{tenant}/v2.0/.well-known/openid-configuration", get(openid::discovery))
        .route("/{tenant}/discovery/v2.0/keys", get(openid::keys))
        .route("/{tenant}/oauth2/v2.0/devicecode", post(device::device_code))
        .route("/{tenant}/oauth2/v2.0/token", post(token::token))
}
