//! Configuration of `resolve`.

use std::time::Duration;

use identity::Origin;
use models::FraudThreshold;
use partner_center::{ADDRESS_NAMES, BaseUrlError, CloudDirectory, Limits};
use runtime::{ConfigError, Variable, Variables, base_address, base_addresses, together};
use store::TableNames;

use crate::{
    Settings,
    subscriptions::{self, StepUpConfig},
};

const ACTIVITY_TABLE: Variable =
    Variable { name: "ACTIVITY_TABLE", meaning: "the name of the activity table", default: None };
const ALERTS_TABLE: Variable =
    Variable { name: "ALERTS_TABLE", meaning: "the name of the alerts table", default: None };
const TENANTS_TABLE: Variable =
    Variable { name: "TENANTS_TABLE", meaning: "the name of the tenants table", default: None };
const OPERATIONS_QUEUE_URL: Variable =
    Variable { name: "OPERATIONS_QUEUE_URL", meaning: "the address of the operations queue", default: None };
const PUBLIC_URL: Variable = Variable {
    name: "PUBLIC_URL",
    meaning: "where our pages are, https://host or https://host:port, as browsers write it",
    default: None,
};
const FRAUD_SEVERITY: Variable = Variable {
    name: "FRAUD_SEVERITY",
    meaning: "the severity from which on an alert counts as fraud: low, medium or high",
    default: Some("high"),
};
const REQUEST_SECONDS: Variable = Variable {
    name: "REQUEST_SECONDS",
    meaning: "how long a request may take before the rest is left to the queue, shorter than the function's timeout and API Gateway's 30 seconds, 1 to 28 seconds",
    default: Some("25"),
};
const ALERT_SECONDS: Variable = Variable {
    name: "ALERT_SECONDS",
    meaning: "how long one alert may wait for Microsoft, all attempts together, before the others have their turn, a third of REQUEST_SECONDS at most for three to have theirs, 1 to 28 seconds",
    default: Some("8"),
};
const MICROSOFT_TIMEOUT_SECONDS: Variable = Variable {
    name: "MICROSOFT_TIMEOUT_SECONDS",
    meaning: "how long one request to Microsoft may take, 1 to 60 seconds",
    default: Some("15"),
};
const MICROSOFT_ATTEMPTS: Variable = Variable {
    name: "MICROSOFT_ATTEMPTS",
    meaning: "how often a request to Microsoft is tried in all, 1 to 10",
    default: Some("3"),
};
const MICROSOFT_LONGEST_PAUSE_SECONDS: Variable = Variable {
    name: "MICROSOFT_LONGEST_PAUSE_SECONDS",
    meaning: "the longest pause that is waited for where Microsoft asks for one, 1 to 300 seconds",
    default: Some("20"),
};

/// Where Microsoft is.
const ADDRESSES: [Variable; ADDRESS_NAMES.len()] = base_addresses(ADDRESS_NAMES);

/// Every variable that this function reads, beside those of `runtime`.
pub const VARIABLES: [Variable; 27] = together(&OURS, &ADDRESSES);

const OURS: [Variable; 15] = together(
    &[
        ACTIVITY_TABLE,
        ALERTS_TABLE,
        TENANTS_TABLE,
        OPERATIONS_QUEUE_URL,
        PUBLIC_URL,
        FRAUD_SEVERITY,
        REQUEST_SECONDS,
        ALERT_SECONDS,
        MICROSOFT_TIMEOUT_SECONDS,
        MICROSOFT_ATTEMPTS,
        MICROSOFT_LONGEST_PAUSE_SECONDS,
    ],
    &subscriptions::VARIABLES,
);

/// The configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The tables.
    pub tables: TableNames,
    /// The operations queue.
    pub queue_url: String,
    /// Where our pages are.
    pub origin: Origin,
    /// How requests are handled.
    pub settings: Settings,
    /// Where Microsoft's services are.
    pub clouds: CloudDirectory,
    /// Bounds of calls to Microsoft.
    pub limits: Limits,
    /// How long one request to Microsoft may take.
    pub timeout: Duration,
    /// What it takes for subscriptions.
    pub step_up: StepUpConfig,
}

impl Config {
    /// Reads the configuration.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable.
    pub fn read(variables: &Variables) -> Result<Self, ConfigError> {
        Ok(Self {
            tables: TableNames {
                activity: variables.read(&ACTIVITY_TABLE)?,
                alerts: variables.read(&ALERTS_TABLE)?,
                tenants: variables.read(&TENANTS_TABLE)?,
                ..TableNames::default()
            },
            queue_url: variables.read(&OPERATIONS_QUEUE_URL)?,
            origin: variables.read(&PUBLIC_URL)?,
            settings: Settings {
                threshold: variables.read::<FraudThreshold>(&FRAUD_SEVERITY)?,
                request_limit: Duration::from_secs(variables.number(&REQUEST_SECONDS, 1, 28)?),
                alert_limit: Duration::from_secs(variables.number(&ALERT_SECONDS, 1, 28)?),
            },
            clouds: clouds(variables)?,
            limits: Limits {
                attempts: u32::try_from(variables.number(&MICROSOFT_ATTEMPTS, 1, 10)?).unwrap_or(1),
                longest_pause: Duration::from_secs(variables.number(&MICROSOFT_LONGEST_PAUSE_SECONDS, 1, 300)?),
                ..Limits::default()
            },
            timeout: Duration::from_secs(variables.number(&MICROSOFT_TIMEOUT_SECONDS, 1, 60)?),
            step_up: StepUpConfig::read(variables)?,
        })
    }
}

fn clouds(variables: &Variables) -> Result<CloudDirectory, ConfigError> {
    // No variable is at fault where a published address is none, and no test lets that happen: the first stands for all.
    let malformed = |error: BaseUrlError| ADDRESSES[0].malformed(error.to_string());
    CloudDirectory::configured(|name| variables.optional(&base_address(name)), malformed)
}
