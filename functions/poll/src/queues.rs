//! The two queues: runs are asked for on one, names on the other, and neither's messages wait behind the other's.

use jiff::SignedDuration;
use messaging::{AskForNames, NamesQueue, QueueError, ReconcileQueue, Ring};
use models::{NamesRequest, Queued, ReconcileRequest};

/// Where `poll` sends what it asks of itself.
#[derive(Clone, Debug)]
pub struct Queues {
    /// For runs.
    pub reconcile: ReconcileQueue,
    /// For names.
    pub names: NamesQueue,
}

impl Ring for Queues {
    async fn ring(&self, request: &ReconcileRequest, delay: SignedDuration) -> Result<(), QueueError> {
        self.reconcile.ring(request, delay).await
    }

    async fn ring_again(&self, message: &Queued, delay: SignedDuration) -> Result<(), QueueError> {
        self.reconcile.ring_again(message, delay).await
    }

    async fn ring_all(&self, requests: &[Queued]) -> Result<(), QueueError> {
        self.reconcile.ring_all(requests).await
    }
}

impl AskForNames for Queues {
    async fn ask_for_names(&self, requests: &[NamesRequest], delay: SignedDuration) -> Result<(), QueueError> {
        self.names.ask_for_names(requests, delay).await
    }
}
