//! The function as it is deployed: the only place that names concrete AWS types.

use std::sync::Arc;

use api::Gate;
use messaging::ExportsQueue;
use runtime::{Parts, StartError, random_bytes};
use secrecy::SecretString;
use store::Store;

use crate::{
    Config, Dashboard,
    jobs::{Bucket, Exporting, Jobs, Settings},
    places::{Places, ReadSealingKeys},
};

/// The function over DynamoDB, Secrets Manager, S3 and SQS.
pub type Deployed = Exporting<Store, StoredKeys, Bucket, ExportsQueue>;
/// What of it reads.
pub type Reading = Dashboard<Store, StoredKeys>;

/// The sealing keys in Secrets Manager.
#[derive(Clone, Debug)]
pub struct StoredKeys {
    client: aws_sdk_secretsmanager::Client,
    name: String,
}

impl ReadSealingKeys for StoredKeys {
    async fn read(&self) -> Result<SecretString, Box<dyn std::error::Error + Send + Sync>> {
        let found = self.client.get_secret_value().secret_id(&self.name).send().await?;
        found.secret_string.map(SecretString::from).ok_or_else(|| "it holds no text".into())
    }
}

/// Makes the function from its parts.
///
/// # Errors
///
/// [`StartError`] where the configuration can't be used.
pub fn wire(parts: &Parts) -> Result<Deployed, StartError> {
    let config = Config::read(&parts.variables)?;
    let jobs = config.exports.map(|places| {
        let store = Store::new(aws_sdk_dynamodb::Client::new(&parts.aws), config.tables);
        let queue = ExportsQueue::new(aws_sdk_sqs::Client::new(&parts.aws), places.queue_url);
        let (clock, origin) = (Arc::clone(&parts.clock), config.origin.as_str().to_owned());
        Jobs::new(store, (Bucket::new(&parts.aws, places.bucket), queue), clock, origin, Settings::default())
    });
    Ok(Exporting::new(wire_reading(parts)?, jobs))
}

/// Makes what reads, and writes no exports.
///
/// # Errors
///
/// [`StartError`] where the configuration can't be used.
pub fn wire_reading(parts: &Parts) -> Result<Reading, StartError> {
    let config = Config::read(&parts.variables)?;
    let store = Store::new(aws_sdk_dynamodb::Client::new(&parts.aws), config.tables);
    let client = aws_sdk_secretsmanager::Client::new(&parts.aws);
    let places = Places::new(StoredKeys { client, name: config.cursor_secret }, Arc::new(random_bytes));
    Ok(Dashboard::new(store, places, Gate::new(config.origin), Arc::clone(&parts.clock)))
}
