//! The authorities above a certificate.

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, GeneralSubtree, IsCa, KeyPair,
    NameConstraints, PKCS_RSA_SHA256, PublicKeyData, SignatureAlgorithm, SigningKey,
};
use rsa::{
    pkcs1::EncodeRsaPublicKey as _,
    pkcs1v15,
    signature::{SignatureEncoding as _, Signer},
};
use serde::Deserialize;
use sha2::Sha256;

use crate::{
    Key,
    certificate::{Purpose, set_validity},
    elsewhere::addresses,
    keys::pem,
};

pub(crate) type Issuer = CertifiedIssuer<'static, AnyKey>;

/// An authority. What is not said is as it should be.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Storey {
    name: String,
    organisation: Option<String>,
    key: Option<String>,
    begins: i64,
    ends: i64,
    authority: bool,
    path_length: Option<u8>,
    permitted: Vec<String>,
    purposes: Vec<Purpose>,
    issuer_addresses: Vec<String>,
    /// Whether the receiver has it among its issuers.
    pub(crate) known: bool,
}

impl Default for Storey {
    fn default() -> Self {
        Self {
            name: "Test Intermediate".to_owned(),
            organisation: None,
            key: None,
            begins: -4 * YEAR,
            ends: 4 * YEAR,
            authority: true,
            path_length: None,
            permitted: Vec::new(),
            purposes: Vec::new(),
            issuer_addresses: Vec::new(),
            known: true,
        }
    }
}

impl Storey {
    pub(crate) fn root() -> Self {
        Self { name: "Test Root".to_owned(), begins: -6 * YEAR, ends: 14 * YEAR, ..Self::default() }
    }

    /// A storey of a house without a roof; the lowest has the name of the usual issuer.
    pub(crate) fn crossing(height: usize) -> Self {
        let usual = Self { key: Some("intermediate".to_owned()), ..Self::default() };
        if height == 0 { usual } else { Self { name: format!("Crossing {height}"), ..usual } }
    }

    /// The same, with its issuer at this address.
    pub(crate) fn at(self, url: &str) -> Self {
        Self { key: Some("intermediate".to_owned()), issuer_addresses: vec![url.to_owned()], ..self }
    }

    /// The same name with another key.
    pub(crate) fn namesake(&self) -> Self {
        Self { key: Some("stranger-root".to_owned()), ..self.clone() }
    }

    pub(crate) fn self_signed(&self, now: Timestamp) -> Issuer {
        CertifiedIssuer::self_signed(self.params(now), self.key("root")).expect("a root")
    }

    pub(crate) fn signed_by(&self, issuer: &Issuer, now: Timestamp) -> Issuer {
        CertifiedIssuer::signed_by(self.params(now), self.key("intermediate"), issuer).expect("an intermediate")
    }

    fn key(&self, usual: &str) -> AnyKey {
        AnyKey::named(self.key.as_deref().unwrap_or(usual))
    }

    fn params(&self, now: Timestamp) -> CertificateParams {
        let mut params = CertificateParams::default();
        set_validity(&mut params, now, self.begins, self.ends);
        if self.authority {
            let limit = self.path_length.map_or(BasicConstraints::Unconstrained, BasicConstraints::Constrained);
            params.is_ca = IsCa::Ca(limit);
        }
        if !self.permitted.is_empty() {
            let permitted_subtrees = self.permitted.iter().cloned().map(GeneralSubtree::DnsName).collect();
            params.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
        }
        params.extended_key_usages = self.purposes.iter().map(Purpose::read).collect();
        params.custom_extensions = addresses(&self.issuer_addresses, &[], &[]);
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, self.name.as_str());
        if let Some(organisation) = &self.organisation {
            params.distinguished_name.push(DnType::OrganizationName, organisation.as_str());
        }
        params
    }
}

/// A key that issues: one that ring takes, or one that is too small for it.
pub(crate) enum AnyKey {
    Strong(KeyPair),
    Weak { signer: pkcs1v15::SigningKey<Sha256>, public: Vec<u8> },
}

impl AnyKey {
    pub(crate) fn named(name: &str) -> Self {
        if !name.starts_with("weak") {
            return Self::Strong(KeyPair::from_pem(&pem(name)).expect("a key that ring takes"));
        }
        let private = Key::named(name).private();
        let public = private.to_public_key().to_pkcs1_der().expect("a public key").as_bytes().to_vec();
        Self::Weak { signer: pkcs1v15::SigningKey::new(private), public }
    }
}

impl PublicKeyData for AnyKey {
    fn der_bytes(&self) -> &[u8] {
        match self {
            Self::Strong(pair) => pair.der_bytes(),
            Self::Weak { public, .. } => public,
        }
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self {
            Self::Strong(pair) => pair.algorithm(),
            Self::Weak { .. } => &PKCS_RSA_SHA256,
        }
    }
}

impl SigningKey for AnyKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        match self {
            Self::Strong(pair) => pair.sign(message),
            Self::Weak { signer, .. } => Ok(Signer::sign(signer, message).to_vec()),
        }
    }
}

const YEAR: i64 = 365 * 24 * 3600;
