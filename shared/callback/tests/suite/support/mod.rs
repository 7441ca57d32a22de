//! Builders. Each makes something valid; a test spoils what it is about.

pub(crate) mod authority;
pub(crate) mod signing;

use callback::{
    CertificateLocation, DEFAULT_CERTIFICATE_NAMES, Policy, Refusal, SigningCertificate, UnverifiedCallback,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use authority::{Authority, Leaf};
use signing::SignatureKey;

pub(crate) const URL: &str =
    "https://3psostorageacct.blob.core.windows.net/cert/pcnotifications-dispatch.microsoft.com.cer";

/// Compact JSON of the published example's shape.
pub(crate) const BODY: &[u8] = br#"{"EventName":"azure-fraud-event-detected","ResourceUri":"https://api.partnercenter.microsoft.com/v1/fraudEvents","ResourceChangeUtcDate":"2026-11-15T11:59:06.3520276+00:00"}"#;

/// A moment at which everything that the builders make is valid.
pub(crate) fn now() -> Timestamp {
    at("2026-11-15T12:00:00Z")
}

pub(crate) fn at(time: &str) -> Timestamp {
    time.parse().expect("a time in RFC 3339")
}

pub(crate) fn default_locations() -> Vec<CertificateLocation> {
    vec![CertificateLocation::DEFAULT.parse().expect("the default location is valid")]
}

pub(crate) fn default_names() -> Vec<String> {
    DEFAULT_CERTIFICATE_NAMES.map(str::to_owned).to_vec()
}

/// What a sender sends: `Authorization`, algorithm and address, over [`BODY`].
pub(crate) fn headers(signature_base64: &str) -> HeaderMap {
    header_map([
        ("authorization", format!("Signature {signature_base64}").as_str()),
        ("x-ms-certificate-url", URL),
        ("x-ms-signature-algorithm", "rsa-sha256"),
    ])
}

pub(crate) fn header_map<'a>(lines: impl IntoIterator<Item = (&'a str, &'a str)>) -> HeaderMap {
    lines
        .into_iter()
        .map(|(name, value)| {
            let name: HeaderName = name.parse().expect("a header name");
            (name, HeaderValue::from_bytes(value.as_bytes()).expect("a header value"))
        })
        .fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(name, value);
            headers
        })
}

/// A policy, a certificate that it accepts, and the key of that certificate.
pub(crate) struct World {
    pub(crate) policy: Policy,
    pub(crate) certificate: SigningCertificate,
    pub(crate) key: SignatureKey,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_key("signing-2048")
    }

    pub(crate) fn with_key(name: &str) -> Self {
        let authority = Authority::new();
        let policy = authority.policy();
        let leaf = Leaf { key: authority::rsa_public_key(name), ..Leaf::valid() };
        let certificate = policy.check_certificate(&authority.issue(&leaf), now()).expect("a valid certificate");
        Self { policy, certificate, key: SignatureKey::new(name) }
    }

    /// Reads and verifies, as a handler does; the code of the refusal, or `accepted`.
    pub(crate) fn verdict(&self, headers: &HeaderMap, body: &[u8]) -> &'static str {
        code(UnverifiedCallback::read(headers, body, &self.policy).and_then(|callback| {
            let verified = callback.verify(&self.certificate, now())?;
            assert_eq!(verified.body(), body, "the verified bytes are the received ones");
            Ok(())
        }))
    }
}

pub(crate) fn code<T>(outcome: Result<T, Refusal>) -> &'static str {
    outcome.map_or_else(|refusal| refusal.code(), |_| "accepted")
}
