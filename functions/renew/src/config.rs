//! Configuration of `renew`.

use std::time::Duration;

use models::Cloud;
use partner_center::{BaseUrl, BaseUrlError, CloudDirectory, Limits};
use runtime::{ConfigError, Variable, Variables};
use store::TableNames;

const TENANTS_TABLE: Variable =
    Variable { name: "TENANTS_TABLE", meaning: "the name of the tenants table", default: None };
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

const fn address(name: &'static str) -> Variable {
    Variable {
        name,
        meaning: "a base address in place of Microsoft's, https://host or https://host:port",
        default: None,
    }
}

/// Replacements of Microsoft's addresses, by cloud and service: where tokens are asked for, and what for.
const ADDRESSES: [(Cloud, &str, Variable); 8] = [
    (Cloud::China, "GRAPH", address("CHINA_GRAPH_URL")),
    (Cloud::China, "LOGIN", address("CHINA_LOGIN_URL")),
    (Cloud::Global, "GRAPH", address("GLOBAL_GRAPH_URL")),
    (Cloud::Global, "LOGIN", address("GLOBAL_LOGIN_URL")),
    (Cloud::UsGovernmentL4, "GRAPH", address("US_GOVERNMENT_L4_GRAPH_URL")),
    (Cloud::UsGovernmentL4, "LOGIN", address("US_GOVERNMENT_L4_LOGIN_URL")),
    (Cloud::UsGovernmentL5, "GRAPH", address("US_GOVERNMENT_L5_GRAPH_URL")),
    (Cloud::UsGovernmentL5, "LOGIN", address("US_GOVERNMENT_L5_LOGIN_URL")),
];

/// Every variable that this function reads, beside those of `runtime`.
pub const VARIABLES: [Variable; 13] = [
    TENANTS_TABLE,
    RENEWAL_SECONDS,
    MICROSOFT_TIMEOUT_SECONDS,
    MICROSOFT_ATTEMPTS,
    MICROSOFT_LONGEST_PAUSE_SECONDS,
    ADDRESSES[0].2,
    ADDRESSES[1].2,
    ADDRESSES[2].2,
    ADDRESSES[3].2,
    ADDRESSES[4].2,
    ADDRESSES[5].2,
    ADDRESSES[6].2,
    ADDRESSES[7].2,
];

/// The configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The tables.
    pub tables: TableNames,
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
            look_limit: seconds(&RENEWAL_SECONDS, 1, 880)?,
            clouds: CloudDirectory::new(|cloud, service| replacement(variables, cloud, service))
                .map_err(|error| error.0)?,
            limits: Limits {
                attempts: u32::try_from(variables.number(&MICROSOFT_ATTEMPTS, 1, 10)?).unwrap_or(1),
                longest_pause: seconds(&MICROSOFT_LONGEST_PAUSE_SECONDS, 1, 300)?,
                ..Limits::default()
            },
            timeout: seconds(&MICROSOFT_TIMEOUT_SECONDS, 1, 60)?,
        })
    }
}

/// A configuration error that a malformed published address can become, too.
struct AddressError(ConfigError);

impl From<BaseUrlError> for AddressError {
    fn from(error: BaseUrlError) -> Self {
        Self(ADDRESSES[0].2.malformed(error.to_string()))
    }
}

fn replacement(variables: &Variables, cloud: Cloud, service: &str) -> Result<Option<BaseUrl>, AddressError> {
    let found = ADDRESSES.iter().find(|(of, kind, _)| *of == cloud && *kind == service);
    found.map_or(Ok(None), |(_, _, variable)| variables.optional(variable)).map_err(AddressError)
}
