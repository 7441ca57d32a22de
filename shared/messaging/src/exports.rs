//! Turns of exports, on a queue of their own: however many there are, nothing else waits behind them.

use std::future::Future;

use aws_sdk_sqs::Client;
use jiff::SignedDuration;
use models::ExportTurn;

use crate::{QueueError, queue::Queue};

/// Asks for turns of exports.
pub trait AskForExports {
    /// Asks for this one, after a delay of up to 15 minutes (SQS's limit).
    fn ask_for_export(
        &self,
        turn: &ExportTurn,
        delay: SignedDuration,
    ) -> impl Future<Output = Result<(), QueueError>> + Send;
}

/// The exports queue.
#[derive(Clone, Debug)]
pub struct ExportsQueue(Queue);

impl ExportsQueue {
    /// The queue at this address.
    #[must_use]
    pub fn new(client: Client, url: String) -> Self {
        Self(Queue::new(client, url, "exports"))
    }
}

impl AskForExports for ExportsQueue {
    async fn ask_for_export(&self, turn: &ExportTurn, delay: SignedDuration) -> Result<(), QueueError> {
        self.0.send(turn, delay).await
    }
}
