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
use crate::fault_kinds::{Denial, ErrorBody, FaultKind, RetryAfter};
use crate::faults::{Fault, FaultError};
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
    #[serde(default)]
    after: u32,
    times: Option<u32>,
    body: Option<ErrorBody>,
    milliseconds: Option<u64>,
    retry_after: Option<Value>,
    status: Option<u16>,
}

impl FaultRequest {
    pub(crate) fn into_fault(self) -> Result<Fault, Refusal> {
        let kind = self.kind()?;
        let Self { target, tenant, after, times, .. } = self;
        Ok(Fault { kind, target, tenant, after, times })
    }

    fn kind(&self) -> Result<FaultKind, Refusal> {
        let bad = |text: String| Err(Refusal(StatusCode::BAD_REQUEST, text));
        let Self { milliseconds, status, body, .. } = *self;
        let retry_after = || {
            let forms = "a number of seconds, {\"date\": seconds from now}, \"absent\" or \"garbage\"";
            let refusal = || Refusal(StatusCode::BAD_REQUEST, format!("retryAfter is {forms}"));
            read_retry_after(self.retry_after.as_ref()).ok_or_else(refusal)
        };
        match (self.kind.as_str(), milliseconds, status, body, &self.retry_after) {
            ("answer", None, Some(status), body, _) => Ok(FaultKind::Answer {
                status,
                body: body.unwrap_or(ErrorBody::Html),
                retry_after: if self.retry_after.is_some() { retry_after()? } else { RetryAfter::Absent },
            }),
            ("fail", None, status, None, None) => Ok(FaultKind::Fail { status: status.unwrap_or(503) }),
            ("slow", Some(milliseconds), None, None, None) => Ok(FaultKind::Slow { milliseconds }),
            ("throttle", None, None, None, _) => Ok(FaultKind::Throttle { retry_after: retry_after()? }),
            (kind, None, None, None, None) => match PLAIN_FAULTS.iter().find(|(name, _)| *name == kind) {
                Some((_, kind)) => Ok(*kind),
                None => bad(format!("{kind} is no kind of fault, or lacks its milliseconds or status: see GET /")),
            },
            (kind, ..) => bad(format!("{kind} takes other parameters: see GET /")),
        }
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

/// Whom an access token is to be for: who isn't described is an admin agent with two factors.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccessTokenRequest {
    mfa: Option<bool>,
    roles: Option<Vec<Role>>,
    pub(crate) tenant: Option<String>,
    user: Option<String>,
}

impl AccessTokenRequest {
    pub(crate) fn into_person(self, tenant: &str) -> Person {
        let usual = Person::admin_agent(tenant);
        Person {
            mfa: self.mfa.unwrap_or(usual.mfa),
            name: self.user.unwrap_or(usual.name),
            roles: self.roles.unwrap_or(usual.roles),
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

const PLAIN_FAULTS: [(&str, FaultKind); 38] = [
    ("alertListedTwice", FaultKind::AlertListedTwice),
    ("alertSkipped", FaultKind::AlertSkipped),
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
    ("endlessPages", FaultKind::EndlessPages),
    ("expiredNextLink", FaultKind::ExpiredNextLink),
    ("expiredToken", FaultKind::ExpiredToken),
    ("foreignEndpoints", FaultKind::ForeignEndpoints),
    ("foreignNextLink", FaultKind::ForeignNextLink),
    ("grantRevoked", FaultKind::Denied(Denial::GrantRevoked)),
    ("hangUp", FaultKind::HangUp),
    ("legitimateRefused", FaultKind::LegitimateRefused),
    ("loopingNextLink", FaultKind::LoopingNextLink),
    ("malformedAlert", FaultKind::MalformedAlert),
    ("missingMfa", FaultKind::MissingMfa),
    ("newModelIgnored", FaultKind::NewModelIgnored),
    ("newModelRefused", FaultKind::NewModelRefused),
    ("noRefreshToken", FaultKind::NoRefreshToken),
    ("plainNextLink", FaultKind::PlainNextLink),
    ("reset", FaultKind::Reset),
    ("resolvedBetween", FaultKind::ResolvedBetween),
    ("roleMissing", FaultKind::Denied(Denial::RoleMissing)),
    ("silent", FaultKind::Silent),
    ("staleAnswer", FaultKind::StaleAnswer),
    ("truncated", FaultKind::Truncated),
    ("unreadableAlert", FaultKind::UnreadableAlert),
    ("wrongAudience", FaultKind::Denied(Denial::WrongAudience)),
    ("wrongCloud", FaultKind::Denied(Denial::WrongCloud)),
    ("wrongIssuer", FaultKind::WrongIssuer),
    ("wrongNonce", FaultKind::WrongNonce),
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
