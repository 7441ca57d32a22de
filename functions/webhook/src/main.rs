//! The `webhook` function: wires the parts and runs.

use std::sync::Arc;

use lambda_http::{Error, Request, service_fn};
use messaging::ReconcileQueue;
use runtime::{OutgoingTls, SystemClock};
use store::Store;
use webhook::{Config, HttpsCertificates, Webhook, request};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let variables = runtime::start("webhook")?;
    let config = runtime::or_stop(Config::read(&variables))?;
    let tls = runtime::or_stop(OutgoingTls::read(&variables))?;
    let aws = runtime::aws_config_loader(&tls)?.load().await;
    let store = Store::new(aws_sdk_dynamodb::Client::new(&aws), config.tables);
    let queue = ReconcileQueue::new(aws_sdk_sqs::Client::new(&aws), config.queue_url);
    let certificates = HttpsCertificates(runtime::http_client(&tls, config.certificate_timeout)?);
    let clock = Arc::new(SystemClock);
    let webhook = &Webhook::new(store, certificates, queue, config.policy, clock, config.settings);
    let handler = async |event: Request| {
        let response = webhook.answer(request::plain(event)).await;
        Ok::<_, Error>(request::wrapped(response))
    };
    lambda_http::run(service_fn(handler)).await
}
