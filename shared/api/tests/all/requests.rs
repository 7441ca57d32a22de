//! Requests are read strictly, and nobody gets further than they may.

use api::{Gate, Kind, MOST_BODY_BYTES, Problem, Request};
use identity::{How, Origin, Permission, RoleMap, Verdict};
use models::TenantId;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{ORIGIN, OTHER, TENANT, caller, context, request, somebody};

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Body {
    name: String,
}

fn kind<T: std::fmt::Debug>(result: Result<T, Problem>) -> Option<Kind> {
    result.err().map(|problem| problem.kind())
}

fn gate() -> Gate {
    Gate::new(ORIGIN.parse::<Origin>().unwrap())
}

fn by_token(change: impl FnOnce(&mut Value)) -> Request {
    request(&context(somebody(How::Bearer)), change)
}

/// A form, as a browser sends it.
fn form(body: &str) -> Request {
    by_token(|event| {
        event["headers"] = json!({ "content-type": "application/x-www-form-urlencoded" });
        event["body"] = body.into();
    })
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Fields {
    name: String,
    number: u64,
    note: Option<String>,
    #[serde(default)]
    many: Vec<String>,
}

#[test]
fn a_form_has_the_members_of_the_json() {
    let read = form("name=a%26b+c&number=7&note=&return=%2Fx&idempotency-key=k&many=1&many=2%2F3");
    let many = vec!["1".to_owned(), "2/3".to_owned()];
    assert_eq!(read.body::<Fields>().unwrap(), Fields { name: "a&b c".to_owned(), number: 7, note: None, many });
    assert_eq!(read.idempotency_key().unwrap().unwrap().as_str(), "k");
    assert_eq!(read.form().unwrap().return_path("/otherwise").as_str(), "/x");
    assert!(by_token(|_| {}).form().is_none());
    for (what, body) in [
        ("a field too few", "name=x"),
        ("a field twice", "name=x&name=y&number=1"),
        ("another type", "name=x&number=1.5"),
        ("a field that nobody knows", "name=x&number=1&script=1"),
        ("an empty one that is needed", "name=&number=1"),
        ("JSON", r#"{"name":"x","number":1}"#),
    ] {
        let problem = form(body).body::<Fields>().unwrap_err();
        assert_eq!(problem.kind(), Kind::Unreadable, "{what}");
        assert!(!problem.detail().contains("script"), "{what}: nothing of a request is told");
    }
    assert_eq!(kind(form(&format!("name={}", "x".repeat(MOST_BODY_BYTES))).body::<Fields>()), Some(Kind::BodyTooLarge));
    for (what, body) in [("twice", "idempotency-key=a&idempotency-key=b"), ("none", "idempotency-key=a+b")] {
        assert_eq!(kind(form(body).idempotency_key()), Some(Kind::Unreadable), "{what}");
    }
    for to in ["//x", "https://x", "", "/a&return=/b"] {
        assert_eq!(
            form(&format!("return={to}")).form().unwrap().return_path("/otherwise").as_str(),
            "/otherwise",
            "{to}"
        );
    }
}

#[test]
fn a_body_is_of_its_shape_or_a_problem() {
    assert_eq!(by_token(|_| {}).body::<Body>().unwrap(), Body { name: "x".to_owned() });
    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(MOST_BODY_BYTES));
    for (what, body, content_type, expected) in [
        ("no JSON", "{", Some("application/json"), Kind::Unreadable),
        ("a member that nobody knows", r#"{"name":"x","<script>":1}"#, Some("application/json"), Kind::Unreadable),
        ("a member twice", r#"{"name":"x","name":"y"}"#, Some("application/json"), Kind::Unreadable),
        ("a member too few", "{}", Some("application/json"), Kind::Unreadable),
        ("another type", r#"{"name":1}"#, Some("application/json"), Kind::Unreadable),
        ("text behind it", r#"{"name":"x"} {}"#, Some("application/json"), Kind::Unreadable),
        ("no type", r#"{"name":"x"}"#, None, Kind::ContentType),
        ("a form", r#"{"name":"x"}"#, Some("text/plain"), Kind::ContentType),
        ("another charset", r#"{"name":"x"}"#, Some("application/json; charset=utf-16"), Kind::ContentType),
        ("two types", r#"{"name":"x"}"#, Some("application/json,text/plain"), Kind::ContentType),
        ("too much", &long, Some("application/json"), Kind::BodyTooLarge),
    ] {
        let request = by_token(|event| {
            event["body"] = body.into();
            event["headers"] = content_type.map_or(json!({}), |value| json!({ "content-type": value }));
        });
        let problem = request.body::<Body>().unwrap_err();
        assert_eq!(problem.kind(), expected, "{what}");
        assert!(!format!("{problem:?}").contains("<script"), "{what}: nothing of a request is told");
    }
    let empty = by_token(|event| event["body"] = Value::Null);
    assert_eq!(empty.body_or_default::<Body>().unwrap(), Body::default());
    let utf8 = by_token(|event| event["headers"] = json!({ "content-type": "Application/JSON; charset=UTF-8" }));
    assert!(utf8.body::<Body>().is_ok());
}

#[test]
fn a_query_has_known_parameters_once() {
    let query = |query: &str| by_token(|event| event["rawQueryString"] = query.into()).query(&["state", "cursor"]);
    assert_eq!(query("state=a%20b&cursor=").unwrap(), [("state", "a b".to_owned()), ("cursor", String::new())].into());
    assert_eq!(query("").unwrap(), [].into());
    assert_eq!(kind(query("state=a&state=b")), Some(Kind::Unreadable));
    assert_eq!(kind(query("tenant=a")), Some(Kind::Unreadable));
}

#[test]
fn an_idempotency_key_is_visible_ascii_and_comes_once() {
    let key = |value: &str| {
        by_token(|event| event["headers"]["idempotency-key"] = value.into()).idempotency_key().map(|key| key.unwrap())
    };
    assert_eq!(key("8e03978e-40d5").unwrap().as_str(), "8e03978e-40d5");
    assert_eq!(by_token(|_| {}).idempotency_key().unwrap(), None);
    for bad in ["", "a,b", "a b", "ä", &"x".repeat(129)] {
        assert_eq!(kind(key(bad)), Some(Kind::Unreadable), "{bad}");
    }
}

#[test]
fn an_id_in_the_path_that_is_none_is_not_there() {
    assert_eq!(by_token(|_| {}).parameter::<TenantId>("tenant").unwrap().as_str(), TENANT);
    assert_eq!(kind(by_token(|_| {}).parameter::<TenantId>("view")), Some(Kind::NotFound));
    let other = by_token(|event| event["pathParameters"] = json!({ "tenant": "../x" }));
    assert_eq!(kind(other.parameter::<TenantId>("tenant")), Some(Kind::NotFound));
}

#[test]
fn nobody_gets_further_than_who_a_context_makes() {
    let of = |context: &Value, headers: Value| {
        let request = request(context, |event| event["headers"] = headers);
        gate().caller(&request).map(identity::Caller::how).map_err(|problem| problem.kind())
    };
    let verdict = |verdict: Verdict| Value::Object(verdict.context());
    for (what, context, headers, expected) in [
        ("a token", context(somebody(How::Bearer)), json!({}), Ok(How::Bearer)),
        (
            "a session from our page",
            context(somebody(How::Session)),
            json!({ "origin": ORIGIN, "sec-fetch-site": "same-origin" }),
            Ok(How::Session),
        ),
        ("a session from nowhere", context(somebody(How::Session)), json!({}), Err(Kind::ForeignOrigin)),
        (
            "a session from elsewhere",
            context(somebody(How::Session)),
            json!({ "origin": "https://evil.example" }),
            Err(Kind::ForeignOrigin),
        ),
        (
            "a session that a neighbour uses",
            context(somebody(How::Session)),
            json!({ "origin": ORIGIN, "sec-fetch-site": "same-site" }),
            Err(Kind::ForeignOrigin),
        ),
        ("nobody", verdict(Verdict::Anonymous), json!({}), Err(Kind::NotSignedIn)),
        ("nobody any more", verdict(Verdict::Expired), json!({}), Err(Kind::SessionEnded)),
        ("nobody known", verdict(Verdict::Invalid), json!({}), Err(Kind::ProofNotAccepted)),
        ("nobody can tell", verdict(Verdict::Unavailable), json!({}), Err(Kind::CallerUnknown)),
        ("an empty context", json!({}), json!({}), Err(Kind::ProofNotAccepted)),
        ("no context", Value::Null, json!({}), Err(Kind::ProofNotAccepted)),
        ("somebody else's context", json!({ "user": "admin" }), json!({}), Err(Kind::ProofNotAccepted)),
    ] {
        assert_eq!(of(&context, headers), expected, "{what}");
    }
    let without = request(&Value::Null, |event| event["requestContext"]["authorizer"] = Value::Null);
    assert_eq!(kind(gate().caller(&without)), Some(Kind::ProofNotAccepted));
    let reading = request(&context(somebody(How::Session)), |event| {
        event["requestContext"]["http"]["method"] = "GET".into();
    });
    assert!(gate().caller(&reading).is_ok(), "what changes nothing may come from anywhere");
}

#[test]
fn a_tenant_that_is_not_theirs_is_not_there_and_what_they_may_not_is_told() {
    let [own, other]: [TenantId; 2] = [TENANT, OTHER].map(|tenant| tenant.parse().unwrap());
    let sees = r#"[{"roles":["AdminAgent"],"permissions":["see"],"tenants":"own"}]"#;
    let sees = caller("77777777-2222-4333-8444-555555555555", sees, How::Bearer);
    assert_eq!(kind(Gate::allow(&sees, Permission::See, &own)), None);
    assert_eq!(kind(Gate::allow(&sees, Permission::Resolve, &own)), Some(Kind::NotAllowed));
    assert_eq!(kind(Gate::allow(&sees, Permission::See, &other)), Some(Kind::NotFound));
    assert_eq!(kind(Gate::allow(&sees, Permission::Resolve, &other)), Some(Kind::NotFound));
    assert_eq!(kind(Gate::allow_somewhere(&sees, Permission::See)), None);
    assert_eq!(kind(Gate::allow_somewhere(&sees, Permission::Resolve)), Some(Kind::NotAllowed));
    let resolves = caller("77777777-2222-4333-8444-555555555555", RoleMap::DEFAULT, How::Bearer);
    assert_eq!(kind(Gate::allow(&resolves, Permission::Resolve, &other)), None);
}
