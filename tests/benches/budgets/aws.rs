//! An AWS that takes everything, keeps nothing and is quick: to it every event is new and every alert unknown, so that each
//! invocation goes the whole way. The embedded engine would slow down with what it keeps, and hide what is measured.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    serve::ListenerExt as _,
};
use serde_json::{Value, json};
use tests::{CLIENT_ID, CLIENT_SECRET};
use tokio::{net::TcpListener, task::JoinSet};

/// The endpoint. Dropped, it is gone.
#[derive(Debug)]
pub(crate) struct Aws {
    pub(crate) url: String,
    _server: JoinSet<()>,
}

impl Aws {
    /// Starts it, with the configuration of the only tenant as its item in the table.
    pub(crate) async fn start(tenant: Value) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
        let mut server = JoinSet::new();
        let router = Router::new().fallback(answer).with_state(Arc::new(tenant));
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, _server: server }
    }
}

async fn answer(State(tenant): State<Arc<Value>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").map(|target| target.to_str().unwrap());
    let Some(target) = target else { return published() };
    let text = std::str::from_utf8(&body).unwrap();
    let (_, operation) = target.split_once('.').unwrap();
    let answer = match operation {
        "BatchGetItem" => json!({ "Responses": {}, "UnprocessedKeys": {} }),
        "GetSecretValue" => {
            let secret = json!({ "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET });
            json!({ "Name": "secret", "SecretString": secret.to_string() })
        }
        "Query" if text.contains(r#"{"S":"tenants"}"#) => json!({ "Items": [*tenant], "Count": 1, "ScannedCount": 1 }),
        "Query" => json!({ "Items": [], "Count": 0, "ScannedCount": 0 }),
        "SendMessage" => {
            json!({ "MessageId": "219f8380-5770-4cc2-8c3e-5c715e145f5e", "MD5OfMessageBody": "unchecked" })
        }
        "UpdateItem" if text.contains("credential#") => json!({ "Attributes": {} }),
        "UpdateItem" if text.contains("ALL_NEW") => json!({ "Attributes": state() }),
        "PutItem" | "TransactWriteItems" | "UpdateItem" => json!({}),
        other => panic!("a function asked for {other}, which is not in what is measured"),
    };
    ([(header::CONTENT_TYPE, "application/x-amz-json-1.0")], answer.to_string()).into_response()
}

/// The state of the tenant as its lease sees it: granted, and its first run is behind it.
fn state() -> Value {
    json!({
        "fence": { "N": "2" },
        "lease_until": { "N": "0" },
        "started": { "N": "0" },
        "ring_again": { "BOOL": false },
        "baseline": { "S": "2026-03-02T09:00:00.000Z" },
    })
}

/// The answer of SNS, which still speaks XML.
fn published() -> Response {
    let id = "567910cd-659e-55d4-8ccb-5aaf14679dc0";
    let xml = format!(
        "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>{id}</MessageId>\
         </PublishResult></PublishResponse>"
    );
    ([(header::CONTENT_TYPE, "text/xml")], xml).into_response()
}
