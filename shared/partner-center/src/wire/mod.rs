//! Alerts as each source sends them, made into one type.

mod bounds;
mod fraud_event;
mod graph;
mod lenient;
mod page;
mod tamed;
mod unreadable;

pub(crate) use bounds::bounded_name;
pub use fraud_event::read_fraud_event;
pub use graph::read_alert;
pub(crate) use lenient::{lenient, list};
pub use page::{GraphPage, read_fraud_events, read_graph_page};
pub use unreadable::{RawBody, UnreadableAlert};
