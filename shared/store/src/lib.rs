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
//! | [`ReadTenants`] | tenants | `Query` | webhook, poll, resolve |
//! | [`ReadTenant`] | tenants | `Query` | poll, resolve |
//! | [`ReadAllTenants`] | tenants | `Query` | renew |
//! | [`KeepEvents`] | events | `PutItem` | webhook |
//! | [`Lease`] | tenants | `UpdateItem` | poll |
//! | [`ReadAlerts`] | tenants, alerts | `Query` (of alerts on an index), `BatchGetItem` | poll |
//! | [`WriteAlerts`] | tenants, alerts | `ConditionCheckItem`, `PutItem`, `UpdateItem`, `DeleteItem` | poll |
//! | [`KeepPlaces`] | tenants | `Query`, `PutItem` | poll |
//! | [`KeepAside`] | alerts | `UpdateItem` | poll |
//! | [`ReadNames`] | tenants | `BatchGetItem`, `Query` | poll |
//! | [`KeepNames`] | tenants | `DeleteItem`, `PutItem`, `Query`, `UpdateItem` | poll |
//! | [`FindAlerts`] | alerts | `Query` on two indexes, `BatchGetItem` | poll, resolve; operators, by `partner-alerts` |
//! | [`FindOpenAlerts`] | alerts | `Query` on an index, `BatchGetItem` | resolve; operators, by `partner-alerts` |
//! | [`KeepSignals`] | alerts | `BatchGetItem`, `PutItem`, `UpdateItem` | poll |
//! | [`KeepWatches`] | alerts | `BatchGetItem`, `UpdateItem` | poll |
//! | [`NoteCallbacks`] | tenants | `Query`, `UpdateItem` | poll |
//! | [`WatchCredentials`] | tenants | `UpdateItem` | renew |
//! | [`ReadCredentials`] | tenants | `Query` | dashboard; operators, by `partner-alerts` |
//! | [`WriteTenants`] | tenants | `PutItem`, `DeleteItem` | operators, by `partner-alerts` |
//! | [`Recount`] | tenants, alerts | `Query`, `UpdateItem` | operators, by `partner-alerts` |
//! | [`ReadLastRuns`] | tenants | `GetItem` | dashboard; operators, by `partner-alerts` |
//! | [`ReadSessions`] | sessions | `GetItem` | authorize |
//! | [`TouchSessions`] | sessions | `UpdateItem` | authorize |
//! | [`KeepSessions`] | sessions | `GetItem`, `PutItem`, `DeleteItem` | sign-in |
//! | [`EndSessions`] | sessions | `Scan`, `DeleteItem` | operators, by `partner-alerts` |
//! | [`ReadWork`] | alerts, tenants | `GetItem` | resolve, dashboard |
//! | [`Act`] | activity, alerts, tenants | `PutItem`, `UpdateItem`, `DeleteItem` (of tenants), `Query` (of activity and tenants) | resolve |
//! | [`ReadOperations`] | alerts | `GetItem` | resolve, dashboard |
//! | [`KeepOperations`] | alerts | `GetItem`, `PutItem`, `DeleteItem` (of marks), `Query` | resolve |
//! | [`ListAlerts`] | alerts | `Query` on four indexes | dashboard |
//! | [`WalkAlerts`] | alerts | `Query` on an index | dashboard; operators, by `partner-alerts` |
//! | [`ReadStatistics`] | tenants | `Query` | dashboard |
//! | [`KeepViews`] | tenants | `Query` | resolve, dashboard |
//! | [`ReadActivity`] | activity, alerts, tenants | `Query` (also on an index), `GetItem` (not of activity) | dashboard; operators, by `partner-alerts` |
//! | [`FindUnpublished`] | alerts | `Query` on the index | notify, dashboard |
//! | [`Outbox`] | alerts | `UpdateItem` | notify |
//!
//! Leaves to others: what is worth writing (`poll`), what a change means (`models`).

