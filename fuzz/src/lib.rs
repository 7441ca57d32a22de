//! What the fuzz targets do with their input. Each panics where a rule does not hold; the rules lie beside the tests, which
//! try them with random input.

#[path = "../../shared/models/tests/event_rules/mod.rs"]
mod event_rules;
#[path = "../../shared/callback/tests/suite/properties/rules.rs"]
mod rules;

use std::sync::LazyLock;

use callback::{
    BUNDLED_INTERMEDIATES_PEM, BUNDLED_TRUST_ANCHORS_PEM, CertificateLocation, DEFAULT_ISSUER_HOSTS, Policy,
    SigningCertificate,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

/// The bundled certificates, and the name in the one leaf of theirs that is at hand.
static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let locations = vec![CertificateLocation::DEFAULT.parse().expect("the default location is valid")];
    let names = vec!["microsoft.com".to_owned()];
    Policy::new(locations, names, BUNDLED_TRUST_ANCHORS_PEM, BUNDLED_INTERMEDIATES_PEM).expect("a valid policy")
});

/// The same without issuers, which have to be looked for.
static WITHOUT_ISSUERS: LazyLock<Policy> = LazyLock::new(|| {
    let locations = vec![CertificateLocation::DEFAULT.parse().expect("the default location is valid")];
    let names = vec!["microsoft.com".to_owned()];
    let hosts = DEFAULT_ISSUER_HOSTS.map(|host| host.parse().expect("a host")).to_vec();
    let policy = Policy::new(locations, names, BUNDLED_TRUST_ANCHORS_PEM, "").expect("a valid policy");
    policy.with_issuer_hosts(hosts)
});

static KNOWN: LazyLock<SigningCertificate> = LazyLock::new(|| {
    let leaf = include_bytes!("../../shared/callback/tests/data/microsoft-chain/leaf-microsoft.com.pem");
    POLICY.check_certificate(leaf, now()).expect("a valid certificate")
});

/// A moment at which the known leaf is valid.
fn now() -> Timestamp {
    "2026-04-01T00:00:00Z".parse().expect("a time in RFC 3339")
}

/// The address of a certificate.
pub fn address(data: &[u8]) {
    rules::address(&POLICY, data);
}

/// The body of a callback.
pub fn body(data: &[u8]) {
    event_rules::body(data);
}

/// What a certificate's address led to.
pub fn certificate(data: &[u8]) {
    rules::certificate(&POLICY, &KNOWN, data, now());
    rules::search(&WITHOUT_ISSUERS, data, now());
}

/// Lines of `name: value`, an empty line, and the body. Lines that no HTTP library would hand over are left out.
pub fn headers(data: &[u8]) {
    let mut headers = HeaderMap::new();
    let mut rest = data;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let line = &rest[..end];
        rest = &rest[end + 1..];
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = header(line) {
            headers.append(name, value);
        }
    }
    rules::headers(&POLICY, &headers, rest);
}

fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let value = line[colon + 1..].strip_prefix(b" ").unwrap_or(&line[colon + 1..]);
    Some((HeaderName::from_bytes(&line[..colon]).ok()?, HeaderValue::from_bytes(value).ok()?))
}
