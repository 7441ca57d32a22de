//! The AWS account that a command works on: where things are, and the clients.
//!
//! What a stack is made of stands in its outputs, so `--stack` is all that has to be said. Without one, each is a variable of the
//! process: this is how the local system is worked on, and a deployment that was not made by CloudFormation.

use std::{sync::Arc, time::Duration};

use aws_config::SdkConfig;
use models::Tenant;
use partner_center::{
    ADDRESS_VARIABLES, AlertSources, AuditRecords, BaseUrl, BaseUrlError, CloudDirectory, Consent, Credentials,
    Entitlements, Limits, Now, Proof, Purpose, Registrations, SecretsManager, Tokens,
};
use runtime::{
    Clock as _, ConfigError, OutgoingTls, StartError, SystemClock, Variable, Variables, base_address, random_id,
};
use store::{Store, TableNames};

use crate::stack;

const fn place(name: &'static str, meaning: &'static str) -> Variable {
    Variable { name, meaning, default: None }
}

/// Who did what.
pub(crate) const ACTIVITY_TABLE: Variable =
    place("ACTIVITY_TABLE", "the name of the activity table, or name the stack with --stack");
/// Alerts and their outbox.
pub(crate) const ALERTS_TABLE: Variable =
    place("ALERTS_TABLE", "the name of the alerts table, or name the stack with --stack");
/// Received events.
pub(crate) const EVENTS_TABLE: Variable =
    place("EVENTS_TABLE", "the name of the events table, or name the stack with --stack");
/// Sessions.
pub(crate) const SESSIONS_TABLE: Variable =
    place("SESSIONS_TABLE", "the name of the sessions table, or name the stack with --stack");
/// Tenants.
pub(crate) const TENANTS_TABLE: Variable =
    place("TENANTS_TABLE", "the name of the tenants table, or name the stack with --stack");
/// What callback addresses begin with.
pub(crate) const CALLBACK_BASE_URL: Variable = place(
    "CALLBACK_BASE_URL",
    "what callback addresses begin with, up to the tenant's id, or name the stack with --stack",
);
/// Where alerts of fraud severity go.
pub(crate) const FRAUD_TOPIC_ARN: Variable =
    place("FRAUD_TOPIC_ARN", "the ARN of the fraud topic, or name the stack with --stack");
/// Where verified events go.
pub(crate) const EVENTS_TOPIC_ARN: Variable =
    place("EVENTS_TOPIC_ARN", "the ARN of the events topic, or name the stack with --stack");
/// Where alarms go.
pub(crate) const OPERATIONS_TOPIC_ARN: Variable =
    place("OPERATIONS_TOPIC_ARN", "the ARN of the operations topic, or name the stack with --stack");
/// What names of secrets to act with begin with: functions may read no others.
pub(crate) const ACT_SECRET_PREFIX: Variable = Variable {
    name: "ACT_SECRET_PREFIX",
    meaning: "what names of act secrets begin with",
    default: Some("partner-alerts/act/"),
};
/// The same of secrets to read with.
pub(crate) const READ_SECRET_PREFIX: Variable = Variable {
    name: "READ_SECRET_PREFIX",
    meaning: "what names of read secrets begin with",
    default: Some("partner-alerts/read/"),
};
/// What people sign in to, where they do.
pub(crate) const SIGN_IN_CLIENT_ID: Variable = place(
    "SIGN_IN_CLIENT_ID",
    "the id of the application that people sign in to, or name the stack with --stack; empty where nobody signs in",
);
/// The secret with that application's client secret.
pub(crate) const SIGN_IN_SECRET: Variable = Variable {
    name: "SIGN_IN_SECRET",
    meaning: "the name of the secret with the client secret of the application that people sign in to",
    default: Some("partner-alerts/sign-in/client"),
};
/// The secret with the keys that seal what a sign-in rests on.
pub(crate) const SEALING_SECRET: Variable = Variable {
    name: "SEALING_SECRET",
    meaning: "the name of the secret with the keys that cookies of a sign-in under way are sealed with",
    default: Some("partner-alerts/sign-in/sealing"),
};
/// The secret with the keys that seal places in lists.
pub(crate) const CURSOR_SECRET: Variable = Variable {
    name: "CURSOR_SECRET",
    meaning: "the name of the secret with the keys that places in lists are sealed with",
    default: Some("partner-alerts/dashboard/sealing"),
};
/// Requests for names.
pub(crate) const NAMES_QUEUE_URL: Variable =
    place("NAMES_QUEUE_URL", "the address of the names queue, or name the stack with --stack");
