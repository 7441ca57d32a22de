//! Callbacks as Microsoft sends them, and as strangers do.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use callback::{
    BUNDLED_INTERMEDIATES_PEM, BUNDLED_TRUST_ANCHORS_PEM, CertificateLocation, DEFAULT_CERTIFICATE_NAMES,
    DEFAULT_ISSUER_HOSTS, Policy,
};
use http::{HeaderValue, Request};
use jiff::Timestamp;
use models::TraceContext;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, SanType, date_time_ymd,
};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};

use webhook::request::RequestId;

pub(crate) const TENANT: &str = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10";
pub(crate) const PATH_KEY: &str = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00";

const TRACE: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

/// A key of the tests of `callback`.
macro_rules! key {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../shared/callback/tests/data/keys/test-only-",
            $name,
            ".pem"
        ))
    };
}

/// The moment at which all of this is valid.
#[must_use]
pub fn now() -> Timestamp {
    "2026-11-15T12:00:00Z".parse().unwrap()
}

/// An authority that stands in for Microsoft's, and a policy that trusts it beside the bundled ones.
#[derive(Debug)]
pub struct Microsoft {
    /// Whom the webhook believes.
    pub policy: Policy,
    /// The certificate that callbacks are signed with, in DER.
    pub certificate: Vec<u8>,
    issuing: CertifiedIssuer<'static, KeyPair>,
    /// PKCS#1.
    signing: RsaKeyPair,
    signing_pem: KeyPair,
}

impl Microsoft {
    /// The only one there is: its keys are fixed.
    #[must_use]
    pub fn new() -> Self {
        let pair = |pem| KeyPair::from_pem(pem).unwrap();
        let root = CertifiedIssuer::self_signed(authority("Root"), pair(key!("root"))).unwrap();
        let issuing = CertifiedIssuer::signed_by(authority("Issuing"), pair(key!("intermediate")), &root).unwrap();
        let policy = Policy::new(
            vec![CertificateLocation::DEFAULT.parse().unwrap()],
            DEFAULT_CERTIFICATE_NAMES.map(str::to_owned).to_vec(),
            &(BUNDLED_TRUST_ANCHORS_PEM.to_owned() + &root.pem()),
            &(BUNDLED_INTERMEDIATES_PEM.to_owned() + &issuing.pem()),
        );
        let signing_pem = pair(key!("signing-2048"));
        let signing = RsaKeyPair::from_pkcs8(signing_pem.serialized_der()).unwrap();
        let hosts = DEFAULT_ISSUER_HOSTS.map(|host| host.parse().unwrap()).to_vec();
        let policy = policy.unwrap().with_issuer_hosts(hosts);
        let mut microsoft = Self { policy, certificate: Vec::new(), issuing, signing, signing_pem };
        microsoft.certificate = microsoft.certificate_for([DEFAULT_CERTIFICATE_NAMES[0].to_owned()]);
        microsoft
    }

    /// A certificate of the signing key with these DNS names, in DER.
    pub fn certificate_for(&self, names: impl IntoIterator<Item = String>) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.not_before = date_time_ymd(2026, 6, 1);
        params.not_after = date_time_ymd(2027, 6, 1);
        params.subject_alt_names = names.into_iter().map(|name| SanType::DnsName(name.try_into().unwrap())).collect();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Microsoft Corporation");
        params.distinguished_name.push(DnType::CommonName, DEFAULT_CERTIFICATE_NAMES[0]);
        params.signed_by(&self.signing_pem, &self.issuing).unwrap().der().to_vec()
    }

    /// The public key that callbacks are verified with, in PKCS#1's DER.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        self.signing.public().as_ref()
    }

    fn sign(&self, body: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.signing.public().modulus_len()];
        self.signing.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), body, &mut signature).unwrap();
        signature
    }
}

