//! SQS: one queue, delivered to a function as Lambda would.
//!
//! In memory: what is on it is lost with the process, as nothing depends on the queue for being right (the schedule looks).

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{http::StatusCode, response::Response};
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

/// The queue.
#[derive(Clone)]
pub(crate) struct Queue {
    consumer: Arc<OnceLock<Consumer>>,
    stop: Stop,
    delivers: bool,
    in_flight: Arc<watch::Sender<usize>>,
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
    pub(crate) fn new(delivers: bool, stop: Stop) -> Self {
        Self { consumer: Arc::default(), stop, delivers, in_flight: Arc::default() }
    }

    /// Names the function that the queue wakes. Only the first call counts.
    pub(crate) fn wakes(&self, consumer: Consumer) {
        let _ = self.consumer.set(consumer);
    }

    /// Returns when no message is being handled.
    pub(crate) async fn idle(&self) {
        let _ = self.in_flight.subscribe().wait_for(|count| *count == 0).await;
    }

    pub(super) fn answer(&self, operation: &str, body: &[u8]) -> Response {
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
        let id = uuid::Uuid::new_v4().to_string();
        let digest = format!("{:x}", md5::compute(&message.message_body));
        if self.delivers {
            tokio::spawn(self.clone().deliver(id.clone(), message));
        }
        json!({ "MessageId": id, "MD5OfMessageBody": digest })
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
            if *self.stop.borrow() || consumer(json!({ "Records": [record] })).await {
                return;
            }
            wait = VISIBILITY;
        }
        tracing::error!(message.id = id, "a message of the reconcile queue failed {RECEIVES} times: dead letter");
    }

    /// Waits; false where the system stops first.
    async fn waits(&mut self, wait: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(wait) => true,
            () = stopped(&mut self.stop) => false,
        }
    }
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
