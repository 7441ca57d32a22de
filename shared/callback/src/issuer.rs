//! Where the certificate of an issuer may be downloaded from.
//!
//! Certificates name places where their issuer's own certificate lies (`caIssuers`, RFC 5280, section 4.2.2.1). What a
//! certificate names is its maker's choice, and following it blindly has made other verifiers send requests wherever a stranger
//! wanted. So the address is judged by its bytes, as that of a signing certificate is, against a short list of hosts.

use std::fmt;
use std::str::FromStr;

use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::AuthorityInfoAccessSyntax;
use x509_cert::ext::pkix::name::GeneralName;

use crate::location::{is_host, is_port};

/// A host that issuers may be downloaded from, over http or https on the scheme's own port.
///
/// Another port has to be part of it, as in `localhost:8080`. The content of a download is never trusted, so http will do: it
/// is what authorities publish.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct IssuerHost(String);

impl fmt::Display for IssuerHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for IssuerHost {
    type Err = IssuerHostError;

    fn from_str(text: &str) -> Result<Self, IssuerHostError> {
        let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
        if is_host(host) && port.is_none_or(is_port) { Ok(Self(text.to_owned())) } else { Err(IssuerHostError) }
    }
}

/// A text is no [`IssuerHost`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a host of issuers must be a name in lower case, with a port if it is not the scheme's own")]
pub struct IssuerHostError;

/// The address of an issuer's certificate on one of the policy's hosts.
///
/// Only text of the grammar gets here, so the value is safe to request and to log.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct IssuerUrl(String);

impl IssuerUrl {
    /// The address, byte for byte as the certificate names it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn read(unverified: &str, hosts: &[IssuerHost]) -> Option<Self> {
        if unverified.len() > MAX_URL_BYTES {
            return None;
        }
        let rest = unverified.strip_prefix("http://").or_else(|| unverified.strip_prefix("https://"))?;
        let (authority, path) = rest.split_once('/')?;
        (hosts.iter().any(|host| host.0 == authority) && is_certificate_path(path)).then(|| Self(unverified.to_owned()))
    }
}

impl fmt::Display for IssuerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The addresses at which a certificate says that its issuer lies, as far as the list of hosts allows them. Of an unproven
/// certificate, too: what is found there is only ever tried.
pub(crate) fn addresses(certificate: &Certificate, hosts: &[IssuerHost]) -> Vec<IssuerUrl> {
    let Ok(Some((_critical, access))) = certificate.tbs_certificate().get_extension::<AuthorityInfoAccessSyntax>()
    else {
        return Vec::new();
    };
    let issuers = access.0.iter().filter(|access| access.access_method == CA_ISSUERS);
    issuers
        .filter_map(|access| match &access.access_location {
            GeneralName::UniformResourceIdentifier(unverified) => IssuerUrl::read(unverified.as_str(), hosts),
            _ => None,
        })
        .collect()
}

/// Segments of letters, digits, `.`, `-`, `_` and blanks as `%20`, the last of them a `.crt` or `.cer`. Microsoft's have blanks;
/// no other escape occurs, and each would be one more thing to be understood in two ways.
fn is_certificate_path(path: &str) -> bool {
    let segments = path.replace("%20", "_");
    let (".crt" | ".cer") = segments.get(segments.len().saturating_sub(4)..).unwrap_or_default() else {
        return false;
    };
    segments.split('/').all(|segment| {
        !segment.is_empty()
            && !segment.starts_with('.')
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
    })
}

/// Four times the longest address seen in a certificate of one of these authorities, rounded.
const MAX_URL_BYTES: usize = 400;

const CA_ISSUERS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.2");

/// The hosts that Microsoft's list of its authorities names for the certificates of issuers ("Azure Certificate Authority
/// details", under AIA, <https://learn.microsoft.com/azure/security/fundamentals/azure-ca-details>).
pub const DEFAULT_ISSUER_HOSTS: [&str; 5] = [
    "www.microsoft.com",
    "caissuers.microsoft.com",
    "cacerts.digicert.com",
    "cacerts.digicert.cn",
    "cacerts.geotrust.com",
];
