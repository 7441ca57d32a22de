//! Where schedules are played, one after the other: a thread's stand-in for Microsoft, and what is expensive to make.
//!
//! All of it outlives a schedule: the listener and its certificates, the connections to it, and a tested configuration. What a schedule
//! leaves at Microsoft is swept away before the next.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_config::SdkConfig;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_dynamodb::config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig};
use jiff::Timestamp;
use runtime::{Clock, OutgoingTls, Parts, Variables, http_client};
use simulator::{Options, Simulator, Tenant};
use tempfile::TempDir;
use tests::{CLIENT_ID, CLIENT_SECRET, addresses};

use crate::{account::Account, world::IDS};

/// A clock that is told the time.
#[derive(Debug)]
pub(crate) struct Told(Mutex<Timestamp>);

impl Told {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(tests::START.parse().unwrap())))
    }

    pub(crate) fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Clock for Told {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the schedules of one thread share.
pub(crate) struct Stage {
    pub(crate) microsoft: Simulator,
    /// Microsoft's clock, which is right.
    pub(crate) time: Arc<Told>,
    pub(crate) variables: Variables,
    pub(crate) tls: OutgoingTls,
    /// The configuration of `poll`, which need not wait long before it asks Microsoft again.
    pub(crate) poll: poll::Config,
    /// The connections to Microsoft of all instances: a handshake for each would be most of a schedule's time.
    pub(crate) http: reqwest::Client,
    _files: TempDir,
}

impl Stage {
    pub(crate) async fn new(page_size: usize) -> Self {
        let time = Told::new();
        let clock = Arc::clone(&time);
        let tenant = |id: &str| Tenant {
            id: id.to_owned(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: CLIENT_SECRET.to_owned(),
            ..Tenant::default()
        };
        let tenants = IDS.map(tenant).into();
        let options = Options { clock: Arc::new(move || clock.now()), page_size, tenants, ..Options::default() };
        let microsoft = Simulator::start(options).await.unwrap();
        let files = TempDir::new().unwrap();
        let mut variables = addresses(&microsoft, files.path());
        variables.extend(
            [
                ("ALERTS_TABLE", "alerts"),
                ("TENANTS_TABLE", "tenants"),
                ("RECONCILE_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/000000000000/reconcile"),
                ("NAMES_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/000000000000/names"),
                ("FRAUD_TOPIC_ARN", "arn:aws:sns:eu-west-1:000000000000:fraud"),
                ("EVENTS_TOPIC_ARN", "arn:aws:sns:eu-west-1:000000000000:events"),
                ("RECONCILE_GAP_SECONDS", "1"),
                ("DIGEST_ABOVE", "3"),
                ("GRAPH_MAX_PAGES", "60"),
                ("MICROSOFT_LONGEST_PAUSE_SECONDS", "1"),
                ("MICROSOFT_TIMEOUT_SECONDS", "60"),
            ]
            .map(|(name, value)| (name, value.to_owned())),
        );
        let variables = Variables::default().over(variables);
        let tls = OutgoingTls::read(&variables).unwrap();
        let mut poll = poll::Config::read(&variables).unwrap();
        poll.limits.first_pause = Duration::from_millis(1);
        let http = http_client(&tls, poll.timeout).unwrap();
        Self { microsoft, time, variables, tls, poll, http, _files: files }
    }

    /// An instance of `poll`.
    pub(crate) fn instance(&self, parts: &Parts) -> poll::Deployed {
        poll::wire_with(self.poll.clone(), self.http.clone(), parts)
    }
}

/// AWS, as far as this account goes.
pub(crate) fn aws(account: &Account) -> SdkConfig {
    let credentials = Credentials::new("id", "secret", None, None, "schedule");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(account.clone())
        // What the SDK would repeat is trouble of its own kind: as told, and not by chance.
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .build()
}
