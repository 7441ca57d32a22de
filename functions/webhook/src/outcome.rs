//! What came of a callback: the answer, and the log line.

use callback::{Refusal, RefusalKind};
use http::{HeaderValue, Response, StatusCode, header};
use messaging::QueueError;
use models::{EventId, EventName, TenantId, UnreadableEvent};
use runtime::Counts;
use signers::FetchError;
use store::{Kept, StoreError};

/// What came of a callback.
#[derive(Debug)]
pub enum Outcome {
    /// It was kept before; nothing changed.
    Duplicate {
        /// The tenant at whose address it came in.
        tenant: TenantId,
        /// The event.
        event: EventId,
        /// For a fraud event of the last two days that is not known to have rung, whether `poll` was asked to look.
        rang: Option<Result<(), QueueError>>,
    },
    /// It is new and durable.
    Kept {
        /// The tenant at whose address it came in.
        tenant: TenantId,
        /// The event.
        event: EventId,
        /// What happened.
        name: EventName,
        /// For a fraud event, whether `poll` was asked to look. If that failed, the schedule will do.
        rang: Option<Result<(), QueueError>>,
    },
    /// It is authentic, but no event that we can read; the bytes are durable, for people.
    KeptAside {
        /// The tenant at whose address it came in.
        tenant: TenantId,
        /// The event.
        event: EventId,
        /// Whether it was kept before.
        kept: Kept,
        /// What is wrong with it.
        error: UnreadableEvent,
    },
    /// It is authentic, but older than the records that would tell a replay, or from the future.
    OutOfTime {
        /// The tenant at whose address it came in.
        tenant: TenantId,
        /// The event.
        event: EventId,
    },
    /// It is malformed, not authentic or too large.
    Refused {
        /// The tenant at whose address it came in, where that was looked at.
        tenant: Option<TenantId>,
        /// The exact reason.
        refusal: Refusal,
    },
    /// We can't decide.
    Undecided {
        /// The tenant at whose address it came in, where that was looked at.
        tenant: Option<TenantId>,
        /// Why not.
        why: Undecided,
    },
    /// No tenant has this path.
    UnknownPath,
}

/// Why we can't decide.
#[derive(Debug, thiserror::Error)]
pub enum Undecided {
    /// The certificate could not be fetched.
    #[error("the certificate could not be fetched")]
    Certificate(#[source] FetchError),
    /// An issuer of the certificate may lie where we could not look.
    #[error("an issuer of the certificate could not be fetched")]
    Issuer(#[source] FetchError),
    /// The certificate was not fetched, because too many others were.
    #[error("more certificates were asked for than we fetch")]
    FetchBudget,
    /// The event could not be kept.
    #[error("the event could not be kept")]
    NotKept(#[source] StoreError),
    /// The path keys could not be read.
    #[error("the path keys could not be read")]
    PathKeys(#[source] StoreError),
    /// The path keys could not be read a moment ago.
    #[error("the path keys could not be read a moment ago")]
    PathKeysAwaited,
}

impl Undecided {
    fn code(&self) -> &'static str {
        match self {
            Self::Certificate(_) => "certificate-not-fetched",
            Self::FetchBudget => "certificate-fetch-budget",
            Self::Issuer(_) => "issuer-not-fetched",
            Self::NotKept(_) => "event-not-kept",
            Self::PathKeys(_) => "path-keys-not-read",
            Self::PathKeysAwaited => "path-keys-awaited",
        }
    }
}

impl Outcome {
    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Duplicate { .. } | Self::Kept { .. } => StatusCode::OK,
            Self::KeptAside { .. } => StatusCode::BAD_REQUEST,
            Self::OutOfTime { .. } => StatusCode::UNAUTHORIZED,
            Self::Refused { refusal, .. } => match refusal.kind() {
                RefusalKind::Malformed => StatusCode::BAD_REQUEST,
                RefusalKind::NotAuthentic => StatusCode::UNAUTHORIZED,
                RefusalKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            },
            Self::Undecided { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::UnknownPath => StatusCode::NOT_FOUND,
        }
    }

    /// The reason in one stable word: for logs, metrics and tests.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Duplicate { .. } => "duplicate",
            Self::Kept { .. } => "kept",
            Self::KeptAside { .. } => "unreadable-event",
            Self::OutOfTime { .. } => "out-of-time",
            Self::Refused { refusal, .. } => refusal.code(),
            Self::Undecided { why, .. } => why.code(),
            Self::UnknownPath => "unknown-path",
        }
    }

