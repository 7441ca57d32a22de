//! All that can be wrong with a request, by type: problem details (RFC 9457). `docs/api.md` lists them.

use std::borrow::Cow;

use http::StatusCode;
use models::OperationId;

use crate::{document::ProblemDocument, operation::RefusalDocument};

/// A type of problem. Its name does not change across releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each says what it means in its title")]
pub enum Kind {
    BodyTooLarge,
    CallerUnknown,
    ChangedMeanwhile,
    ContentType,
    CursorNotAccepted,
    ForeignOrigin,
    KeyUsedOtherwise,
    MicrosoftRefused,
    NotAllowed,
    NotFound,
    NotPossible,
    NotSignedIn,
    ProofNotAccepted,
    SessionEnded,
    Unavailable,
    Unreadable,
    ValueRefused,
}

impl Kind {
    /// All of them, as the documents list them.
    pub const ALL: [Self; 17] = [
        Self::Unreadable,
        Self::CursorNotAccepted,
        Self::NotSignedIn,
        Self::SessionEnded,
        Self::ProofNotAccepted,
        Self::NotAllowed,
        Self::ForeignOrigin,
        Self::NotFound,
        Self::ChangedMeanwhile,
        Self::BodyTooLarge,
        Self::ContentType,
        Self::ValueRefused,
        Self::KeyUsedOtherwise,
        Self::NotPossible,
        Self::MicrosoftRefused,
        Self::CallerUnknown,
        Self::Unavailable,
    ];

    /// The name, which is the reason in logs too.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(self) -> StatusCode {
        self.row().1
    }

    /// What it is, in a few words.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.row().2
    }

    /// What happened and what to do, where there is nothing more exact to say.
    #[must_use]
    pub fn detail(self) -> &'static str {
        self.row().3
    }

    /// `type` of the problem: a reference relative to the API's address.
    #[must_use]
    pub fn uri(self) -> String {
        format!("/problems/{}", self.name())
    }

    #[expect(clippy::too_many_lines, reason = "a row for each problem")]
    fn row(self) -> (&'static str, StatusCode, &'static str, &'static str) {
        match self {
            Self::Unreadable => (
                "request-unreadable",
                StatusCode::BAD_REQUEST,
                "The request can't be read",
                "Send what the route's description asks for, and nothing beside it.",
            ),
            Self::CursorNotAccepted => (
                "cursor-not-accepted",
                StatusCode::BAD_REQUEST,
                "The place in the list is not accepted",
                "It is too old, of another list or of somebody else: begin the list anew.",
            ),
            Self::NotSignedIn => (
                "not-signed-in",
                StatusCode::UNAUTHORIZED,
                "Nobody is signed in",
                "Sign in at /sign-in, or send an access token.",
            ),
            Self::SessionEnded => (
                "session-ended",
                StatusCode::UNAUTHORIZED,
                "The session or the token has ended",
                "Sign in again at /sign-in, or send a new access token.",
            ),
            Self::ProofNotAccepted => (
                "proof-not-accepted",
                StatusCode::UNAUTHORIZED,
                "What is shown proves nothing",
                "Send one session or one access token for this application.",
            ),
            Self::NotAllowed => (
                "not-allowed",
                StatusCode::FORBIDDEN,
                "You may not do this",
                "Your roles don't allow it in this tenant: ask whoever gives them.",
            ),
            Self::ForeignOrigin => (
                "foreign-origin",
                StatusCode::FORBIDDEN,
                "This did not come from our own page",
                "A session counts only from our own pages: send Origin as they do, or an access token.",
            ),
            Self::NotFound => (
                "not-found",
                StatusCode::NOT_FOUND,
                "There is no such thing",
                "It isn't there, or not for you: check the ids.",
            ),
            Self::ChangedMeanwhile => (
                "changed-meanwhile",
                StatusCode::CONFLICT,
                "Somebody else was quicker",
                "Look at what has become of it, and decide anew.",
            ),
            Self::BodyTooLarge => (
                "body-too-large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "The body is too large",
                "A body has at most 131072 bytes: send less at a time.",
            ),
            Self::ContentType => (
                "content-type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body is not called JSON",
                "Send JSON, and Content-Type: application/json with it.",
            ),
            Self::ValueRefused => (
                "value-refused",
                StatusCode::UNPROCESSABLE_ENTITY,
                "A value is not accepted",
                "See the member that is named.",
            ),
            Self::KeyUsedOtherwise => (
                "idempotency-key-used",
                StatusCode::UNPROCESSABLE_ENTITY,
                "The idempotency key was used for another request",
                "Choose a new key for what is new, and repeat a request as it was.",
            ),
            Self::NotPossible => {
                ("not-possible", StatusCode::UNPROCESSABLE_ENTITY, "This can't be done with it", "See the detail.")
            }
            Self::MicrosoftRefused => (
                "microsoft-refused",
                StatusCode::UNPROCESSABLE_ENTITY,
                "Microsoft refused",
                "See Microsoft's code, and what to do about it.",
            ),
            Self::CallerUnknown => (
                "caller-unknown",
                StatusCode::SERVICE_UNAVAILABLE,
                "Who is calling can't be told at the moment",
                "Try again in a few seconds.",
            ),
            Self::Unavailable => (
                "unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "It does not work at the moment",
                "Try again in a few seconds, with the same Idempotency-Key. If it stays so, tell whoever runs Partner Alerts here.",
            ),
        }
    }
}

