//! The function as it is deployed: the only place that names concrete AWS types.

use std::sync::Arc;

use messaging::ReconcileQueue;
use runtime::{Parts, StartError};
use signers::Downloads;
use store::Store;

use crate::{Config, Webhook};

/// The function over DynamoDB, SQS and the network.
pub type Deployed = Webhook<Store, Downloads, ReconcileQueue>;

/// Makes the function from its parts.
///
/// # Errors
///
/// [`StartError`] where the configuration can't be used.
pub fn wire(parts: &Parts) -> Result<Deployed, StartError> {
    let config = Config::read(&parts.variables)?;
    let store = Store::new(aws_sdk_dynamodb::Client::new(&parts.aws), config.tables);
    let queue = ReconcileQueue::new(aws_sdk_sqs::Client::new(&parts.aws), config.queue_url);
    let certificates = config.signers.downloads(&parts.tls)?;
    let webhook =
        Webhook::new(store, certificates, queue, config.signers.policy, Arc::clone(&parts.clock), config.settings);
    Ok(webhook.with_metrics(parts.metrics.clone()))
}