/// Requests for names that failed for good.
pub(crate) const NAMES_DEAD_LETTERS_URL: Variable =
    place("NAMES_DEAD_LETTERS_URL", "the address of the names queue's dead letters, or name the stack with --stack");
/// Turns of large exports.
pub(crate) const EXPORTS_QUEUE_URL: Variable =
    place("EXPORTS_QUEUE_URL", "the address of the exports queue, or name the stack with --stack");
/// Turns of large exports that failed for good.
pub(crate) const EXPORTS_DEAD_LETTERS_URL: Variable = place(
    "EXPORTS_DEAD_LETTERS_URL",
    "the address of the exports queue's dead letters, or name the stack with --stack",
);
/// Requests to carry operations on.
pub(crate) const OPERATIONS_QUEUE_URL: Variable =
    place("OPERATIONS_QUEUE_URL", "the address of the operations queue, or name the stack with --stack");
/// Requests to carry operations on that failed for good.
pub(crate) const OPERATIONS_DEAD_LETTERS_URL: Variable = place(
    "OPERATIONS_DEAD_LETTERS_URL",
    "the address of the operations queue's dead letters, or name the stack with --stack",
);
/// Requests for runs.
pub(crate) const RECONCILE_QUEUE_URL: Variable =
    place("RECONCILE_QUEUE_URL", "the address of the reconcile queue, or name the stack with --stack");
/// Requests for runs that failed for good.
pub(crate) const RECONCILE_DEAD_LETTERS_URL: Variable = place(
    "RECONCILE_DEAD_LETTERS_URL",
    "the address of the reconcile queue's dead letters, or name the stack with --stack",
);
/// Stream records that were given up.
pub(crate) const STREAM_DEAD_LETTERS_URL: Variable =
    place("STREAM_DEAD_LETTERS_URL", "the address of the streams' dead letters, or name the stack with --stack");
/// The schedules.
pub(crate) const SCHEDULES: Variable =
    place("SCHEDULES", "the names of the schedules, separated by commas, or name the stack with --stack");

/// The variables that say where things are, beside those of `runtime`, of `signers` and of Microsoft's addresses.
pub const VARIABLES: [Variable; 25] = [
    ACTIVITY_TABLE,
    ACT_SECRET_PREFIX,
    ALERTS_TABLE,
    CALLBACK_BASE_URL,
    CURSOR_SECRET,
    EVENTS_TABLE,
    EVENTS_TOPIC_ARN,
    EXPORTS_DEAD_LETTERS_URL,
    EXPORTS_QUEUE_URL,
    FRAUD_TOPIC_ARN,
    NAMES_DEAD_LETTERS_URL,
    NAMES_QUEUE_URL,
    OPERATIONS_DEAD_LETTERS_URL,
    OPERATIONS_QUEUE_URL,
    OPERATIONS_TOPIC_ARN,
    READ_SECRET_PREFIX,
    RECONCILE_DEAD_LETTERS_URL,
    RECONCILE_QUEUE_URL,
    SCHEDULES,
    SEALING_SECRET,
    SESSIONS_TABLE,
    SIGN_IN_CLIENT_ID,
    SIGN_IN_SECRET,
    STREAM_DEAD_LETTERS_URL,
    TENANTS_TABLE,
];

/// Why an account can't be worked on.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// One of Microsoft's published addresses is none.
    #[error("an address of Microsoft's can't be used")]
    Address(#[from] BaseUrlError),
    /// The configuration can't be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A client can't be made.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The stack can't be looked at.
    #[error("the stack {stack} can't be looked at: {reason}")]
    Stack {
        /// Its name.
        stack: String,
        /// Why not.
        reason: String,
    },
}

/// An account, and what stands where in it.
#[derive(Clone, Debug)]
pub struct Account {
    variables: Variables,
    tls: OutgoingTls,
    aws: SdkConfig,
}

