//! Who asks Partner Center, whether they may, and the form of every answer.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::json;

use crate::app::{App, Shared, lock, new_id};
use crate::entra::{Grant, Person, Role};
use crate::fault_kinds::{Denial, FaultKind, RetryAfter};
use crate::reply::Reply;
use crate::targets::Target;

/// Who is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Callers {
    /// Applications, and people with a role that sees to webhooks.
    All,
    /// Admin agents, and no application.
    AdminAgents,
    /// Global administrators who are admin agents, too, and applications where the rules say so.
    GlobalAdministrators,
}

impl Callers {
    /// Whether these are callers that this person is one of.
    fn have(self, person: &Person) -> bool {
        let has = |role| person.is_one_of(&[role]);
        match self {
            Self::All => person.is_one_of(&ROLES),
            Self::AdminAgents => has(Role::AdminAgent),
            Self::GlobalAdministrators => has(Role::AdminAgent) && has(Role::GlobalAdministrator),
        }
    }
}

/// Counts the request, checks who asks, and gives the answer the headers that all have.
pub(crate) async fn answer(
    app: &App,
    target: Target,
    headers: &HeaderMap,
    answer: impl FnOnce(&Grant) -> Reply + Send,
) -> Response {
    answer_some(app, target, headers, Callers::All, |grant, _| answer(grant)).await
}

/// The same for what Partner Center refuses to applications. Of the faults it leaves those that are about the answer's content.
pub(crate) async fn answer_people(
    app: &App,
    target: Target,
    headers: &HeaderMap,
    answer: impl FnOnce(&Grant, Option<FaultKind>) -> Reply + Send,
) -> Response {
    answer_some(app, target, headers, Callers::AdminAgents, answer).await
}

/// The same for what takes two roles: to cancel and to reactivate subscriptions.
pub(crate) async fn answer_global_administrators(
    app: &App,
    target: Target,
    headers: &HeaderMap,
    answer: impl FnOnce(&Grant) -> Reply + Send,
) -> Response {
    answer_some(app, target, headers, Callers::GlobalAdministrators, |grant, _| answer(grant)).await
}

/// What a caller calls the work, by which it is done once.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<&str> {
    headers.get("ms-requestid")?.to_str().ok()
}

async fn answer_some(
    app: &App,
    target: Target,
    headers: &HeaderMap,
    callers: Callers,
    answer: impl FnOnce(&Grant, Option<FaultKind>) -> Reply + Send,
) -> Response {
    app.respond(target, app.caller_tenant(headers).as_deref(), |fault| {
        let grant = lock(&app.tokens).find(Shared::bearer(headers)).cloned();
        let reply = match authorized(app, headers, grant.as_ref(), callers, fault) {
            Ok(grant) => answer(grant, fault),
            Err(Refused::Lacking) => lacking(target),
            Err(Refused::With(refusal)) => refusal,
        };
        dressed(reply, headers, grant.as_ref())
    })
    .await
}

fn authorized<'a>(
    app: &Shared,
    headers: &HeaderMap,
    grant: Option<&'a Grant>,
    callers: Callers,
    fault: Option<FaultKind>,
) -> Result<&'a Grant, Refused> {
    let bearer = Shared::bearer(headers);
    match fault {
        Some(FaultKind::Throttle { retry_after }) => return Err(throttled(app, retry_after).into()),
        Some(FaultKind::MissingMfa) => return Err(missing_mfa().into()),
        Some(FaultKind::ExpiredToken) => {
            lock(&app.tokens).revoke(bearer);
            return Err(denied().into());
        }
        // Only who comes without a person is concerned.
        Some(FaultKind::Denied(Denial::AppOnly)) | None => {}
        Some(FaultKind::Denied(denial)) => return Err(refused(denial).into()),
        Some(_) => {}
    }
    if bearer.is_empty() {
        return Err(error(StatusCode::UNAUTHORIZED, "800001", "The partner token is missing.").into());
    }
    let grant = grant.filter(|grant| grant.expires > app.now()).ok_or_else(denied)?;
    if grant.audience != app.partner_center_url && grant.audience != PARTNER_CENTER {
        return Err(refused(Denial::WrongAudience).into());
    }
    let app_only_denied = fault == Some(FaultKind::Denied(Denial::AppOnly));
    let people_only = match callers {
        Callers::All => app_only_denied,
        Callers::AdminAgents => true,
        Callers::GlobalAdministrators => app_only_denied || !lock(&app.subscriptions).rules.applications,
    };
    match &grant.person {
        None if people_only => Err(refused(Denial::AppOnly).into()),
        Some(person) if !person.mfa => Err(missing_mfa().into()),
        Some(person) if !callers.have(person) => Err(Refused::Lacking),
        _ => Ok(grant),
    }
}

