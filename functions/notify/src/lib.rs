//! `notify`: publishes what changed to SNS.
//!
//! Woken by the streams of the alerts and events tables at once, and by its own schedule, the sweep, which publishes what the
//! stream dropped. The outbox item in the table is the guarantee, the stream only the fast path. Everything is published at
//! least once, with a stable id and in no order.
//!
//! | what happens | answer to Lambda | then |
//! |---|---|---|
//! | published, but not marked | done | the sweep publishes it again with the same id, and marks it |
//! | an item of the stream can't be published | failed from that item on | Lambda tries again, then dead letters; the sweep goes on |
//! | an item of the stream can never be told | done | an error in the log; of an outbox item, by each sweep again |

mod config;
mod wire;

use aws_lambda_events::{
    dynamodb::{Event as StreamEvent, EventRecord},
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use jiff::SignedDuration;
use messaging::{Publish, PublishError};
use models::{Event, EventMessage, Notice, UnreadableEvent};
use runtime::{Counts, Metrics, SharedClock};
use serde::Deserialize;
use store::{KeptEvent, OUTBOX_SHARDS, Outbox, OutboxRecord, StoreError};
use tracing::Instrument as _;

pub use config::{Config, VARIABLES};
pub use wire::{Deployed, wire};

/// Most items that one sweep publishes from one shard: what is left comes with the next.
const SWEPT_A_SHARD: usize = 250;

/// What wakes the function.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Invocation {
    /// The schedule, with the input that `template.yaml` gives it.
    Schedule {
        /// Always `sweep`.
        task: ScheduleTask,
    },
    /// A stream.
    Stream(StreamEvent),
}

/// The schedule's one task.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleTask {
    /// Publish what is still unpublished.
    Sweep,
}

