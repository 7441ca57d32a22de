//! SQS: the queues of runs, of names and of operations, delivered to a function as Lambda would, and the dead letters, which wait for people.
//!
//! In memory: what is on it is lost with the process, as nothing depends on the queue for being right (the schedule looks).

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    http::{HeaderValue, StatusCode},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{failure, json};
use crate::stop::{Stop, stopped};

/// Takes an SQS event as Lambda would hand it over, and says whether its one message is done.
pub(crate) type Consumer = Arc<dyn Fn(Value) -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

/// How often a message is received before it goes to the dead letters (`template.yaml`: maxReceiveCount).
const RECEIVES: u32 = 3;
/// How long a message that failed stays away. `template.yaml` has 12 minutes; nobody waits that long here.
const VISIBILITY: Duration = Duration::from_secs(30);
/// The largest message, in bytes.
const MESSAGE_BYTES: usize = 262_144;

/// The queues, by what their addresses end in.
#[derive(Clone, Debug)]
pub(crate) struct Queues {
    pub(crate) reconcile: Queue,
    pub(crate) names: Queue,
    pub(crate) operations: Queue,
    pub(crate) reconcile_dead_letters: Held,
    pub(crate) names_dead_letters: Held,
    pub(crate) operations_dead_letters: Held,
    pub(crate) stream_dead_letters: Held,
}

/// Messages that nobody takes: all that is known of them is how many there are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held(Arc<AtomicUsize>);

