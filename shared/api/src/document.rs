//! What the `OpenAPI` document says of every route, and how the routes of several functions become one document.

use serde::Serialize;
use utoipa::{
    IntoParams, IntoResponses, Modify, OpenApi, ToSchema,
    openapi::{
        OpenApi as Document,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

/// A problem, as `docs/api.md` lists them (RFC 9457). Some have members beside these.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument {
    /// Which problem, relative to the API's address.
    #[serde(rename = "type")]
    #[schema(example = "/problems/not-found")]
    pub kind: String,
    /// What it is, in a few words.
    pub title: String,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What happened, and what to do.
    pub detail: String,
    /// The request, as our log names it.
    pub instance: Option<String>,
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
