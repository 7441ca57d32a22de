//! What leaves through SNS and what travels through SQS.
//!
//! Promises: no SDK type crosses the border; a batch is looked at entry by entry, since it succeeds as a whole while entries
//! fail. Leaves to others: what a message says (`models`), when it is sent and what happens if it can't be (the functions).

mod exports;
mod follow_ups;
mod names;
mod queue;
mod topic;

pub use exports::{AskForExports, ExportsQueue};
pub use follow_ups::{AskForFollowUps, OperationsQueue};
pub use names::{AskForNames, NamesQueue};
pub use queue::{QueueError, ReconcileQueue, Ring};
pub use topic::{Publish, PublishError, Tell, Topic};
