//! Looks at operations, on a queue of their own.

use std::future::Future;

use aws_sdk_sqs::Client;
use jiff::SignedDuration;
use models::FollowUp;

use crate::{QueueError, queue::Queue};

/// Asks for looks at operations.
pub trait AskForFollowUps {
    /// Asks for these, after a delay of up to 15 minutes (SQS's limit). Where some can't be asked for, the others are all the same.
    fn ask_for_follow_ups(
        &self,
        looks: &[FollowUp],
        delay: SignedDuration,
    ) -> impl Future<Output = Result<(), QueueError>> + Send;
}

/// The operations queue.
#[derive(Clone, Debug)]
pub struct OperationsQueue(Queue);

impl OperationsQueue {
    /// The queue at this address.
    #[must_use]
    pub fn new(client: Client, url: String) -> Self {
        Self(Queue::new(client, url, "operations"))
    }
}

impl AskForFollowUps for OperationsQueue {
    async fn ask_for_follow_ups(&self, looks: &[FollowUp], delay: SignedDuration) -> Result<(), QueueError> {
        self.0.send_all(looks, delay).await
    }
}
