//! What the suites over the whole system share: a local system of their own, and its published messages as events to await.

pub mod account;
pub mod binaries;
pub mod lambda;
pub mod measured;
pub mod secrets;
pub mod somebody;
pub mod troubles;
pub mod vault;
pub mod wire;

mod by_hand;
mod counted;
mod gateway_event;
mod hand_queue;
mod lines;
mod published;
mod scripted;
mod secrets_manager;
mod tap;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use local::{LocalError, Published, System};
use runtime::{SharedClock, SystemClock, Variables};
use tempfile::TempDir;
use tokio::sync::Notify;

pub use by_hand::{
    ByHand, CLIENT_ID, CLIENT_SECRET, Item, OutboxItem, PATH_KEY, START, Setup, TENANT, addresses, number,
    queue_record, stream_record, text, typed,
};
pub use counted::Counted;
pub use gateway_event::{WAYS, Way, gateway_event};
pub use hand_queue::{HandQueue, VISIBILITY, Waiting};
pub use lines::Lines;
pub use published::{events, of_each_kind, sample_alert};
pub use scripted::{Asked, Scripted};
pub use secrets_manager::secrets_behave;
pub use tap::{Call, Gate, Tap};

/// How long an event may be waited for before a test gives up. Far above what anything takes: it decides nothing.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Messages as they are published.
#[derive(Clone, Debug, Default)]
pub struct Messages {
    seen: Arc<Mutex<Vec<Published>>>,
    more: Arc<Notify>,
}

impl Messages {
    fn push(&self, message: &Published) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(message.clone());
        self.more.notify_waiters();
    }

    /// All messages so far.
    #[must_use]
    pub fn all(&self) -> Vec<Published> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The messages of the fraud topic so far.
    #[must_use]
    pub fn fraud(&self) -> Vec<Published> {
        self.all().into_iter().filter(|message| message.topic.ends_with("-fraud")).collect()
    }

    /// The messages of the events topic so far.
    #[must_use]
    pub fn events(&self) -> Vec<Published> {
        self.all().into_iter().filter(|message| message.topic.ends_with("-events")).collect()
    }

    /// The messages of the operations topic so far.
    #[must_use]
    pub fn operations(&self) -> Vec<Published> {
        self.all().into_iter().filter(|message| message.topic.ends_with("-operations")).collect()
    }

    /// Waits until the messages so far are as wanted.
    ///
    /// # Panics
    ///
    /// Where that does not come to be.
    pub async fn until(&self, what: &str, wanted: impl Fn(&Messages) -> bool) {
        let waiting = async {
            loop {
                let mut more = std::pin::pin!(self.more.notified());
                more.as_mut().enable();
                if wanted(self) {
                    return;
                }
                more.await;
            }
        };
        let ended = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(ended.is_ok(), "waited in vain until {what}; published so far: {:#?}", self.all());
    }
}

/// A local system for one test: on ports of its own, in a folder of its own.
#[derive(Debug)]
pub struct TestSystem {
    /// The system.
    pub system: System,
    /// What it published.
    pub messages: Messages,
    folder: TempDir,
}

/// The variables that give a local system ports of its own and no demonstration; queue, streams and schedules are on.
#[must_use]
pub fn variables(state: &Path) -> Vec<(&'static str, String)> {
    vec![
        ("LOCAL_GATEWAY", "127.0.0.1:0".to_owned()),
        ("LOCAL_MICROSOFT", "127.0.0.1:0".to_owned()),
        ("LOCAL_CONTROL", "127.0.0.1:0".to_owned()),
        ("LOCAL_STATE_DIRECTORY", state.display().to_string()),
        ("LOCAL_DEMONSTRATION", "off".to_owned()),
        ("RECONCILE_GAP_SECONDS", "1".to_owned()),
    ]
}

/// Nothing runs by itself: a test wakes the functions.
pub const BY_HAND: [(&str, &str); 3] = [("LOCAL_QUEUE", "off"), ("LOCAL_SCHEDULE", "off"), ("LOCAL_STREAMS", "off")];

impl TestSystem {
    /// Starts a system, with these variables over the usual ones.
    ///
    /// # Errors
    ///
    /// As [`System::start`].
    ///
    /// # Panics
    ///
    /// Where there is no room for a temporary folder.
    pub async fn start(extra: &[(&'static str, &str)]) -> Result<Self, LocalError> {
        Self::start_by(Arc::new(SystemClock), extra).await
    }

    /// The same by another clock.
    ///
    /// # Errors
    ///
    /// As [`System::start`].
    ///
    /// # Panics
    ///
    /// As [`TestSystem::start`].
    pub async fn start_by(clock: SharedClock, extra: &[(&'static str, &str)]) -> Result<Self, LocalError> {
        #[expect(clippy::expect_used, reason = "a test without a temporary folder can't go on")]
        let folder = TempDir::new().expect("a temporary folder can be made");
        Self::start_in(folder, clock, extra).await
    }

    async fn start_in(folder: TempDir, clock: SharedClock, extra: &[(&'static str, &str)]) -> Result<Self, LocalError> {
        let messages = Messages::default();
        let told = messages.clone();
        let set = extra.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let variables = Variables::default().over(set).over(variables(&folder.path().join("state")));
        let started = System::start_by(clock, variables, Arc::new(move |message| told.push(message)));
        let system = Box::pin(started).await?;
        Ok(Self { system, messages, folder })
    }

    /// Stops the system and starts another one on the same state.
    ///
    /// # Errors
    ///
    /// As [`System::start`].
    pub async fn restart(self, extra: &[(&'static str, &str)]) -> Result<Self, LocalError> {
        let clock = Arc::clone(&self.system.parts().clock);
        self.system.stop().await;
        Self::start_in(self.folder, clock, extra).await
    }

    /// A folder that lives as long as the system, for files of the test.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }
}
