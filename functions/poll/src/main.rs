//! The `poll` function on Lambda.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use poll::Invocation;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let poll = &runtime::start(poll::wire).await?;
    let handler = async |event: LambdaEvent<Invocation>| poll.handle(event.payload).await.map_err(Error::from);
    lambda_runtime::run(service_fn(handler)).await
}
