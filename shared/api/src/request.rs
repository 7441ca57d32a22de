//! A request as API Gateway hands it over (payload format 2.0), read strictly.

use std::{borrow::Cow, collections::BTreeMap, str::FromStr};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use identity::{Caller, NoCaller};
use lambda_http::{Body, RequestExt as _, request::RequestContext};
use models::{IdempotencyKey, TraceContext};
use serde::de::DeserializeOwned;

use crate::{Form, Kind, Problem};

/// The largest body that is looked at, in bytes: a hundred alerts of the longest ids, and a note.
pub const MOST_BODY_BYTES: usize = 128 * 1024;

/// The header by which a request that is repeated is known.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A request to one of the routes.
#[derive(Debug)]
pub struct Request {
    /// Lambda's id of the invocation: what an answer and the log are matched by.
    pub id: String,
    /// The trace of the invocation.
    pub trace: Option<TraceContext>,
    /// The method.
    pub method: Method,
    /// The route as it is configured, `POST /api/v1/tenants/{tenant}/views` for example: what a request is told apart by.
    pub route: String,
    /// The headers.
    pub headers: HeaderMap,
    /// Who sends it, as `authorize` says. [`Gate::caller`](crate::Gate::caller) hands it on.
    pub(crate) caller: Result<Caller, NoCaller>,
    parameters: BTreeMap<String, String>,
    path: String,
    query: String,
    body: Bytes,
}

