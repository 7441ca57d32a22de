//! The `webhook` function on Lambda.

use lambda_http::{Error, Request, service_fn};
use webhook::request;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let webhook = &runtime::start(webhook::wire).await?;
    let handler = async |event: Request| {
        let response = webhook.answer(request::plain(event)).await;
        Ok::<_, Error>(request::wrapped(response))
    };
    lambda_http::run(service_fn(handler)).await
}