    /// What the metrics say: each callback is received, and one other thing; what we could not take counts by its reason.
    pub(crate) fn counts(&self) -> Counts {
        let received = Counts::new().with("CallbacksReceived", 1);
        match self {
            Self::Duplicate { rang: Some(Err(_)), .. } => received.with("CallbacksDuplicate", 1).with("RingsFailed", 1),
            Self::Duplicate { .. } => received.with("CallbacksDuplicate", 1),
            Self::Kept { rang: Some(Err(_)), .. } => received.with("CallbacksKept", 1).with("RingsFailed", 1),
            Self::Kept { .. } => received.with("CallbacksKept", 1),
            Self::KeptAside { .. } => received.with("CallbacksKeptAside", 1),
            Self::OutOfTime { .. } | Self::Refused { .. } | Self::UnknownPath => {
                received.because("CallbacksRefused", self.reason())
            }
            Self::Undecided { .. } => received.because("CallbacksUndecided", self.reason()),
        }
    }

    /// The answer: a status and a constant text, which tells a stranger nothing.
    pub(crate) fn response(&self) -> Response<&'static str> {
        let status = self.status();
        let mut response = Response::new(match status {
            StatusCode::OK => "ok",
            StatusCode::BAD_REQUEST => "malformed",
            StatusCode::UNAUTHORIZED => "not authentic",
            StatusCode::NOT_FOUND => "not found",
            StatusCode::PAYLOAD_TOO_LARGE => "too large",
            _ => "try again",
        });
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// One log line: ids and reasons, never a body, a path or a signature.
    pub(crate) fn log(&self) {
        let (reason, status) = (self.reason(), self.status().as_u16());
        match self {
            Self::Duplicate { tenant, event, rang } => {
                tracing::info!(reason, status, tenant.id = %tenant, event.id = %event, "callback was kept before");
                log_ring(tenant, event, rang.as_ref());
            }
            Self::Kept { tenant, event, name, rang } => {
                // An unknown name is the sender's text: only what is documented is logged.
                let name = if let EventName::Unknown(_) = name { "unknown" } else { name.as_str() };
                tracing::info!(reason, status, tenant.id = %tenant, event.id = %event, event.name = name, "callback kept");
                log_ring(tenant, event, rang.as_ref());
            }
            Self::KeptAside { tenant, event, kept, error } => {
                let error = runtime::chain(error);
                let again = *kept != Kept::New;
                tracing::error!(
                    reason, status, tenant.id = %tenant, event.id = %event, error, again,
                    "an authentic callback can't be read and was kept aside"
                );
            }
            Self::OutOfTime { tenant, event } => {
                tracing::warn!(reason, status, tenant.id = %tenant, event.id = %event, "callback is too old or too new");
            }
            Self::Refused { tenant, refusal } => {
                let tenant = tenant.as_ref().map(TenantId::as_str);
                tracing::warn!(reason, status, tenant.id = tenant, error = %refusal, "callback refused");
            }
            Self::Undecided { tenant, why } => {
                let tenant = tenant.as_ref().map(TenantId::as_str);
                let error = runtime::chain(why);
                tracing::error!(
                    reason,
                    status,
                    tenant.id = tenant,
                    error,
                    "callback not decided: Microsoft tries again"
                );
            }
            Self::UnknownPath => tracing::warn!(reason, status, "callback to an unknown path"),
        }
    }
}

/// Says where nobody could be asked to look.
fn log_ring(tenant: &TenantId, event: &EventId, rang: Option<&Result<(), QueueError>>) {
    if let Some(Err(error)) = rang {
        let error = runtime::chain(error);
        tracing::warn!(tenant.id = %tenant, event.id = %event, error, "no run could be asked for; the schedule will look");
    }
}
