//! Alerts as each source sends them, made into one type.

mod bounds;
mod fraud_event;
mod graph;
mod lenient;
mod unreadable;

pub(crate) use bounds::bounded_name;
pub use fraud_event::read_fraud_event;
pub use graph::read_alert;
pub(crate) use lenient::{lenient, lenient_list};
pub use unreadable::{RawBody, UnreadableAlert};
