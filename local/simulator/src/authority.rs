//! The simulator's certificate authority: who signs callbacks, who serves TLS, and under which root.
//!
//! One root, one issuing authority below it, two kinds of leaf. The *callback leaf* carries the organisation
//! `Microsoft Corporation` and an RSA key, as Microsoft's does; only it is served by the certificate address, without
//! its issuer, which lies where the leaf says. The *TLS leaf* carries another organisation, so that nobody can pass it off as a signer of callbacks.
//!
//! The authority and the TLS leaf are valid for the whole century, the callback leaf from a day before to a year
//! after the clock's now. TLS clients go by the machine's time, whoever verifies a callback by the clock it was
//! given: this way a test may stop or move its clock and still connect.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData,
    SanType, SignatureAlgorithm,
};
use rsa::RsaPrivateKey;
use rsa::pkcs1::EncodeRsaPublicKey;
use rsa::pkcs1v15::SigningKey;
use rsa::rand_core::{TryCryptoRng, TryRng};
use rsa::signature::{SignatureEncoding, Signer};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use sha2::Sha256;
use x509_cert::der::Encode as _;
use x509_cert::der::asn1::{Ia5String, ObjectIdentifier};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{AccessDescription, AuthorityInfoAccessSyntax};

/// The name in the callback leaf: its common name and its only subject alternative name.
pub(crate) const CERTIFICATE_NAME: &str = "pcnotifications-dispatch.simulator.test";

/// Making a key, a certificate or a signature failed.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A certificate could not be made.
    #[error("failed to make a certificate")]
    Certificate(#[source] rcgen::Error),
    /// An RSA key could not be made or encoded, or did not sign.
    #[error("failed to use an RSA key: {0}")]
    Key(String),
    /// The TLS configuration was refused.
    #[error("failed to set up TLS")]
    Tls(#[source] rustls::Error),
}

impl From<rcgen::Error> for AuthorityError {
    fn from(source: rcgen::Error) -> Self {
        Self::Certificate(source)
    }
}

/// Root, issuing authority, TLS leaf and the callback leaf in use.
pub(crate) struct Authority {
    forger: OnceLock<Leaf>,
    issuer_url: String,
    issuing: CertifiedIssuer<'static, KeyPair>,
    issuing_pem: String,
    leaf: RwLock<Arc<Leaf>>,
    root_der: CertificateDer<'static>,
    root_pem: String,
}

/// A key that signs callbacks, with its certificate.
struct Leaf {
    certificate: Vec<u8>,
    key: SigningKey<Sha256>,
}

impl Authority {
    /// An authority whose issuing certificate lies at `issuer_url`, as the leaves say.
    pub(crate) fn new(now: Timestamp, issuer_url: String) -> Result<Self, AuthorityError> {
        let root = CertifiedIssuer::self_signed(
            authority_params("Simulator", "Simulator Root G1", BasicConstraints::Unconstrained),
            KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
        )?;
        // The organisation of the issuer matters too: a published sample of Microsoft's looks for it there.
        let issuing = CertifiedIssuer::signed_by(
            authority_params("Microsoft Corporation", "Simulator Issuing CA 01", BasicConstraints::Constrained(0)),
            KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
            &root,
        )?;
        let leaf = Leaf::generate(&issuing, &issuer_url, now)?;
        Ok(Self {
            forger: OnceLock::new(),
            issuer_url,
            issuing_pem: issuing.pem(),
            issuing,
            leaf: RwLock::new(Arc::new(leaf)),
            root_der: root.der().clone(),
            root_pem: root.pem(),
        })
    }

    /// The root: what has to be trusted, for signatures and for TLS.
    pub(crate) fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// The issuing authority, which the certificate address does not send along.
    pub(crate) fn issuing_pem(&self) -> &str {
        &self.issuing_pem
    }

    /// The same as DER, which lies where the leaves say.
    pub(crate) fn issuing_der(&self) -> Vec<u8> {
        self.issuing.der().to_vec()
    }

    /// The callback leaf in use, DER.
    pub(crate) fn certificate(&self) -> Vec<u8> {
        self.current().certificate.clone()
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256 by the leaf in use.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, AuthorityError> {
        self.current().sign(message)
    }

    /// The same by a key that has nothing to do with the leaf in use.
    pub(crate) fn sign_as_forger(&self, message: &[u8], now: Timestamp) -> Result<Vec<u8>, AuthorityError> {
        if let Some(forger) = self.forger.get() {
            return forger.sign(message);
        }
        let made = Leaf::generate(&self.issuing, &self.issuer_url, now)?;
        self.forger.get_or_init(|| made).sign(message)
    }

    /// A new key and a new certificate under the same name and the same authority.
    pub(crate) fn rotate(&self, now: Timestamp) -> Result<(), AuthorityError> {
        let leaf = Arc::new(Leaf::generate(&self.issuing, &self.issuer_url, now)?);
        *self.leaf.write().unwrap_or_else(PoisonError::into_inner) = leaf;
        Ok(())
    }

    /// TLS for `127.0.0.1`, `::1` and localhost; the issuing authority is sent along.
    pub(crate) fn server_config(&self) -> Result<ServerConfig, AuthorityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        params.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        params.subject_alt_names.push(SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)));
        name(&mut params, "Simulator", "localhost");
        for_servers(&mut params);
        for_the_century(&mut params);
        let certificate = params.signed_by(&key, &self.issuing)?;

        let chain = vec![certificate.der().clone(), self.issuing.der().clone()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(AuthorityError::Tls)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(AuthorityError::Tls)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    /// For posting callbacks: trusts this authority alone.
    pub(crate) fn client_config(&self) -> Result<ClientConfig, AuthorityError> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root_der.clone()).map_err(AuthorityError::Tls)?;
        Ok(ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(AuthorityError::Tls)?
            .with_root_certificates(roots)
            .with_no_client_auth())
    }

    fn current(&self) -> Arc<Leaf> {
        Arc::clone(&self.leaf.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Leaf {
    fn generate(
        issuing: &CertifiedIssuer<'static, KeyPair>,
        issuer_url: &str,
        now: Timestamp,
    ) -> Result<Self, AuthorityError> {
        let key = RsaPrivateKey::new(&mut Randomness, KEY_BITS).map_err(|error| key_error(&error))?;
        let public = key.to_public_key().to_pkcs1_der().map_err(|error| key_error(&error))?;

        let mut params = CertificateParams::new(vec![CERTIFICATE_NAME.to_owned()])?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CountryName, "US");
        params.distinguished_name.push(DnType::StateOrProvinceName, "WA");
        params.distinguished_name.push(DnType::LocalityName, "Redmond");
        name(&mut params, "Microsoft Corporation", CERTIFICATE_NAME);
        for_servers(&mut params);
        params.custom_extensions.push(issuer_lies_at(issuer_url)?);
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        params.not_before = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds.saturating_sub(DAY));
        params.not_after = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds.saturating_add(365 * DAY));
        let certificate = params.signed_by(&RsaPublic(public.into_vec()), issuing)?;
        Ok(Self { certificate: certificate.der().to_vec(), key: SigningKey::new(key) })
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, AuthorityError> {
        let signature = self.key.try_sign(message).map_err(|error| key_error(&error))?;
        Ok(signature.to_vec())
    }
}

