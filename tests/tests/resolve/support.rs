//! A desk: a system with alerts, and people who act on them.

use std::sync::Arc;

use api::{Answer, Request};
use identity::{Caller, How, Verdict};
use models::{Act, Chain, Entry, Operation, OperationId, TenantId, verify};
use serde_json::{Value, json};
use store::{AlertAtWork, ReadActivity as _, ReadOperations as _, ReadWork as _};
use tests::{ByHand, TENANT, queue_record, somebody};

/// What people are called here.
const NAME: &str = "agent@contoso.example";
/// The tenant of nobody here.
pub(crate) const OTHER: &str = "0a0a0a0a-1111-4222-8333-444444444444";

/// A person of these roles, by a session or by a token.
pub(crate) fn caller(roles: &[&str], how: How) -> Caller {
    person("77777777-2222-4333-8444-555555555555", roles, how)
}

/// The same of this object id.
pub(crate) fn person(oid: &str, roles: &[&str], how: How) -> Caller {
    somebody::caller(&somebody::claims(oid, NAME, roles), how, None)
}

/// An Admin Agent by a token, whose role allows what this map says.
pub(crate) fn by_map(map: &str) -> Caller {
    let claims = somebody::claims("77777777-2222-4333-8444-555555555555", NAME, &["AdminAgent"]);
    somebody::caller(&claims, How::Bearer, Some(map))
}

/// An Admin Agent with a token.
pub(crate) fn agent() -> Caller {
    caller(&["AdminAgent"], How::Bearer)
}

/// An answer, taken apart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) location: Option<String>,
}

impl Reply {
    pub(crate) fn of(answer: &Answer) -> Self {
        Self {
            status: answer.status().as_u16(),
            body: serde_json::from_str(answer.body()).unwrap_or_default(),
            location: answer.headers().get("location").map(|value| value.to_str().unwrap().to_owned()),
        }
    }

    /// The type of the problem.
    pub(crate) fn problem(&self) -> &str {
        self.body["type"].as_str().unwrap_or_default().trim_start_matches("/problems/")
    }

    pub(crate) fn operation(&self) -> OperationId {
        self.body["operation"].as_str().unwrap().parse().unwrap()
    }
}

/// A request as API Gateway hands it over.
pub(crate) fn request(
    route: &str,
    path: &Value,
    query: &str,
    key: Option<&str>,
    body: &Value,
    caller: Caller,
) -> Request {
    let mut headers = json!({ "content-type": "application/json" });
    if let Some(key) = key {
        headers["idempotency-key"] = key.into();
    }
    sent(route, path, query, &headers, &body.to_string(), caller)
}

/// A form of a page of this origin, as a browser sends it.
pub(crate) fn form(route: &str, path: &Value, fields: &[(&str, &str)], origin: &str, caller: Caller) -> Request {
    let headers = json!({ "content-type": "application/x-www-form-urlencoded", "origin": origin });
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    sent(route, path, "", &headers, &body, caller)
}

fn sent(route: &str, path: &Value, query: &str, headers: &Value, body: &str, caller: Caller) -> Request {
    let method = route.split(' ').next().unwrap();
    let event = json!({
        "version": "2.0", "routeKey": route, "rawPath": "/api/v1", "rawQueryString": query, "headers": headers,
        "pathParameters": path, "isBase64Encoded": false, "body": body,
        "requestContext": {
            "accountId": "000000000000", "apiId": "x", "domainName": "alerts.example", "domainPrefix": "alerts", "requestId": "r",
            "http": { "method": method, "path": "/api/v1", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "" },
            "routeKey": route, "stage": "$default", "time": "01/Jan/1970:00:00:00 +0000", "timeEpoch": 0,
            "authorizer": { "lambda": Verdict::Ok(caller).context() },
        },
    });
    Request::read(lambda_http::request::from_str(&event.to_string()).unwrap(), "request-1", None)
}

/// A request about an alert of the seed tenant.
pub(crate) fn about(alert: &str, act: &str, key: Option<&str>, body: &Value, caller: Caller) -> Request {
    let route = format!("POST /api/v1/tenants/{{tenant}}/alerts/{{alert}}/{act}");
    request(&route, &json!({ "tenant": TENANT, "alert": alert }), "", key, body, caller)
}

