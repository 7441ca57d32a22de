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

const EXPORT_BUCKET: Variable = Variable {
    name: "EXPORT_BUCKET",
    meaning: "the name of the bucket that large exports are written to, beside EXPORTS_QUEUE_URL",
    default: None,
};
const EXPORTS_QUEUE_URL: Variable = Variable {
    name: "EXPORTS_QUEUE_URL",
    meaning: "the address of the exports queue, beside EXPORT_BUCKET",
    default: None,
};

/// Every variable that this function reads, beside those of `runtime`.
pub const VARIABLES: [Variable; 8] = [
    ACTIVITY_TABLE,
    ALERTS_TABLE,
    EVENTS_TABLE,
    TENANTS_TABLE,
    PUBLIC_URL,
    CURSOR_SECRET,
    EXPORT_BUCKET,
    EXPORTS_QUEUE_URL,
];

/// The configuration.
#[derive(Debug)]
pub struct Config {
    /// The tables.
    pub tables: TableNames,
    /// Where our pages are.
    pub origin: Origin,
    /// Where the keys lie that places in lists are sealed with. Not those of `sign-in`: what shows the most is to open nothing else.
    pub cursor_secret: String,
    /// Where large exports go; none where nobody asks for them, as on one machine.
    pub exports: Option<ExportPlaces>,
}

/// Where large exports go.
#[derive(Clone, Debug)]
pub struct ExportPlaces {
    /// The bucket.
    pub bucket: String,
    /// The address of the queue.
    pub queue_url: String,
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
            exports: exports(variables)?,
        })
    }
}

/// Both or none: one without the other is a deployment that is not whole.
fn exports(variables: &Variables) -> Result<Option<ExportPlaces>, ConfigError> {
    let any = [&EXPORT_BUCKET, &EXPORTS_QUEUE_URL].map(|variable| variables.optional::<String>(variable));
    if let [Ok(None), Ok(None)] = any {
        return Ok(None);
    }
    let (bucket, queue_url) = (variables.read(&EXPORT_BUCKET)?, variables.read(&EXPORTS_QUEUE_URL)?);
    Ok(Some(ExportPlaces { bucket, queue_url }))
}