impl Default for Microsoft {
    fn default() -> Self {
        Self::new()
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2040, 1, 1);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// Bodies in the shape of the published ones, of 300 to 700 bytes, each another event.
#[must_use]
pub fn bodies(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(body).collect()
}

fn body(number: usize) -> Vec<u8> {
    const API: &str = "https://api.partnercenter.microsoft.com";
    let name = ["azure-fraud-event-detected", "subscription-updated", "invoice-ready"][number % 3];
    let customer = format!("9f1c7f3e-2f0a-4f7b-8a34-{number:012x}");
    // Every length comes with every event.
    let audit = "0123456789abcdef".repeat(number % 19);
    let body = format!(
        "{{\"EventName\":\"{name}\",\"ResourceUri\":\"{API}/v1/customers/{customer}/subscriptions/{customer}\",\
         \"ResourceName\":\"subscription\",\"AuditUri\":\"{API}/auditactivity/v1/auditrecords/{customer}_{audit}\",\
         \"ResourceChangeUtcDate\":\"2026-11-15T11:59:06.{number:07}+00:00\"}}"
    );
    assert!((300..=700).contains(&body.len()), "{} bytes", body.len());
    body.into_bytes()
}

/// What becomes of a genuine callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is left as it is.
    Genuine,
    /// Its signature is that of another callback: as dear to check as its own.
    Forged,
    /// It has no signature.
    Unsigned,
    /// Its signature is not base64, which shows at the end of it.
    NotBase64,
    /// Its certificate is elsewhere.
    Elsewhere,
    /// It is for a path key that nobody has.
    UnknownPath,
}

/// Every kind, what it is called, and the reason of its outcome.
pub const KINDS: [(Kind, &str, &str); 6] = [
    (Kind::Genuine, "that is genuine", "kept"),
    (Kind::Forged, "that is forged", "signature-mismatch"),
    (Kind::Unsigned, "without signature", "missing-signature"),
    (Kind::NotBase64, "with a signature that is not base64", "malformed-signature"),
    (Kind::Elsewhere, "with a certificate elsewhere", "certificate-url-not-allowed"),
    (Kind::UnknownPath, "for an unknown path", "unknown-path"),
];

impl Kind {
    /// Those that nobody has to check a signature for.
    pub const MALFORMED: [Self; 4] = [Self::Unsigned, Self::NotBase64, Self::Elsewhere, Self::UnknownPath];

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, name, _)| name)
    }
}

/// A genuine callback.
#[derive(Debug)]
pub struct Callback {
    /// The body.
    pub body: Bytes,
    /// Its signature.
    pub signature: Vec<u8>,
    of_another: Vec<u8>,
}

impl Callback {
    /// The callback with this body.
    #[must_use]
    pub fn new(microsoft: &Microsoft, body: &[u8]) -> Self {
        let of_another = microsoft.sign(&[body, b" "].concat());
        Self { body: Bytes::copy_from_slice(body), signature: microsoft.sign(body), of_another }
    }

    /// The request that arrives in the handler.
    #[must_use]
    pub fn request(&self, kind: Kind) -> Request<Bytes> {
        let key = if kind == Kind::UnknownPath { "0".repeat(64) } else { PATH_KEY.to_owned() };
        let location = CertificateLocation::DEFAULT;
        let request = Request::post(format!("/callbacks/{TENANT}/{key}"))
            .header("accept-encoding", "gzip, deflate")
            .header("content-length", self.body.len())
            .header("content-type", "application/json; charset=utf-8")
            .header("host", "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com")
            .header("x-amzn-trace-id", TRACE)
            .header("x-forwarded-for", "203.0.113.7")
            .header("x-forwarded-port", "443")
            .header("x-forwarded-proto", "https")
            .header("x-ms-certificate-url", format!("{location}pcnotifications-dispatch.microsoft.com.cer"))
            .header("x-ms-signature-algorithm", "rsa-sha256")
            .extension(TraceContext::of_xray(TRACE).unwrap())
            .extension(RequestId("8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned()));
        let mut request = request.body(self.body.clone()).unwrap();
        let headers = request.headers_mut();
        let signature = STANDARD.encode(if kind == Kind::Forged { &self.of_another } else { &self.signature });
        if kind == Kind::Elsewhere {
            headers.insert("x-ms-certificate-url", HeaderValue::from_static("https://attacker.example/cert/a.cer"));
        }
        let signature = match kind {
            Kind::Unsigned => return request,
            Kind::NotBase64 => signature.replace('=', "-"),
            _ => signature,
        };
        headers.insert("authorization", format!("Signature {signature}").try_into().unwrap());
        request
    }
}