/// The public half as rcgen wants it: ring, on which rcgen works here, can't make RSA keys.
struct RsaPublic(Vec<u8>);

impl PublicKeyData for RsaPublic {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_RSA_SHA256
    }
}

/// The operating system's randomness in the shape that `rsa` asks for; `rand` is a version behind it.
pub(crate) struct Randomness;

impl TryRng for Randomness {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(rand::random())
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(rand::random())
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), Self::Error> {
        rand::fill(destination);
        Ok(())
    }
}

impl TryCryptoRng for Randomness {}

fn authority_params(organization: &str, common_name: &str, constraints: BasicConstraints) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    name(&mut params, organization, common_name);
    params.is_ca = IsCa::Ca(constraints);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    for_the_century(&mut params);
    params
}

fn name(params: &mut CertificateParams, organization: &str, common_name: &str) {
    params.distinguished_name.push(DnType::OrganizationName, organization);
    params.distinguished_name.push(DnType::CommonName, common_name);
}

/// The extension by which a certificate says where its issuer lies (RFC 5280, section 4.2.2.1).
fn issuer_lies_at(url: &str) -> Result<CustomExtension, AuthorityError> {
    let encoded = |error: x509_cert::der::Error| AuthorityError::Key(error.to_string());
    let access = AccessDescription {
        access_method: ID_AD_CA_ISSUERS,
        access_location: GeneralName::UniformResourceIdentifier(Ia5String::new(url).map_err(encoded)?),
    };
    let content = AuthorityInfoAccessSyntax(vec![access]).to_der().map_err(encoded)?;
    Ok(CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], content))
}

fn for_servers(params: &mut CertificateParams) {
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
}

fn for_the_century(params: &mut CertificateParams) {
    params.not_before = rcgen::date_time_ymd(2000, 1, 1);
    params.not_after = rcgen::date_time_ymd(2099, 12, 31);
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

pub(crate) fn key_error(error: &dyn std::error::Error) -> AuthorityError {
    AuthorityError::Key(error.to_string())
}

const ID_AD_CA_ISSUERS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.2");
const DAY: u64 = 86_400;
const KEY_BITS: usize = 2048;
