//! Configuration of `webhook`.

use callback::MAX_BODY_BYTES;
use runtime::{ConfigError, Seconds, Variable, Variables};
use signers::{
    CERTIFICATE_ISSUER_HOSTS, CERTIFICATE_LOCATIONS, CERTIFICATE_NAMES, CERTIFICATE_TIMEOUT_SECONDS,
    SIGNATURE_INTERMEDIATES_FILE, SIGNATURE_TRUST_ANCHORS_FILE, SignersConfig,
};
use store::TableNames;

use crate::{CertificateSettings, Settings};

const EVENTS_TABLE: Variable =
    Variable { name: "EVENTS_TABLE", meaning: "the name of the events table", default: None };
const TENANTS_TABLE: Variable =
    Variable { name: "TENANTS_TABLE", meaning: "the name of the tenants table", default: None };
const RECONCILE_QUEUE_URL: Variable =
    Variable { name: "RECONCILE_QUEUE_URL", meaning: "the address of the reconcile queue", default: None };
const CALLBACK_MAX_BYTES: Variable = Variable {
    name: "CALLBACK_MAX_BYTES",
    meaning: "the largest body of a callback, 1024 to 262144 bytes",
    default: Some("262144"),
};
const CERTIFICATE_KEEP_SECONDS: Variable = Variable {
    name: "CERTIFICATE_KEEP_SECONDS",
    meaning: "how long a certificate is kept, 60 to 86400 seconds",
    default: Some("86400"),
};
const CERTIFICATE_FAILURE_SECONDS: Variable = Variable {
    name: "CERTIFICATE_FAILURE_SECONDS",
    meaning: "how long a certificate that could not be had is not asked for again, 1 to 300 seconds",
    default: Some("10"),
};
const CERTIFICATE_RENEWAL_SECONDS: Variable = Variable {
    name: "CERTIFICATE_RENEWAL_SECONDS",
    meaning: "how often a renewed certificate is looked for at the same address, 10 to 3600 seconds",
    default: Some("60"),
};
const PATH_KEYS_REFRESH_SECONDS: Variable = Variable {
    name: "PATH_KEYS_REFRESH_SECONDS",
    meaning: "how long path keys are believed and how often they are read at most, 1 to 3600 seconds",
    default: Some("60"),
};

/// Every variable that this function reads, beside those of `runtime`.
pub const VARIABLES: [Variable; 14] = [
    EVENTS_TABLE,
    TENANTS_TABLE,
    RECONCILE_QUEUE_URL,
    CERTIFICATE_LOCATIONS,
    CERTIFICATE_NAMES,
    CERTIFICATE_ISSUER_HOSTS,
    SIGNATURE_TRUST_ANCHORS_FILE,
    SIGNATURE_INTERMEDIATES_FILE,
    CERTIFICATE_TIMEOUT_SECONDS,
    CALLBACK_MAX_BYTES,
    CERTIFICATE_KEEP_SECONDS,
    CERTIFICATE_FAILURE_SECONDS,
    CERTIFICATE_RENEWAL_SECONDS,
    PATH_KEYS_REFRESH_SECONDS,
];

/// The configuration.
#[derive(Debug)]
pub struct Config {
    /// The tables.
    pub tables: TableNames,
    /// The reconcile queue.
    pub queue_url: String,
    /// Who may sign callbacks.
    pub signers: SignersConfig,
    /// How callbacks are judged.
    pub settings: Settings,
}

impl Config {
    /// Reads the configuration.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable.
    pub fn read(variables: &Variables) -> Result<Self, ConfigError> {
        let max_body_bytes = variables.number(&CALLBACK_MAX_BYTES, 1_024, MAX_BODY_BYTES as u64)?;
        Ok(Self {
            tables: TableNames {
                events: variables.read(&EVENTS_TABLE)?,
                tenants: variables.read(&TENANTS_TABLE)?,
                ..TableNames::default()
            },
            queue_url: variables.read(&RECONCILE_QUEUE_URL)?,
            signers: SignersConfig::read(variables)?,
            settings: Settings {
                max_body_bytes: usize::try_from(max_body_bytes).unwrap_or(MAX_BODY_BYTES),
                path_keys_refresh: variables.seconds(&PATH_KEYS_REFRESH_SECONDS, Seconds { least: 1, most: 3_600 })?,
                certificates: CertificateSettings {
                    keep: variables.seconds(&CERTIFICATE_KEEP_SECONDS, Seconds { least: 60, most: 86_400 })?,
                    remember_failure: variables
                        .seconds(&CERTIFICATE_FAILURE_SECONDS, Seconds { least: 1, most: 300 })?,
                    renewal_pause: variables
                        .seconds(&CERTIFICATE_RENEWAL_SECONDS, Seconds { least: 10, most: 3_600 })?,
                },
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_body_is_that_of_the_verifier() {
        assert_eq!(CALLBACK_MAX_BYTES.default, Some(MAX_BODY_BYTES.to_string().as_str()));
    }
}
