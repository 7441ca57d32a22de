//! The API's routes about subscriptions, through the gateway and its authorizer.

use models::OperationState;
use reqwest::{Client, Method};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use simulator::Person;
use tests::{ByHand, TENANT};

use crate::support::{BOTH, CUSTOMER, NAME, OTHER, SUBSCRIPTION, kept, lines, raise, system, token, with_roles};

const STRANGE: &str = "0a0a0a0a-1111-4222-8333-444444444444";
const ADA: &str = "ada@contoso.example";

/// Somebody who asks, by a token of their own for us.
pub(crate) struct Asker<'a> {
    system: &'a ByHand,
    client: Client,
    bearer: String,
}

impl<'a> Asker<'a> {
    #[expect(clippy::disallowed_methods, reason = "the client of a test's person")]
    pub(crate) fn new(system: &'a ByHand, person: &Person) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().tls_certs_only([]).no_proxy().build().unwrap();
        Self { system, client, bearer: system.microsoft.access_token(TENANT, person).unwrap() }
    }

    /// Asks, and asks again as the answer 503 says: on a busy machine a table may take longer than a request to it may.
    pub(crate) async fn ask(&self, method: Method, path: &str, key: Option<&str>, body: &Value) -> (u16, Value) {
        for _ in 0..4 {
            let (status, answer) = self.ask_once(method.clone(), path, key, body).await;
            if status != 503 {
                return (status, answer);
            }
        }
        self.ask_once(method, path, key, body).await
    }