impl Held {
    /// One more.
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn remove(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Addressed {
    queue_url: String,
}

impl Queues {
    pub(crate) fn new(delivers: bool, stop: Stop) -> Self {
        let (reconcile_dead_letters, names_dead_letters) = (Held::default(), Held::default());
        let operations_dead_letters = Held::default();
        Self {
            reconcile: Queue::new("reconcile", delivers, stop.clone(), reconcile_dead_letters.clone()),
            names: Queue::new("names", delivers, stop.clone(), names_dead_letters.clone()),
            operations: Queue::new("operations", delivers, stop, operations_dead_letters.clone()),
            reconcile_dead_letters,
            names_dead_letters,
            operations_dead_letters,
            stream_dead_letters: Held::default(),
        }
    }

    pub(super) fn answer(&self, operation: &str, body: &[u8]) -> Response {
        let Ok(Addressed { queue_url }) = serde_json::from_slice(body) else {
            return failure(StatusCode::BAD_REQUEST, "MissingParameter", "no QueueUrl");
        };
        let held = match queue_url.rsplit('/').next() {
            Some("reconcile") if operation != "GetQueueAttributes" => return self.reconcile.answer(operation, body),
            Some("names") if operation != "GetQueueAttributes" => return self.names.answer(operation, body),
            Some("operations") if operation != "GetQueueAttributes" => return self.operations.answer(operation, body),
            Some("operations") => &self.operations.waiting,
            Some("operations-dead-letters") => &self.operations_dead_letters,
            Some("reconcile") => &self.reconcile.waiting,
            Some("names") => &self.names.waiting,
            Some("reconcile-dead-letters") => &self.reconcile_dead_letters,
            Some("names-dead-letters") => &self.names_dead_letters,
            Some("stream-dead-letters") => &self.stream_dead_letters,
            _ => return no_such_queue(),
        };
        match operation {
            "GetQueueAttributes" => {
                let attributes = json!({ "Attributes": { "ApproximateNumberOfMessages": held.count().to_string() } });
                json(StatusCode::OK, attributes.to_string())
            }
            "SendMessage" => match serde_json::from_slice::<SendMessage>(body) {
                Ok(message) => {
                    held.add();
                    json(StatusCode::OK, sent(&message).to_string())
                }
                Err(_) => failure(StatusCode::BAD_REQUEST, "MissingParameter", "no message"),
            },
            _ => failure(StatusCode::BAD_REQUEST, "UnknownOperationException", operation),
        }
    }
}

/// What SQS says of a queue that does not exist, in the two forms that clients look for.
fn no_such_queue() -> Response {
    let message = "The specified queue does not exist.";
    let mut response = failure(StatusCode::BAD_REQUEST, "com.amazonaws.sqs#QueueDoesNotExist", message);
    let code = HeaderValue::from_static("AWS.SimpleQueueService.NonExistentQueue;Sender");
    response.headers_mut().insert("x-amzn-query-error", code);
    response
}

/// A queue that wakes a function.
#[derive(Clone)]
pub(crate) struct Queue {
    name: &'static str,
    consumer: Arc<OnceLock<Consumer>>,
    stop: Stop,
    delivers: bool,
    in_flight: Arc<watch::Sender<usize>>,
    /// What was sent and is neither done nor given up.
    waiting: Held,
    dead_letters: Held,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Queue").finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessage {
    message_body: String,
    #[serde(default)]
    delay_seconds: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessageBatch {
    entries: Vec<BatchEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchEntry {
    id: String,
    #[serde(flatten)]
    message: SendMessage,
}

impl Queue {
    fn new(name: &'static str, delivers: bool, stop: Stop, dead_letters: Held) -> Self {
        Self {
            name,
            consumer: Arc::default(),
            stop,
            delivers,
            in_flight: Arc::default(),
            waiting: Held::default(),
            dead_letters,
        }
    }

    /// Names the function that the queue wakes. Only the first call counts.
    pub(crate) fn wakes(&self, consumer: Consumer) {
        let _ = self.consumer.set(consumer);
    }

    /// Returns when no message is being handled.
    pub(crate) async fn idle(&self) {
        let _ = self.in_flight.subscribe().wait_for(|count| *count == 0).await;
    }

    fn answer(&self, operation: &str, body: &[u8]) -> Response {
        match operation {
            "SendMessage" => match serde_json::from_slice::<SendMessage>(body) {
                Ok(message) if message.fits() => json(StatusCode::OK, self.take(message).to_string()),
                Ok(_) => failure(StatusCode::BAD_REQUEST, "InvalidParameterValue", "the message is too long"),
                Err(_) => failure(StatusCode::BAD_REQUEST, "MissingParameter", "no message"),
            },
            "SendMessageBatch" => match serde_json::from_slice::<SendMessageBatch>(body) {
                Ok(batch) if (1..=10).contains(&batch.entries.len()) => json(StatusCode::OK, self.take_all(batch)),
                Ok(_) => failure(StatusCode::BAD_REQUEST, "TooManyEntriesInBatchRequest", "1 to 10 entries"),
                Err(_) => failure(StatusCode::BAD_REQUEST, "MissingParameter", "no entries"),
            },
            _ => failure(StatusCode::BAD_REQUEST, "UnknownOperationException", operation),
        }
    }

    fn take_all(&self, batch: SendMessageBatch) -> String {
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for BatchEntry { id, message } in batch.entries {
            if message.fits() {
                let mut sent = self.take(message);
                sent["Id"] = id.into();
                successful.push(sent);
            } else {
                failed.push(json!({ "Id": id, "Code": "InvalidParameterValue", "SenderFault": true }));
            }
        }
        json!({ "Successful": successful, "Failed": failed }).to_string()
    }

    fn take(&self, message: SendMessage) -> Value {
        let sent = sent(&message);
        self.waiting.add();
        if self.delivers {
            let id = sent["MessageId"].as_str().unwrap_or_default().to_owned();
            tokio::spawn(self.clone().deliver(id, message));
        }
        sent
    }

    async fn deliver(mut self, id: String, message: SendMessage) {
        let mut wait = Duration::from_secs(message.delay_seconds);
        for receive in 1..=RECEIVES {
            if !self.waits(wait).await {
                return;
            }
            let Some(consumer) = self.consumer.get() else { return };
            let record = json!({
                "messageId": id,
                "receiptHandle": id,
                "body": message.message_body,
                "attributes": { "ApproximateReceiveCount": receive.to_string() },
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "awsRegion": "eu-west-1",
            });
            let _in_flight = InFlight::begin(&self.in_flight);
            // Asked again under the count: whoever waits for `idle` has said stop before.
            if *self.stop.borrow() {
                return;
            }
            if consumer(json!({ "Records": [record] })).await {
                self.waiting.remove();
                return;
            }
            wait = VISIBILITY;
        }
        self.waiting.remove();
        self.dead_letters.add();
        tracing::error!(message.id = id, "a message of the {} queue failed {RECEIVES} times: dead letter", self.name);
    }

    /// Waits; false where the system stops first.
    async fn waits(&mut self, wait: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(wait) => true,
            () = stopped(&mut self.stop) => false,
        }
    }
}

/// What is answered to whoever sends a message.
fn sent(message: &SendMessage) -> Value {
    let digest = format!("{:x}", md5::compute(&message.message_body));
    json!({ "MessageId": uuid::Uuid::new_v4().to_string(), "MD5OfMessageBody": digest })
}

/// A message that is being handled, counted until it is dropped.
struct InFlight(Arc<watch::Sender<usize>>);

impl InFlight {
    fn begin(count: &Arc<watch::Sender<usize>>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(Arc::clone(count))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl SendMessage {
    fn fits(&self) -> bool {
        self.message_body.len() <= MESSAGE_BYTES && self.delay_seconds <= 900
    }
}
