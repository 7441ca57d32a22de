//! The `poll` function: wires the parts and runs.

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use messaging::ReconcileQueue;
use partner_center::{GraphAlerts, SecretsManager, Tokens};
use poll::{Config, Invocation, Poll};
use runtime::{Clock, OutgoingTls, SystemClock};
use store::Store;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let variables = runtime::start("poll")?;
    let config = runtime::or_stop(Config::read(&variables))?;
    let tls = runtime::or_stop(OutgoingTls::read(&variables))?;
    let aws = runtime::aws_config_loader(&tls)?.load().await;
    let http = runtime::http_client(&tls, config.timeout)?;
    let credentials = SecretsManager::new(aws_sdk_secretsmanager::Client::new(&aws));
    let now = Arc::new(|| SystemClock.now());
    let tokens = Arc::new(Tokens::new(http.clone(), config.clouds, credentials, config.limits, now));
    let source = GraphAlerts::new(http, tokens, config.limits);
    let store = Store::new(aws_sdk_dynamodb::Client::new(&aws), config.tables);
    let queue = ReconcileQueue::new(aws_sdk_sqs::Client::new(&aws), config.queue_url);
    let poll = &Poll::new(store, source, queue, Arc::new(SystemClock), config.settings);
    let handler = async |event: LambdaEvent<Invocation>| poll.handle(event.payload).await.map_err(Error::from);
    lambda_runtime::run(service_fn(handler)).await
}
