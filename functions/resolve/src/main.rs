//! The `resolve` function on Lambda: requests of API Gateway, messages of the operations queue, and the schedule.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use models::TraceContext;
use serde_json::value::{RawValue, to_raw_value};
use tracing::Instrument as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let resolve = &runtime::start(resolve::wire).await?;
    let handler = async |event: LambdaEvent<Box<RawValue>>| {
        let id = event.context.request_id.clone();
        let trace = event.context.xray_trace_id.as_deref().and_then(TraceContext::of_xray);
        let span = runtime::invocation_span(&id, trace);
        handle(resolve, event.payload.get(), &id, trace).instrument(span).await
    };
    lambda_runtime::run(service_fn(handler)).await
}

async fn handle(
    resolve: &resolve::Deployed,
    event: &str,
    id: &str,
    trace: Option<TraceContext>,
) -> Result<Box<RawValue>, Error> {
    if let Ok(invocation) = serde_json::from_str(event) {
        // The futures of acts are large, and nested deeply.
        let followed = Box::pin(resolve.follow(invocation, id, trace)).await;
        return Ok(to_raw_value(&followed.map_err(|error| Error::from(runtime::chain(&error)))?)?);
    }
    let request = api::Request::read(runtime::gateway_request(event)?, id, trace);
    Ok(to_raw_value(&api::for_gateway(&Box::pin(resolve.answer(&request)).await))?)
}
