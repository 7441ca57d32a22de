//! The `dashboard` function on Lambda.

use lambda_http::{Adapter, Error, RequestExt as _, lambda_runtime, service_fn, tower::ServiceExt as _};
use models::TraceContext;
use tracing::Instrument as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let dashboard = &runtime::start(dashboard::wire).await?;
    let handler = async |event: lambda_http::Request| {
        let context = event.lambda_context();
        let trace = context.xray_trace_id.as_deref().and_then(TraceContext::of_xray);
        let span = runtime::invocation_span(&context.request_id, trace);
        let request = api::Request::read(event, &context.request_id, trace);
        let answer = dashboard.answer(&request).instrument(span).await;
        Ok::<_, Error>(api::on_the_wire(&request.headers, answer))
    };
    lambda_runtime::run(Adapter::from(service_fn(handler)).map_request(runtime::addressable)).await
}
