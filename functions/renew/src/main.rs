//! The `renew` function on Lambda.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use models::TraceContext;
use renew::Invocation;
use tracing::Instrument as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let renew = &runtime::start(renew::wire).await?;
    let handler = async |event: LambdaEvent<Invocation>| {
        let request_id = &event.context.request_id;
        let trace = event.context.xray_trace_id.as_deref().and_then(TraceContext::of_xray);
        let span = runtime::invocation_span(request_id, trace);
        let done = renew.handle(event.payload, request_id).instrument(span).await;
        done.map_err(|error| Error::from(runtime::chain(&error)))
    };
    lambda_runtime::run(service_fn(handler)).await
}
