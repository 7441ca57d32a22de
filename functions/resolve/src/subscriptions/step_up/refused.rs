//! Why a sign-in for an operation goes no further: what is logged of it, and what the person is told.

use ::pages::HOME;
use api::{Answer, Kind, Problem};
use http::StatusCode;
use partner_center::{ConsentError, Diagnosis, MicrosoftError};
use subscriptions::PersonProblem;

use crate::subscriptions::pages;

/// Why a person is not signed in for it. Its words are those of the module's table.
pub(super) enum Refused {
    Declined,
    NotAllowed,
    NotOurs,
    NotSignedIn,
    NothingWaits,
    RunOut,
    Token(PersonProblem),
    Unavailable(String),
}

impl Refused {
    pub(super) fn of(problem: &Problem) -> Self {
        match problem.kind() {
            Kind::NotSignedIn | Kind::SessionEnded | Kind::ProofNotAccepted => Self::NotSignedIn,
            Kind::ForeignOrigin => Self::NotOurs,
            Kind::NotAllowed | Kind::NotPossible => Self::NotAllowed,
            Kind::NotFound => Self::NothingWaits,
            other => Self::Unavailable(other.name().to_owned()),
        }
    }

    pub(super) fn of_sign_in(error: &ConsentError) -> Self {
        match error {
            ConsentError::Declined => Self::Declined,
            ConsentError::Expired | ConsentError::SentBack { .. } | ConsentError::WrongPerson(_) => Self::RunOut,
            ConsentError::Microsoft(error) if error.diagnosis() == Some(Diagnosis::ConditionalAccess) => Self::Declined,
            // Entra ID's word, which its number may follow: a code that is too old, used already, or somebody else's.
            ConsentError::Microsoft(MicrosoftError::Refused { code, .. }) if code.starts_with("invalid_grant") => {
                Self::RunOut
            }
            ConsentError::Microsoft(MicrosoftError::Refused { code, .. })
                if code.starts_with("interaction_required") =>
            {
                Self::Declined
            }
            error => Self::unavailable(error),
        }
    }

    pub(super) fn unavailable(error: &dyn std::error::Error) -> Self {
        Self::Unavailable(runtime::chain(error))
    }

    /// What the person is told, with the way on. `again` is the page on which it began, where that is known.
    pub(super) fn page(&self, again: Option<&str>) -> Answer {
        let (status, reason, words) = match self {
            Self::Declined => {
                (403, "step-up-declined", "You or your organisation's policies said no. Nothing was cancelled.")
            }
            Self::NotAllowed => {
                (403, "step-up-not-allowed", "Your roles don't allow it, or somebody else is signed in here by now.")
            }
            Self::NotOurs => (403, "step-up-not-ours", "This did not come from our own page. Begin there."),
            Self::NotSignedIn => (
                401,
                "step-up-not-signed-in",
                "Nobody is signed in here, or not any more. Sign in at /sign-in, and begin again.",
            ),
            Self::NothingWaits => (404, "step-up-nothing-waits", "There is no such operation, or it waits for nobody."),
            Self::RunOut => (400, "step-up-run-out", "This sign-in has run out, or needs cookies. Begin again."),
            Self::Token(problem) => (403, "step-up-token-refused", problem.what_to_do()),
            Self::Unavailable(_) => {
                (503, "step-up-unavailable", "It does not work at the moment. Begin again in a minute.")
            }
        };
        match self {
            Self::Unavailable(error) => tracing::error!(reason, error, "nobody can sign in for an operation"),
            Self::Token(problem) => {
                tracing::warn!(reason, token = problem.code(), "a person's token is not used for an operation");
            }
            _ => tracing::info!(reason, "a sign-in for an operation goes no further"),
        }
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        let way_on = match (self, again) {
            (Self::NotSignedIn, _) => ("/sign-in", "Sign in"),
            (Self::NothingWaits | Self::NotAllowed, _) | (_, None) => (HOME, "Back to Partner Alerts"),
            (_, Some(again)) => (again, "Begin again"),
        };
        pages::dead_end(status, words, way_on)
    }
}
