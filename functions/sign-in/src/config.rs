//! Configuration of `sign-in`.

use std::time::Duration;

use identity::{Issuers, Origin};
use models::{ObjectId, TenantId};
use runtime::{ConfigError, Variable, Variables};
use store::TableNames;

use crate::SecretNames;

const SESSIONS_TABLE: Variable =
    Variable { name: "SESSIONS_TABLE", meaning: "the name of the sessions table", default: None };
const PUBLIC_URL: Variable = Variable {
    name: "PUBLIC_URL",
    meaning: "where our pages are, https://host or https://host:port, as browsers write it",
    default: None,
};
const SIGN_IN_URL: Variable = Variable {
    name: "SIGN_IN_URL",
    meaning: "the sign-in service of the tenants that people sign in to, https://host or https://host:port",
    default: Some("https://login.microsoftonline.com"),
};
const SIGN_IN_TENANTS: Variable = Variable {
    name: "SIGN_IN_TENANTS",
    meaning: "the ids of the tenants that people sign in to, separated by commas; the first is the one where none is asked for",
    default: None,
};
const SIGN_IN_CLIENT_ID: Variable = Variable {
    name: "SIGN_IN_CLIENT_ID",
    meaning: "the id of the application that people sign in to, a GUID",
    default: None,
};
const SIGN_IN_SECRET: Variable = Variable {
    name: "SIGN_IN_SECRET",
    meaning: "the name of the secret with the application's client_secret",
    default: None,
};
const SEALING_SECRET: Variable =
    Variable { name: "SEALING_SECRET", meaning: "the name of the secret with the sealing keys", default: None };
const SIGN_IN_TIMEOUT_SECONDS: Variable = Variable {
    name: "SIGN_IN_TIMEOUT_SECONDS",
    meaning: "how long one request to the sign-in service may take, 1 to 10 seconds",
    default: Some("5"),
};

/// Every variable that this function reads, beside those of `runtime`.
pub const VARIABLES: [Variable; 8] = [
    SESSIONS_TABLE,
    PUBLIC_URL,
    SIGN_IN_URL,
    SIGN_IN_TENANTS,
    SIGN_IN_CLIENT_ID,
    SIGN_IN_SECRET,
    SEALING_SECRET,
    SIGN_IN_TIMEOUT_SECONDS,
];

/// The configuration.
#[derive(Debug)]
pub struct Config {
    /// The tables.
    pub tables: TableNames,
    /// Where our pages are.
    pub origin: Origin,
    /// Whose people may sign in.
    pub issuers: Issuers,
    /// The application.
    pub application: String,
    /// Where the secrets lie.
    pub secrets: SecretNames,
    /// How long one request to Entra ID may take.
    pub timeout: Duration,
}

impl Config {
    /// Reads the configuration.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable.
    pub fn read(variables: &Variables) -> Result<Self, ConfigError> {
        let application: ObjectId = variables.read(&SIGN_IN_CLIENT_ID)?;
        Ok(Self {
            tables: TableNames { sessions: variables.read(&SESSIONS_TABLE)?, ..TableNames::default() },
            origin: variables.read(&PUBLIC_URL)?,
            issuers: issuers(variables)?,
            application: application.to_string(),
            secrets: SecretNames {
                client: variables.read(&SIGN_IN_SECRET)?,
                sealing: variables.read(&SEALING_SECRET)?,
            },
            timeout: Duration::from_secs(variables.number(&SIGN_IN_TIMEOUT_SECONDS, 1, 10)?),
        })
    }
}

fn issuers(variables: &Variables) -> Result<Issuers, ConfigError> {
    let base: Origin = variables.read(&SIGN_IN_URL)?;
    if !base.as_str().starts_with("https://") {
        return Err(SIGN_IN_URL.malformed("it is not https".to_owned()));
    }
    let tenants: Vec<TenantId> = variables.list(&SIGN_IN_TENANTS)?;
    Issuers::new(base.as_str(), tenants).map_err(|error| SIGN_IN_TENANTS.malformed(error.to_string()))
}
