//! What Lambda gives with each invocation: a request id and a trace.

use models::TraceContext;
use tracing::Span;
use uuid::Uuid;

/// An invocation of a function.
pub(crate) struct Invocation {
    /// The span of the invocation.
    pub(crate) span: Span,
    /// Its request id.
    pub(crate) request_id: String,
    /// Its trace.
    pub(crate) trace: Option<TraceContext>,
}

impl Invocation {
    /// A new one, of a trace of its own.
    pub(crate) fn new() -> Self {
        let trace = TraceContext::new(Uuid::new_v4().as_u128(), Uuid::new_v4().as_u64_pair().0, false);
        let request_id = Uuid::new_v4().to_string();
        Self { span: runtime::invocation_span(&request_id, trace), request_id, trace }
    }
}
