//! The function as it is deployed: the only place that names concrete AWS types.

use std::sync::Arc;

use messaging::Topic;
use partner_center::Renewer;
use runtime::{Parts, StartError, http_client, random_id};
use store::Store;

use crate::{Config, Renew};

/// The function over DynamoDB, Secrets Manager, SNS and Microsoft.
pub type Deployed = Renew<Store, Renewer, Topic>;

/// Makes the function from its parts.
///
/// # Errors
///
/// [`StartError`] where the configuration can't be used.
pub fn wire(parts: &Parts) -> Result<Deployed, StartError> {
    let config = Config::read(&parts.variables)?;
    let http = http_client(&parts.tls, config.timeout)?;
    let secrets = aws_sdk_secretsmanager::Client::new(&parts.aws);
    let clock = Arc::clone(&parts.clock);
    let now = Arc::new(move || clock.now());
    let renewer = Renewer::new(http, config.clouds, secrets, config.limits, now, Arc::new(random_id));
    let store = Store::new(aws_sdk_dynamodb::Client::new(&parts.aws), config.tables);
    let people = Topic::new(aws_sdk_sns::Client::new(&parts.aws), config.operations_topic_arn);
    let renew = Renew::new(store, renewer, people, Arc::clone(&parts.clock), config.look_limit);
    Ok(renew.with_metrics(parts.metrics.clone()))
}