/// Something that is wrong with a request.
#[derive(Clone, Debug)]
pub struct Problem {
    pub(crate) kind: Kind,
    /// What is answered.
    pub(crate) document: Box<ProblemDocument>,
    /// What went wrong inside: for the log alone.
    cause: Option<String>,
}

impl Problem {
    /// A problem of this type.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self { kind, document: Box::new(ProblemDocument::of(kind)), cause: None }
    }

    /// Trouble of our own, which the log tells.
    #[must_use]
    pub fn unavailable(error: &dyn std::error::Error) -> Self {
        Self { cause: Some(runtime::chain(error)), ..Self::new(Kind::Unavailable) }
    }

    /// A value of this member of the body is not accepted, for a reason that holds nothing of it.
    #[must_use]
    pub fn value(member: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::new(Kind::ValueRefused).because(format!("{member}: {reason}.")).with(|it| it.member = Some(member))
    }

    /// Microsoft refused.
    #[must_use]
    pub fn refused(refusal: RefusalDocument) -> Self {
        let problem = Self::new(Kind::MicrosoftRefused).because(format!("{}.", refusal.what_to_do));
        problem.with(|it| it.refused(refusal))
    }

    /// The same, said more exactly.
    #[must_use]
    pub fn because(self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.with(|it| it.detail = detail.into())
    }

    /// The same with more members.
    #[must_use]
    pub fn with(mut self, say: impl FnOnce(&mut ProblemDocument)) -> Self {
        say(&mut self.document);
        self
    }

    /// What is answered of it.
    #[must_use]
    pub fn document(&self) -> &ProblemDocument {
        &self.document
    }

    /// The same about this operation.
    #[must_use]
    pub fn of_operation(self, operation: &OperationId) -> Self {
        self.with(|it| it.operation = Some(operation.to_string()))
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What happened, and what to do.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.document.detail
    }

    /// One line: an error where somebody has to see to it.
    pub fn log(&self) {
        let reason = self.kind.name();
        if let Some(error) = &self.cause {
            tracing::error!(reason, error, "a request of the API can't be answered");
        } else {
            tracing::info!(reason, "a request of the API is not answered as it was meant");
        }
    }
}

impl From<Kind> for Problem {
    fn from(kind: Kind) -> Self {
        Self::new(kind)
    }
}
