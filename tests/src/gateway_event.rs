//! The events that API Gateway makes of a callback: HTTP API (payload 2.0) and REST API (payload 1.0). The path of a stage that is
//! not the default one begins with its name.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test that can't be set up has to fail loudly")]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use simulator::SignedCallback;

const HTTP_API: &str = include_str!("../tests/data/http-api-event.json");
const REST_API: &str = include_str!("../tests/data/rest-api-event.json");

/// How a callback gets to the function.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// Through a REST API, not an HTTP API.
    pub rest: bool,
    /// Through the stage `prod`, which a REST API always has, and an HTTP API instead of its default stage.
    pub stage: bool,
    /// With the body as base64.
    pub base64: bool,
}

/// Every way.
pub const WAYS: [Way; 5] = [
    Way { rest: false, stage: false, base64: false },
    Way { rest: false, stage: false, base64: true },
    Way { rest: true, stage: true, base64: false },
    Way { rest: true, stage: true, base64: true },
    Way { rest: false, stage: true, base64: true },
];

/// The event that API Gateway makes of a callback. A header that comes more than once is joined by commas in an HTTP API; a
/// REST API lists its values, and has the last one in `headers`.
#[must_use]
pub fn gateway_event(way: Way, path: &str, callback: &SignedCallback) -> Value {
    let mut event: Value = serde_json::from_str(if way.rest { REST_API } else { HTTP_API }).unwrap();
    if way.rest {
        event["path"] = json!(path);
        event["requestContext"]["path"] = json!(format!("/prod{path}"));
        for (name, value) in &callback.headers {
            event["headers"][name] = json!(value);
            let values = &mut event["multiValueHeaders"][name];
            *values = values.take().as_array().into_iter().flatten().cloned().chain([json!(value)]).collect();
        }
    } else {
        let path = if way.stage { format!("/prod{path}") } else { path.to_owned() };
        if way.stage {
            event["requestContext"]["stage"] = json!("prod");
        }
        event["rawPath"] = json!(path);
        event["requestContext"]["http"]["path"] = json!(path);
        for (name, value) in &callback.headers {
            let values = &mut event["headers"][name.to_ascii_lowercase()];
            *values = values.as_str().map_or_else(|| json!(value), |before| json!(format!("{before},{value}")));
        }
    }
    let text = || String::from_utf8(callback.body.clone()).unwrap();
    event["body"] = json!(if way.base64 { STANDARD.encode(&callback.body) } else { text() });
    event["isBase64Encoded"] = json!(way.base64);
    event
}