/// The system.
pub(crate) struct Desk {
    pub(crate) system: Arc<ByHand>,
    pub(crate) resolve: resolve::Deployed,
}

impl Desk {
    /// A system that knows these alerts.
    pub(crate) async fn with(alerts: &[&str]) -> Self {
        let system = ByHand::start().await;
        system.for_people().await;
        system.baseline().await;
        for alert in alerts {
            system.raise(alert);
        }
        system.complete(alerts.len(), alerts.len()).await;
        let _ = system.tap.take();
        let resolve = resolve::wire(&system.parts).unwrap();
        Self { system: Arc::new(system), resolve }
    }

    pub(crate) fn tenant(&self) -> TenantId {
        self.system.tenant.clone()
    }

    pub(crate) async fn send(&self, request: &Request) -> Reply {
        Reply::of(&self.resolve.answer(request).await)
    }

    /// An Admin Agent does this.
    pub(crate) async fn act(&self, alert: &str, act: &str, body: &Value) -> Reply {
        self.send(&about(alert, act, None, body, agent())).await
    }

    /// The same under a key.
    pub(crate) async fn act_by(&self, key: &str, alert: &str, act: &str, body: &Value) -> Reply {
        self.send(&about(alert, act, Some(key), body, agent())).await
    }

    /// An alert as it is kept.
    pub(crate) async fn kept(&self, alert: &str) -> AlertAtWork {
        self.system.store().at_work(&self.tenant(), &alert.parse().unwrap()).await.unwrap().unwrap()
    }

    pub(crate) async fn version(&self, alert: &str) -> u64 {
        self.kept(alert).await.stored.version
    }

    pub(crate) async fn operation(&self, id: &OperationId) -> Operation {
        self.system.store().operation(&self.tenant(), id).await.unwrap().unwrap()
    }

    /// Resolves an alert as it is kept.
    pub(crate) async fn resolve_as(&self, alert: &str, reason: &str) -> Reply {
        let version = self.version(alert).await;
        self.act(alert, "resolve", &json!({ "version": version, "reason": reason })).await
    }

    /// What is written of an alert (or of the tenant), in its order, from a chain that is as it was written.
    pub(crate) async fn lines(&self, alert: Option<&str>) -> Vec<Entry> {
        let chain = Chain { tenant: self.tenant(), alert: alert.map(|alert| alert.parse().unwrap()) };
        let kept = self.system.store().kept_chain(&chain).await.unwrap();
        assert_eq!(verify(&chain, &kept.lines, kept.head.as_ref()), []);
        kept.lines.iter().map(|line| line.read().unwrap().entry).collect()
    }

    pub(crate) async fn acts(&self, alert: &str) -> Vec<Act> {
        self.lines(Some(alert)).await.into_iter().map(|entry| entry.act).collect()
    }

    /// An alert's status and reason at Microsoft, and how often it was set.
    pub(crate) fn at_microsoft(&self, alert: &str) -> (String, Option<String>, usize) {
        let found = self.system.microsoft.alerts(TENANT).into_iter().find(|found| found.id == alert).unwrap();
        (found.status, found.resolved_reason, found.activity_logs.len())
    }

    /// What was put on the operations queue since the last look, as bodies.
    pub(crate) fn queued(&self) -> Vec<String> {
        let batches = self.system.tap.take_bodies("SendMessageBatch");
        let batches = batches.iter().map(|batch| serde_json::from_str::<Value>(batch).unwrap());
        let entries = batches.flat_map(|batch| batch["Entries"].as_array().unwrap().clone());
        entries.map(|entry| entry["MessageBody"].as_str().unwrap().to_owned()).collect()
    }

    /// Hands messages to the function as SQS and Lambda do, and says whether all are done.
    pub(crate) async fn deliver(&self, bodies: &[String]) -> bool {
        let records: Vec<_> = bodies.iter().map(|body| queue_record("message", body)).collect();
        let invocation = serde_json::from_value(json!({ "Records": records })).unwrap();
        self.resolve.follow(invocation, "follow-1", None).await.unwrap().batch_item_failures.is_empty()
    }

    pub(crate) async fn sweep(&self) -> Result<(), resolve::SweepError> {
        let invocation = serde_json::from_value(json!({ "task": "sweep" })).unwrap();
        self.resolve.follow(invocation, "sweep-1", None).await.map(|_| ())
    }
}
