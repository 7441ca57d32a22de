//! Entra ID's errors.

use axum::http::{HeaderName, StatusCode};
use serde_json::json;

use crate::app::{Shared, new_id};
use crate::fault_kinds::{Denial, FaultKind};
use crate::reply::Reply;
use crate::targets::Target;

/// Why Entra ID refuses.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) error: &'static str,
    number: u32,
    status: StatusCode,
    suberror: Option<&'static str>,
    text: String,
}

impl Problem {
    /// 400 with OAuth's word, Microsoft's number and a text for people.
    pub(crate) fn new(error: &'static str, number: u32, text: impl Into<String>) -> Self {
        Self { error, number, status: StatusCode::BAD_REQUEST, suberror: None, text: text.into() }
    }

    /// The application did not prove who it is: 401.
    pub(crate) fn client(number: u32, text: impl Into<String>) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, ..Self::new("invalid_client", number, text) }
    }

    /// What the grant is worth has changed: a person has to sign in again.
    pub(crate) fn grant(number: u32, suberror: Option<&'static str>, text: impl Into<String>) -> Self {
        Self { suberror, ..Self::new("invalid_grant", number, text) }
    }

    pub(crate) fn unknown_application() -> Self {
        let text = "Application was not found in the directory. This can happen if the application has not been \
                    installed by the administrator of the tenant or consented to by any user in the tenant.";
        Self::new("unauthorized_client", 700_016, text)
    }

    pub(crate) fn missing(parameter: &str) -> Self {
        let text = format!("The request body must contain the following parameter: '{parameter}'.");
        Self::new("invalid_request", 900_144, text)
    }

    pub(crate) fn no_such_tenant() -> Self {
        Self::new(
            "invalid_request",
            90002,
            "Tenant not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
        )
    }

    /// What a denial on demand looks like here.
    pub(crate) fn of(denial: Denial, target: Target) -> Option<Self> {
        Some(match denial {
            Denial::ApplicationUnknown => Self::unknown_application(),
            // Reports have invalid_grant, interaction_required and access_denied with this number; the first is the
            // one that asks most of a client, since it looks like any other dead grant.
            Denial::ConditionalAccess => Self::grant(
                53003,
                Some("message_only"),
                "Access has been blocked by Conditional Access policies. The access policy does not allow token \
                 issuance.",
            ),
            Denial::ConsentMissing => Self::grant(
                65001,
                Some("consent_required"),
                "The user or administrator has not consented to use the application. Send an interactive authorization \
                 request for this user and resource.",
            ),
            Denial::GrantRevoked => Self::grant_revoked(),
            // An application with a secret is told the first, who has none the second.
            Denial::WrongCloud if target == Target::Token => {
                Self::new("invalid_request", 900_382, "Confidential Client is not supported in Cross Cloud request.")
            }
            Denial::WrongCloud => Self::new(
                "invalid_request",
                90038,
                "The specified tenant belongs to another National Cloud. A cloud redirect error is returned.",
            ),
            Denial::AppOnly | Denial::ApplicationUnregistered | Denial::RoleMissing | Denial::WrongAudience => {
                return None;
            }
        })
    }

    pub(crate) fn grant_revoked() -> Self {
        let text = "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user \
                    might have changed or reset their password.";
        Self::grant(50173, Some("bad_token"), text)
    }

    pub(crate) fn description(&self, app: &Shared) -> String {
        self.described(app, &new_id(), &new_id())
    }

    pub(crate) fn reply(&self, app: &Shared) -> Reply {
        let (trace, correlation) = (new_id(), new_id());
        let mut body = json!({
            "error": self.error,
            "error_description": self.described(app, &trace, &correlation),
            "error_codes": [self.number],
            "timestamp": stamp(app),
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("{}/error?code={}", app.microsoft_url, self.number),
        });
        if let Some(suberror) = self.suberror {
            body["suberror"] = suberror.into();
        }
        named(Reply::json(self.status, &body), &trace)
    }

    fn described(&self, app: &Shared, trace: &str, correlation: &str) -> String {
        let Self { number, text, .. } = self;
        let time = stamp(app);
        format!("AADSTS{number}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}")
    }
}

/// The answer with the id that Entra ID gives it: of its errors it is the trace id.
pub(crate) fn named(reply: Reply, id: &str) -> Reply {
    reply.with_text(HeaderName::from_static("x-ms-request-id"), id)
}

/// The faults that Entra ID's endpoints answer alike.
pub(crate) fn trouble(app: &Shared, target: Target, fault: Option<FaultKind>) -> Option<Reply> {
    match fault? {
        FaultKind::Throttle { retry_after } => {
            let text = "The server is temporarily too busy to handle the request.";
            let busy = Problem {
                status: StatusCode::TOO_MANY_REQUESTS,
                ..Problem::new("temporarily_unavailable", 90055, text)
            };
            Some(busy.reply(app).retry_after(retry_after, app.now()))
        }
        FaultKind::Denied(denial) => Some(Problem::of(denial, target)?.reply(app)),
        _ => None,
    }
}

fn stamp(app: &Shared) -> String {
    app.now().strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}
