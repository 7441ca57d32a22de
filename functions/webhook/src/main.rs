//! The `webhook` function on Lambda.

use lambda_http::{Adapter, Error, Request, RequestExt as _, lambda_runtime, service_fn, tower::ServiceExt as _};
use tracing::Instrument as _;
use webhook::request;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let webhook = &runtime::start(webhook::wire).await?;
    let handler = async |event: Request| {
        let request_id = event.lambda_context().request_id;
        let request = request::plain(event);
        let span = runtime::invocation_span(&request_id, request.extensions().get().copied());
        Ok::<_, Error>(request::wrapped(webhook.answer(request).instrument(span).await))
    };
    lambda_runtime::run(Adapter::from(service_fn(handler)).map_request(runtime::addressable)).await
}