impl Request {
    /// What Lambda hands over, in an invocation of this id and trace.
    #[must_use]
    pub fn read(request: lambda_http::Request, id: &str, trace: Option<TraceContext>) -> Self {
        let route = match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => context.route_key.clone().unwrap_or_default(),
            _ => String::new(),
        };
        let parameters = request.path_parameters_ref().into_iter().flat_map(|parameters| parameters.iter());
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let caller = caller(&request);
        let (parts, body) = request.into_parts();
        let body = match body {
            Body::Text(text) => Bytes::from(text),
            Body::Binary(bytes) => Bytes::from(bytes),
            _ => Bytes::new(),
        };
        Self {
            id: id.to_owned(),
            trace,
            method: parts.method,
            route,
            headers: parts.headers,
            caller,
            parameters,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            body,
        }
    }

    /// An id that stands in the path. What is no such id can't be there: it is answered as one that isn't.
    ///
    /// # Errors
    ///
    /// [`Kind::NotFound`].
    pub fn parameter<T: FromStr>(&self, name: &str) -> Result<T, Problem> {
        self.parameters.get(name).and_then(|text| text.parse().ok()).ok_or_else(|| Kind::NotFound.into())
    }

    /// The body, of this shape: JSON, or a form of ours with the same members ([`Form`]). Its texts are checked by whoever reads them: what `serde` finds
    /// wrong is told by its place alone.
    ///
    /// # Errors
    ///
    /// [`Kind::BodyTooLarge`], [`Kind::ContentType`], [`Kind::Unreadable`].
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if self.body.len() > MOST_BODY_BYTES {
            return Err(Kind::BodyTooLarge.into());
        }
        if let Some(form) = self.form() {
            return form.body();
        }
        if !self.one(&header::CONTENT_TYPE)?.is_some_and(is_json) {
            return Err(Kind::ContentType.into());
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let detail = if error.is_data() {
                "The body has a member that this route does not know, lacks one that it needs, or has one of another type"
            } else {
                "The body is no JSON"
            };
            Problem::new(Kind::Unreadable).because(format!("{detail}; see line {line}, column {column}."))
        })
    }

    /// The body as a form, where it is one.
    #[must_use]
    pub fn form(&self) -> Option<Form<'_>> {
        let is_form = self.one(&header::CONTENT_TYPE).ok().flatten().is_some_and(is_form);
        // What is too large is not looked into.
        is_form.then(|| Form::read(if self.body.len() > MOST_BODY_BYTES { &[] } else { &self.body }))
    }

    /// The same where the body may be left out.
    ///
    /// # Errors
    ///
    /// As [`Request::body`].
    pub fn body_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, Problem> {
        if self.body.is_empty() { Ok(T::default()) } else { self.body() }
    }

    /// The parameters of the query, which are all among these names.
    ///
    /// # Errors
    ///
    /// [`Kind::Unreadable`] where one comes twice or is not known.
    pub fn query<'a>(&self, names: &[&'a str]) -> Result<BTreeMap<&'a str, String>, Problem> {
        let unreadable = |detail| Problem::new(Kind::Unreadable).because(detail);
        let mut found = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(self.query.as_bytes()) {
            let known = names.iter().find(|known| **known == name);
            let known = known.ok_or_else(|| unreadable("The query has a parameter that this route does not know."))?;
            if found.insert(*known, value.into_owned()).is_some() {
                return Err(unreadable("The query has a parameter twice."));
            }
        }
        Ok(found)
    }

    /// The names and values of the query, in their order, for what reads them itself.
    pub fn pairs(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        form_urlencoded::parse(self.query.as_bytes())
    }

    /// The path as it was asked for.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query as it came, for what reads it itself.
    #[must_use]
    pub fn raw_query(&self) -> &str {
        &self.query
    }

    /// What the sender marks the request by, in the header or in the form: 1 to 128 visible characters of ASCII. API Gateway joins what comes twice by a comma,
    /// which therefore is none of them.
    ///
    /// # Errors
    ///
    /// [`Kind::Unreadable`].
    pub fn idempotency_key(&self) -> Result<Option<IdempotencyKey>, Problem> {
        let field = self.form().map(|form| form.idempotency_key()).transpose()?.flatten();
        let text = match (self.one(&IDEMPOTENCY_KEY)?, &field) {
            (None, None) => return Ok(None),
            (Some(value), None) => value.to_str().ok(),
            (None, Some(field)) => Some(field.as_str()),
            (Some(_), Some(_)) => None,
        };
        let is_visible = |byte: &u8| byte.is_ascii_graphic() && *byte != b',';
        let key = text.filter(|text| text.as_bytes().iter().all(is_visible)).and_then(|text| text.parse().ok());
        key.map(Some).ok_or_else(|| {
            let detail = "Idempotency-Key has to be 1 to 128 visible characters of ASCII, and no comma.";
            Problem::new(Kind::Unreadable).because(detail).with(|it| it.member = Some("Idempotency-Key"))
        })
    }

    /// The value of a header that may be there once.
    fn one(&self, name: &HeaderName) -> Result<Option<&HeaderValue>, Problem> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next();
        match values.next() {
            None => Ok(first),
            Some(_) => Err(Problem::new(Kind::Unreadable).because("A header comes twice.")),
        }
    }
}

/// Who sends a request. Whatever the gateway's authorizer is but `authorize`, alone, makes nobody of it.
///
/// # Errors
///
/// [`NoCaller`].
pub fn caller(request: &lambda_http::Request) -> Result<Caller, NoCaller> {
    let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else {
        return Err(NoCaller::Invalid);
    };
    match &context.authorizer {
        Some(authorizer) if authorizer.jwt.is_none() && authorizer.iam.is_none() => {
            Caller::from_context(authorizer.fields.iter().map(|(name, value)| (name.as_str(), value)))
        }
        _ => Err(NoCaller::Invalid),
    }
}

fn is_json(value: &HeaderValue) -> bool {
    is(value, "application/json")
}

fn is_form(value: &HeaderValue) -> bool {
    is(value, "application/x-www-form-urlencoded")
}

/// Of this type, with no other charset than that of JSON and of our pages.
fn is(value: &HeaderValue, wanted: &str) -> bool {
    let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
    let (kind, rest) = text.split_once(';').unwrap_or((&text, ""));
    kind.trim() == wanted && matches!(rest.trim(), "" | "charset=utf-8" | "charset=\"utf-8\"")
}
