//! What `authorize` says of a request, event by event, as API Gateway would ask.

use authorize::{Admission, Authorize, PublishedKeys};
use identity::{
    AccessTokens, Audience, Caller, Claims, How, Issuers, Keys, KeysAge, Kind, NoCaller, RoleMap, Session, SessionKey,
    UnverifiedPerson,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use simulator::Person;
use store::{ReadSessions, StoreError, TableRole, TouchSessions};
use tests::{ByHand, Lines, TENANT};

use crate::browser::Browser;

fn event(method: &str, cookies: &Value, headers: &Value) -> Value {
    json!({
        "version": "2.0", "type": "REQUEST", "routeArn": "arn:aws:execute-api:eu-west-1:000000000000:x/$default/GET/alerts",
        "identitySource": null, "routeKey": "GET /alerts", "rawPath": "/alerts", "rawQueryString": "", "cookies": cookies, "headers": headers,
        "requestContext": { "http": { "method": method, "path": "/alerts", "protocol": "HTTP/1.1" }, "routeKey": "GET /alerts" },
    })
}

fn caller(answer: &authorize::Answer) -> Result<Caller, NoCaller> {
    assert!(answer.is_authorized, "an HTTP API can't shape a denial");
    Caller::from_context(answer.context.iter().map(|(name, value)| (name.as_str(), value)))
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a row for each request")]
async fn a_request_is_somebodys_or_nobodys_and_the_log_says_why() {
    let lines = Lines::capture("info");
    let system = ByHand::start().await;
    let mut browser = Browser::new(&system);
    browser.sign_in(Person::admin_agent(TENANT), "").await;
    let authorize = authorize::wire(&system.parts).unwrap();
    let session = format!("__Host-session={}", browser.session().unwrap());
    let gone = "__Host-session=AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    let token = system.microsoft.access_token(TENANT, &Person::admin_agent(TENANT)).unwrap();
    let bearer = format!("Bearer {token}");
    let own = system.test.system.origin();
    let twice = format!(
        r#"{{"version":"2.0","headers":{{"authorization":"{bearer}","Authorization":"{bearer}"}},"requestContext":{{"http":{{"method":"GET"}}}}}}"#
    );
    let same = twice.replace("\"Authorization\"", "\"authorization\"");
    let text = |event: Value| event.to_string();
    let many: Vec<String> = (0..200).map(|n| format!("cookie{n}={}", "x".repeat(100))).collect();
    let ok = |how| Ok(how);
    for (what, event, expected, reason) in [
        ("nothing", text(event("GET", &json!([]), &json!({}))), Err(NoCaller::Anonymous), ""),
        ("no headers at all", text(event("GET", &Value::Null, &json!({}))), Err(NoCaller::Anonymous), ""),
        ("a session", text(event("GET", &json!([session]), &json!({}))), ok(How::Session), ""),
        ("a session among others", text(event("GET", &json!(["a=b", session]), &json!({}))), ok(How::Session), ""),
        (
            "a session among what is no text",
            text(event("GET", &json!(["x\u{e9}=\u{fffd}\u{ff}", session]), &json!({ "cookie": "\u{e9}=1" }))),
            ok(How::Session),
            "",
        ),
        (
            "a session in the header",
            text(event("GET", &Value::Null, &json!({ "cookie": session }))),
            ok(How::Session),
            "",
        ),
        ("a token", text(event("GET", &json!([]), &json!({ "authorization": bearer }))), ok(How::Bearer), ""),
        (
            "a token that changes something",
            text(event("DELETE", &json!([]), &json!({ "authorization": bearer }))),
            ok(How::Bearer),
            "",
        ),
        (
            "both",
            text(event("GET", &json!([session]), &json!({ "authorization": bearer }))),
            Err(NoCaller::Invalid),
            "two-proofs",
        ),
        (
            "a session twice",
            text(event("GET", &json!([session, session]), &json!({}))),
            Err(NoCaller::Invalid),
            "repeated-proof",
        ),
        (
            "a session in both places",
            text(event("GET", &json!([session]), &json!({ "cookie": session }))),
            Err(NoCaller::Invalid),
            "repeated-proof",
        ),
        (
            "two sessions in one cookie",
            text(event("GET", &json!([format!("{session}; {gone}")]), &json!({}))),
            Err(NoCaller::Invalid),
            "repeated-proof",
        ),
        ("a token twice", same, Err(NoCaller::Invalid), "repeated-proof"),
        ("a token twice, in two cases", twice, Err(NoCaller::Invalid), "repeated-proof"),
        (
            "two tokens, joined",
            text(event("GET", &json!([]), &json!({ "authorization": format!("{bearer},{bearer}") }))),
            Err(NoCaller::Invalid),
            "authorization-malformed",
        ),
        (
            "another scheme",
            text(event("GET", &json!([]), &json!({ "authorization": "Basic eDp5" }))),
            Err(NoCaller::Invalid),
            "authorization-malformed",
        ),
        (
            "a session that never was",
            text(event("GET", &json!([gone]), &json!({}))),
            Err(NoCaller::Expired),
            "session-gone",
        ),
        (
            "what is no id",
            text(event("GET", &json!(["__Host-session=x"]), &json!({}))),
            Err(NoCaller::Invalid),
            "cookie-malformed",
        ),
        ("too many cookies", text(event("GET", &json!(many), &json!({}))), Err(NoCaller::Invalid), "header-too-large"),
        (
            "a form of our own page",
            text(event("POST", &json!([session]), &json!({ "origin": own, "sec-fetch-site": "same-origin" }))),
            ok(How::Session),
            "",
        ),
        (
            "a form of another site",
            text(event("POST", &json!([session]), &json!({ "origin": "https://evil.example" }))),
            Err(NoCaller::Foreign),
            "origin-foreign",
        ),
        (
            "a form from nowhere",
            text(event("POST", &json!([session]), &json!({}))),
            Err(NoCaller::Foreign),
            "origin-missing",
        ),
        (
            "a form of a sandbox",
            text(event("PATCH", &json!([session]), &json!({ "origin": "null" }))),
            Err(NoCaller::Foreign),
            "origin-foreign",
        ),
        (
            "our origin, begun elsewhere",
            text(event("POST", &json!([session]), &json!({ "origin": own, "sec-fetch-site": "cross-site" }))),
            Err(NoCaller::Foreign),
            "fetch-site-foreign",
        ),
        (
            "the other payload format",
            text(event("GET", &json!([session]), &json!({}))).replace("\"2.0\"", "\"1.0\""),
            Err(NoCaller::Invalid),
            "request-unreadable",
        ),
        ("no event", "{}".to_owned(), Err(NoCaller::Invalid), "request-unreadable"),
        (
            "a header that breaks lines",
            text(event("GET", &json!([session]), &json!({ "a": "b\nc" }))),
            Err(NoCaller::Invalid),
            "request-unreadable",
        ),
    ] {
        let _ = lines.take();
        let found = caller(&authorize.answer(&event).await).map(|caller| caller.how());
        assert_eq!(found, expected, "{what}");
        let logged = lines.take_values();
        let said = logged.last().and_then(|line| line["reason"].as_str()).unwrap_or_default().to_owned();
        assert_eq!(said, reason, "{what}");
    }
}

#[tokio::test]
async fn what_a_caller_may_do_follows_the_map_at_once_and_a_tenant_that_is_left_out_ends_its_sessions() {
    let system = ByHand::start().await;
    let mut browser = Browser::new(&system);
    browser.sign_in(Person::admin_agent(TENANT), "").await;
    let event =
        event("GET", &json!([format!("__Host-session={}", browser.session().unwrap())]), &json!({})).to_string();
    let with = |name: &'static str, value: &str| {
        let variables = system.parts.variables.clone().led_by([(name, value.to_owned())]);
        authorize::wire(&runtime::Parts { variables, ..system.parts.clone() }).unwrap()
    };
    let reader = with("ROLE_MAP", r#"[{"roles":["AdminAgent"],"permissions":["see"],"tenants":"own"}]"#);
    let found = caller(&reader.answer(&event).await).unwrap();
    let may = |permission| found.access().may(permission, &system.tenant);
    assert!(may(identity::Permission::See) && !may(identity::Permission::Resolve));
    let elsewhere = with("SIGN_IN_TENANTS", "0a0a0a0a-1111-4222-8333-444444444444");
    assert_eq!(caller(&elsewhere.answer(&event).await), Err(NoCaller::Invalid));
}

#[tokio::test]
async fn our_own_trouble_makes_nobody_and_says_so() {
    let lines = Lines::capture("info");
    let system = ByHand::start().await;
    let mut browser = Browser::new(&system);
    browser.sign_in(Person::admin_agent(TENANT), "").await;
    let variables = system.parts.variables.clone().led_by([("SESSIONS_TABLE", "no-such-table".to_owned())]);
    let broken = authorize::wire(&runtime::Parts { variables, ..system.parts.clone() }).unwrap();
    let session =
        event("GET", &json!([format!("__Host-session={}", browser.session().unwrap())]), &json!({})).to_string();
    let _ = lines.take();
    assert_eq!(caller(&broken.answer(&session).await), Err(NoCaller::Unavailable));
    let logged = lines.take_values();
    assert_eq!(logged[0]["level"], "ERROR", "{logged:?}");
    // Who shows nothing needs no table.
    assert_eq!(
        caller(&broken.answer(&event("GET", &json!([]), &json!({})).to_string()).await),
        Err(NoCaller::Anonymous)
    );
}

/// A session that is read alive, and what becomes of noting its use.
struct Touched(fn() -> Result<bool, StoreError>, Session);

impl ReadSessions for Touched {
    async fn session(&self, _: &SessionKey) -> Result<Option<Session>, StoreError> {
        Ok(Some(self.1.clone()))
    }
}

impl TouchSessions for Touched {
    async fn touch_session(&self, _: &SessionKey, _: &Session, _: Timestamp) -> Result<bool, StoreError> {
        (self.0)()
    }
}

#[tokio::test]
async fn a_session_that_ends_while_it_is_read_lets_nobody_in_and_one_whose_use_can_not_be_written_does() {
    let system = ByHand::start().await;
    // No client of ours is made here that would have it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let throttled = || Err(StoreError::Contended { action: "UpdateItem", table: TableRole::Sessions, attempts: 1 });
    for (touch, expected) in [
        ((|| Ok(true)) as fn() -> _, Ok(How::Session)),
        (|| Ok(false), Err(NoCaller::Expired)),
        (throttled, Ok(How::Session)),
    ] {
        let issuers = Issuers::new("https://login.example", vec![system.tenant.clone()]).unwrap();
        #[expect(clippy::disallowed_methods, reason = "it is asked for nothing")]
        let published = PublishedKeys::new(reqwest::Client::new(), issuers.clone());
        let audience = Audience { application: String::new(), clients: Vec::new(), scope: String::new() };
        let admission = Admission {
            tokens: AccessTokens::new(Keys::new(published, issuers, KeysAge::default()), audience),
            roles: RoleMap::read(None, 1).unwrap(),
            origin: "https://alerts.example".parse().unwrap(),
        };
        let (oid, tid) = ("77777777-1111-4222-8333-444444444444", system.tenant.as_str());
        let person = UnverifiedPerson { oid, tid, ..UnverifiedPerson::default() };
        let claims = Claims::of_verified(&person, Kind::Person).unwrap();
        let session = Session::begin(claims, system.now() - SignedDuration::from_mins(30));
        let authorize = Authorize::new(Touched(touch, session), admission, system.clock.clone());
        let id = "__Host-session=AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
        let found = caller(&authorize.answer(&event("GET", &json!([id]), &json!({})).to_string()).await);
        assert_eq!(found.map(|caller| caller.how()), expected);
    }
}
