//! The `dashboard` function on Lambda: requests of API Gateway, and messages of the exports queue.

use aws_lambda_events::sqs::SqsEvent;
use jiff::Timestamp;
use lambda_http::{
    Error,
    lambda_runtime::{self, Context, LambdaEvent, service_fn},
};
use models::TraceContext;
use serde_json::value::{RawValue, to_raw_value};
use tracing::Instrument as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let dashboard = &runtime::start(dashboard::wire).await?;
    let handler = async |event: LambdaEvent<Box<RawValue>>| {
        let LambdaEvent { payload, context } = event;
        let trace = context.xray_trace_id.as_deref().and_then(TraceContext::of_xray);
        let span = runtime::invocation_span(&context.request_id, trace);
        handle(dashboard, payload.get(), &context, trace).instrument(span).await
    };
    lambda_runtime::run(service_fn(handler)).await
}

async fn handle(
    dashboard: &dashboard::Deployed,
    event: &str,
    context: &Context,
    trace: Option<TraceContext>,
) -> Result<Box<RawValue>, Error> {
    if let Ok(messages) = serde_json::from_str::<SqsEvent>(event) {
        let ends = Timestamp::try_from(context.deadline())?;
        return Ok(to_raw_value(&dashboard.carry_on(messages, &context.request_id, ends).await)?);
    }
    let request = api::Request::read(runtime::gateway_request(event)?, &context.request_id, trace);
    let answer = dashboard.answer(&request).await;
    Ok(to_raw_value(&api::packed_for_gateway(&request.headers, answer))?)
}
