//! The words of Partner Alerts: ids, Partner Center events, security alerts, what changed between two sights of an alert,
//! what that does to the statistics, and the messages that leave the system.
//!
//! Promises: no I/O, no clock, no randomness, no AWS. The same input gives the same output, so everything here is tested by
//! table. What another company sends is an open set: an unknown name is kept as it came, and the rules here say what it
//! means. Leaves to others: how an alert is fetched (`partner-center`), how it is kept (`store`), how it is sent
//! (`messaging`).

mod alert;
mod alert_type;
mod event;
mod ids;
mod looks;
mod mail;
mod message;
mod named;
mod names;
mod notice;
mod observation;
mod open;
mod severity;
mod signal;
mod statistics;
mod subject;
mod tenant;
mod text;
mod trace;
mod transition;

pub use alert::{ActivityEntry, AffectedResource, Alert, AlertState, Resolution};
pub use alert::{Confidence, ResolvedReason, Severity, Status};
pub use alert_type::{AlertKind, AlertType, PortalType};
pub use event::{Event, EventName, UnreadableEvent};
pub use ids::{AlertId, CustomerId, EventId, IdError, MessageId, PathKey, PathKeyHash, SubscriptionId, TenantId};
pub use looks::{
    COME_BACKS, CONFIRMED_WITHIN, Doorbell, LOOKS, MOST_HOPS, Queued, ReconcileCause, ReconcileRequest, next_hop,
    next_run_hop,
};
pub use message::{EventMessage, Publication};
pub use named::NamesOfAlerts;
pub use names::{
    BroughtReseller, NameId, NameKind, NamesRequest, WantedCustomer, WantedNames, WantedSubscription, folded,
};
pub use notice::{AlertNotice, AlertSummary, DigestNotice, DigestReason, Notice, RESPONSE_TARGET};
pub use observation::{DECISION_PATIENCE, Decision, Known, Observation, Observed, Seen, Step, observe};
pub use severity::{FraudThreshold, ThresholdError};
pub use signal::{CONFIRMED_SINCE, Relation, SignalNotice, SignalReason, confirms, hour_of};
pub use statistics::{
    BUCKET_UPPER_BOUNDS_SECONDS, COUNTER_NAMES, Counters, Delta, STATISTICS_FORMULA, StatisticsKey, contribution,
};
pub use subject::EventSubject;
pub use tenant::{AlertSource, Cloud, CloudUrls, CredentialDates, Purpose, Tenant};
pub use trace::{TraceContext, TraceContextError};
pub use transition::{Transition, TransitionKind, transition};
