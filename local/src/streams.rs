//! Streams, delivered as Lambda's event source mappings of `template.yaml` do: filtered, in order, from the first record that
//! failed on, five times more, then dead letters.
//!
//! Where a stream was read to is kept in a file, so that a restart goes on from there.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use dynoxide::Database;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    LocalError,
    aws::sqs::Held,
    state::State,
    stop::{Stop, stopped},
};

/// Takes a stream event as Lambda would hand it over, and gives the place of the first record that failed.
pub(crate) type Consumer = Arc<dyn Fn(Value) -> Pin<Box<dyn Future<Output = Option<String>> + Send>> + Send + Sync>;

/// How often a record is tried again (`MaximumRetryAttempts` of `template.yaml`), and the pause before it.
const RETRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);
/// Most records handed over at once (`BatchSize` of `template.yaml`).
const BATCH: usize = 25;

/// One stream and who is woken by it.
pub(crate) struct Reader {
    pub(crate) database: Database,
    pub(crate) table: String,
    /// Which records wake the consumer, beside being inserts.
    pub(crate) filter: fn(&Value) -> bool,
    pub(crate) consumer: Consumer,
    pub(crate) state: Arc<State>,
    pub(crate) written: watch::Receiver<u64>,
    pub(crate) stop: Stop,
    pub(crate) dead_letters: Held,
}

impl Reader {
    /// Reads until the system stops.
    pub(crate) async fn run(mut self) {
        loop {
            self.written.mark_unchanged();
            if let Err(error) = self.drain().await {
                tracing::error!(table = self.table, error = runtime::chain(&error), "a stream can't be read");
            }
            tokio::select! {
                changed = self.written.changed() => if changed.is_err() { return },
                () = stopped(&mut self.stop) => return,
            }
        }
    }

    /// Hands over everything that is there.
    async fn drain(&mut self) -> Result<(), LocalError> {
        loop {
            let records = self.next_records()?;
            if records.is_empty() {
                return Ok(());
            }
            let last = sequence(records.last());
            let wanted: Vec<Value> = records
                .into_iter()
                .filter(|record| record["eventName"] == "INSERT" && (self.filter)(&record["dynamodb"]["NewImage"]))
                .collect();
            if !self.hand_over(wanted).await {
                return Ok(());
            }
            self.state.write(&self.position_file(), &last.unwrap_or_default())?;
        }
    }

    /// Hands over records until they are done or dead. False where the system stops first.
    async fn hand_over(&mut self, mut records: Vec<Value>) -> bool {
        let mut retries = 0;
        while !records.is_empty() {
            let event = json!({ "Records": records });
            let Some(failed) = (self.consumer)(event).await else { return true };
            let first = records.iter().position(|record| sequence(Some(record)).as_deref() == Some(failed.as_str()));
            let first = first.unwrap_or(0);
            retries = if first > 0 { 0 } else { retries + 1 };
            records.drain(..first);
            if retries > RETRIES {
                tracing::error!(table = self.table, sequence = failed, "a stream record failed for good: dead letter");
                self.dead_letters.add();
                records.remove(0);
                retries = 0;
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = stopped(&mut self.stop) => return false,
            }
        }
        true
    }

    fn next_records(&self) -> Result<Vec<Value>, LocalError> {
        // Not by the description of the table, for which the engine counts all its items, and this is asked after every write.
        let streams: Value = self.call(json!({ "TableName": self.table }), Database::list_streams)?;
        let arn = &streams["Streams"][0]["StreamArn"];
        let stream: Value = self.call(json!({ "StreamArn": arn }), Database::describe_stream)?;
        let after = self.state.read(&self.position_file())?.filter(|position| !position.is_empty());
        for shard in stream["StreamDescription"]["Shards"].as_array().into_iter().flatten() {
            let mut request = json!({ "StreamArn": arn, "ShardId": shard["ShardId"] });
            match &after {
                Some(position) => {
                    request["ShardIteratorType"] = "AFTER_SEQUENCE_NUMBER".into();
                    request["SequenceNumber"] = position.as_str().into();
                }
                None => request["ShardIteratorType"] = "TRIM_HORIZON".into(),
            }
            let iterator: Value = self.call(request, Database::get_shard_iterator)?;
            let request = json!({ "ShardIterator": iterator["ShardIterator"], "Limit": BATCH });
            let mut page: Value = self.call(request, Database::get_records)?;
            if let Value::Array(mut records) = page["Records"].take()
                && !records.is_empty()
            {
                for record in &mut records {
                    record["eventSourceARN"] = arn.clone();
                }
                return Ok(records);
            }
        }
        Ok(Vec::new())
    }

    fn call<Q: DeserializeOwned, A: serde::Serialize>(
        &self,
        request: Value,
        operation: impl FnOnce(&Database, Q) -> Result<A, dynoxide::DynoxideError>,
    ) -> Result<Value, LocalError> {
        let request = serde_json::from_value(request).map_err(|error| LocalError::Engine(error.to_string()))?;
        let answer = operation(&self.database, request).map_err(|error| LocalError::Engine(error.to_string()))?;
        serde_json::to_value(answer).map_err(|error| LocalError::Engine(error.to_string()))
    }

    fn position_file(&self) -> String {
        format!("stream-{}", self.table)
    }
}

fn sequence(record: Option<&Value>) -> Option<String> {
    record?["dynamodb"]["SequenceNumber"].as_str().map(str::to_owned)
}
