//! Certificates, written as what is wrong with them.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose,
    IsCa, SanType,
};
use serde::Deserialize;

use crate::{
    Pieces,
    authority::{AnyKey, Issuer, Storey},
    bytes,
    elsewhere::{Place, addresses},
    public_key::{PublicKey, with_key_info, with_signature_algorithm},
};

/// A certificate at the address that a callback names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateCase {
    /// The kind of attack.
    pub threat: String,
    /// What is special about this one.
    pub why: String,
    /// The certificate. What is not said is as Microsoft's is.
    #[serde(default)]
    pub certificate: Certificate,
    /// What the policy says of it: `accepted`, or the reason of the refusal.
    pub expected: String,
    /// What the refusal says beside its reason, where it says more.
    pub detail: Option<String>,
    /// What comes of a callback, where that is something else: a key of which nobody has the private half signs nothing.
    pub in_callback: Option<String>,
    /// The addresses at which an issuer is looked for, in order.
    #[serde(default)]
    pub asked: Vec<String>,
    /// The status of the answer.
    pub status: u16,
}

/// A certificate, its authorities, and what the receiver knows of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Certificate {
    begins: i64,
    ends: i64,
    organisations: Vec<Text>,
    common_name: Option<String>,
    names: Vec<Name>,
    /// This many names before the others.
    more_names: usize,
    purposes: Vec<Purpose>,
    authority: bool,
    key: PublicKey,
    unknown_critical_extension: bool,
    issuer_addresses: Vec<String>,
    status_addresses: Vec<String>,
    revocation_addresses: Vec<String>,
    /// The last arc of the signature's algorithm, in place of that of SHA-256.
    signature_algorithm: Option<u8>,
    /// What is published: pieces, of which `der`, `pem`, `pem-crlf`, `base64`, `lines` and `lines-crlf` are the certificate.
    published: Pieces,
    signed_by_itself: bool,
    root: Storey,
    issuers: Vec<Storey>,
    /// So many further authorities of the issuer's name and key, so many of the name and key of the one above it, and so on.
    crossings: Vec<usize>,
    trusted: Trusted,
    /// What lies at which address of an issuer. At others nothing does.
    places: BTreeMap<String, Place>,
}

impl Default for Certificate {
    fn default() -> Self {
        Self {
            begins: -30 * DAY,
            ends: 300 * DAY,
            organisations: vec![Text::Plain("Microsoft Corporation".to_owned())],
            common_name: Some(NAME.to_owned()),
            names: vec![Name::Dns(NAME.to_owned())],
            more_names: 0,
            purposes: vec![Purpose("server".to_owned())],
            authority: false,
            key: PublicKey::Named("signing-2048".to_owned()),
            unknown_critical_extension: false,
            issuer_addresses: Vec::new(),
            status_addresses: Vec::new(),
            revocation_addresses: Vec::new(),
            signature_algorithm: None,
            published: serde_json::from_str(r#"[{"named": "der"}]"#).expect("pieces"),
            signed_by_itself: false,
            root: Storey::root(),
            issuers: vec![Storey::default()],
            crossings: Vec::new(),
            trusted: Trusted::Root,
            places: BTreeMap::new(),
        }
    }
}

/// Whom the receiver trusts.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Trusted {
    /// The root of the chain.
    Root,
    /// A root of the same name and another key.
    Namesake,
    /// The roots that the receiver brings along.
    Bundled,
}

/// A text in a name, of this string type.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Typed { text: String, r#type: String },
}

/// A subject alternative name.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Name {
    Dns(String),
    Email { email: String },
    Uri { uri: String },
    Address { address: std::net::IpAddr },
}

/// What a certificate is for.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Purpose(String);

/// What was issued.
#[derive(Debug)]
pub struct Issued {
    /// What lies at the address.
    pub published: Vec<u8>,
    /// The trust anchors, in PEM; nothing is the receiver's own.
    pub anchors: Option<String>,
    /// The issuers that the receiver has, in PEM.
    pub issuers: String,
    /// What lies at the addresses of issuers; nothing where nobody answers.
    pub places: BTreeMap<String, Option<Vec<u8>>>,
    /// The name of the key that signs callbacks.
    pub key: String,
}

impl Certificate {
    /// Microsoft's, with this key.
    #[must_use]
    pub fn of_key(name: &str) -> Self {
        Self { key: PublicKey::Named(name.to_owned()), ..Self::default() }
    }

    /// Issues it.
    #[must_use]
    pub fn issue(&self, now: Timestamp) -> Issued {
        let root = self.root.self_signed(now);
        let mut issuers: Vec<(Issuer, bool)> = Vec::new();
        for storey in &self.issuers {
            let above = issuers.last().map_or(&root, |(issuer, _)| issuer);
            issuers.push((storey.signed_by(above, now), storey.known));
        }
        let der = self.leaf(issuers.last().map_or(&root, |(issuer, _)| issuer), now);
        let places = self.places.iter().map(|(url, place)| (url.clone(), place.bytes(url, &issuers, now))).collect();
        let known = issuers.iter().filter(|(_, known)| *known).map(|(issuer, _)| issuer.pem());
        let anchors = match self.trusted {
            Trusted::Bundled => None,
            Trusted::Root => Some(root.pem()),
            Trusted::Namesake => Some(self.root.namesake().self_signed(now).pem()),
        };
        let issuers = known.chain(self.cross(now)).collect();
        let key = match &self.key {
            PublicKey::Named(name) if name.starts_with("signing") || name.starts_with("stranger-2048") => name.clone(),
            _ => "signing-2048".to_owned(),
        };
        Issued { published: bytes(&self.published, now, &forms(&der)), anchors, issuers, places, key }
    }

