//! The `authorize` function on Lambda.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use models::TraceContext;
use serde_json::value::RawValue;
use tracing::Instrument as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let authorize = &runtime::start(authorize::wire).await?;
    // The text as it came: read into a map, it would lose what comes twice.
    let handler = async |event: LambdaEvent<Box<RawValue>>| {
        let trace = event.context.xray_trace_id.as_deref().and_then(TraceContext::of_xray);
        let span = runtime::invocation_span(&event.context.request_id, trace);
        Ok::<_, Error>(authorize.answer(event.payload.get()).instrument(span).await)
    };
    lambda_runtime::run(service_fn(handler)).await
}
