//! What Partner Alerts keeps, in DynamoDB.
//!
//! Promises: keys, attribute names and expressions live here and nowhere else; no SDK type crosses the border, in arguments,
//! results or errors. What is expected to happen is a value (`Kept::Duplicate`, `Acquired::Held`), what nobody planned is
//! an error that says which table and key it was about. Tenant stands in every key of what belongs to a tenant, so that reading
//! across tenants is an impossible key and not a missing check.
//!
//! The traits are cut by what a caller may do, and each function's IAM policy follows from the traits that its handler takes:
//!
//! | trait | table | actions | used by |
//! |---|---|---|---|
//! | [`ReadTenants`] | tenants | `Query` | webhook, poll |
//! | [`ReadTenant`] | tenants | `Query` | poll |
//! | [`ReadAllTenants`] | tenants | `Query` | renew |
//! | [`KeepEvents`] | events | `PutItem` | webhook |
//! | [`Lease`] | tenants | `UpdateItem` | poll |
//! | [`ReadAlerts`] | tenants, alerts | `Query` (of alerts on an index), `BatchGetItem` | poll |
//! | [`WriteAlerts`] | tenants, alerts | `ConditionCheckItem`, `PutItem`, `UpdateItem`, `DeleteItem` | poll |
//! | [`KeepPlaces`] | tenants | `Query`, `PutItem` | poll |
//! | [`KeepAside`] | alerts | `UpdateItem` | poll |
//! | [`ReadNames`] | tenants | `BatchGetItem`, `Query` | poll |
//! | [`KeepNames`] | tenants | `DeleteItem`, `PutItem`, `Query`, `UpdateItem` | poll |
//! | [`FindAlerts`] | alerts | `Query` on two indexes, `BatchGetItem` | poll |
//! | [`KeepSignals`] | alerts | `BatchGetItem`, `PutItem`, `UpdateItem` | poll |
//! | [`KeepWatches`] | alerts | `BatchGetItem`, `UpdateItem` | poll |
//! | [`NoteCallbacks`] | tenants | `Query`, `UpdateItem` | poll |
//! | [`WatchCredentials`] | tenants | `UpdateItem` | renew |
//! | [`ReadCredentials`] | tenants | `Query` | operators, by `partner-alerts` |
//! | [`WriteTenants`] | tenants | `PutItem`, `DeleteItem` | operators, by `partner-alerts` |
//! | [`Recount`] | tenants, alerts | `Query`, `UpdateItem` | operators, by `partner-alerts` |
//! | [`ReadLastRuns`] | tenants | `GetItem` | operators, by `partner-alerts` |
//! | [`Outbox`] | alerts | `Query` on the index, `UpdateItem` | notify |
//!
//! Leaves to others: what is worth writing (`poll`), what a change means (`models`).

mod alerts;
mod aside;
mod candidates;
mod credentials;
mod digests;
mod error;
mod events;
mod fingerprint;
mod items;
mod lease;
mod names;
mod outbox;
mod places;
mod recount;
mod runs;
pub mod schema;
mod signals;
mod tenants;
mod time;
mod transaction;
mod watches;

use aws_sdk_dynamodb::Client;

pub use alerts::{AlertWrite, OpenAlert, ReadAlerts, StoredAlert, StoredAlerts, WriteAlerts, Written};
pub use aside::{KeepAside, Unreadable};
pub use candidates::{Candidate, FindAlerts};
pub use credentials::{CredentialState, ForgetCredentials, Look, Looking, ReadCredentials, Told, WatchCredentials};
pub use digests::KnownAlerts;
pub use error::{Rejected, StoreError, TableRole};
pub use events::{EVENT_RETENTION, KeepEvents, Kept, KeptEvent, ReceivedEvent};
pub use fingerprint::AlertFingerprint;
pub use items::OutboxRecord;
pub use lease::{Acquired, Grant, Lease, LeaseTerms, Outcome, Rung};
pub use names::{Asked, CustomersPage, KeepNames, KeptName, NameAnswer, NamedCustomer, ReadNames};
pub use outbox::{OUTBOX_SHARDS, Outbox};
pub use places::{KeepPlaces, KeptPlace};
pub use recount::{Drift, Recount, Recounted};
pub use runs::{LastRun, LastRuns, NoteCallbacks, ReadLastRuns};
pub use signals::{Claimed, KeepSignals, LOOK_UPS_AN_HOUR};
pub use tenants::{AllTenants, Changed, ReadAllTenants, ReadTenant, ReadTenants, WriteTenants};
pub use watches::{KeepWatches, WATCHES_AN_HOUR, Watched};

/// The names of the tables. A function is given only those that it uses.
#[derive(Clone, Debug, Default)]
pub struct TableNames {
    /// Alerts and their outbox.
    pub alerts: String,
    /// Received events.
    pub events: String,
    /// Tenants: configuration, state, digests, statistics.
    pub tenants: String,
}

/// The store over DynamoDB. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    tables: TableNames,
}

impl Store {
    /// A store over these tables.
    #[must_use]
    pub fn new(client: Client, tables: TableNames) -> Self {
        Self { client, tables }
    }
}
