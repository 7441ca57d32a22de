//! Requests as API Gateway makes them, of callers as `authorize` makes them.

use api::Request;
use identity::{Caller, Claims, How, Kind, RoleMap, UnverifiedPerson, Verdict};
use serde_json::{Value, json};

pub(crate) const TENANT: &str = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10";
pub(crate) const OTHER: &str = "0a0a0a0a-1111-4222-8333-444444444444";
pub(crate) const ORIGIN: &str = "https://alerts.example";

/// An Admin Agent of this object id, whose roles allow this.
#[expect(clippy::disallowed_methods, reason = "in the place of `authorize`")]
pub(crate) fn caller(oid: &str, roles: &str, how: How) -> Caller {
    let agent = ["AdminAgent".to_owned()];
    let person = UnverifiedPerson { oid, tid: TENANT, name: "admin.agent@contoso.example", roles: &agent, wids: &[] };
    let claims = Claims::of_verified(&person, Kind::Person).unwrap();
    let roles = RoleMap::read(Some(roles), 1).unwrap();
    Caller::of_verified(&claims, how, roles.access(&claims))
}

pub(crate) fn somebody(how: How) -> Caller {
    caller("77777777-2222-4333-8444-555555555555", RoleMap::DEFAULT, how)
}

/// A request as Lambda hands it over, and what is to be another about it.
pub(crate) fn request(context: &Value, change: impl FnOnce(&mut Value)) -> Request {
    let mut event = json!({
        "version": "2.0", "routeKey": "POST /api/v1/tenants/{tenant}/views", "rawPath": format!("/api/v1/tenants/{TENANT}/views"),
        "rawQueryString": "", "headers": { "content-type": "application/json" },
        "pathParameters": { "tenant": TENANT }, "isBase64Encoded": false, "body": "{\"name\":\"x\"}",
        "requestContext": {
            "accountId": "000000000000", "apiId": "x", "domainName": "alerts.example", "domainPrefix": "alerts", "requestId": "r",
            "http": { "method": "POST", "path": "/x", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "" },
            "routeKey": "POST /api/v1/tenants/{tenant}/views", "stage": "$default", "time": "01/Jan/1970:00:00:00 +0000", "timeEpoch": 0,
            "authorizer": { "lambda": context },
        },
    });
    change(&mut event);
    Request::read(lambda_http::request::from_str(&event.to_string()).unwrap(), "invocation-1", None)
}

/// What `authorize` says of this caller.
pub(crate) fn context(caller: Caller) -> Value {
    Value::Object(Verdict::Ok(caller).context())
}
