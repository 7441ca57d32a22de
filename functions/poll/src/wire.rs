//! The function as it is deployed: the only place that names concrete AWS types.

use std::sync::Arc;

use messaging::{NamesQueue, ReconcileQueue};
use partner_center::{AlertSources, NewId, Purpose, SecretsManager, Tokens};
use runtime::{Parts, StartError, http_client, random_id};
use store::Store;

use crate::{Config, Poll, Queues};

/// The function over DynamoDB, SQS, Secrets Manager and Microsoft's two sources of alerts.
pub type Deployed = Poll<Store, AlertSources<SecretsManager>, Queues>;

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
/// HTTP client, which thousands of functions of one test may share.
#[must_use]
pub fn wire_with(config: Config, http: reqwest::Client, parts: &Parts) -> Deployed {
    let clock = Arc::clone(&parts.clock);
    let credentials = SecretsManager::new(aws_sdk_secretsmanager::Client::new(&parts.aws), Purpose::Read);
    let now = Arc::new(move || clock.now());
    let new_id: NewId = Arc::new(random_id);
    let (limits, ids) = (config.limits, Arc::clone(&new_id));
    let tokens = Arc::new(Tokens::new(http.clone(), config.clouds, credentials, limits, now, ids));
    let source = AlertSources::new(http, tokens, limits);
    let store = Store::new(aws_sdk_dynamodb::Client::new(&parts.aws), config.tables);
    let sqs = aws_sdk_sqs::Client::new(&parts.aws);
    let queues = Queues {
        reconcile: ReconcileQueue::new(sqs.clone(), config.queue_url),
        names: NamesQueue::new(sqs, config.names_queue_url),
    };
    let poll = Poll::new(store, source, queues, Arc::clone(&parts.clock), new_id, config.settings);
    poll.with_metrics(parts.metrics.clone())
}
