//! A running simulator with two tenants, a clock that can be moved, and a client that trusts the simulator's root.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use jiff::Timestamp;
use reqwest::{Client, Response};
use serde_json::Value;
use simulator::{NewAlert, Options, Person, Simulator, Tenant};

pub(crate) const FIRST: &str = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10";
pub(crate) const SECOND: &str = "5d0e8b1a-7c43-4f92-b6a8-1e2f3c4d5b6a";
pub(crate) const ALERTS: &str = "/beta/security/partner/securityAlerts";
pub(crate) const START: i64 = 1_772_430_000;

pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) simulator: Simulator,
    clock: Arc<AtomicI64>,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(adjust: impl FnOnce(&mut Options)) -> Self {
        let clock = Arc::new(AtomicI64::new(START));
        let mut options = options();
        let seconds = Arc::clone(&clock);
        options.clock = Arc::new(move || Timestamp::from_second(seconds.load(Ordering::Relaxed)).expect("in range"));
        adjust(&mut options);
        let simulator = Simulator::start(options).await.expect("the simulator starts");
        Self { client: client(&simulator), simulator, clock }
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(crate) fn raise(&self, count: usize) -> Vec<String> {
        let raise = |_| self.simulator.raise(NewAlert::default()).expect("an alert").id;
        (0..count).map(raise).collect()
    }

    pub(crate) async fn ask_for_token(&self, tenant: &str, form: &[(&str, &str)]) -> Response {
        let url = format!("{}/{tenant}/oauth2/v2.0/token", self.simulator.microsoft_url());
        self.client.post(url).form(form).send().await.expect("an answer")
    }

    pub(crate) async fn token(&self, tenant: &str) -> String {
        let scope = format!("{}/.default", self.simulator.microsoft_url());
        token_in(self.ask_for_token(tenant, &credentials(tenant, &scope)).await).await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Response {
        let url = if path.starts_with("https:") { path.to_owned() } else { self.simulator.microsoft_url() + path };
        self.client.get(url).bearer_auth(token).send().await.expect("an answer")
    }

    pub(crate) async fn list(&self) -> Response {
        let token = self.token(FIRST).await;
        self.get(ALERTS, &token).await
    }

    pub(crate) async fn control(&self, method: &str, path: &str, body: &'static str) -> Response {
        let request = self.client.request(method.parse().expect("a method"), self.simulator.control_url() + path);
        let request =
            if body.is_empty() { request } else { request.header("content-type", "application/json").body(body) };
        request.send().await.expect("an answer")
    }
}

pub(crate) fn options() -> Options {
    let tenant = |id: &str| Tenant {
        callback_url: None,
        client_id: format!("client-of-{id}"),
        client_secret: format!("made-up-secret-of-{id}"),
        id: id.to_owned(),
        ..Tenant::default()
    };
    Options { tenants: vec![tenant(FIRST), tenant(SECOND)], page_size: 2, ..Options::default() }
}

pub(crate) fn credentials<'a>(tenant: &str, scope: &'a str) -> [(&'static str, &'a str); 4] {
    let (client, secret) = match tenant {
        FIRST => {
            ("client-of-9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10", "made-up-secret-of-9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10")
        }
        _ => {
            ("client-of-5d0e8b1a-7c43-4f92-b6a8-1e2f3c4d5b6a", "made-up-secret-of-5d0e8b1a-7c43-4f92-b6a8-1e2f3c4d5b6a")
        }
    };
    [("grant_type", "client_credentials"), ("client_id", client), ("client_secret", secret), ("scope", scope)]
}

/// Its only anchor is the simulator's root.
#[expect(clippy::disallowed_methods, reason = "a client of no one's but the test's")]
fn client(simulator: &Simulator) -> Client {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let root = reqwest::Certificate::from_pem(simulator.trust_anchors_pem().as_bytes()).expect("a root");
    let builder = Client::builder().tls_certs_only([root]).redirect(reqwest::redirect::Policy::none());
    builder.no_proxy().build().expect("a client")
}

/// What a receiver of callbacks got.
pub(crate) type Received = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// A receiver that answers 202 to everything, its address and its memory.
pub(crate) async fn receiver() -> (String, Received) {
    receiver_that(|_| (StatusCode::ACCEPTED, "noted")).await
}

/// A receiver that answers as `answer` says to the first callback (1), the second (2) and so on.
pub(crate) async fn receiver_that(answer: fn(usize) -> (StatusCode, &'static str)) -> (String, Received) {
    let received = Received::default();
    let memory = Arc::clone(&received);
    let keep = move |headers: HeaderMap, body: Bytes| async move {
        let mut memory = memory.lock().expect("not poisoned");
        memory.push((headers, body));
        answer(memory.len())
    };
    let listener = std::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
    listener.set_nonblocking(true).expect("non-blocking");
    let url = format!("http://{}/callbacks/tenant/key", listener.local_addr().expect("an address"));
    let router = Router::new().route("/callbacks/tenant/key", post(keep));
    let server = axum_server::from_tcp(listener).expect("a server");
    tokio::spawn(server.serve(router.into_make_service()));
    (url, received)
}

pub(crate) async fn json(response: Response) -> Value {
    response.json().await.expect("JSON")
}

/// The members of an answer and the kinds of their values are those of a file in `tests/data`.
pub(crate) fn assert_shape(answer: &Value, file: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file);
    let sample = serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON");
    assert_eq!(kinds(answer), kinds(&sample), "{answer}");
}

fn kinds(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.first().map(kinds).into_iter().collect(),
        Value::Bool(_) => "bool".into(),
        Value::Null => "null".into(),
        Value::Number(_) => "number".into(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), kinds(value))).collect(),
        Value::String(_) => "string".into(),
    }
}

pub(crate) const REGISTRATION: &str = "/webhooks/v1/registration";

/// What only Partner Center and the people who sign in have to do with.
impl World {
    /// A token of the application itself for Partner Center.
    pub(crate) async fn partner_token(&self, tenant: &str) -> String {
        let scope = format!("{}/.default", self.simulator.partner_center_url());
        token_in(self.ask_for_token(tenant, &credentials(tenant, &scope)).await).await
    }

    /// A token of somebody of the first tenant, for the service at `address`.
    pub(crate) async fn token_of(&self, person: Person, address: &str) -> String {
        let refresh = self.simulator.refresh_token_of(FIRST, person).expect("a refresh token");
        token_in(self.redeem(&refresh, &format!("{address}/.default")).await).await
    }

    /// What the token endpoint says to a refresh token of the first tenant.
    pub(crate) async fn redeem(&self, refresh: &str, scope: &str) -> Response {
        // Whoever wants another has to say so.
        let scope = format!("{scope} offline_access");
        let mut form = credentials(FIRST, &scope).to_vec();
        form[0].1 = "refresh_token";
        form.push(("refresh_token", refresh));
        self.ask_for_token(FIRST, &form).await
    }

    pub(crate) async fn partner(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> Response {
        let url = self.simulator.partner_center_url() + path;
        let request = self.client.request(method.parse().expect("a method"), url).bearer_auth(token);
        let request = if let Some(body) = body { request.json(&body) } else { request };
        request.send().await.expect("an answer")
    }
}

async fn token_in(answer: Response) -> String {
    json(answer).await["access_token"].as_str().expect("a token").to_owned()
}