impl Account {
    /// The account of the process's AWS credentials, with what the stack says where one is named.
    ///
    /// # Errors
    ///
    /// [`AccountError`].
    pub async fn open(stack: Option<&str>) -> Result<Self, AccountError> {
        let account = Self::of_process().await?;
        match stack {
            Some(stack) => account.with_stack(stack).await,
            None => Ok(account),
        }
    }

    /// The account of the process's AWS credentials, with what its variables say.
    ///
    /// # Errors
    ///
    /// [`AccountError`].
    pub async fn of_process() -> Result<Self, AccountError> {
        let variables = Variables::of_process();
        let tls = OutgoingTls::read(&variables)?;
        let aws = runtime::aws_config_loader(&tls).map_err(StartError::from)?.load().await;
        Ok(Self { variables, tls, aws })
    }

    /// The same with what a stack says, whatever the process's variables do.
    ///
    /// # Errors
    ///
    /// [`AccountError`].
    pub async fn with_stack(&self, stack: &str) -> Result<Self, AccountError> {
        Ok(self.led_by(stack::described(&self.aws, stack).await?))
    }

    /// The same with the schedules of a stack.
    pub(crate) async fn with_schedules(&self, stack: &str) -> Result<Self, AccountError> {
        Ok(self.led_by([stack::schedules(&self.aws, stack).await?]))
    }

    /// What a stack says counts more than what a shell was set up for before: a mixture of two deployments is nobody's wish.
    fn led_by(&self, said: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        Self { variables: self.variables.clone().led_by(said), ..self.clone() }
    }

    /// What it is configured with.
    pub(crate) fn variables(&self) -> &Variables {
        &self.variables
    }

    /// What outgoing TLS trusts.
    pub(crate) fn tls(&self) -> &OutgoingTls {
        &self.tls
    }

    /// Region, credentials and endpoint.
    pub(crate) fn aws(&self) -> &SdkConfig {
        &self.aws
    }

    /// Whether people sign in.
    pub(crate) fn lets_people_in(&self) -> bool {
        // A text can always be read.
        self.variables.optional::<String>(&SIGN_IN_CLIENT_ID).is_ok_and(|client| client.is_some())
    }

    /// What is kept in it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] where the table is not known.
    pub fn store(&self) -> Result<Store, ConfigError> {
        let tables = TableNames { tenants: self.variables.read(&TENANTS_TABLE)?, ..TableNames::default() };
        Ok(Store::new(aws_sdk_dynamodb::Client::new(&self.aws), tables))
    }

    /// The store of the tenants and their alerts.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] where a table is not known.
    pub fn store_with_alerts(&self) -> Result<Store, ConfigError> {
        let (tenants, alerts) = (self.variables.read(&TENANTS_TABLE)?, self.variables.read(&ALERTS_TABLE)?);
        let tables = TableNames { tenants, alerts, ..TableNames::default() };
        Ok(Store::new(aws_sdk_dynamodb::Client::new(&self.aws), tables))
    }

    /// The store of the sessions.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] where the table is not known.
    pub fn store_with_sessions(&self) -> Result<Store, ConfigError> {
        let tables = TableNames { sessions: self.variables.read(&SESSIONS_TABLE)?, ..TableNames::default() };
        Ok(Store::new(aws_sdk_dynamodb::Client::new(&self.aws), tables))
    }

    /// The store of the tenants, their alerts, and what people did.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] where a table is not known.
    pub fn store_with_activity(&self) -> Result<Store, ConfigError> {
        let (tenants, alerts) = (self.variables.read(&TENANTS_TABLE)?, self.variables.read(&ALERTS_TABLE)?);
        let tables =
            TableNames { activity: self.variables.read(&ACTIVITY_TABLE)?, tenants, alerts, ..TableNames::default() };
        Ok(Store::new(aws_sdk_dynamodb::Client::new(&self.aws), tables))
    }

    /// Microsoft, as its tenants sign in there with their secrets of this purpose, with the patience of a person who waits.
    ///
    /// # Errors
    ///
    /// [`AccountError`].
    pub fn microsoft_for(&self, purpose: Purpose) -> Result<Microsoft, AccountError> {
        self.microsoft(purpose, Limits::default(), Duration::from_secs(30))
    }

