//! What the control side is asked for, as JSON, and how it refuses.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::authority::AuthorityError;
use crate::book::AlertError;
use crate::callbacks::{DeliverError, Forgery};
use crate::entra::{Decision, Person, Role, SignInError};
use crate::faults::{Denial, Fault, FaultError, FaultKind, RetryAfter};
use crate::targets::Target;

/// No body is the empty object: all that can be asked for has a default.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| Refusal(StatusCode::BAD_REQUEST, error.to_string()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TenantQuery {
    pub(crate) tenant: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct CallbackRequest {
    pub(crate) alert: Option<String>,
    pub(crate) copies: Option<u32>,
    pub(crate) event: Option<String>,
    forged: Option<Forged>,
    pub(crate) ms_signature: bool,
    pub(crate) repeat: bool,
    pub(crate) tenant: Option<String>,
}

impl CallbackRequest {
    pub(crate) fn forgery(&self) -> Option<Forgery> {
        match self.forged.as_ref()? {
            Forged::Flag(false) => None,
            Forged::Flag(true) | Forged::How(How::Key) => Some(Forgery::Key),
            Forged::How(How::Body) => Some(Forgery::Body),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "forged is true, false, \"key\" or \"body\"")]
enum Forged {
    Flag(bool),
    How(How),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum How {
    Body,
    Key,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FaultRequest {
    target: Target,
    kind: String,
    tenant: Option<String>,
    times: Option<u32>,
    milliseconds: Option<u64>,
    retry_after: Option<Value>,
    status: Option<u16>,
}

impl FaultRequest {
    pub(crate) fn into_fault(self) -> Result<Fault, Refusal> {
        let bad = |text: String| Err(Refusal(StatusCode::BAD_REQUEST, text));
        let kind = match (self.kind.as_str(), self.milliseconds, &self.retry_after, self.status) {
            ("fail", None, None, status) => FaultKind::Fail { status: status.unwrap_or(503) },
            ("slow", Some(milliseconds), None, None) => FaultKind::Slow { milliseconds },
            ("throttle", None, retry_after, None) => {
                let Some(retry_after) = read_retry_after(retry_after.as_ref()) else {
                    let forms = "a number of seconds, {\"date\": seconds from now}, \"absent\" or \"garbage\"";
                    return bad(format!("retryAfter is {forms}"));
                };
                FaultKind::Throttle { retry_after }
            }
            (kind, None, None, None) => match PLAIN_FAULTS.iter().find(|(name, _)| *name == kind) {
                Some((_, kind)) => *kind,
                None => return bad(format!("{kind} is no kind of fault, or lacks its milliseconds: see GET /")),
            },
            (kind, ..) => return bad(format!("{kind} takes other parameters: see GET /")),
        };
        Ok(Fault { kind, target: self.target, tenant: self.tenant, times: self.times })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SignInRequest {
    #[serde(default)]
    pub(crate) ahead: bool,
    decision: Choice,
    mfa: Option<bool>,
    roles: Option<Vec<Role>>,
    pub(crate) tenant: Option<String>,
    user: Option<String>,
    pub(crate) user_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Choice {
    Approve,
    Deny,
}

impl SignInRequest {
    /// Who isn't described is an admin agent with two factors.
    pub(crate) fn into_decision(self, tenant: &str) -> Decision {
        let usual = Person::admin_agent(tenant);
        match self.decision {
            Choice::Approve => Decision::Approve(Person {
                mfa: self.mfa.unwrap_or(usual.mfa),
                name: self.user.unwrap_or(usual.name),
                roles: self.roles.unwrap_or(usual.roles),
            }),
            Choice::Deny => Decision::Deny,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublicAddressRequest {
    pub(crate) local: String,
    pub(crate) public: String,
}

fn read_retry_after(value: Option<&Value>) -> Option<RetryAfter> {
    match value {
        None => Some(RetryAfter::Seconds(1)),
        Some(Value::String(word)) if word == "absent" => Some(RetryAfter::Absent),
        Some(Value::String(word)) if word == "garbage" => Some(RetryAfter::Garbage),
        Some(Value::Object(form)) => Some(RetryAfter::Date(u32::try_from(form.get("date")?.as_u64()?).ok()?)),
        Some(other) => other.as_u64().map(RetryAfter::Seconds),
    }
}

/// Status and text of a refused request.
pub(crate) struct Refusal(pub(crate) StatusCode, pub(crate) String);

impl Refusal {
    pub(crate) fn internal() -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, "the request was not finished".to_owned())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<AlertError> for Refusal {
    fn from(error: AlertError) -> Self {
        let status = match error {
            AlertError::Duplicate(_) => StatusCode::CONFLICT,
            AlertError::StateFile { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            AlertError::UnknownAlert(_) | AlertError::UnknownTenant(_) => StatusCode::NOT_FOUND,
        };
        Self(status, chain(&error))
    }
}

impl From<AuthorityError> for Refusal {
    fn from(error: AuthorityError) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, chain(&error))
    }
}

impl From<DeliverError> for Refusal {
    fn from(error: DeliverError) -> Self {
        Self(StatusCode::BAD_GATEWAY, chain(&error))
    }
}

impl From<SignInError> for Refusal {
    fn from(error: SignInError) -> Self {
        let status = match error {
            SignInError::NonePending(_) => StatusCode::CONFLICT,
            SignInError::UnknownTenant(_) => StatusCode::NOT_FOUND,
        };
        Self(status, chain(&error))
    }
}

impl From<FaultError> for Refusal {
    fn from(error: FaultError) -> Self {
        Self(StatusCode::BAD_REQUEST, chain(&error))
    }
}

/// The error and all that led to it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

const PLAIN_FAULTS: [(&str, FaultKind); 25] = [
    ("appOnly", FaultKind::Denied(Denial::AppOnly)),
    ("applicationUnknown", FaultKind::Denied(Denial::ApplicationUnknown)),
    ("applicationUnregistered", FaultKind::Denied(Denial::ApplicationUnregistered)),
    ("certificateHtml", FaultKind::CertificateHtml),
    ("certificateMissing", FaultKind::CertificateMissing),
    ("certificateOversize", FaultKind::CertificateOversize),
    ("certificateRedirect", FaultKind::CertificateRedirect),
    ("conditionalAccess", FaultKind::Denied(Denial::ConditionalAccess)),
    ("consentMissing", FaultKind::Denied(Denial::ConsentMissing)),
    ("emptyPage", FaultKind::EmptyPage),
    ("expiredToken", FaultKind::ExpiredToken),
    ("foreignNextLink", FaultKind::ForeignNextLink),
    ("grantRevoked", FaultKind::Denied(Denial::GrantRevoked)),
    ("malformedAlert", FaultKind::MalformedAlert),
    ("missingMfa", FaultKind::MissingMfa),
    ("newModelIgnored", FaultKind::NewModelIgnored),
    ("newModelRefused", FaultKind::NewModelRefused),
    ("noRefreshToken", FaultKind::NoRefreshToken),
    ("reset", FaultKind::Reset),
    ("roleMissing", FaultKind::Denied(Denial::RoleMissing)),
    ("staleAnswer", FaultKind::StaleAnswer),
    ("truncated", FaultKind::Truncated),
    ("unreadableAlert", FaultKind::UnreadableAlert),
    ("wrongAudience", FaultKind::Denied(Denial::WrongAudience)),
    ("wrongCloud", FaultKind::Denied(Denial::WrongCloud)),
];

#[cfg(test)]
mod tests {
    use super::PLAIN_FAULTS;

    #[test]
    fn the_help_names_every_kind_of_fault() {
        let help = include_str!("help.txt");
        let words: Vec<_> = help.split([' ', ',', ';', '\n']).collect();
        for (kind, _) in PLAIN_FAULTS {
            assert!(words.contains(&kind), "{kind} is missing");
        }
    }
}