mod activity;
mod acts;
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
mod lists;
mod names;
mod operations;
mod outbox;
mod places;
mod recount;
mod runs;
pub mod schema;
mod sessions;
mod signals;
mod statistics;
mod subscription_alerts;
mod tenants;
mod time;
mod transaction;
mod views;
mod watches;
mod work;

use aws_sdk_dynamodb::Client;
use ring::rand::{SecureRandom as _, SystemRandom};

pub use activity::{ActivityPage, ActivityPosition, KeptChain, ReadActivity};
pub use acts::{About, Act, ActWrite, Acted};
pub use alerts::{AlertWrite, OpenAlert, ReadAlerts, StoredAlert, StoredAlerts, WriteAlerts, Written};
pub use aside::{KeepAside, Unreadable};
pub use candidates::{Candidate, FindAlerts};
pub use credentials::{CredentialState, ForgetCredentials, Look, Looking, ReadCredentials, Told, WatchCredentials};
pub use digests::KnownAlerts;
pub use error::{Rejected, StoreError, TableRole};
pub use events::{EVENT_RETENTION, KeepEvents, Kept, KeptEvent, LatestEvents, ReadEvents, ReceivedEvent};
pub use fingerprint::AlertFingerprint;
pub use items::OutboxRecord;
pub use lease::{Acquired, Grant, Lease, LeaseTerms, Outcome, Rung};
pub use lists::{
    ListAlerts, ListAssignee, ListFilter, ListMoment, ListOf, ListPage, ListPosition, ListQuery, ListedAlert,
    MOST_LISTED_TENANTS, MOST_READ, WalkAlerts, WalkPage, WalkPosition, WholeAlert,
};
pub use names::{Asked, CustomersPage, KeepNames, KeptName, NameAnswer, NamedCustomer, ReadNames};
pub use operations::{KeepOperations, Left, ReadOperations};
pub use outbox::{FindUnpublished, OUTBOX_SHARDS, Outbox};
pub use places::{KeepPlaces, KeptPlace};
pub use recount::{Drift, Recount, Recounted};
pub use runs::{LastRun, LastRuns, NoteCallbacks, ReadLastRuns};
pub use sessions::{EndSessions, KeepSessions, KeptSession, ReadSessions, TouchSessions};
pub use signals::{Claimed, KeepSignals, LOOK_UPS_AN_HOUR};
pub use statistics::ReadStatistics;
pub use subscription_alerts::{FindOpenAlerts, OpenAlerts};
pub use tenants::{AllTenants, Changed, ReadAllTenants, ReadTenant, ReadTenants, WriteTenants};
pub use views::{KeepViews, KeptViews, ViewWrite};
pub use watches::{KeepWatches, WATCHES_AN_HOUR, Watched};
pub use work::{AlertAtWork, ReadWork};

/// The names of the tables. A function is given only those that it uses.
#[derive(Clone, Debug, Default)]
pub struct TableNames {
    /// The activity log.
    pub activity: String,
    /// Alerts, their outbox, and operations.
    pub alerts: String,
    /// Received events.
    pub events: String,
    /// Sessions of browsers.
    pub sessions: String,
    /// Tenants: configuration, state, digests, statistics.
    pub tenants: String,
}

/// The store over DynamoDB. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    tables: TableNames,
    jitter: fn() -> f64,
}

impl Store {
    /// A store over these tables.
    #[must_use]
    pub fn new(client: Client, tables: TableNames) -> Self {
        Self { client, tables, jitter: by_chance }
    }

    /// The same, which waits before it tries a transaction again by this number from 0 to 1: by so much of half a pause longer than the other half.
    #[must_use]
    pub fn with_jitter(self, jitter: fn() -> f64) -> Self {
        Self { jitter, ..self }
    }
}

/// By the machine's randomness, a number from 0 to 1.
fn by_chance() -> f64 {
    let mut bytes = [0; 4];
    let drawn = SystemRandom::new().fill(&mut bytes).map(|()| u32::from_le_bytes(bytes));
    drawn.map_or(0.0, |drawn| f64::from(drawn) / f64::from(u32::MAX))
}
