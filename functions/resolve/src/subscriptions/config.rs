//! What `resolve` needs for subscriptions beside the rest.

use models::ObjectId;
use runtime::{ConfigError, Variable, Variables};

const OPERATIONS_TOPIC_ARN: Variable =
    Variable { name: "OPERATIONS_TOPIC_ARN", meaning: "the ARN of the operations topic", default: None };
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

/// The variables that are read for subscriptions, beside those of all that `resolve` does.
pub const VARIABLES: [Variable; 4] = [OPERATIONS_TOPIC_ARN, SIGN_IN_CLIENT_ID, SIGN_IN_SECRET, SEALING_SECRET];

/// What is configured for subscriptions.
#[derive(Clone, Debug)]
pub struct StepUpConfig {
    /// Where those who look after Partner Alerts are told.
    pub topic_arn: String,
    /// The application that people sign in to.
    pub application: String,
    /// The secret with its client secret.
    pub client_secret: String,
    /// The secret with the sealing keys.
    pub sealing_secret: String,
}

impl StepUpConfig {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable.
    pub fn read(variables: &Variables) -> Result<Self, ConfigError> {
        let application: ObjectId = variables.read(&SIGN_IN_CLIENT_ID)?;
        Ok(Self {
            topic_arn: variables.read(&OPERATIONS_TOPIC_ARN)?,
            application: application.to_string(),
            client_secret: variables.read(&SIGN_IN_SECRET)?,
            sealing_secret: variables.read(&SEALING_SECRET)?,
        })
    }
}
