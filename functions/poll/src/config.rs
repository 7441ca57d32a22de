//! Configuration of `poll`.

use std::time::Duration;

use models::FraudThreshold;
use partner_center::{ADDRESS_NAMES, BaseUrlError, CloudDirectory, Limits};
use runtime::{ConfigError, Seconds, Variable, Variables, base_address, base_addresses, together};
use store::{LeaseTerms, TableNames};

use crate::Settings;

const ALERTS_TABLE: Variable =
    Variable { name: "ALERTS_TABLE", meaning: "the name of the alerts table", default: None };
const TENANTS_TABLE: Variable =
    Variable { name: "TENANTS_TABLE", meaning: "the name of the tenants table", default: None };
const RECONCILE_QUEUE_URL: Variable =
    Variable { name: "RECONCILE_QUEUE_URL", meaning: "the address of the reconcile queue", default: None };
const NAMES_QUEUE_URL: Variable =
    Variable { name: "NAMES_QUEUE_URL", meaning: "the address of the names queue", default: None };
const FRAUD_SEVERITY: Variable = Variable {
    name: "FRAUD_SEVERITY",
    meaning: "the severity from which on an alert counts as fraud: low, medium or high",
    default: Some("high"),
};
const RECONCILE_GAP_SECONDS: Variable = Variable {
    name: "RECONCILE_GAP_SECONDS",
    meaning: "the shortest time between two runs of a tenant, 1 to 300 seconds",
    default: Some("15"),
};
const LEASE_SECONDS: Variable = Variable {
    name: "LEASE_SECONDS",
    meaning: "how long a run may hold its tenant, longer than the function's timeout, 10 to 960 seconds",
    default: Some("150"),
};
const RUN_SECONDS: Variable = Variable {
    name: "RUN_SECONDS",
    meaning: "how long a run may take, half a minute less than the function's timeout, 5 to 880 seconds",
    default: Some("90"),
};
const MICROSOFT_TIMEOUT_SECONDS: Variable = Variable {
    name: "MICROSOFT_TIMEOUT_SECONDS",
    meaning: "how long one request to Microsoft may take, 1 to 60 seconds",
    default: Some("15"),
};
const GRAPH_MAX_PAGES: Variable = Variable {
    name: "GRAPH_MAX_PAGES",
    meaning: "most pages of one list of alerts, 1 to 100000",
    default: Some("1000"),
};

const DIGEST_ABOVE: Variable = Variable {
    name: "DIGEST_ABOVE",
    meaning: "more changes of fraud severity than this in one run become one digest, 1 to 1000",
    default: Some("20"),
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
pub const VARIABLES: [Variable; 25] = together(
    &[
        ALERTS_TABLE,
        TENANTS_TABLE,
        RECONCILE_QUEUE_URL,
        NAMES_QUEUE_URL,
        FRAUD_SEVERITY,
        RECONCILE_GAP_SECONDS,
        LEASE_SECONDS,
        RUN_SECONDS,
        MICROSOFT_TIMEOUT_SECONDS,
        GRAPH_MAX_PAGES,
        DIGEST_ABOVE,
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
    /// The reconcile queue.
    pub queue_url: String,
    /// The names queue.
    pub names_queue_url: String,
    /// How runs are made.
    pub settings: Settings,
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
        Ok(Self {
            tables: TableNames {
                alerts: variables.read(&ALERTS_TABLE)?,
                tenants: variables.read(&TENANTS_TABLE)?,
                ..TableNames::default()
            },
            queue_url: variables.read(&RECONCILE_QUEUE_URL)?,
            names_queue_url: variables.read(&NAMES_QUEUE_URL)?,
            settings: settings(variables)?,
            clouds: clouds(variables)?,
            limits: Limits {
                attempts: u32::try_from(variables.number(&MICROSOFT_ATTEMPTS, 1, 10)?).unwrap_or(1),
                longest_pause: Duration::from_secs(variables.number(&MICROSOFT_LONGEST_PAUSE_SECONDS, 1, 300)?),
                ..Limits::default()
            },
            timeout: Duration::from_secs(variables.number(&MICROSOFT_TIMEOUT_SECONDS, 1, 60)?),
        })
    }
}

fn settings(variables: &Variables) -> Result<Settings, ConfigError> {
    let lease = LeaseTerms {
        duration: variables.seconds(&LEASE_SECONDS, Seconds { least: 10, most: 960 })?,
        gap: variables.seconds(&RECONCILE_GAP_SECONDS, Seconds { least: 1, most: 300 })?,
    };
    let run_seconds = variables.number(&RUN_SECONDS, 5, 880)?;
    // A run that outlives its lease does its work for nothing.
    if lease.duration.as_secs().unsigned_abs() <= run_seconds {
        return Err(RUN_SECONDS.malformed("it should be less than LEASE_SECONDS".to_owned()));
    }
    let threshold = variables.read::<FraudThreshold>(&FRAUD_SEVERITY)?;
    let digest_above = usize::try_from(variables.number(&DIGEST_ABOVE, 1, 1_000)?).unwrap_or(usize::MAX);
    let pages = usize::try_from(variables.number(&GRAPH_MAX_PAGES, 1, 100_000)?).unwrap_or(usize::MAX);
    Ok(Settings { lease, run_limit: Duration::from_secs(run_seconds), threshold, digest_above, pages })
}

fn clouds(variables: &Variables) -> Result<CloudDirectory, ConfigError> {
    // No variable is at fault where a published address is none, and no test lets that happen: the first stands for all.
    let malformed = |error: BaseUrlError| ADDRESSES[0].malformed(error.to_string());
    CloudDirectory::configured(|name| variables.optional(&base_address(name)), malformed)
}