    async fn ask_once(&self, method: Method, path: &str, key: Option<&str>, body: &Value) -> (u16, Value) {
        let url = format!("{}/api/v1{path}", self.system.test.system.origin());
        let mut request = self.client.request(method, url).bearer_auth(&self.bearer);
        request = request.header("content-type", "application/json").body(body.to_string());
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> (u16, Value) {
        self.ask(Method::POST, path, Some(key), body).await
    }
}

fn about(tenant: &str, subscription: &str, act: &str) -> String {
    format!("/tenants/{tenant}/subscriptions/{subscription}/{act}")
}

fn problem(body: &Value) -> &str {
    body["type"].as_str().unwrap_or_default().trim_start_matches("/problems/")
}

#[tokio::test]
async fn a_program_shows_asks_and_tells_with_the_persons_own_token_and_repeats_it_at_will() {
    let system = system().await;
    let ada = Asker::new(&system, &with_roles(ADA, &BOTH));
    let (status, shown) = ada.ask(Method::GET, &about(TENANT, SUBSCRIPTION, "cancellation"), None, &json!({})).await;
    assert_eq!(status, 200, "{shown}");
    assert_eq!(
        (&shown["customer"]["id"], &shown["customer"]["name"], &shown["subscription"]["name"], &shown["under_way"]),
        (&json!(CUSTOMER), &json!("Customer 4a8f2d61"), &json!(NAME), &Value::Null)
    );
    let mut alerts: Vec<_> =
        shown["alerts"].as_array().unwrap().iter().map(|alert| alert["id"].as_str().unwrap()).collect();
    alerts.sort_unstable();
    assert_eq!(alerts, ["one", "two"]);

    let path = about(TENANT, SUBSCRIPTION, "cancel");
    let asked = json!({ "name": NAME, "note": "It mines." });
    let (status, first) = ada.post(&path, "k", &asked).await;
    assert_eq!(
        (status, &first["stage"], &first["needs_token"]),
        (202, &json!("entitlement_found"), &json!(true)),
        "{first}"
    );
    let operation = first["operation"].as_str().unwrap();
    assert_eq!(first["step_up"], format!("/sign-in/step-up?tenant={TENANT}&operation={operation}"));
    let own = token(&system, with_roles(ADA, &BOTH)).await;
    let with_token = json!({ "name": NAME, "note": "It mines.", "token": own.expose_secret() });
    for _ in 0..2 {
        let (status, told) = ada.post(&path, "k", &with_token).await;
        assert_eq!((status, &told["stage"], &told["needs_token"]), (202, &json!("posted"), &json!(false)), "{told}");
        assert_eq!((&told["operation"], &told["step_up"]), (&json!(operation), &Value::Null));
    }
    assert_eq!(system.microsoft.subscription_acts().len(), 1);
    assert_eq!(lines(&system).await, ["ada: asked Cancel", "ada: EntitlementFound", "ada: telling", "ada: Posted"]);
}

#[tokio::test]
async fn what_is_not_allowed_or_not_right_is_refused_with_a_type_and_nothing_is_written() {
    let system = system().await;
    let ada = Asker::new(&system, &with_roles(ADA, &BOTH));
    let agent = Asker::new(&system, &Person::admin_agent(TENANT));
    let nobody = Asker::new(&system, &Person::reader(TENANT));
    let body = json!({ "name": NAME });
    let bobs = token(&system, with_roles("bob@contoso.example", &BOTH)).await;
    let bobs = json!({ "name": NAME, "token": bobs.expose_secret() });
    let unknown = "99999999-0d3b-4f58-b1e6-92a7c4d0f381";
    for act in ["cancel", "reactivate"] {
        let path = about(TENANT, SUBSCRIPTION, act);
        for (what, asker, path, key, body, expected) in [
            ("no role for it", &agent, path.clone(), Some("a"), body.clone(), (403, "not-allowed")),
            ("no role", &nobody, path.clone(), Some("a"), body.clone(), (404, "not-found")),
            ("another tenant", &ada, about(STRANGE, SUBSCRIPTION, act), Some("a"), body.clone(), (404, "not-found")),
            ("no such subscription", &ada, about(TENANT, unknown, act), Some("a"), body.clone(), (404, "not-found")),
            ("no key", &ada, path.clone(), None, body.clone(), (400, "request-unreadable")),
            ("another name", &ada, path.clone(), Some("a"), json!({ "name": "x" }), (422, "value-refused")),
            ("no name", &ada, path.clone(), Some("a"), json!({}), (400, "request-unreadable")),
            (
                "what is not known",
                &ada,
                path.clone(),
                Some("a"),
                json!({ "name": NAME, "x": 1 }),
                (400, "request-unreadable"),
            ),
        ] {
            let (status, answer) = asker.ask(Method::POST, &path, key, &body).await;
            assert_eq!((status, problem(&answer)), expected, "{act}, {what}: {answer}");
            assert!(!answer.to_string().contains(NAME), "{act}, {what}: nothing of it is told: {answer}");
        }
    }
    let preview = about(TENANT, SUBSCRIPTION, "cancellation");
    assert_eq!(agent.ask(Method::GET, &preview, None, &json!({})).await.0, 403);
    assert!(lines(&system).await.is_empty());
    let path = about(TENANT, SUBSCRIPTION, "cancel");
    let (status, answer) = ada.post(&path, "k", &bobs).await;
    assert_eq!((status, &answer["code"]), (422, &json!("token-of-somebody-else")), "{answer}");
    let (status, answer) = ada.post(&path, "another", &body).await;
    assert_eq!((status, problem(&answer), &answer["now"]["needs_token"]), (409, "changed-meanwhile", &json!(true)));
    let (status, answer) = ada.post(&path, "k", &json!({ "name": NAME, "note": "other" })).await;
    assert_eq!((status, problem(&answer)), (422, "idempotency-key-used"));
    assert!(system.microsoft.subscription_acts().is_empty());
}

#[tokio::test]
async fn ten_at_once_have_a_result_each_and_one_s_trouble_is_no_other_s() {
    let system = system().await;
    let id = |number: usize| format!("{number:08x}-0d3b-4f58-b1e6-92a7c4d0f381");
    for number in 0..6 {
        raise(&system, &format!("more-{number}"), &id(number));
    }
    system.complete(10, 6).await;
    let ada = Asker::new(&system, &with_roles(ADA, &BOTH));
    let mut all = vec![
        json!({ "tenant": TENANT, "subscription": SUBSCRIPTION, "name": NAME }),
        json!({ "tenant": TENANT, "subscription": OTHER, "name": "another name" }),
        json!({ "tenant": STRANGE, "subscription": id(77), "name": "x" }),
        json!({ "tenant": TENANT, "subscription": id(99), "name": "x" }),
    ];
    all.extend((0..6).map(
        |number| json!({ "tenant": TENANT, "subscription": id(number), "name": format!("Subscription {number:08x}") }),
    ));
    let body = json!({ "subscriptions": all, "note": "A raid." });
    let mut before: Option<Value> = None;
    for _ in 0..2 {
        let (status, answer) = ada.post("/subscriptions/cancel", "k", &body).await;
        assert_eq!(status, 202, "{answer}");
        let results = answer["results"].as_array().unwrap();
        let problems: Vec<_> = results.iter().map(|result| result["problem"].as_str().unwrap_or("none")).collect();
        let expected = ["none", "/problems/value-refused", "/problems/not-found", "/problems/not-found"];
        assert_eq!((&problems[..4], problems[4..].iter().all(|it| *it == "none")), (&expected[..], true), "{answer}");
        let operations: Vec<_> = results.iter().filter_map(|result| result["acted"]["operation"].as_str()).collect();
        assert_eq!(operations.len(), 7);
        let step_up = format!("/sign-in/step-up?tenant={TENANT}&operation={}", operations.join(","));
        assert_eq!(answer["step_ups"], json!([step_up]), "one sign-in for all of them");
        assert_eq!(*before.get_or_insert(answer.clone()), answer, "repeated, it begins nothing");
        for operation in operations {
            assert_eq!(kept(&system, &operation.parse().unwrap()).await.state, OperationState::InProgress);
        }
    }
    let asked = lines(&system).await.into_iter().filter(|line| line.ends_with("asked Cancel")).count();
    assert_eq!(asked, 7);
    // The key is good for this request alone, whichever of its subscriptions another one names.
    let others = [json!({ "tenant": TENANT, "subscription": id(0), "name": "x" })];
    let (status, answer) = ada.post("/subscriptions/cancel", "k", &json!({ "subscriptions": others })).await;
    assert_eq!((status, problem(&answer)), (422, "idempotency-key-used"), "{answer}");
    let (status, answer) = ada.post("/subscriptions/cancel", "k", &json!({ "subscriptions": all })).await;
    assert_eq!((status, problem(&answer)), (422, "idempotency-key-used"), "without the note: {answer}");
    for (what, subscriptions) in [
        ("none", json!([])),
        (
            "eleven",
            Value::Array((0..11).map(|it| json!({ "tenant": TENANT, "subscription": id(it), "name": "x" })).collect()),
        ),
        ("twice", json!([all[0], all[0]])),
        ("no name", json!([{ "tenant": STRANGE, "subscription": id(77), "name": "" }])),
        ("a name that nothing has", json!([{ "tenant": STRANGE, "subscription": id(77), "name": "x".repeat(1_001) }])),
    ] {
        let (status, answer) = ada.post("/subscriptions/cancel", "l", &json!({ "subscriptions": subscriptions })).await;
        assert_eq!((status, problem(&answer)), (422, "value-refused"), "{what}");
    }
}
