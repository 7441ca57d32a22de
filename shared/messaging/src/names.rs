//! Asking for names, on a queue of their own: however many wait there, no run waits behind them.

use std::future::Future;

use aws_sdk_sqs::Client;
use jiff::SignedDuration;
use models::NamesRequest;

use crate::{QueueError, queue::Queue};

/// Asks for names to be looked after.
pub trait AskForNames {
    /// Asks for these, after a delay of up to 15 minutes (SQS's limit). Where some can't be asked for, the others are all the same.
    fn ask_for_names(
        &self,
        requests: &[NamesRequest],
        delay: SignedDuration,
    ) -> impl Future<Output = Result<(), QueueError>> + Send;
}

/// The names queue.
#[derive(Clone, Debug)]
pub struct NamesQueue(Queue);

impl NamesQueue {
    /// The queue at this address.
    #[must_use]
    pub fn new(client: Client, url: String) -> Self {
        Self(Queue::new(client, url, "names"))
    }
}

impl AskForNames for NamesQueue {
    async fn ask_for_names(&self, requests: &[NamesRequest], delay: SignedDuration) -> Result<(), QueueError> {
        self.0.send_all(requests, delay).await
    }
}
