//! DynamoDB: the embedded engine behind the wire protocol.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{http::StatusCode, response::Response};
use bytes::Bytes;
use dynoxide::{Database, DynoxideError};
use engine::Refused;
use serde::Deserialize;
use tokio::sync::watch;

use super::{failure, json};

/// The engine, and a bell that rings after every write.
#[derive(Clone)]
pub(crate) struct Embedded {
    database: Database,
    written: Arc<watch::Sender<u64>>,
    /// The tables without point-in-time recovery, which the engine knows nothing of.
    unrecoverable: Arc<Mutex<BTreeSet<String>>>,
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Embedded").finish_non_exhaustive()
    }
}

impl Embedded {
    /// The engine on a file.
    pub(crate) fn open(path: &Path) -> Result<Self, DynoxideError> {
        let database = Database::new(&path.to_string_lossy())?;
        Ok(Self { database, written: Arc::new(watch::Sender::new(0)), unrecoverable: Arc::default() })
    }

    pub(crate) fn database(&self) -> Database {
        self.database.clone()
    }

    /// Changes whenever something was written.
    pub(crate) fn written(&self) -> watch::Receiver<u64> {
        self.written.subscribe()
    }

    pub(super) async fn answer(&self, operation: String, body: Bytes) -> Response {
        if let "DescribeContinuousBackups" | "UpdateContinuousBackups" = operation.as_str() {
            return self.backups(&body);
        }
        let database = self.database.clone();
        let writes = is_write(&operation);
        // The engine blocks: it gets a thread of its own.
        let answered = tokio::task::spawn_blocking(move || engine::answer(&database, &operation, &body)).await;
        match answered {
            Ok(Ok(body)) => {
                if writes {
                    self.written.send_modify(|count| *count += 1);
                }
                json(StatusCode::OK, body)
            }
            Ok(Err(Refused::Engine(error))) => {
                let status = StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::BAD_REQUEST);
                json(status, error.to_json())
            }
            Ok(Err(refused)) => {
                let code = "com.amazon.coral.service#SerializationException";
                failure(StatusCode::BAD_REQUEST, code, &runtime::chain(&refused))
            }
            Err(_) => failure(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", "the engine failed"),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Backups {
    table_name: String,
    point_in_time_recovery_specification: Option<Recovery>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Recovery {
    point_in_time_recovery_enabled: bool,
}

impl Embedded {
    /// Says whether a table has point-in-time recovery, after changing that if it is asked to. There are no backups behind it.
    fn backups(&self, body: &[u8]) -> Response {
        let Ok(request) = serde_json::from_slice::<Backups>(body) else {
            return failure(StatusCode::BAD_REQUEST, "com.amazon.coral.service#SerializationException", "no TableName");
        };
        let table = request.table_name;
        let exists = serde_json::from_value(serde_json::json!({ "TableName": &table }))
            .is_ok_and(|request| self.database.describe_table(request).is_ok());
        if !exists {
            let code = "com.amazonaws.dynamodb.v20120810#TableNotFoundException";
            return failure(StatusCode::BAD_REQUEST, code, &format!("Table not found: {table}"));
        }
        let mut unrecoverable = self.unrecoverable.lock().unwrap_or_else(PoisonError::into_inner);
        match request.point_in_time_recovery_specification {
            Some(wanted) if wanted.point_in_time_recovery_enabled => drop(unrecoverable.remove(&table)),
            Some(_) => drop(unrecoverable.insert(table.clone())),
            None => {}
        }
        let status = if unrecoverable.contains(&table) { "DISABLED" } else { "ENABLED" };
        let described = serde_json::json!({
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": { "PointInTimeRecoveryStatus": status },
        });
        json(StatusCode::OK, serde_json::json!({ "ContinuousBackupsDescription": described }).to_string())
    }
}

fn is_write(operation: &str) -> bool {
    !matches!(
        operation,
        "BatchGetItem"
            | "DescribeTable"
            | "DescribeTimeToLive"
            | "GetItem"
            | "ListTables"
            | "Query"
            | "Scan"
            | "TransactGetItems"
    )
}
