//! The events that an HTTP API makes of requests (payload format 2.0).

use axum::http::{HeaderMap, HeaderName, Method, Uri};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

/// A request as it came in, and the route that it came in by.
pub(crate) struct Incoming<'a> {
    pub(crate) route: &'a str,
    pub(crate) path_parameters: Value,
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
}

impl Incoming<'_> {
    /// What a function is woken with: header names in lower case, repeated values joined by commas, cookies by themselves, and the body as
    /// base64 where its content type is not known to be text.
    pub(crate) fn event(&self, body: &[u8]) -> Value {
        let content_type = self.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_text = content_type.starts_with("application/json") || content_type.starts_with("text/");
        let (body, is_base64) = match std::str::from_utf8(body) {
            Ok(text) if is_text => (text.to_owned(), false),
            _ => (STANDARD.encode(body), true),
        };
        let mut event = self.without_body();
        event["pathParameters"] = self.path_parameters.clone();
        event["isBase64Encoded"] = is_base64.into();
        event["body"] = body.into();
        event
    }

    /// What an authorizer is asked with.
    pub(crate) fn question(&self) -> Value {
        let mut question = self.without_body();
        question["type"] = "REQUEST".into();
        question["routeArn"] = format!("arn:aws:execute-api:local:000000000000:local/$default/{}", self.route).into();
        question["identitySource"] = Value::Null;
        question
    }

    fn without_body(&self) -> Value {
        let (route, uri) = (self.route, self.uri);
        let mut event = json!({
            "version": "2.0",
            "routeKey": route,
            "rawPath": uri.path(),
            "rawQueryString": uri.query().unwrap_or_default(),
            "headers": self.joined(),
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "local",
                "domainName": "localhost",
                "domainPrefix": "local",
                "http": {
                    "method": self.method.as_str(), "path": uri.path(), "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1",
                    "userAgent": "",
                },
                "requestId": uuid::Uuid::new_v4().to_string(),
                "routeKey": route,
                "stage": "$default",
                "time": "01/Jan/1970:00:00:00 +0000",
                "timeEpoch": 0,
            },
        });
        let cookies: Vec<_> = self
            .values("cookie")
            .flat_map(|value| value.split(';').map(|cookie| cookie.trim().to_owned()).collect::<Vec<_>>())
            .collect();
        if !cookies.is_empty() {
            event["cookies"] = cookies.into();
        }
        event
    }

    fn joined(&self) -> Map<String, Value> {
        let names = self.headers.keys().map(HeaderName::as_str).filter(|name| *name != "cookie");
        names.map(|name| (name.to_owned(), self.values(name).collect::<Vec<_>>().join(",").into())).collect()
    }

    fn values(&self, name: &str) -> impl Iterator<Item = String> {
        self.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    }
}
