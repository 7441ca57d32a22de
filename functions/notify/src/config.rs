//! Configuration of `notify`.

use jiff::SignedDuration;
use runtime::{ConfigError, Seconds, Variable, Variables};
use store::TableNames;

const ALERTS_TABLE: Variable =
    Variable { name: "ALERTS_TABLE", meaning: "the name of the alerts table", default: None };
const FRAUD_TOPIC_ARN: Variable =
    Variable { name: "FRAUD_TOPIC_ARN", meaning: "the ARN of the topic for fraud messages", default: None };
const EVENTS_TOPIC_ARN: Variable =
    Variable { name: "EVENTS_TOPIC_ARN", meaning: "the ARN of the topic for verified events", default: None };
const SWEEP_AFTER_SECONDS: Variable = Variable {
    name: "SWEEP_AFTER_SECONDS",
    meaning: "how old an unpublished item is before the sweep publishes it, 1 to 3600 seconds",
    default: Some("120"),
};

/// Every variable that this function reads, beside those of `runtime`.
pub const VARIABLES: [Variable; 4] = [ALERTS_TABLE, FRAUD_TOPIC_ARN, EVENTS_TOPIC_ARN, SWEEP_AFTER_SECONDS];

/// The configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The tables.
    pub tables: TableNames,
    /// The topic for fraud messages.
    pub fraud_topic_arn: String,
    /// The topic for verified events.
    pub events_topic_arn: String,
    /// How old an unpublished item is before the sweep publishes it.
    pub sweep_after: SignedDuration,
}

impl Config {
    /// Reads the configuration.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable.
    pub fn read(variables: &Variables) -> Result<Self, ConfigError> {
        Ok(Self {
            tables: TableNames { alerts: variables.read(&ALERTS_TABLE)?, ..TableNames::default() },
            fraud_topic_arn: variables.read(&FRAUD_TOPIC_ARN)?,
            events_topic_arn: variables.read(&EVENTS_TOPIC_ARN)?,
            sweep_after: variables.seconds(&SWEEP_AFTER_SECONDS, Seconds { least: 1, most: 3_600 })?,
        })
    }
}