    /// Microsoft, as its tenants sign in there with their secrets of this purpose, each request within this time.
    ///
    /// # Errors
    ///
    /// [`AccountError`].
    pub fn microsoft(&self, purpose: Purpose, limits: Limits, timeout: Duration) -> Result<Microsoft, AccountError> {
        let http = runtime::http_client(&self.tls, timeout).map_err(StartError::from)?;
        let secrets = SecretsManager::new(aws_sdk_secretsmanager::Client::new(&self.aws), purpose);
        let (clouds, now): (_, Now) = (self.clouds()?, Arc::new(|| SystemClock.now()));
        let (signing_in, told) = (secrets.clone(), Arc::clone(&now));
        let tokens = Tokens::new(http.clone(), clouds.clone(), signing_in, limits, told, Arc::new(random_id));
        Ok(Microsoft { http, clouds, now, secrets, tokens: Arc::new(tokens), limits })
    }

    fn clouds(&self) -> Result<CloudDirectory, AccountError> {
        CloudDirectory::new(|cloud, service| self.replaced(cloud, service))
    }

    /// The address that stands in place of Microsoft's for this cloud and service, where there is one.
    pub(crate) fn replaced(&self, cloud: models::Cloud, service: &str) -> Result<Option<BaseUrl>, AccountError> {
        let wanted = ADDRESS_VARIABLES.iter().find(|(of, name, _)| (*of, *name) == (cloud, service));
        match wanted {
            Some((_, _, name)) => Ok(self.variables.optional(&base_address(name))?),
            None => Ok(None),
        }
    }

    /// What callback addresses begin with.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] where it is not known.
    pub fn callback_base_url(&self) -> Result<String, ConfigError> {
        let base: String = self.variables.read(&CALLBACK_BASE_URL)?;
        Ok(if base.ends_with('/') { base } else { base + "/" })
    }
}

/// Microsoft, as tenants sign in there.
pub struct Microsoft<C = SecretsManager> {
    http: reqwest::Client,
    clouds: CloudDirectory,
    now: Now,
    /// What they sign in with, as it is kept.
    pub secrets: SecretsManager,
    /// What they are given for what they sign in with: the same, or what is looked at before it is kept.
    pub tokens: Arc<Tokens<C>>,
    limits: Limits,
}

impl<C> std::fmt::Debug for Microsoft<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Microsoft").field("clouds", &self.clouds).finish_non_exhaustive()
    }
}

impl<C: Credentials + Send + Sync> Microsoft<C> {
    /// The same for one who signs in with these.
    #[must_use]
    pub fn with<G: Credentials + Send + Sync>(&self, credentials: G) -> Microsoft<G> {
        let Self { http, clouds, now, secrets, limits, .. } = self;
        let (http, clouds, now) = (http.clone(), clouds.clone(), Arc::clone(now));
        let (limits, told) = (*limits, Arc::clone(&now));
        let tokens = Tokens::new(http.clone(), clouds.clone(), credentials, limits, told, Arc::new(random_id));
        Microsoft { http, clouds, now, secrets: secrets.clone(), tokens: Arc::new(tokens), limits }
    }

    /// Their alerts.
    #[must_use]
    pub fn alerts(&self) -> AlertSources<C> {
        AlertSources::new(self.http.clone(), Arc::clone(&self.tokens), self.limits)
    }

    /// Their audit records.
    #[must_use]
    pub fn audit_records(&self) -> AuditRecords<C> {
        AuditRecords::new(self.http.clone(), Arc::clone(&self.tokens), self.limits)
    }

    /// The Azure subscriptions of their customers.
    #[must_use]
    pub fn entitlements(&self) -> Entitlements<C> {
        Entitlements::new(self.http.clone(), Arc::clone(&self.tokens), self.limits)
    }

    /// Their webhook registrations.
    #[must_use]
    pub fn registrations(&self) -> Registrations<C> {
        Registrations::new(self.http.clone(), Arc::clone(&self.tokens), self.limits)
    }

    /// A person's consent to an application of this tenant.
    #[must_use]
    pub fn consent<'a>(&'a self, tenant: &'a Tenant, client_id: &'a str, proof: &'a Proof) -> Consent<'a> {
        let Self { http, clouds, now, limits, .. } = self;
        Consent { http, clouds, limits: *limits, now, tenant, client_id, proof }
    }
}
