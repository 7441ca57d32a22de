//! The function as it is deployed: the only place that names concrete AWS types.

use std::sync::Arc;

use messaging::Topic;
use runtime::{Parts, StartError};
use store::Store;

use crate::{Config, Notify};

/// The function over DynamoDB and SNS.
pub type Deployed = Notify<Store, Topic>;

/// Makes the function from its parts.
///
/// # Errors
///
/// [`StartError`] where the configuration can't be used.
pub fn wire(parts: &Parts) -> Result<Deployed, StartError> {
    let config = Config::read(&parts.variables)?;
    let store = Store::new(aws_sdk_dynamodb::Client::new(&parts.aws), config.tables);
    let sns = aws_sdk_sns::Client::new(&parts.aws);
    let fraud = Topic::new(sns.clone(), config.fraud_topic_arn);
    let events = Topic::new(sns, config.events_topic_arn);
    let notify = Notify::new(store, fraud, events, Arc::clone(&parts.clock), config.sweep_after);
    Ok(notify.with_metrics(parts.metrics.clone()))
}
