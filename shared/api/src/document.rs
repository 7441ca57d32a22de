//! What the `OpenAPI` document says of every route, and how the routes of several functions become one document.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::{
    IntoParams, IntoResponses, Modify, OpenApi, ToSchema,
    openapi::{
        Object, ObjectBuilder, OpenApi as Document, Type,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::{
    Kind,
    operation::{RefusalDocument, StandingDocument, SubscriptionActed, SupersededDocument},
};

/// A problem, as `docs/api.md` lists them (RFC 9457): what is answered is this, and nothing else. What every problem has is not for others to say.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument {
    /// Which problem, relative to the API's address.
    #[serde(rename = "type")]
    #[schema(schema_with = types)]
    pub(crate) kind: String,
    /// What it is, in a few words.
    pub(crate) title: &'static str,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    pub(crate) status: u16,
    /// What happened, and what to do.
    pub(crate) detail: Cow<'static, str>,
    /// The request, as our log names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instance: Option<String>,
    /// The member, parameter or header that is not accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<&'static str>,
    /// The operation that was written down, or that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// What has become of it meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<Now>,
    /// The wish that a refused one had taken the place of, which is not taken up again either.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub superseded: Option<SupersededDocument>,
    /// Whether Microsoft was, or may have been, told all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<bool>,
    /// The revision that a saved view has by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// Microsoft's code; of a token that is not accepted, our name for why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What Microsoft's refusal means, by our name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what_to_do: Option<String>,
    /// What Microsoft says about it: up to 1,024 bytes, as it came. Whoever shows it escapes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Microsoft's id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Microsoft's id of all that belongs to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

/// What has become of something meanwhile.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Now {
    /// Where an alert stands.
    Alert(StandingDocument),
    /// What is under way about a subscription.
    Subscription(Box<SubscriptionActed>),
}

/// The types that there are.
fn types() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("Which problem, relative to the API's address."))
        .enum_values(Some(Kind::ALL.map(Kind::uri)))
        .build()
}

impl ProblemDocument {
    pub(crate) fn of(kind: Kind) -> Self {
        Self {
            kind: kind.uri(),
            title: kind.title(),
            status: kind.status().as_u16(),
            detail: kind.detail().into(),
            superseded: None,
            instance: None,
            member: None,
            operation: None,
            now: None,
            told: None,
            revision: None,
            code: None,
            meaning: None,
            what_to_do: None,
            description: None,
            request_id: None,
            correlation_id: None,
        }
    }

    /// How Microsoft refused, member by member.
    pub(crate) fn refused(&mut self, refusal: RefusalDocument) {
        let RefusalDocument { code, meaning, what_to_do, description, request_id, correlation_id } = refusal;
        (self.code, self.meaning, self.what_to_do) = (Some(code), meaning, Some(what_to_do));
        (self.description, self.request_id, self.correlation_id) = (description, request_id, correlation_id);
    }
}

/// What every route may answer.
#[derive(Debug, IntoResponses)]
pub enum Problems {
    /// The request can't be read.
    #[response(status = 400, content_type = "application/problem+json")]
    Unreadable(ProblemDocument),
    /// Nobody is signed in, or not any more, or what is shown proves nothing.
    #[response(status = 401, content_type = "application/problem+json")]
    Nobody(ProblemDocument),
    /// The caller may not do this, or it comes from another site's page.
    #[response(status = 403, content_type = "application/problem+json")]
    NotAllowed(ProblemDocument),
    /// It isn't there, or not for the caller.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(ProblemDocument),
    /// It does not work at the moment.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemDocument),
}

/// What every route that changes something may answer besides.
#[derive(Debug, IntoResponses)]
pub enum ProblemsOfChanges {
    /// Somebody else was quicker; the answer says where it stands.
    #[response(status = 409, content_type = "application/problem+json")]
    ChangedMeanwhile(ProblemDocument),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemDocument),
    /// The body is not called JSON.
    #[response(status = 415, content_type = "application/problem+json")]
    ContentType(ProblemDocument),
    /// A value is not accepted, the idempotency key was used otherwise, or Microsoft refused.
    #[response(status = 422, content_type = "application/problem+json")]
    Refused(ProblemDocument),
}

/// What every route that changes something takes besides.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct Repeatable {
    /// What marks a request that may be repeated: visible characters of ASCII, and no comma.
    #[param(rename = "Idempotency-Key", required = false, min_length = 1, max_length = 128, pattern = "^[!-+\\--~]+$")]
    pub idempotency_key: Option<String>,
}

/// The head of the document, and how callers prove who they are.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Partner Alerts",
        version = "1",
        description = "Security alerts of Microsoft's partners, and what is done about them.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    modifiers(&Schemes),
    components(schemas(ProblemDocument)),
    security(("session" = []), ("token" = []))
)]
struct Head;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let cookie = ApiKeyValue::with_description("__Host-session", "A session, which begins at /sign-in.");
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("An access token of Entra ID for this application."));
        components.add_security_scheme("token", SecurityScheme::Http(bearer.build()));
    }
}

/// One document of all these.
#[must_use]
pub fn merged(parts: impl IntoIterator<Item = Document>) -> Document {
    parts.into_iter().fold(Head::openapi(), |mut whole, part| {
        whole.merge(part);
        whole
    })
}
