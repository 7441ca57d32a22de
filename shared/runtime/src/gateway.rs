//! Requests of API Gateway, in the form in which `lambda_http` can take every one of them.
//!
//! API Gateway hands over the path decoded, and the query and some headers as they were sent. `lambda_http` makes one address of scheme, host, path and query, and
//! panics where that is none; a function is built to end there, and takes with it what it has kept. So what can't stand in an address is written here as it has to
//! be, which says the same, and what would choose scheme and host is left out: nothing of ours goes by it, and the gateway's own name takes its place.

use std::fmt::Write as _;

use lambda_http::{
    LambdaEvent, Request,
    http::{HeaderMap, HeaderName, header},
    request::LambdaRequest,
};

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// What ends a part of an address, or is none of its characters though visible. A percent sign stays: what is written with it means the same before and after.
const NOT_IN_A_QUERY: &[u8] = b"\"#<>\\^`{|}";
const NOT_IN_A_PATH: &[u8] = b"\"#<>?\\^`{|}";

/// The event with an address that can be made: for whoever runs `lambda_http`'s own loop.
#[must_use]
pub fn addressable(mut event: LambdaEvent<LambdaRequest>) -> LambdaEvent<LambdaRequest> {
    mend(&mut event.payload);
    event
}

/// The request of an event.
///
/// # Errors
///
/// The event is none of API Gateway's.
pub fn gateway_request(event: &str) -> serde_json::Result<Request> {
    let mut request: LambdaRequest = serde_json::from_str(event)?;
    mend(&mut request);
    Ok(request.into())
}

fn mend(request: &mut LambdaRequest) {
    match request {
        LambdaRequest::ApiGatewayV1(request) => {
            without_place(&mut request.headers);
            without_place(&mut request.multi_value_headers);
            request.path.as_mut().map(encode_path);
        }
        LambdaRequest::ApiGatewayV2(request) => {
            without_place(&mut request.headers);
            request.raw_path.as_mut().map(encode_path);
            if let Some(query) = &mut request.raw_query_string {
                *query = encoded(query, NOT_IN_A_QUERY);
            }
        }
        // No function of ours is woken by anything else.
        _ => {}
    }
}

fn without_place(headers: &mut HeaderMap) {
    headers.remove(header::HOST);
    headers.remove(FORWARDED_PROTO);
}

fn encode_path(path: &mut String) {
    let slash = if path.starts_with('/') { "" } else { "/" };
    *path = format!("{slash}{}", encoded(path, NOT_IN_A_PATH));
}

fn encoded(text: &str, without: &[u8]) -> String {
    let mut all = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && !without.contains(&byte) {
            all.push(char::from(byte));
        } else {
            // Writing into a text can't fail.
            let _ = write!(all, "%{byte:02X}");
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(path: &str, query: &str, headers: &Value) -> String {
        json!({
            "version": "2.0", "routeKey": "GET /a/{b}", "rawPath": path, "rawQueryString": query, "headers": headers,
            "pathParameters": { "b": "x y" }, "isBase64Encoded": false,
            "requestContext": {
                "accountId": "0", "apiId": "x", "domainName": "alerts.example", "domainPrefix": "alerts", "requestId": "r",
                "http": { "method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "" },
                "routeKey": "GET /a/{b}", "stage": "$default", "time": "01/Jan/1970:00:00:00 +0000", "timeEpoch": 0,
            },
        })
        .to_string()
    }

    #[test]
    fn an_address_is_made_of_every_path_and_query_that_a_gateway_may_hand_over() {
        for (path, query, expected) in [
            ("/a/b", "", "https://alerts.example/a/b"),
            ("/a/b", "c=d%20e&f=%zz", "https://alerts.example/a/b?c=d%20e&f=%zz"),
            ("/a/x y", "c=x y", "https://alerts.example/a/x%20y?c=x%20y"),
            ("/a/<b>", "c=<d>\"", "https://alerts.example/a/%3Cb%3E?c=%3Cd%3E%22"),
            ("/a/é\u{202e}", "c=é", "https://alerts.example/a/%C3%A9%E2%80%AE?c=%C3%A9"),
            ("/a/b?c=d", "revision=1", "https://alerts.example/a/b%3Fc=d?revision=1"),
            ("/a/b#c", "revision=1#x", "https://alerts.example/a/b%23c?revision=1%23x"),
            ("/a/\r\n\0\u{7f}", "\r\n\0\u{7f}", "https://alerts.example/a/%0D%0A%00%7F?%0D%0A%00%7F"),
            ("//evil.example/a", "", "https://alerts.example//evil.example/a"),
            ("/a/\\b|^`{c}", "\\|^`{c}", "https://alerts.example/a/%5Cb%7C%5E%60%7Bc%7D?%5C%7C%5E%60%7Bc%7D"),
            (":8/a", "", "https://alerts.example/:8/a"),
            ("", "", "https://alerts.example/"),
        ] {
            let request = gateway_request(&event(path, query, &json!({}))).unwrap();
            assert_eq!(request.uri().to_string(), expected, "{path:?} {query:?}");
        }
    }

    #[test]
    fn no_header_chooses_scheme_or_host() {
        for (name, value) in [
            ("host", "evil.example"),
            ("host", "1.2.3.4.5"),
            ("host", "a b"),
            ("host", "a:99999"),
            ("host", ""),
            ("x-forwarded-proto", ""),
            ("x-forwarded-proto", "1"),
            ("x-forwarded-proto", "a b"),
        ] {
            let request = gateway_request(&event("/a/b", "", &json!({ name: value, "accept": "*/*" }))).unwrap();
            assert_eq!(request.uri().to_string(), "https://alerts.example/a/b", "{name}: {value}");
            assert_eq!(request.headers().len(), 1, "{name}: {value}");
        }
    }
}
