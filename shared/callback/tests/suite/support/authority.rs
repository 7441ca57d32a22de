//! A certificate authority of three storeys: root, intermediate, leaf.

use callback::Policy;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, PKCS_RSA_SHA256, PublicKeyData, SanType, SignatureAlgorithm, date_time_ymd,
};
use x509_cert::der::Encode as _;
use x509_cert::der::asn1::{Ia5String, ObjectIdentifier};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{AccessDescription, AuthorityInfoAccessSyntax};

use super::signing::key_pem;
use super::{default_locations, default_names};

pub(crate) struct Authority {
    pub(crate) root: CertifiedIssuer<'static, KeyPair>,
    pub(crate) intermediate: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        Self::with(root_params(), "root", intermediate_params())
    }

    pub(crate) fn with(root: CertificateParams, root_key: &str, intermediate: CertificateParams) -> Self {
        Self::with_intermediate_key(root, root_key, intermediate, key_pair("intermediate"))
    }

    pub(crate) fn with_intermediate_key(
        root: CertificateParams,
        root_key: &str,
        intermediate: CertificateParams,
        intermediate_key: KeyPair,
    ) -> Self {
        let root = CertifiedIssuer::self_signed(root, key_pair(root_key)).expect("a root");
        let intermediate = CertifiedIssuer::signed_by(intermediate, intermediate_key, &root).expect("an intermediate");
        Self { root, intermediate }
    }

    pub(crate) fn policy(&self) -> Policy {
        self.policy_with_intermediates(&self.intermediate.pem())
    }

    pub(crate) fn policy_with_intermediates(&self, intermediates: &str) -> Policy {
        Policy::new(default_locations(), default_names(), &self.root.pem(), intermediates).expect("a valid policy")
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

/// The extension in which a certificate names places: `caIssuers` and `ocsp`.
pub(crate) fn information_access(places: &[(&str, &str)]) -> CustomExtension {
    let access = |(method, url): &(&str, &str)| AccessDescription {
        access_method: match *method {
            "caIssuers" => ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.2"),
            "ocsp" => ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1"),
            other => panic!("no access method {other}"),
        },
        access_location: GeneralName::UniformResourceIdentifier(Ia5String::new(*url).expect("ASCII")),
    };
    let der = AuthorityInfoAccessSyntax(places.iter().map(access).collect()).to_der().expect("DER");
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], der)
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
