//! SQS queues, and the one that runs are asked for on.

use std::{future::Future, pin::Pin, time::Duration};

use aws_sdk_sqs::{Client, error::ProvideErrorMetadata, types::SendMessageBatchRequestEntry};
use jiff::SignedDuration;
use models::{Queued, ReconcileRequest};
use serde::Serialize;

/// A message that is not on the queue, or of which we do not know.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// It took longer than it may.
    #[error("sending to the reconcile queue took longer than {} seconds", .0.as_secs())]
    OutOfTime(Duration),
    /// Some entries of a batch were refused.
    #[error("the {queue} queue refused {refused} of {sent} messages ({code})")]
    Refused {
        /// Which queue.
        queue: &'static str,
        /// How many were refused.
        refused: usize,
        /// How many were sent.
        sent: usize,
        /// The first code.
        code: String,
    },
    /// The request failed.
    #[error("sending to the {queue} queue failed ({code})")]
    Failed {
        /// Which queue.
        queue: &'static str,
        /// SQS's code for it.
        code: String,
        /// SQS's words.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Rings for reconcile runs.
pub trait Ring {
    /// Asks for a run of one tenant after a delay of up to 15 minutes (SQS's limit).
    fn ring(
        &self,
        request: &ReconcileRequest,
        delay: SignedDuration,
    ) -> impl Future<Output = Result<(), QueueError>> + Send;

    /// Goes on with a chain of messages, after a delay of up to 15 minutes (SQS's limit).
    fn ring_again(
        &self,
        message: &Queued,
        delay: SignedDuration,
    ) -> impl Future<Output = Result<(), QueueError>> + Send;

    /// Asks for a run of each of these tenants, now. Where some can't be asked for, the others are all the same.
    fn ring_all(&self, requests: &[Queued]) -> impl Future<Output = Result<(), QueueError>> + Send;
}

/// The reconcile queue.
#[derive(Clone, Debug)]
pub struct ReconcileQueue(Queue);

/// A queue, whatever is on it.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    client: Client,
    url: String,
    /// What errors call it.
    name: &'static str,
}

/// Most entries of a batch (SQS's limit).
const BATCH: usize = 10;
/// The longest delay of a message (SQS's limit), in seconds.
const LONGEST_DELAY: i64 = 900;

impl ReconcileQueue {
    /// The queue at this address.
    #[must_use]
    pub fn new(client: Client, url: String) -> Self {
        Self(Queue::new(client, url, "reconcile"))
    }
}

impl Queue {
    pub(crate) fn new(client: Client, url: String, name: &'static str) -> Self {
        Self { client, url, name }
    }

    pub(crate) async fn send<M: Serialize + Sync>(&self, message: &M, delay: SignedDuration) -> Result<(), QueueError> {
        let message = self.client.send_message().queue_url(&self.url).message_body(self.body(message)?);
        message.delay_seconds(seconds(delay)).send().await.map_err(|error| self.failed(&code(&error), error))?;
        Ok(())
    }

    /// Sends messages, by the batch. Where some are refused, the others are sent all the same.
    pub(crate) async fn send_all<M: Serialize + Sync>(
        &self,
        messages: &[M],
        delay: SignedDuration,
    ) -> Result<(), QueueError> {
        let mut first_error = None;
        for batch in messages.chunks(BATCH) {
            // On the heap: the SDK's futures are deep, and those of whoever sends go around them.
            let sent: Pin<Box<dyn Future<Output = Result<(), QueueError>> + Send + '_>> =
                Box::pin(self.send_batch(batch, delay));
            if let Err(error) = sent.await {
                first_error.get_or_insert(error);
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    async fn send_batch<M: Serialize + Sync>(&self, messages: &[M], delay: SignedDuration) -> Result<(), QueueError> {
        let mut batch = self.client.send_message_batch().queue_url(&self.url);
        for (place, message) in messages.iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder().id(place.to_string()).message_body(self.body(message)?);
            let entry = if delay.is_positive() { entry.delay_seconds(seconds(delay)) } else { entry };
            batch = batch.entries(entry.build().map_err(|error| self.failed("entry not made", error))?);
        }
        let output = batch.send().await.map_err(|error| self.failed(&code(&error), error))?;
        match output.failed().first() {
            None => Ok(()),
            Some(first) => Err(QueueError::Refused {
                queue: self.name,
                refused: output.failed().len(),
                sent: messages.len(),
                code: first.code().to_owned(),
            }),
        }
    }

    fn body(&self, message: &impl Serialize) -> Result<String, QueueError> {
        serde_json::to_string(message).map_err(|error| self.failed("body not made", error))
    }

    fn failed(&self, code: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> QueueError {
        QueueError::Failed { queue: self.name, code: code.to_owned(), source: error.into() }
    }
}

impl Ring for ReconcileQueue {
    async fn ring(&self, request: &ReconcileRequest, delay: SignedDuration) -> Result<(), QueueError> {
        self.0.send(request, delay).await
    }

    async fn ring_again(&self, message: &Queued, delay: SignedDuration) -> Result<(), QueueError> {
        self.0.send(message, delay).await
    }

    async fn ring_all(&self, requests: &[Queued]) -> Result<(), QueueError> {
        self.0.send_all(requests, SignedDuration::ZERO).await
    }
}

/// A delay as SQS takes it. One that is cut short would be no delay: it is rounded up.
fn seconds(delay: SignedDuration) -> i32 {
    let seconds = (delay.as_secs() + i64::from(delay.subsec_nanos() > 0)).clamp(0, LONGEST_DELAY);
    i32::try_from(seconds).unwrap_or(0)
}

fn code(error: &impl ProvideErrorMetadata) -> String {
    error.code().unwrap_or("not reached").to_owned()
}
