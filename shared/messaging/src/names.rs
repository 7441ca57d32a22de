//! Asking for names, on the queue that runs are asked for on.

use std::future::Future;

use jiff::SignedDuration;
use models::NamesRequest;

use crate::{QueueError, ReconcileQueue};

/// Asks for names to be looked after.
pub trait AskForNames {
    /// Asks for these, after a delay of up to 15 minutes (SQS's limit). Where some can't be asked for, the others are all the same.
    fn ask_for_names(
        &self,
        requests: &[NamesRequest],
        delay: SignedDuration,
    ) -> impl Future<Output = Result<(), QueueError>> + Send;
}

impl AskForNames for ReconcileQueue {
    async fn ask_for_names(&self, requests: &[NamesRequest], delay: SignedDuration) -> Result<(), QueueError> {
        self.send_all(requests, delay).await
    }
}
