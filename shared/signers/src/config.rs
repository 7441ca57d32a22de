//! The variables that say who may sign callbacks.

use std::time::Duration;

use callback::{BUNDLED_INTERMEDIATES_PEM, BUNDLED_TRUST_ANCHORS_PEM, CertificateLocation, Policy};
use runtime::{ConfigError, OutgoingTls, Schemes, StartError, Variable, Variables, download_client};

use crate::Downloads;

/// Where certificates may lie.
pub const CERTIFICATE_LOCATIONS: Variable = Variable {
    name: "CERTIFICATE_LOCATIONS",
    meaning: "where certificates may lie, separated by commas: https://host/directory/ or https://host:port/directory/",
    default: Some(CertificateLocation::DEFAULT),
};
/// Whom they are for.
pub const CERTIFICATE_NAMES: Variable = Variable {
    name: "CERTIFICATE_NAMES",
    meaning: "DNS names, one of which a signing certificate must have, separated by commas",
    default: Some("pcnotifications-dispatch.microsoft.com,pcnotifications.microsoft.com"),
};
/// Where issuers may be downloaded from.
pub const CERTIFICATE_ISSUER_HOSTS: Variable = Variable {
    name: "CERTIFICATE_ISSUER_HOSTS",
    meaning: "hosts that an issuer may be downloaded from where a signing certificate lacks one, separated by commas: host or host:port",
    default: Some(
        "www.microsoft.com,caissuers.microsoft.com,cacerts.digicert.com,cacerts.digicert.cn,cacerts.geotrust.com",
    ),
};
/// What they must lead to.
pub const SIGNATURE_TRUST_ANCHORS_FILE: Variable = Variable {
    name: "SIGNATURE_TRUST_ANCHORS_FILE",
    meaning: "a file of PEM certificates that signing certificates must lead to, in place of the bundled ones",
    default: None,
};
/// What helps to find a way there.
pub const SIGNATURE_INTERMEDIATES_FILE: Variable = Variable {
    name: "SIGNATURE_INTERMEDIATES_FILE",
    meaning: "a file of PEM certificates that help to find a way to the trust anchors, in place of the bundled ones",
    default: None,
};
/// How long a download may take.
pub const CERTIFICATE_TIMEOUT_SECONDS: Variable = Variable {
    name: "CERTIFICATE_TIMEOUT_SECONDS",
    meaning: "how long the download of a certificate, and of each issuer, may take, 1 to 5 seconds",
    default: Some("5"),
};

/// Every variable that this reads.
pub const VARIABLES: [Variable; 6] = [
    CERTIFICATE_LOCATIONS,
    CERTIFICATE_NAMES,
    CERTIFICATE_ISSUER_HOSTS,
    SIGNATURE_TRUST_ANCHORS_FILE,
    SIGNATURE_INTERMEDIATES_FILE,
    CERTIFICATE_TIMEOUT_SECONDS,
];

/// Who may sign callbacks, and how long one download of a certificate may take.
#[derive(Clone, Debug)]
pub struct SignersConfig {
    /// What signing certificates must be like.
    pub policy: Policy,
    /// How long the download of a certificate, and of each issuer, may take.
    pub timeout: Duration,
}

impl SignersConfig {
    /// Reads the configuration.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable.
    pub fn read(variables: &Variables) -> Result<Self, ConfigError> {
        let timeout = Duration::from_secs(variables.number(&CERTIFICATE_TIMEOUT_SECONDS, 1, 5)?);
        Ok(Self { policy: policy(variables)?, timeout })
    }

    /// Where Microsoft publishes its certificate: the first of the names, in each of the locations.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable.
    pub fn published(variables: &Variables) -> Result<Vec<String>, ConfigError> {
        let locations: Vec<String> = variables.list(&CERTIFICATE_LOCATIONS)?;
        let names: Vec<String> = variables.list(&CERTIFICATE_NAMES)?;
        let address = |location: &String| names.first().map(|name| format!("{location}{name}.cer"));
        Ok(locations.iter().filter_map(address).collect())
    }

    /// Downloads within the bounds that are configured.
    ///
    /// # Errors
    ///
    /// [`StartError`] where a client can't be made.
    pub fn downloads(&self, tls: &OutgoingTls) -> Result<Downloads, StartError> {
        let client = |schemes| download_client(tls, self.timeout, schemes);
        Ok(Downloads { certificates: client(Schemes::Https)?, issuers: client(Schemes::HttpAndHttps)? })
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
    }

    #[test]
    fn microsofts_certificate_lies_under_its_first_name_in_each_location() {
        assert_eq!(
            SignersConfig::published(&Variables::default()).unwrap(),
            ["https://3psostorageacct.blob.core.windows.net/cert/pcnotifications-dispatch.microsoft.com.cer"],
        );
        let set = [
            ("CERTIFICATE_LOCATIONS", "https://a.example/, https://b.example/c/"),
            ("CERTIFICATE_NAMES", "x.example,y.example"),
        ];
        let variables = Variables::default().over(set.map(|(name, value)| (name, value.to_owned())));
        let expected = ["https://a.example/x.example.cer", "https://b.example/c/x.example.cer"];
        assert_eq!(SignersConfig::published(&variables).unwrap(), expected);
    }
}
