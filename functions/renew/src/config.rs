//! Configuration of `renew`.

use std::time::Duration;

use partner_center::{ADDRESS_NAMES, BaseUrlError, CloudDirectory, Limits};
use runtime::{ConfigError, Variable, Variables, base_address, base_addresses, together};
use store::TableNames;

const TENANTS_TABLE: Variable =
    Variable { name: "TENANTS_TABLE", meaning: "the name of the tenants table", default: None };
const OPERATIONS_TOPIC_ARN: Variable =
    Variable { name: "OPERATIONS_TOPIC_ARN", meaning: "the ARN of the operations topic", default: None };
const RENEWAL_SECONDS: Variable = Variable {
    name: "RENEWAL_SECONDS",
    meaning: "how long one credential may take, shorter than the function's timeout, 1 to 880 seconds",
    default: Some("90"),
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
pub const VARIABLES: [Variable; 18] = together(
    &[
        TENANTS_TABLE,
        OPERATIONS_TOPIC_ARN,
        RENEWAL_SECONDS,
        MICROSOFT_TIMEOUT_SECONDS,
        MICROSOFT_ATTEMPTS,
        MICROSOFT_LONGEST_PAUSE_SECONDS,
    ],
    &ADDRESSES,
);

/// The configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The tables.
    pub tables: TableNames,
    /// The topic of those who look after Partner Alerts.
    pub operations_topic_arn: String,
    /// How long one credential may take.
    pub look_limit: Duration,
    /// Where Microsoft's services are.
    pub clouds: CloudDirectory,
    /// Bounds of calls to Microsoft.
    pub limits: Limits,
    /// How long one request to Microsoft may take.
    pub timeout: Duration,
}

impl Config {
    /// Reads the configuration.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable.
    pub fn read(variables: &Variables) -> Result<Self, ConfigError> {
        let seconds = |variable, least, most| variables.number(variable, least, most).map(Duration::from_secs);
        Ok(Self {
            tables: TableNames { tenants: variables.read(&TENANTS_TABLE)?, ..TableNames::default() },
            operations_topic_arn: variables.read(&OPERATIONS_TOPIC_ARN)?,
            look_limit: seconds(&RENEWAL_SECONDS, 1, 880)?,
            clouds: clouds(variables)?,
            limits: Limits {
                attempts: u32::try_from(variables.number(&MICROSOFT_ATTEMPTS, 1, 10)?).unwrap_or(1),
                longest_pause: seconds(&MICROSOFT_LONGEST_PAUSE_SECONDS, 1, 300)?,
                ..Limits::default()
            },
            timeout: seconds(&MICROSOFT_TIMEOUT_SECONDS, 1, 60)?,
        })
    }
}

fn clouds(variables: &Variables) -> Result<CloudDirectory, ConfigError> {
    // No variable is at fault where a published address is none, and no test lets that happen: the first stands for all.
    let malformed = |error: BaseUrlError| ADDRESSES[0].malformed(error.to_string());
    CloudDirectory::configured(|name| variables.optional(&base_address(name)), malformed)
}
