//! What can go wrong, with what a person reads about it and what the log says.
//!
//! | reason | status | what happened |
//! |---|---|---|
//! | `request-unreadable` | 400 | a name comes twice, or what Entra ID always sends is missing |
//! | `no-trip` | 400 | a browser comes back that never went: it keeps no cookies, or took more than ten minutes |
//! | `sealed-text-…` | 400 | its cookie is none of ours, or too old |
//! | `state-mismatch` | 400 | it comes back from another trip than the one it remembers |
//! | `sign-in-denied` | 403 | the person or a policy said no |
//! | `sign-in-refused` | 400 | Entra ID takes the code for used, too old or somebody else's |
//! | `tenant-not-allowed` | 403 | the tenant is not one that people sign in to |
//! | `id-token-not-accepted` | 403 | what Entra ID says does not hold |
//! | `origin-…`, `fetch-site-foreign` | 403 | another site's page would sign somebody out |
//! | `two-proofs`, `repeated-proof`, `cookie-malformed`, `header-too-large` | 400 | who signs out shows more than one session, or what is none |
//! | `proof-not-accepted` | 403 | `authorize` does not accept what the browser shows, or was not asked |
//! | `no-such-page`, `method-not-allowed` | 404, 405 | |
//! | `application-refused` | 503 | Entra ID does not accept our client secret |
//! | `secrets-not-read`, `entra-id-not-reached`, `sessions-not-written`, `caller-unknown` | 503 | trouble of our own |

use http::StatusCode;
use identity::{CrossOrigin, OpenError, Unclear};
use openidconnect::core::CoreErrorResponseType;
use store::StoreError;

use crate::SecretError;

/// Why a request is not answered as it was meant.
#[derive(Debug)]
#[expect(missing_docs, reason = "the module's table has the words")]
pub enum Problem {
    ApplicationRefused(String),
    CrossOrigin(CrossOrigin),
    Denied,
    IdToken(String),
    Method,
    NoSuchPage,
    NoTrip,
    NotReached(String),
    Proof,
    Refused,
    Secrets(SecretError),
    State,
    Store(StoreError),
    Tenant,
    Trip(OpenError),
    Unavailable,
    Unclear(Unclear),
    Unreadable,
}

impl Problem {
    /// What a browser brings back in place of a code. The word is a stranger's until it is one of ours.
    pub(crate) fn of_answer(error: &str) -> Self {
        match error {
            "access_denied" | "consent_required" | "interaction_required" | "login_required" => Self::Denied,
            "server_error" | "temporarily_unavailable" => Self::NotReached("Entra ID is in trouble".to_owned()),
            _ => Self::Refused,
        }
    }

    /// What Entra ID says in place of tokens.
    pub(crate) fn of_refusal(error: &CoreErrorResponseType) -> Self {
        match error {
            CoreErrorResponseType::InvalidClient | CoreErrorResponseType::UnauthorizedClient => {
                Self::ApplicationRefused(error.to_string())
            }
            CoreErrorResponseType::Extension(word) if word == "temporarily_unavailable" => {
                Self::NotReached("Entra ID is in trouble".to_owned())
            }
            CoreErrorResponseType::Extension(word) if word == "interaction_required" => Self::Denied,
            _ => Self::Refused,
        }
    }

    pub(crate) fn of_store(error: StoreError) -> Self {
        Self::Store(error)
    }

    /// The reason in logs, which stays the same across releases.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::ApplicationRefused(_) => "application-refused".to_owned(),
            Self::CrossOrigin(error) => error.to_string(),
            Self::Denied => "sign-in-denied".to_owned(),
            Self::IdToken(_) => "id-token-not-accepted".to_owned(),
            Self::Method => "method-not-allowed".to_owned(),
            Self::NoSuchPage => "no-such-page".to_owned(),
            Self::NoTrip => "no-trip".to_owned(),
            Self::NotReached(_) => "entra-id-not-reached".to_owned(),
            Self::Proof => "proof-not-accepted".to_owned(),
            Self::Refused => "sign-in-refused".to_owned(),
            Self::Secrets(_) => "secrets-not-read".to_owned(),
            Self::State => "state-mismatch".to_owned(),
            Self::Store(_) => "sessions-not-written".to_owned(),
            Self::Tenant => "tenant-not-allowed".to_owned(),
            Self::Trip(error) => error.to_string(),
            Self::Unavailable => "caller-unknown".to_owned(),
            Self::Unclear(error) => error.to_string(),
            Self::Unreadable => "request-unreadable".to_owned(),
        }
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NoTrip | Self::Refused | Self::State | Self::Trip(_) | Self::Unclear(_) | Self::Unreadable => {
                StatusCode::BAD_REQUEST
            }
            Self::CrossOrigin(_) | Self::Denied | Self::IdToken(_) | Self::Proof | Self::Tenant => {
                StatusCode::FORBIDDEN
            }
            Self::NoSuchPage => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::ApplicationRefused(_)
            | Self::NotReached(_)
            | Self::Secrets(_)
            | Self::Store(_)
            | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What a person reads: what happened, and what to do.
    pub(crate) fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::ApplicationRefused(_)
            | Self::NotReached(_)
            | Self::Secrets(_)
            | Self::Store(_)
            | Self::Unavailable => (
                "Signing in does not work at the moment",
                "Try again in a minute. If it stays so, tell whoever runs Partner Alerts here.",
            ),
            Self::CrossOrigin(_) => {
                ("This did not come from our own page", "Go to the page yourself and sign out there.")
            }
            Self::Denied => (
                "Nobody was signed in",
                "You or your organisation's policies said no. Sign in again, or ask your administrator.",
            ),
            Self::IdToken(_) => (
                "What came back can't be accepted",
                "Sign in again. If it stays so, tell whoever runs Partner Alerts here.",
            ),
            Self::Method | Self::NoSuchPage => ("There is no such page", "Check the address."),
            Self::NoTrip | Self::Trip(_) => {
                ("This sign-in has run out", "It may take ten minutes, and needs cookies. Sign in again.")
            }
            Self::Proof => ("What your browser shows is not accepted", "Sign in again."),
            Self::Unclear(_) => (
                "You may still be signed in",
                "Your browser shows more than one session, or one that can't be read. What could be read has ended. Delete the cookies of this \
                 site and close the browser.",
            ),
            Self::Refused | Self::State | Self::Unreadable => (
                "This sign-in can't be finished",
                "It may have been finished already, or another one begun. Sign in again.",
            ),
            Self::Tenant => (
                "Nobody signs in to that tenant here",
                "Sign in to a tenant of your organisation's that Partner Alerts knows.",
            ),
        }
    }

    /// One line: an error where somebody has to see to it.
    pub(crate) fn log(&self) {
        let reason = self.reason();
        let error = match self {
            Self::ApplicationRefused(error) | Self::NotReached(error) => error.clone(),
            Self::Secrets(error) => runtime::chain(error),
            Self::Store(error) => runtime::chain(error),
            Self::IdToken(error) => {
                tracing::warn!(reason, error, "an id token is not accepted");
                return;
            }
            _ => {
                tracing::info!(reason, "a request of a browser is not answered as it was meant");
                return;
            }
        };
        tracing::error!(reason, error, "signing in does not work");
    }
}
