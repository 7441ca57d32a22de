//! The words of Partner Alerts: ids, Partner Center events, security alerts, what changed between two sights of an alert,
//! what that does to the statistics, and the messages that leave the system.
//!
//! Promises: no I/O, no clock, no randomness, no AWS. The same input gives the same output, so everything here is tested by
//! table. What another company sends is an open set: an unknown name is kept as it came, and the rules here say what it
//! means. Leaves to others: how an alert is fetched (`partner-center`), how it is kept (`store`), how it is sent
//! (`messaging`).

mod activity;
mod alert;
mod alert_type;
mod chain;
mod event;
mod export;
mod figures;
mod follow_up;
mod history;
mod ids;
mod looks;
mod mail;
mod message;
mod named;
mod names;
mod notice;
mod observation;
mod open;
mod operation;
mod people;
mod refusal;
mod severity;
mod signal;
mod statistics;
mod subject;
mod subscription;
mod tenant;
mod text;
mod trace;
mod transition;
mod turned;
mod view;
mod work;
mod written;

pub use activity::{
    Act, ActivityId, ActivityLine, Chain, Entry, Head, KeptLine, LineHash, RequestId, Standing, follow,
};
pub use alert::{ActivityEntry, AffectedResource, Alert, AlertState, Resolution};
pub use alert::{Confidence, ResolvedReason, Severity, Status};
pub use alert_type::{AlertKind, AlertType, PortalType};
pub use chain::{Finding, verify};
pub use event::{Event, EventName, UnreadableEvent};
pub use export::{ExportId, ExportTurn};
pub use figures::{
    CHART_DAYS, ChartDay, Compared, DEFINITIONS, Figures, KeptCounters, KeptStatistics, MONTH_DAYS, Quantile,
    ResponseTimes, WEEK_DAYS, figures, first_of,
};
pub use follow_up::{FOLLOW_UPS, FollowUp};
pub use history::{Happened, SAME_CHANGE, history, on_their_way};
pub use ids::{
    AlertId, CustomerId, EventId, IdError, MessageId, ObjectId, PathKey, PathKeyHash, SubscriptionId, TenantId,
};
pub use looks::{
    COME_BACKS, CONFIRMED_WITHIN, Doorbell, LOOKS, MOST_HOPS, Queued, ReconcileCause, ReconcileRequest, next_hop,
    next_run_hop,
};
pub use message::{EventMessage, Publication};
pub use named::NamesOfAlerts;
pub use names::{
    BroughtReseller, NameId, NameKind, NamesRequest, WantedCustomer, WantedNames, WantedSubscription, folded,
    is_invisible,
};
pub use notice::{AlertNotice, AlertSummary, DigestNotice, DigestReason, Notice, RESPONSE_TARGET};
pub use observation::{DECISION_PATIENCE, Decision, Known, Observation, Observed, Seen, Step, observe};
pub use operation::{
    AlertResult, Asked, GIVEN_UP_AFTER, IdempotencyKey, LAPSES_AFTER, MOST_ALERTS, OPERATION_RETENTION, Operation,
    OperationId, OperationState, Repeated, RequestHash, STANDS_STILL_FOR, SupersededWish,
};
pub use people::{Actor, Person};
pub use refusal::{MicrosoftRefusal, Words};
pub use severity::{FraudThreshold, ThresholdError};
pub use signal::{CONFIRMED_SINCE, Relation, SignalNotice, SignalReason, confirms, hour_of};
pub use statistics::{
    BUCKET_UPPER_BOUNDS_SECONDS, COUNTER_NAMES, Counters, Delta, STATISTICS_FORMULA, StatisticsKey, contribution,
};
pub use subject::EventSubject;
pub use subscription::{
    OutOfOrder, SHOWS_WITHIN, STUCK_AFTER, SubscriptionEvent, SubscriptionProgress, SubscriptionStage, SubscriptionWish,
};
pub use tenant::{AlertSource, Cloud, CloudUrls, CredentialDates, Purpose, Tenant};
pub use trace::{TraceContext, TraceContextError};
pub use transition::{Transition, TransitionKind, transition};
pub use turned::{Begun, Turned};
pub use view::{MOST_VIEWS, QueryText, View, ViewId};
pub use work::{
    AlertNote, ChangedWork, LONGEST_SNOOZE, MOST_NOTES, Marks, NOTES_BYTES, SeenAsSnoozed, Snooze, Work, WorkChange,
    WorkError,
};
pub use written::{Label, Note, ShortText, Written, WrittenError};