/// Why something could not be told.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// A message could not be written.
    #[error("a message could not be written as JSON")]
    Message(#[source] serde_json::Error),
    /// SNS has it not, or we do not know.
    #[error("not published")]
    Publish(#[source] PublishError),
    /// The sweep left some behind.
    #[error("{left} of {found} unpublished items could not be published; the next sweep tries again")]
    SweptInPart {
        /// How many were found.
        found: usize,
        /// How many are left.
        left: usize,
    },
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// A kept event can't be read any more.
    #[error("a kept event can't be read")]
    Unreadable(#[source] UnreadableEvent),
}

impl NotifyError {
    /// Whether trying again can't help.
    fn is_final(&self) -> bool {
        match self {
            Self::Message(_) | Self::Store(StoreError::BadItem { .. }) | Self::Unreadable(_) => true,
            Self::Publish(_) | Self::Store(_) | Self::SweptInPart { .. } => false,
        }
    }
}

/// The function: what it reads and publishes with, given by `main.rs`.
#[derive(Debug)]
pub struct Notify<S, P> {
    store: S,
    fraud: P,
    events: P,
    clock: SharedClock,
    sweep_after: SignedDuration,
    metrics: Metrics,
}

/// What one invocation published.
#[derive(Debug, Default)]
struct Told {
    published: usize,
    failed: usize,
    /// Of those that are published, how many the stream had left.
    swept: usize,
    /// Shards of the outbox that could not be searched.
    unsearched: usize,
}

impl<S: Outbox + Sync, P: Publish + Sync> Notify<S, P> {
    /// The function with these parts. The sweep leaves what is younger than `sweep_after` to the stream.
    pub fn new(store: S, fraud: P, events: P, clock: SharedClock, sweep_after: SignedDuration) -> Self {
        Self { store, fraud, events, clock, sweep_after, metrics: Metrics::none() }
    }

    /// The function whose counts go there.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Metrics) -> Self {
        self.metrics = metrics;
        self
    }

    /// Handles one invocation.
    ///
    /// # Errors
    ///
    /// [`NotifyError`] where the sweep could not do all; what fails of a stream is reported in the response.
    pub async fn handle(&self, invocation: Invocation) -> Result<DynamoDbEventResponse, NotifyError> {
        let mut response = DynamoDbEventResponse::default();
        let mut told = Told::default();
        let swept = match invocation {
            Invocation::Schedule { task: ScheduleTask::Sweep } => self.sweep(&mut told).await,
            Invocation::Stream(event) => {
                response.batch_item_failures.extend(self.publish_stream(event, &mut told).await);
                Ok(())
            }
        };
        let counts = Counts::new()
            .with("MessagesPublished", told.published)
            .with("PublishFailed", told.failed)
            .with("MessagesSwept", told.swept)
            .with("SweepsFailed", usize::from(told.unsearched > 0));
        self.metrics.report(self.clock.now(), &counts);
        swept.map(|()| response)
    }

    /// Publishes the records of a stream in order. The first that fails is where Lambda starts again, so the rest waits. One
    /// that can never be told is logged and passed over: trying again would only hold up its neighbours, and lose them in the
    /// end.
    async fn publish_stream(&self, event: StreamEvent, told: &mut Told) -> Option<DynamoDbBatchItemFailure> {
        for record in event.records {
            let sequence = record.change.sequence_number.clone();
            match self.publish_record(record).await {
                Ok(published) => told.published += usize::from(published),
                Err(error) if error.is_final() => {
                    told.failed += 1;
                    let error = runtime::chain(&error);
                    tracing::error!(error, sequence, "a stream record can never be published and is passed over");
                }
                Err(error) => {
                    told.failed += 1;
                    let error = runtime::chain(&error);
                    tracing::error!(error, sequence, "a stream record could not be published");
                    let mut failure = DynamoDbBatchItemFailure::default();
                    failure.item_identifier = sequence;
                    return Some(failure);
                }
            }
        }
        None
    }

    /// Whether there was something to publish.
    async fn publish_record(&self, record: EventRecord) -> Result<bool, NotifyError> {
        // The filter of the event source says the same; expiry and marks must wake nobody even without it.
        if record.event_name != "INSERT" {
            return Ok(false);
        }
        let image = record.change.new_image;
        // Only the alerts table has a sort key.
        if image.contains_key("sk") {
            let Some(record) = OutboxRecord::from_image(image)?.filter(|record| record.publish) else {
                return Ok(false);
            };
            self.publish_outbox(&record).instrument(runtime::linked_span(record.trace)).await?;
        } else {
            let event = KeptEvent::from_image(image)?;
            // What can't be read is kept for people.
            if !event.readable {
                return Ok(false);
            }
            self.publish_event(&event).instrument(runtime::linked_span(event.trace)).await?;
        }
        Ok(true)
    }

    async fn publish_outbox(&self, record: &OutboxRecord) -> Result<(), NotifyError> {
        let publication = record.notice.publication(&record.tenant, record.created).map_err(NotifyError::Message)?;
        self.fraud.publish(&publication).await.map_err(NotifyError::Publish)?;
        let alert = match &record.notice {
            Notice::Alert(notice) => Some(notice.alert.id.as_str()),
            Notice::Digest(_) | Notice::Signal(_) => None,
        };
        tracing::info!(
            tenant.id = %record.tenant, alert.id = alert, message.id = %publication.id, kind = record.notice.kind(),
            "fraud message published"
        );
        // A mark that fails costs a second copy with the same id, not a message.
        if let Err(error) = self.store.mark_published(record, self.clock.now()).await {
            let error = runtime::chain(&error);
            tracing::warn!(message.id = %publication.id, error, "published, but not marked: the sweep publishes it again");
        }
        Ok(())
    }

    async fn publish_event(&self, kept: &KeptEvent) -> Result<(), NotifyError> {
        let event = Event::read(&kept.body).map_err(NotifyError::Unreadable)?;
        let message = EventMessage::new(&kept.id, &kept.tenant, kept.received, &event);
        let publication = message.publication().map_err(NotifyError::Message)?;
        self.events.publish(&publication).await.map_err(NotifyError::Publish)?;
        tracing::info!(tenant.id = %kept.tenant, event.id = %kept.id, message.id = %publication.id, "event published");
        Ok(())
    }

    /// Publishes what the stream dropped. One item that fails holds up no other.
    async fn sweep(&self, told: &mut Told) -> Result<(), NotifyError> {
        let until = self.clock.now() - self.sweep_after;
        let (mut found, mut left, mut unsearched) = (0, 0, 0);
        let mut first_error = None;
        for shard in 0..OUTBOX_SHARDS {
            let records = match self.store.unpublished(shard, until, SWEPT_A_SHARD).await {
                Ok(records) => records,
                Err(error) => {
                    tracing::error!(error = runtime::chain(&error), shard, "unpublished items could not be looked for");
                    unsearched += 1;
                    first_error.get_or_insert(error);
                    continue;
                }
            };
            for record in records {
                found += 1;
                let published = match record {
                    Ok(record) => self.publish_outbox(&record).instrument(runtime::linked_span(record.trace)).await,
                    Err(error) => Err(error.into()),
                };
                if let Err(error) = published {
                    left += 1;
                    let error = runtime::chain(&error);
                    tracing::error!(error, shard, "an unpublished item could not be published");
                }
            }
        }
        *told = Told { published: found - left, failed: left, swept: found - left, unsearched };
        if found > 0 {
            tracing::warn!(found, left, "the sweep found what the stream had left");
        }
        match first_error {
            Some(error) => Err(error.into()),
            None if left > 0 => Err(NotifyError::SweptInPart { found, left }),
            None => Ok(()),
        }
    }
}
