//! The function as it is deployed: the only place that names concrete AWS types.

use std::sync::Arc;

use messaging::ReconcileQueue;
use runtime::{Parts, StartError, http_client};
use store::Store;

use crate::{Config, HttpsCertificates, Webhook};

/// The function over DynamoDB, SQS and https.
pub type Deployed = Webhook<Store, HttpsCertificates, ReconcileQueue>;

/// Makes the function from its parts.
///
/// # Errors
///
/// [`StartError`] where the configuration can't be used.
pub fn wire(parts: &Parts) -> Result<Deployed, StartError> {
    let config = Config::read(&parts.variables)?;
    let store = Store::new(aws_sdk_dynamodb::Client::new(&parts.aws), config.tables);
    let queue = ReconcileQueue::new(aws_sdk_sqs::Client::new(&parts.aws), config.queue_url);
    let certificates = HttpsCertificates(http_client(&parts.tls, config.certificate_timeout)?);
    let webhook = Webhook::new(store, certificates, queue, config.policy, Arc::clone(&parts.clock), config.settings);
    Ok(webhook.with_metrics(parts.metrics.clone()))
}
