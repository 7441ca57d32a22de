//! What can go wrong with the store that nobody planned.

use std::fmt;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use models::TenantId;

/// Which table an error is about. The role and not the name: the name is in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableRole {
    /// The activity log.
    Activity,
    /// Alerts and their outbox.
    Alerts,
    /// Received events.
    Events,
    /// Sessions of browsers.
    Sessions,
    /// Tenants.
    Tenants,
}

impl fmt::Display for TableRole {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Activity => "activity",
            Self::Alerts => "alerts",
            Self::Events => "events",
            Self::Sessions => "sessions",
            Self::Tenants => "tenants",
        })
    }
}

/// An item that DynamoDB does not take within a transaction, however often it is sent: it is too large, or what is there is not what an
/// expression of ours can go on from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an item of the {table} table is not taken ({code}; key {key}): {words}")]
pub struct Rejected {
    /// The table.
    pub table: TableRole,
    /// The item's partition key and its sort key.
    pub key: String,
    /// DynamoDB's code for it.
    pub code: String,
    /// DynamoDB's words.
    pub words: String,
}

impl Rejected {
    /// Says that the figures of a tenant could not be moved because of this item.
    pub fn log_uncounted(&self, tenant: &TenantId) {
        tracing::error!(
            tenant.id = %tenant, error = %self, advice = "run: partner-alerts statistics recount --mend",
            "the figures of a tenant could not be moved: its alerts are written all the same"
        );
    }
}

/// A failure of the store. All of them are worth another try but [`StoreError::BadItem`], [`StoreError::Rejected`] and
/// [`StoreError::Unwritable`].
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// An item of ours can't be read back.
    #[error("an item of the {table} table is not what it should be (key {key})")]
    BadItem {
        /// The table.
        table: TableRole,
        /// The item's partition key, or what is known of it.
        key: String,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// DynamoDB refused or could not be reached.
    #[error("{action} on the {table} table failed ({code})")]
    Failed {
        /// What was tried.
        action: &'static str,
        /// The table.
        table: TableRole,
        /// DynamoDB's code for it, or what kept the request from being answered.
        code: String,
        /// DynamoDB's words.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another writer kept getting in between, more often than we try.
    #[error("{action} on the {table} table gave up after {attempts} conflicts with other writers")]
    Contended {
        /// What was tried.
        action: &'static str,
        /// The table.
        table: TableRole,
        /// How often.
        attempts: u32,
    },
    /// One item kept a transaction from being written.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// A value of ours can't be written as an item.
    #[error("an item for the {table} table can't be written")]
    Unwritable {
        /// The table.
        table: TableRole,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StoreError {
    pub(crate) fn failed<E, R>(action: &'static str, table: TableRole, error: SdkError<E, R>) -> Self
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
        R: fmt::Debug + Send + Sync + 'static,
    {
        let code = match &error {
            SdkError::ServiceError(refused) => refused.err().code().unwrap_or("unknown code"),
            SdkError::TimeoutError(_) => "no answer in time",
            SdkError::DispatchFailure(_) => "not reached",
            SdkError::ResponseError(_) => "unreadable answer",
            _ => "request not made",
        };
        Self::Failed { action, table, code: code.to_owned(), source: Box::new(error) }
    }

    pub(crate) fn unwritable(table: TableRole, error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Unwritable { table, source: Box::new(error) }
    }

    pub(crate) fn bad_item(
        table: TableRole,
        key: &str,
        error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::BadItem { table, key: key.to_owned(), source: error.into() }
    }
}
