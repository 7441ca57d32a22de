//! The `sign-in` function on Lambda.

use lambda_http::{Adapter, Error, Request, RequestExt as _, lambda_runtime, service_fn, tower::ServiceExt as _};
use models::TraceContext;
use sign_in::request;
use tracing::Instrument as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let sign_in = &runtime::start(sign_in::wire).await?;
    let handler = async |event: Request| {
        let context = event.lambda_context();
        let trace = context.xray_trace_id.as_deref().and_then(TraceContext::of_xray);
        let span = runtime::invocation_span(&context.request_id, trace);
        Ok::<_, Error>(request::wrapped(sign_in.answer(request::plain(event)).instrument(span).await))
    };
    lambda_runtime::run(Adapter::from(service_fn(handler)).map_request(runtime::addressable)).await
}
