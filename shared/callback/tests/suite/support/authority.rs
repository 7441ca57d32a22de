//! A certificate authority of three storeys: root, intermediate, leaf.

use callback::Policy;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, PKCS_RSA_SHA256, PublicKeyData, SanType, SignatureAlgorithm, date_time_ymd,
};

use super::signing::key_pem;
use super::{default_locations, default_names};

pub(crate) struct Authority {
    root: CertifiedIssuer<'static, KeyPair>,
    intermediate: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        Self::with(root_params(), intermediate_params())
    }

    pub(crate) fn with(root: CertificateParams, intermediate: CertificateParams) -> Self {
        let root = CertifiedIssuer::self_signed(root, key_pair("root")).expect("a root");
        let intermediate = CertifiedIssuer::signed_by(intermediate, key_pair("intermediate"), &root);
        Self { root, intermediate: intermediate.expect("an intermediate") }
    }

    pub(crate) fn policy(&self) -> Policy {
        let (root, intermediates) = (self.root.pem(), self.intermediate.pem());
        Policy::new(default_locations(), default_names(), &root, &intermediates).expect("a valid policy")
    }

    /// The leaf as DER, signed by the intermediate.
    pub(crate) fn issue(&self, leaf: &Leaf) -> Vec<u8> {
        leaf.params.signed_by(&leaf.key, &self.intermediate).expect("a leaf").der().to_vec()
    }
}

/// A certificate to be issued. The public key is all of a key that it needs, so any number may stand there.
#[derive(Clone)]
pub(crate) struct Leaf {
    pub(crate) params: CertificateParams,
    pub(crate) key: PublicKey,
}

impl Leaf {
    pub(crate) fn valid() -> Self {
        let mut params = CertificateParams::default();
        params.not_before = date_time_ymd(2026, 6, 1);
        params.not_after = date_time_ymd(2027, 6, 1);
        params.subject_alt_names = vec![dns_name("pcnotifications-dispatch.microsoft.com")];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CountryName, "US");
        params.distinguished_name.push(DnType::OrganizationName, "Microsoft Corporation");
        params.distinguished_name.push(DnType::CommonName, "pcnotifications-dispatch.microsoft.com");
        Self { params, key: rsa_public_key("signing-2048") }
    }
}

pub(crate) fn root_params() -> CertificateParams {
    authority_params("Test Root", (2020, 2040))
}

pub(crate) fn intermediate_params() -> CertificateParams {
    authority_params("Test Intermediate", (2022, 2030))
}

fn authority_params(name: &str, (from, until): (i32, i32)) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

pub(crate) fn dns_name(name: &str) -> SanType {
    SanType::DnsName(name.try_into().expect("an ASCII name"))
}

/// A key of which only the public half is used.
#[derive(Clone)]
pub(crate) struct PublicKey {
    pub(crate) bytes: Vec<u8>,
    pub(crate) algorithm: &'static SignatureAlgorithm,
}

impl PublicKeyData for PublicKey {
    fn der_bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

pub(crate) fn key_pair(name: &str) -> KeyPair {
    KeyPair::from_pem(&key_pem(name)).expect("a key that ring takes")
}

pub(crate) fn rsa_public_key(name: &str) -> PublicKey {
    PublicKey { bytes: key_pair(name).public_key_raw().to_vec(), algorithm: &PKCS_RSA_SHA256 }
}
