//! The `notify` function on Lambda.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use notify::Invocation;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let notify = &runtime::start(notify::wire).await?;
    let handler = async |event: LambdaEvent<Invocation>| notify.handle(event.payload).await.map_err(Error::from);
    lambda_runtime::run(service_fn(handler)).await
}
