//! The doors, and somebody who knocks.

use identity::{Session, SessionId};
use reqwest::{Client, Method, Response, redirect::Policy};
use serde_json::{Value, json};
use simulator::Person;
use store::KeepSessions as _;
use tests::{ByHand, TENANT, somebody};

/// A tenant that nobody here may sign in to.
pub(crate) const OTHER: &str = "0a0a0a0a-1111-4222-8333-444444444444";

/// A route for somebody who is known, and a request to it that would do something.
pub(crate) struct Door {
    pub(crate) route: &'static str,
    pub(crate) method: Method,
    pub(crate) path: String,
    body: Value,
}

impl Door {
    fn of(route: &'static str) -> Self {
        let (method, path) = route.split_once(' ').unwrap();
        let query = if method == "DELETE" { "?revision=1" } else { "" };
        let filled = path
            .replace("{tenant}", TENANT)
            .replace("{alert}", "a")
            .replace("{export}", &"0".repeat(64))
            .replace("{operation}", &"0".repeat(64))
            .replace("{subscription}", "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381")
            .replace("{view}", "77777777-2222-4333-8444-555555555555");
        assert!(!filled.contains('{'), "{route}: say here what stands for what its path has in braces");
        let path = format!("{filled}{query}");
        Self { route, method: method.parse().unwrap(), path, body: body(route) }
    }

    /// Whether it is a page, which tells of no problem by type.
    pub(crate) fn is_page(&self) -> bool {
        !self.path.starts_with(api::PREFIX)
    }

    pub(crate) fn changes_something(&self) -> bool {
        self.method != Method::GET
    }
}

/// What is asked for. Of a route that is not named here it is nothing, which is refused for that reason only by who was let in.
fn body(route: &str) -> Value {
    match route.rsplit('/').next().unwrap() {
        "resolve" if route.ends_with("v1/alerts/resolve") => {
            json!({ "alerts": [{ "tenant": TENANT, "alert": "a", "version": 1 }], "reason": "fraud" })
        }
        "resolve" => json!({ "version": 1, "reason": "fraud" }),
        "investigate" | "reopen" => json!({ "version": 1 }),
        "assign" => json!({ "to": "me" }),
        "notes" => json!({ "note": "x" }),
        "snooze" => json!({ "until": "2026-03-03T09:00:00Z", "why": "x" }),
        "views" => json!({ "name": "x", "query": "y" }),
        "cancellation" => json!({ "alerts": [format!("{TENANT}/1/a")] }),
        _ => json!({}),
    }
}

/// Every route that is for somebody who is known: all but the callbacks of Microsoft and the way in and out.
pub(crate) fn doors() -> Vec<Door> {
    let public = ["GET /sign-in", "GET /sign-in/callback", "POST /sign-out"];
    let of_sign_in = sign_in::ROUTES.into_iter().filter(|route| !public.contains(route));
    let all = dashboard::ROUTES
        .into_iter()
        .chain(dashboard::PAGES)
        .chain(resolve::ROUTES)
        .chain(resolve::PAGES)
        .chain(of_sign_in);
    all.map(Door::of).collect()
}

/// Somebody who asks, and keeps no cookies.
pub(crate) struct Asker {
    client: Client,
    pub(crate) origin: String,
}

/// An answer: its status and, where it tells of a problem, of which.
pub(crate) type Said = (u16, String);

impl Asker {
    #[expect(clippy::disallowed_methods, reason = "the client of a test's person")]
    pub(crate) fn new(system: &ByHand) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().tls_certs_only([]).redirect(Policy::none()).no_proxy().build().unwrap();
        Self { client, origin: system.test.system.origin().to_owned() }
    }

    /// Asks for what a door is for.
    pub(crate) async fn knock(&self, door: &Door, headers: &[(&str, &str)]) -> Said {
        let mut request = self.client.request(door.method.clone(), format!("{}{}", self.origin, door.path));
        if door.changes_something() {
            request = request.header("content-type", "application/json").body(door.body.to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        said(door, request.send().await.unwrap()).await
    }
}

async fn said(door: &Door, answer: Response) -> Said {
    for (name, value) in [("cache-control", "no-store"), ("x-content-type-options", "nosniff")] {
        assert_eq!(answer.headers()[name], value, "{}", door.route);
    }
    let status = answer.status().as_u16();
    let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default();
    (status, body["type"].as_str().unwrap_or_default().trim_start_matches("/problems/").to_owned())
}

/// A system that knows one alert, `a`.
pub(crate) async fn with_an_alert() -> ByHand {
    let system = ByHand::start().await;
    system.for_people().await;
    system.baseline().await;
    system.raise("a");
    system.complete(1, 1).await;
    system
}

/// The cookie of a session of somebody who may do everything.
pub(crate) async fn signed_in(system: &ByHand) -> String {
    let name = Person::admin_agent(TENANT).name;
    let everything = ["AdminAgent", "GlobalAdministrator"];
    let claims = somebody::claims("77777777-2222-4333-8444-555555555555", &name, &everything);
    let id = SessionId::from_random([7; 32]);
    system.store().put_session(&id.key(), &Session::begin(claims, system.now())).await.unwrap();
    id.set_cookie().split(';').next().unwrap().to_owned()
}

/// That nothing was done: the alert is as it came, no line and no operation was written, and Microsoft was told nothing.
pub(crate) async fn assert_nothing_was_done(system: &ByHand) {
    assert_eq!(system.alerts().await, [("a".to_owned(), 1)]);
    assert!(system.items(&system.test.system.tables().activity).await.is_empty());
    assert_eq!(system.microsoft.requests().patch, 0);
    assert!(system.microsoft.subscription_acts().is_empty());
}
