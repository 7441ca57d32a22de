//! The function as it is deployed: the only place that names concrete AWS types.

use std::sync::Arc;

use api::Gate;
use messaging::{OperationsQueue, Topic};
use partner_center::{
    AlertSources, AlertStatuses, Entitlements, NewId, Now, Purpose, SecretsManager, Tokens, WrongPurpose,
};
use runtime::{Kept, Parts, StartError, http_client, random_bytes, random_id};
use secrecy::SecretString;
use store::Store;
use subscriptions::Subscriptions;

use crate::{
    Acting, Config, Microsoft, Resolve,
    subscriptions::{ReadSecret, SecretError, SteppingUp},
};

/// The function over DynamoDB, SNS, SQS, Secrets Manager, Microsoft's two sources of alerts and its Azure subscriptions.
pub type Deployed = Acting<
    Store,
    Microsoft<AlertStatuses<SecretsManager>, AlertSources<SecretsManager>>,
    OperationsQueue,
    SecretsManager,
    Topic,
    StoredSecrets,
>;

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
    let http = http_client(&parts.tls, config.timeout)?;
    Ok(wire_with(config, http, parts))
}

/// Makes the function from its parts, this configuration, which may hold what no variable says (shorter pauses, for tests), and this
/// HTTP client.
#[must_use]
pub fn wire_with(config: Config, http: reqwest::Client, parts: &Parts) -> Deployed {
    let secrets = aws_sdk_secretsmanager::Client::new(&parts.aws);
    let clock = Arc::clone(&parts.clock);
    let now: Now = Arc::new(move || clock.now());
    let new_id: NewId = Arc::new(random_id);
    let limits = config.limits;
    let tokens = |purpose| {
        let credentials = SecretsManager::new(secrets.clone(), purpose);
        let (now, ids) = (Arc::clone(&now), Arc::clone(&new_id));
        Arc::new(Tokens::new(http.clone(), config.clouds.clone(), credentials, limits, now, ids))
    };
    let to_act = tokens(Purpose::Act);
    let look = AlertSources::new(http.clone(), Arc::clone(&to_act), limits);
    let act = match AlertStatuses::new(http.clone(), to_act, limits) {
        Ok(act) => act,
        Err(WrongPurpose { .. }) => unreachable!("the credentials are those to act with"),
    };
    let entitlements = Entitlements::new(http.clone(), tokens(Purpose::Read), limits);
    let store = Store::new(aws_sdk_dynamodb::Client::new(&parts.aws), config.tables);
    let queue = OperationsQueue::new(aws_sdk_sqs::Client::new(&parts.aws), config.queue_url);
    let people = Topic::new(aws_sdk_sns::Client::new(&parts.aws), config.step_up.topic_arn.clone());
    let ids = Arc::clone(&new_id);
    let subscriptions = Subscriptions::new(store.clone(), entitlements, Arc::clone(&parts.clock), ids);
    let stepping_up = SteppingUp {
        kept: Kept::default(),
        secrets: StoredSecrets(secrets),
        config: config.step_up,
        origin: config.origin.clone(),
        http,
        clouds: config.clouds,
        limits,
        now,
        random: Arc::new(random_bytes),
    };
    let (gate, clock) = (Gate::new(config.origin), Arc::clone(&parts.clock));
    let of_alerts = (Microsoft { act, look }, queue.clone());
    let resolve =
        Resolve::new(store, of_alerts, gate, clock, new_id, config.settings).with_metrics(parts.metrics.clone());
    Acting::new(resolve, subscriptions, (people, queue), stepping_up)
}
