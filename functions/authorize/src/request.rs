//! What API Gateway asks: payload format 2.0 of a request authorizer, as much of it as is looked at.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use identity::{Cookies, Presented, Unclear};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

/// A request that somebody sends.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    cookies: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    version: String,
    #[serde(default)]
    headers: Pairs,
    #[serde(default)]
    cookies: Option<Vec<String>>,
    request_context: Context,
}

#[derive(Deserialize)]
struct Context {
    http: Http,
}

#[derive(Deserialize)]
struct Http {
    method: String,
}

impl Asked {
    /// The request of an event. None where it is no such event.
    pub(crate) fn read(event: &str) -> Option<Self> {
        let event: Event = serde_json::from_str(event).ok().filter(|event: &Event| event.version == "2.0")?;
        let mut headers = HeaderMap::new();
        for (name, value) in event.headers.0 {
            // A name that comes twice, in whatever case, is two values here.
            headers
                .try_append(
                    HeaderName::from_bytes(name.as_bytes()).ok()?,
                    HeaderValue::from_bytes(value.as_bytes()).ok()?,
                )
                .ok()?;
        }
        let method = Method::from_bytes(event.request_context.http.method.as_bytes()).ok()?;
        Some(Self { method, headers, cookies: event.cookies.unwrap_or_default() })
    }

    /// What it shows of who sends it.
    pub(crate) fn presented(&self) -> Result<Presented<'_>, Unclear> {
        // API Gateway takes cookies out of the headers; a header that is there all the same counts as well.
        let cookies = Cookies::of(&self.headers).and(self.cookies.iter().map(String::as_str));
        let authorization = self.headers.get_all(header::AUTHORIZATION).iter().map(HeaderValue::as_bytes);
        Presented::read(&cookies, &authorization.collect::<Vec<_>>())
    }
}

/// All members of an object, one that comes twice included: a map would keep one of them, and it would not be said which.
#[derive(Debug, Default)]
struct Pairs(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Pairs;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(All)
    }
}
