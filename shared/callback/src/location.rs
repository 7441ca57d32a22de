//! Where a certificate may be downloaded from.
//!
//! Addresses are judged by a byte grammar and never by a URL parser. A parser forgives much (a tab in the host, a
//! backslash, an ideographic full stop, `%2E`), and "https, and the host is ours" still lets a query, a port or another
//! directory through. The grammar lets through exactly the bytes that the HTTP client is going to send.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// A directory on a host that certificates may be downloaded from, such as [`CertificateLocation::DEFAULT`].
///
/// Written as an exact prefix: `https://`, host in lower case, port if there is one, directory with its last `/`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct CertificateLocation(String);

impl CertificateLocation {
    /// The only location that Microsoft has ever published.
    pub const DEFAULT: &'static str = "https://3psostorageacct.blob.core.windows.net/cert/";
}

impl fmt::Display for CertificateLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for CertificateLocation {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        let rest = text.strip_prefix("https://").ok_or(LocationError::Scheme)?;
        let slash = rest.find('/').ok_or(LocationError::Directory)?;
        let (authority, directory) = rest.split_at(slash);
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        if !is_host(host) {
            return Err(LocationError::Host);
        }
        if !port.is_none_or(is_port) {
            return Err(LocationError::Port);
        }
        if !is_directory(directory) {
            return Err(LocationError::Directory);
        }
        Ok(Self(text.to_owned()))
    }
}

/// The address of a certificate: a file directly inside one of the policy's locations.
///
/// Only text of the grammar gets here, so the value is safe to request and to log.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct CertificateUrl(String);

impl CertificateUrl {
    /// The address, byte for byte as it was received.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn read(unverified: &[u8], locations: &[CertificateLocation]) -> Option<Self> {
        let text = str::from_utf8(unverified).ok()?;
        locations
            .iter()
            .filter_map(|location| text.strip_prefix(location.0.as_str()))
            .any(is_certificate_file)
            .then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for CertificateUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no [`CertificateLocation`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LocationError {
    /// The directory is missing, does not end in `/`, or holds something that the HTTP client might rewrite.
    #[error("the directory must start and end with '/' and be made of letters, digits, '.', '-' and '_' between")]
    Directory,

    /// The host is missing or not written in its one canonical form.
    #[error("the host must be a name in lower case, without user, brackets or final dot")]
    Host,

    /// The port is empty, not a decimal number, or out of range.
    #[error("the port must be a number from 1 to 65535")]
    Port,

    /// The address does not start with `https://`.
    #[error("a certificate location must start with https://")]
    Scheme,
}

/// `name.cer`, with 1 to 100 letters, digits, dots and hyphens for the name.
///
/// Two names occur in Microsoft's texts, so the name is free; without `/`, `%` and `..` it can't leave its directory.
fn is_certificate_file(file: &str) -> bool {
    let Some(name) = file.strip_suffix(".cer") else {
        return false;
    };
    (1..=MAX_NAME_BYTES).contains(&name.len())
        && !file.starts_with('.')
        && !file.contains("..")
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

pub(crate) fn is_host(host: &str) -> bool {
    host.len() <= MAX_HOST_BYTES && host.split('.').all(is_host_label) && !is_address_in_disguise(host)
}

/// HTTP clients take a host that ends in a number for an IPv4 address, and `1`, `0x7f.1` or `127.1` for `0.0.0.1` or
/// `127.0.0.1`.
fn is_address_in_disguise(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or(host);
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit())
        || last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    is_number && host.parse::<Ipv4Addr>().is_err()
}

fn is_host_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

pub(crate) fn is_port(port: &str) -> bool {
    port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0') && port.parse::<u16>().is_ok()
}

fn is_directory(directory: &str) -> bool {
    let Some(inner) = directory.strip_prefix('/') else {
        return false;
    };
    inner.is_empty() || inner.strip_suffix('/').is_some_and(|path| path.split('/').all(is_segment))
}

fn is_segment(segment: &str) -> bool {
    !segment.is_empty()
        && !segment.starts_with('.')
        && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

/// Twice the longest name known, rounded up; what comes as an address is kept as a key of caches, so it is short.
const MAX_NAME_BYTES: usize = 100;

/// The longest name that DNS can carry (RFC 1035, section 2.3.4, without the root's dot).
const MAX_HOST_BYTES: usize = 253;