    /// Storeys of authorities above the certificate, all of a storey with the same name and key: many ways up, and no roof.
    fn cross(&self, now: Timestamp) -> Vec<String> {
        let crossings = self.crossings.iter().enumerate().flat_map(|(height, count)| {
            let above = Storey::crossing(height + 1).self_signed(now);
            (0..*count).map(move |_| Storey::crossing(height).signed_by(&above, now).pem())
        });
        crossings.collect()
    }

    fn leaf(&self, issuer: &Issuer, now: Timestamp) -> Vec<u8> {
        let params = self.params(now);
        if self.signed_by_itself {
            let own = AnyKey::named("signing-2048");
            return params.self_signed(&own).expect("a certificate").der().to_vec();
        }
        let mut der = params.signed_by(&self.key.half(now), issuer).expect("a certificate").der().to_vec();
        if let PublicKey::Info { info } = &self.key {
            der = with_key_info(&der, &bytes(info, now, &BTreeMap::new()), issuer.key());
        }
        if let Some(arc) = self.signature_algorithm {
            der = with_signature_algorithm(&der, arc);
        }
        der
    }

    fn params(&self, now: Timestamp) -> CertificateParams {
        let mut params = CertificateParams::default();
        set_validity(&mut params, now, self.begins, self.ends);
        params.extended_key_usages = self.purposes.iter().map(Purpose::read).collect();
        params.use_authority_key_identifier_extension = true;
        let more = (0..self.more_names).map(|number| Name::Dns(format!("n{number}.microsoft.com")));
        params.subject_alt_names = more.chain(self.names.iter().cloned()).map(|name| name.read()).collect();
        if self.authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        params.distinguished_name = DistinguishedName::new();
        for (place, organisation) in self.organisations.iter().enumerate() {
            // A name holds one value of each type; a type by its arcs counts as another.
            let kind = if place == 0 { DnType::OrganizationName } else { DnType::CustomDnType(vec![2, 5, 4, 10]) };
            params.distinguished_name.push(kind, organisation.read());
        }
        if let Some(name) = &self.common_name {
            params.distinguished_name.push(DnType::CommonName, name.as_str());
        }
        params.custom_extensions = self.extensions();
        params
    }

    fn extensions(&self) -> Vec<CustomExtension> {
        let mut extensions = addresses(&self.issuer_addresses, &self.status_addresses, &self.revocation_addresses);
        if self.unknown_critical_extension {
            let mut unknown = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99_999, 1], vec![5, 0]);
            unknown.set_criticality(true);
            extensions.push(unknown);
        }
        extensions
    }
}

impl Text {
    fn read(&self) -> DnValue {
        match self {
            Self::Plain(text) => DnValue::Utf8String(text.clone()),
            Self::Typed { text, r#type } => {
                let text = text.as_str();
                match r#type.as_str() {
                    "bmp" => DnValue::BmpString(text.try_into().expect("a BMP string")),
                    "ia5" => DnValue::Ia5String(text.try_into().expect("an IA5 string")),
                    "printable" => DnValue::PrintableString(text.try_into().expect("a printable string")),
                    "teletex" => DnValue::TeletexString(text.try_into().expect("a teletex string")),
                    "universal" => DnValue::UniversalString(text.try_into().expect("a universal string")),
                    other => panic!("{other} is no type of string"),
                }
            }
        }
    }
}

impl Name {
    fn read(&self) -> SanType {
        let text = |text: &str| text.try_into().expect("ASCII");
        match self {
            Self::Dns(name) => SanType::DnsName(text(name)),
            Self::Email { email } => SanType::Rfc822Name(text(email)),
            Self::Uri { uri } => SanType::URI(text(uri)),
            Self::Address { address } => SanType::IpAddress(*address),
        }
    }
}

impl Purpose {
    pub(crate) fn read(&self) -> ExtendedKeyUsagePurpose {
        match self.0.as_str() {
            "any" => ExtendedKeyUsagePurpose::Any,
            "client" => ExtendedKeyUsagePurpose::ClientAuth,
            "code" => ExtendedKeyUsagePurpose::CodeSigning,
            "email" => ExtendedKeyUsagePurpose::EmailProtection,
            "ocsp" => ExtendedKeyUsagePurpose::OcspSigning,
            "server" => ExtendedKeyUsagePurpose::ServerAuth,
            "time" => ExtendedKeyUsagePurpose::TimeStamping,
            other => panic!("{other} is no purpose"),
        }
    }
}

/// The forms in which a certificate may be published.
fn forms(der: &[u8]) -> BTreeMap<&'static str, Vec<u8>> {
    let base64 = STANDARD.encode(der);
    let lines = |end: &str| -> String {
        base64.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned() + end).collect()
    };
    let pem = |end: &str| format!("-----BEGIN CERTIFICATE-----{end}{}-----END CERTIFICATE-----{end}", lines(end));
    BTreeMap::from([
        ("der", der.to_vec()),
        ("pem", pem("\n").into_bytes()),
        ("pem-crlf", pem("\r\n").into_bytes()),
        ("lines", lines("\n").into_bytes()),
        ("lines-crlf", lines("\r\n").into_bytes()),
        ("base64", base64.into_bytes()),
        ("der-length", der[2..4].to_vec()),
        ("der-without-header", der[4..].to_vec()),
    ])
}

/// Makes it valid from then to then, in seconds after now.
pub(crate) fn set_validity(params: &mut CertificateParams, now: Timestamp, begins: i64, ends: i64) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let after =
        |seconds: i64| Duration::from_secs(u64::try_from(now.as_second() + seconds).expect("a time after 1970"));
    params.not_before = epoch + after(begins);
    params.not_after = epoch + after(ends);
}

const DAY: i64 = 24 * 3600;
const NAME: &str = "pcnotifications-dispatch.microsoft.com";
