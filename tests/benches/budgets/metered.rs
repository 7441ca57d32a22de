//! Between a function and the local system's AWS: what DynamoDB is asked for, in requests and in units.
//!
//! Units are what the embedded engine says of each request: it counts as AWS documents it. A unit reads up to 4 kB, of all that a
//! query finds or of each item of a batch, and half a unit does where the read need not be consistent; one writes up to 1 kB of an
//! item, once more for each index that it changes, and twice of all in a transaction.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    serve::ListenerExt as _,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

/// What DynamoDB was asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    /// By operation: requests and units.
    pub(crate) operations: BTreeMap<String, (u32, f64)>,
    /// What of it was for the figures: requests and units.
    pub(crate) figures: (u32, f64),
    /// Items of the alerts table that were written, or were to be.
    pub(crate) alert_writes: u32,
}

impl Taken {
    /// The units of requests that read.
    pub(crate) fn read_units(&self) -> f64 {
        self.units(|operation| matches!(operation, "BatchGetItem" | "GetItem" | "Query" | "Scan"))
    }

    /// The units of those that write.
    pub(crate) fn write_units(&self) -> f64 {
        self.units(|operation| !matches!(operation, "BatchGetItem" | "GetItem" | "Query" | "Scan"))
    }

    /// How many requests there were.
    pub(crate) fn requests(&self) -> u32 {
        self.operations.values().map(|(requests, _)| requests).sum()
    }

    fn units(&self, counts: impl Fn(&str) -> bool) -> f64 {
        // Not `sum`, which begins at minus nothing.
        let counted = self.operations.iter().filter(|(operation, _)| counts(operation));
        counted.fold(0.0, |sum, (_, (_, units))| sum + units)
    }

    fn note(&mut self, operation: &str, alerts: &str, request: &Value, answer: &Value) {
        let capacity = &answer["ConsumedCapacity"];
        let units = |capacity: &Value| capacity["CapacityUnits"].as_f64().unwrap();
        // A refused request says nothing of it.
        let units = match capacity.as_array() {
            Some(tables) => tables.iter().map(units).fold(0.0, |sum, units| sum + units),
            None if capacity.is_null() => 0.0,
            None => units(capacity),
        };
        let of_operation = self.operations.entry(operation.to_owned()).or_default();
        *of_operation = (of_operation.0 + 1, of_operation.1 + units);
        if request["ExpressionAttributeValues"][":pk"]["S"].as_str().is_some_and(|key| key.ends_with("#stats")) {
            self.figures = (self.figures.0 + 1, self.figures.1 + units);
        }
        let written =
            |action: &Value| ["Delete", "Put", "Update"].iter().any(|kind| action[kind]["TableName"] == alerts);
        self.alert_writes += match operation {
            "DeleteItem" | "PutItem" | "UpdateItem" => u32::from(request["TableName"] == alerts),
            "TransactWriteItems" => {
                let actions = request["TransactItems"].as_array().unwrap().iter();
                u32::try_from(actions.filter(|action| written(action)).count()).unwrap()
            }
            _ => 0,
        };
    }
}

/// The meter. Dropped, it is gone.
#[derive(Debug)]
pub(crate) struct Metered {
    /// Where functions find AWS.
    pub(crate) url: String,
    behind: Arc<Behind>,
    _server: JoinSet<()>,
}

#[derive(Debug)]
struct Behind {
    url: String,
    alerts: String,
    client: reqwest::Client,
    taken: Mutex<Taken>,
}

impl Metered {
    /// Starts it before the AWS at this address, which keeps alerts in this table.
    #[expect(
        clippy::disallowed_methods,
        reason = "plain http on this machine, which the client of the functions refuses"
    )]
    pub(crate) async fn start(aws: &str, alerts: &str) -> Self {
        // One is enough for the process, whoever brings it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let (url, alerts) = (aws.to_owned(), alerts.to_owned());
        let behind = Arc::new(Behind { url, alerts, client, taken: Mutex::default() });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&behind));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, behind, _server: server }
    }

    /// What was asked for since the last time.
    pub(crate) fn take(&self) -> Taken {
        std::mem::take(&mut self.behind.taken.lock().unwrap())
    }
}

async fn answer(State(behind): State<Arc<Behind>>, mut headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").map(|target| target.to_str().unwrap().to_owned()).unwrap_or_default();
    let operation = target.strip_prefix("DynamoDB_20120810.");
    let mut request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let sent = if operation.is_some() {
        request["ReturnConsumedCapacity"] = json!("TOTAL");
        Bytes::from(request.to_string())
    } else {
        body
    };
    headers.remove(header::HOST);
    headers.remove(header::CONTENT_LENGTH);
    let answered = behind.client.post(&behind.url).headers(headers).body(sent).send().await.unwrap();
    let status = StatusCode::from_u16(answered.status().as_u16()).unwrap();
    let kind = answered.headers()[header::CONTENT_TYPE].clone();
    let body = answered.bytes().await.unwrap();
    if let Some(operation) = operation {
        let answer = serde_json::from_slice(&body).unwrap();
        behind.taken.lock().unwrap().note(operation, &behind.alerts, &request, &answer);
    }
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}