/// Why somebody isn't answered.
enum Refused {
    /// They lack a role.
    Lacking,
    /// With this answer.
    With(Reply),
}

impl From<Reply> for Refused {
    fn from(reply: Reply) -> Self {
        Self::With(reply)
    }
}

/// For a person without the roles that it takes. Reactivating has a number of its own for it.
fn lacking(target: Target) -> Reply {
    if target == Target::AzureEntitlementReactivate {
        return error(StatusCode::FORBIDDEN, "900335", "The partner lacks permissions to reactivate this entitlement.");
    }
    refused(Denial::RoleMissing)
}

/// Partner Center's error. `code` is a number as a string.
pub(crate) fn error(status: StatusCode, code: &str, description: &str) -> Reply {
    let body = json!({ "code": code, "description": description, "data": [], "source": "PartnerCenterSimulator" });
    Reply::json(status, &body)
}

/// An error for which the documents have no number: the status stands in for it.
pub(crate) fn plain_error(status: StatusCode, description: &str) -> Reply {
    error(status, status.as_str(), description)
}

/// Too many requests have another body than other errors.
pub(crate) fn throttled(app: &Shared, retry_after: RetryAfter) -> Reply {
    let message = match retry_after {
        RetryAfter::Seconds(seconds) => format!("Rate limit is exceeded. Try again in {seconds} seconds."),
        _ => "Rate limit is exceeded. Try again later.".to_owned(),
    };
    let body = json!({ "statusCode": 429, "message": message });
    Reply::json(StatusCode::TOO_MANY_REQUESTS, &body).retry_after(retry_after, app.now())
}

fn denied() -> Reply {
    error(StatusCode::UNAUTHORIZED, "400", "Access denied.")
}

fn missing_mfa() -> Reply {
    error(StatusCode::UNAUTHORIZED, "900421", "Multi-factor authentication is required for this call.")
}

fn refused(denial: Denial) -> Reply {
    let forbidden = |code, description| error(StatusCode::FORBIDDEN, code, description);
    match denial {
        Denial::AppOnly => forbidden("900329", "This resource does not allow application-only access."),
        Denial::ConditionalAccess => forbidden("900309", "Access has been blocked by Conditional Access policies."),
        Denial::RoleMissing => forbidden("900150", "The role of the user does not have the right to this resource."),
        Denial::WrongAudience => {
            error(StatusCode::UNAUTHORIZED, "900420", "The audience of the token is not supported.")
        }
        // That an application has to be registered is documented, the number for one that isn't is not: this is the
        // general one for privileges that do not suffice. The others are Entra ID's and do not come here.
        Denial::ApplicationUnregistered
        | Denial::ApplicationUnknown
        | Denial::ConsentMissing
        | Denial::GrantRevoked
        | Denial::WrongCloud => forbidden("900308", "The application has insufficient privileges in Partner Center."),
    }
}

fn dressed(reply: Reply, request: &HeaderMap, grant: Option<&Grant>) -> Reply {
    let same = |name: &str| match request.get(name) {
        Some(id) => id.clone(),
        None => HeaderValue::from_str(&new_id()).unwrap_or(HeaderValue::from_static("none")),
    };
    let name = HeaderName::from_static;
    let reply = reply
        .with(name("ms-requestid"), same("ms-requestid"))
        .with(name("ms-correlationid"), same("ms-correlationid"))
        .with_text(name("ms-cv"), &format!("{}.0", new_id()))
        .with(name("ms-serverid"), HeaderValue::from_static("simulator"))
        .with(name("x-locale"), HeaderValue::from_static("en-US"));
    if request.get("validatemfa").is_none_or(|value| !value.as_bytes().eq_ignore_ascii_case(b"true")) {
        return reply;
    }
    // An application's own token has no such claim. The documents don't say what it is told.
    let compliant = grant.is_some_and(Grant::has_mfa);
    reply.with(name("ismfacompliant"), HeaderValue::from_static(if compliant { "true" } else { "false" }))
}

const PARTNER_CENTER: &str = "https://api.partnercenter.microsoft.com";
/// Who may see to webhooks.
const ROLES: [Role; 5] =
    [Role::AdminAgent, Role::BillingAdministrator, Role::GlobalAdministrator, Role::HelpdeskAgent, Role::SalesAgent];
