//! The `notify` function on Lambda.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use models::TraceContext;
use notify::Invocation;
use tracing::Instrument as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let notify = &runtime::start(notify::wire).await?;
    let handler = async |event: LambdaEvent<Invocation>| {
        let trace = event.context.xray_trace_id.as_deref().and_then(TraceContext::of_xray);
        let span = runtime::invocation_span(&event.context.request_id, trace);
        notify.handle(event.payload).instrument(span).await.map_err(|error| Error::from(runtime::chain(&error)))
    };
    lambda_runtime::run(service_fn(handler)).await
}
