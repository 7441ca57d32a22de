//! Configuration of `webhook`.

use std::time::Duration;

use callback::{BUNDLED_INTERMEDIATES_PEM, BUNDLED_TRUST_ANCHORS_PEM, CertificateLocation, MAX_BODY_BYTES, Policy};
use runtime::{ConfigError, Seconds, Variable, Variables};
use store::TableNames;

use crate::{CertificateSettings, Settings};

const EVENTS_TABLE: Variable =
    Variable { name: "EVENTS_TABLE", meaning: "the name of the events table", default: None };
const TENANTS_TABLE: Variable =
    Variable { name: "TENANTS_TABLE", meaning: "the name of the tenants table", default: None };
const RECONCILE_QUEUE_URL: Variable =
    Variable { name: "RECONCILE_QUEUE_URL", meaning: "the address of the reconcile queue", default: None };
const CERTIFICATE_LOCATIONS: Variable = Variable {
    name: "CERTIFICATE_LOCATIONS",
    meaning: "where certificates may lie, separated by commas: https://host/directory/ or https://host:port/directory/",
    default: Some(CertificateLocation::DEFAULT),
};
const CERTIFICATE_NAMES: Variable = Variable {
    name: "CERTIFICATE_NAMES",
    meaning: "DNS names, one of which a signing certificate must have, separated by commas",
    default: Some("pcnotifications-dispatch.microsoft.com,pcnotifications.microsoft.com"),
};
const CERTIFICATE_ISSUER_HOSTS: Variable = Variable {
    name: "CERTIFICATE_ISSUER_HOSTS",
    meaning: "hosts that an issuer may be downloaded from where a signing certificate lacks one, separated by commas: host or host:port",
    default: Some(
        "www.microsoft.com,caissuers.microsoft.com,cacerts.digicert.com,cacerts.digicert.cn,cacerts.geotrust.com",
    ),
};
const SIGNATURE_TRUST_ANCHORS_FILE: Variable = Variable {
    name: "SIGNATURE_TRUST_ANCHORS_FILE",
    meaning: "a file of PEM certificates that signing certificates must lead to, in place of the bundled ones",
    default: None,
};
const SIGNATURE_INTERMEDIATES_FILE: Variable = Variable {
    name: "SIGNATURE_INTERMEDIATES_FILE",
    meaning: "a file of PEM certificates that help to find a way to the trust anchors, in place of the bundled ones",
    default: None,
};
const CALLBACK_MAX_BYTES: Variable = Variable {
    name: "CALLBACK_MAX_BYTES",
    meaning: "the largest body of a callback, 1024 to 262144 bytes",
    default: Some("262144"),
};
const CERTIFICATE_TIMEOUT_SECONDS: Variable = Variable {
    name: "CERTIFICATE_TIMEOUT_SECONDS",
    meaning: "how long the download of a certificate, and of each issuer, may take, 1 to 5 seconds",
    default: Some("5"),
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
    CALLBACK_MAX_BYTES,
    CERTIFICATE_TIMEOUT_SECONDS,
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
    /// What signing certificates must be like.
    pub policy: Policy,
    /// How callbacks are judged.
    pub settings: Settings,
    /// How long the download of a certificate, and of each issuer, may take.
    pub certificate_timeout: Duration,
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
            policy: policy(variables)?,
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
            certificate_timeout: Duration::from_secs(variables.number(&CERTIFICATE_TIMEOUT_SECONDS, 1, 5)?),
        })
    }
}

fn policy(variables: &Variables) -> Result<Policy, ConfigError> {
    let locations: Vec<CertificateLocation> = variables.list(&CERTIFICATE_LOCATIONS)?;
    let names: Vec<String> = variables.list(&CERTIFICATE_NAMES)?;
    let issuer_hosts = variables.list(&CERTIFICATE_ISSUER_HOSTS)?;
    let anchors = variables.file(&SIGNATURE_TRUST_ANCHORS_FILE)?;
    let intermediates = variables.file(&SIGNATURE_INTERMEDIATES_FILE)?;
    Policy::new(
        locations,
        names,
        anchors.as_deref().unwrap_or(BUNDLED_TRUST_ANCHORS_PEM),
        intermediates.as_deref().unwrap_or(BUNDLED_INTERMEDIATES_PEM),
    )
    .map(|policy| policy.with_issuer_hosts(issuer_hosts))
    .map_err(|error| blamed(&error).malformed(error.to_string()))
}

/// The variable that a policy error is about.
fn blamed(error: &callback::PolicyError) -> &'static Variable {
    use callback::PolicyError;
    match error {
        PolicyError::NoLocations => &CERTIFICATE_LOCATIONS,
        PolicyError::Name { .. } | PolicyError::NoNames => &CERTIFICATE_NAMES,
        PolicyError::NoTrustAnchors | PolicyError::UnreadableTrustAnchors => &SIGNATURE_TRUST_ANCHORS_FILE,
        PolicyError::UnreadableIntermediates => &SIGNATURE_INTERMEDIATES_FILE,
    }
}

#[cfg(test)]
mod tests {
    use callback::{DEFAULT_CERTIFICATE_NAMES, DEFAULT_ISSUER_HOSTS};

    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_verifier() {
        let default = |variable: Variable| variable.default.unwrap().split(',').collect::<Vec<_>>();
        assert_eq!(default(CERTIFICATE_NAMES), DEFAULT_CERTIFICATE_NAMES);
        assert_eq!(default(CERTIFICATE_ISSUER_HOSTS), DEFAULT_ISSUER_HOSTS);
        assert_eq!(default(CALLBACK_MAX_BYTES), [MAX_BODY_BYTES.to_string()]);
    }
}
