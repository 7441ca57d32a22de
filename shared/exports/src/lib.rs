//! Exports of alerts: all that is known of each, as CSV or as JSON, page by page.
//!
//! Promises: memory holds one page of alerts and its text, however many there are. Each alert comes once, as it was read. What can't be read is counted and
//! logged, and hides nothing else. No cell of the CSV is taken for a formula, or for a
//! number by its digits, by a program that opens it ([`guarded`]). Leaves to others: who may
//! see what, and where the text goes: an answer, a file, a stream.

mod cell;
mod export;
mod exported;
mod writer;

pub use cell::{guarded, unguarded};
pub use export::{Export, ExportError, Most, Source, What};
pub use writer::Format;
