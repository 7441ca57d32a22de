//! The function as it is deployed: the only place that names concrete AWS types.

use std::sync::Arc;

use identity::{AccessTokens, Keys, KeysAge};
use runtime::{Parts, StartError, http_client};
use store::Store;

use crate::{Admission, Authorize, Config, PublishedKeys};

/// The function over DynamoDB and the network.
pub type Deployed = Authorize<Store, PublishedKeys>;

/// Makes the function from its parts.
///
/// # Errors
///
/// [`StartError`] where the configuration can't be used.
pub fn wire(parts: &Parts) -> Result<Deployed, StartError> {
    let config = Config::read(&parts.variables)?;
    let store = Store::new(aws_sdk_dynamodb::Client::new(&parts.aws), config.tables);
    let published = PublishedKeys::new(http_client(&parts.tls, config.keys_timeout)?, config.issuers.clone());
    let tokens = AccessTokens::new(Keys::new(published, config.issuers, KeysAge::default()), config.audience);
    let admission = Admission { tokens, roles: config.roles, origin: config.origin };
    Ok(Authorize::new(store, admission, Arc::clone(&parts.clock)))
}
