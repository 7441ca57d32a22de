//! Configuration of `dashboard`.

use identity::Origin;
use runtime::{ConfigError, Variable, Variables};
use store::TableNames;

const ACTIVITY_TABLE: Variable =
    Variable { name: "ACTIVITY_TABLE", meaning: "the name of the activity table", default: None };
const ALERTS_TABLE: Variable =
    Variable { name: "ALERTS_TABLE", meaning: "the name of the alerts table", default: None };
const EVENTS_TABLE: Variable =
    Variable { name: "EVENTS_TABLE", meaning: "the name of the events table", default: None };
const TENANTS_TABLE: Variable =
    Variable { name: "TENANTS_TABLE", meaning: "the name of the tenants table", default: None };
const PUBLIC_URL: Variable = Variable {
    name: "PUBLIC_URL",
    meaning: "where our pages are, https://host or https://host:port, as browsers write it",
    default: None,
};
const CURSOR_SECRET: Variable = Variable {
    name: "CURSOR_SECRET",
    meaning: "the name of the secret with the keys that places in lists are sealed with",
    default: None,
};

/// Every variable that this function reads, beside those of `runtime`.
pub const VARIABLES: [Variable; 6] =
    [ACTIVITY_TABLE, ALERTS_TABLE, EVENTS_TABLE, TENANTS_TABLE, PUBLIC_URL, CURSOR_SECRET];

/// The configuration.
#[derive(Debug)]
pub struct Config {
    /// The tables.
    pub tables: TableNames,
    /// Where our pages are.
    pub origin: Origin,
    /// Where the keys lie that places in lists are sealed with. Not those of `sign-in`: what shows the most is to open nothing else.
    pub cursor_secret: String,
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
                events: variables.read(&EVENTS_TABLE)?,
                tenants: variables.read(&TENANTS_TABLE)?,
                ..TableNames::default()
            },
            origin: variables.read(&PUBLIC_URL)?,
            cursor_secret: variables.read(&CURSOR_SECRET)?,
        })
    }
}
