//! The function as it is deployed: the only place that names concrete AWS types.

use std::sync::Arc;

use runtime::{Parts, StartError, http_client, random_bytes};
use secrecy::SecretString;
use store::Store;

use crate::{Config, EntraId, ReadSecret, SecretError, SignIn};

/// The function over DynamoDB, Secrets Manager and the network.
pub type Deployed = SignIn<Store, StoredSecrets>;

/// Secrets of Secrets Manager.
#[derive(Clone, Debug)]
pub struct StoredSecrets(aws_sdk_secretsmanager::Client);

impl ReadSecret for StoredSecrets {
    async fn read(&self, name: &str) -> Result<SecretString, SecretError> {
        let not_read =
            |source: Box<dyn std::error::Error + Send + Sync>| SecretError::NotRead { name: name.to_owned(), source };
        let found =
            self.0.get_secret_value().secret_id(name).send().await.map_err(|error| not_read(Box::new(error)))?;
        found.secret_string.map(SecretString::from).ok_or_else(|| not_read("it holds no text".into()))
    }
}

/// Makes the function from its parts.
///
/// # Errors
///
/// [`StartError`] where the configuration can't be used.
pub fn wire(parts: &Parts) -> Result<Deployed, StartError> {
    let config = Config::read(&parts.variables)?;
    let store = Store::new(aws_sdk_dynamodb::Client::new(&parts.aws), config.tables);
    let secrets = StoredSecrets(aws_sdk_secretsmanager::Client::new(&parts.aws));
    let http = http_client(&parts.tls, config.timeout)?;
    let entra = EntraId::new(http, config.issuers, config.application, &config.origin);
    let (clock, random) = (Arc::clone(&parts.clock), Arc::new(random_bytes));
    Ok(SignIn::new(store, (secrets, config.secrets), entra, config.origin, clock, random))
}
