//! The function as it is deployed: the only place that names concrete AWS types.

use std::sync::Arc;

use partner_center::Renewer;
use runtime::{Parts, StartError, http_client};
use store::Store;

use crate::{Config, Renew};

/// The function over DynamoDB, Secrets Manager and Entra ID.
pub type Deployed = Renew<Store, Renewer>;

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
    let renewer = Renewer::new(http, config.clouds, secrets, config.limits, Arc::new(move || clock.now()));
    let store = Store::new(aws_sdk_dynamodb::Client::new(&parts.aws), config.tables);
    let renew = Renew::new(store, renewer, Arc::clone(&parts.clock), config.look_limit);
    Ok(renew.with_metrics(parts.metrics.clone()))
}
