//! What happens to the requests of one run: at which of them there is trouble, and where it is held up.

use std::{
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::Notify;

use crate::plan::{Held, Trouble, TroubleKind};

tokio::task_local! {
    /// The script of the run that makes a request.
    pub(crate) static SCRIPT: Arc<Script>;
}

/// What happens to the requests of one run.
#[derive(Debug, Default)]
pub(crate) struct Script {
    requests: Mutex<usize>,
    troubles: Vec<Trouble>,
    /// Where it is held up.
    stop: Option<Held>,
    stopped: AtomicBool,
    reached: Notify,
    released: Notify,
}

impl Script {
    pub(crate) fn new(troubles: &[Trouble]) -> Arc<Self> {
        Arc::new(Self { troubles: troubles.to_vec(), ..Self::default() })
    }

    pub(crate) fn held_up(troubles: &[Trouble], at: Held) -> Arc<Self> {
        Arc::new(Self { troubles: troubles.to_vec(), stop: Some(at), ..Self::default() })
    }

    /// Does this work by the script.
    pub(crate) fn play<T>(self: &Arc<Self>, work: impl Future<Output = T>) -> impl Future<Output = T> {
        SCRIPT.scope(Arc::clone(self), work)
    }

    /// Waits until the work is held up.
    pub(crate) async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Whether the work is held up at this request, and if so, whether the request is done before.
    pub(crate) fn stops_at(&self, place: usize, operation: &str) -> Option<bool> {
        let (is_here, done) = match self.stop? {
            Held::Aws { request, done } => (request == place, done),
            Held::Write { done } => (operation == "TransactWriteItems", done),
            Held::Microsoft { .. } => return None,
        };
        (is_here && !self.stopped.swap(true, Ordering::Relaxed)).then_some(done)
    }

    /// Says that the work has come to where it is held up, and waits until it may go on.
    pub(crate) async fn hold_up(&self) {
        self.reached.notify_one();
        self.released.notified().await;
    }

    /// Lets it go on.
    pub(crate) fn release(&self) {
        self.released.notify_one();
    }

    /// How many requests there were.
    pub(crate) fn requests(&self) -> usize {
        *self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place of the next request, from 0.
    pub(crate) fn next(&self) -> usize {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests += 1;
        *requests - 1
    }

    /// The trouble at this place.
    pub(crate) fn trouble(&self, at: usize) -> Option<TroubleKind> {
        self.troubles.iter().find(|trouble| trouble.at == at).map(|trouble| trouble.kind)
    }
}
