//! What we trust: where certificates come from, whom they are for, and which authorities may vouch for them.

use jiff::Timestamp;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, TrustAnchor};
use webpki::anchor_from_trusted_cert;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

use crate::validity::Validity;
use crate::{CertificateLocation, CertificateUrl, IssuerHost, IssuerSearch, Refusal, SigningCertificate, Verdict};

/// Whose signatures are believed. Everything in it replaces a value; nothing in it switches a check off.
#[derive(Clone)]
pub struct Policy {
    anchors: Vec<Anchor>,
    intermediates: Vec<CertificateDer<'static>>,
    issuer_hosts: Vec<IssuerHost>,
    locations: Vec<CertificateLocation>,
    names: Vec<String>,
}

impl Policy {
    /// Makes a policy.
    ///
    /// - `locations`: the directories that certificates may be downloaded from.
    /// - `names`: the DNS names that sign callbacks, such as [`DEFAULT_CERTIFICATE_NAMES`]; no wildcards.
    /// - `trust_anchors_pem`: PEM certificates of the roots, such as [`BUNDLED_TRUST_ANCHORS_PEM`]. Text around them is
    ///   ignored.
    /// - `intermediates_pem`: PEM certificates that may stand between a root and a signing certificate, such as
    ///   [`BUNDLED_INTERMEDIATES_PEM`]. They are not trusted, only tried, since Microsoft publishes the leaf alone. May be
    ///   blank where the roots sign the leaves themselves.
    ///
    /// # Errors
    ///
    /// A list is empty or holds something unusable.
    pub fn new(
        locations: Vec<CertificateLocation>,
        names: Vec<String>,
        trust_anchors_pem: &str,
        intermediates_pem: &str,
    ) -> Result<Self, PolicyError> {
        if locations.is_empty() {
            return Err(PolicyError::NoLocations);
        }
        if names.is_empty() {
            return Err(PolicyError::NoNames);
        }
        if let Some(name) = names.iter().find(|name| !is_exact_name(name)) {
            return Err(PolicyError::Name { name: name.clone() });
        }
        let anchors = bundle(trust_anchors_pem)
            .map(|der| der.as_ref().and_then(Anchor::read))
            .collect::<Option<Vec<_>>>()
            .ok_or(PolicyError::UnreadableTrustAnchors)?;
        if anchors.is_empty() {
            return Err(PolicyError::NoTrustAnchors);
        }
        let intermediates = bundle(intermediates_pem)
            .map(|der| der.filter(|der| Certificate::from_der(der).is_ok()))
            .collect::<Option<Vec<_>>>()
            .ok_or(PolicyError::UnreadableIntermediates)?;
        if intermediates.is_empty() && !intermediates_pem.trim_ascii().is_empty() {
            return Err(PolicyError::UnreadableIntermediates);
        }
        Ok(Self { anchors, intermediates, issuer_hosts: Vec::new(), locations, names })
    }

    /// The policy with these hosts, such as [`DEFAULT_ISSUER_HOSTS`](crate::DEFAULT_ISSUER_HOSTS), for issuers that it does not
    /// have: [`judge_certificate`](Self::judge_certificate) then says where they may lie.
    #[must_use]
    pub fn with_issuer_hosts(self, issuer_hosts: Vec<IssuerHost>) -> Self {
        Self { issuer_hosts, ..self }
    }

    /// Judges the bytes that a certificate address led to.
    ///
    /// `unverified` may be DER, PEM with one block, or the base64 of the DER.
    ///
    /// # Errors
    ///
    /// Why the certificate can't sign callbacks at `now`.
    pub fn check_certificate(&self, unverified: &[u8], now: Timestamp) -> Result<SigningCertificate, Refusal> {
        match self.judge_certificate(unverified, now) {
            Verdict::Accepted(accepted) => Ok(accepted.certificate),
            Verdict::Refused(refusal) => Err(refusal),
            Verdict::LacksIssuer(search) => Err(search.refusal()),
        }
    }

    /// The same where issuers that are missing can be asked for: the verdict may be where the next one may lie.
    #[must_use]
    pub fn judge_certificate(&self, unverified: &[u8], now: Timestamp) -> Verdict<'_> {
        IssuerSearch::begin(self, unverified, now)
    }

    /// Judges the address of a certificate by its bytes.
    ///
    /// # Errors
    ///
    /// It is not a file directly inside one of the locations.
    pub fn certificate_url(&self, unverified: &[u8]) -> Result<CertificateUrl, Refusal> {
        CertificateUrl::read(unverified, &self.locations).ok_or(Refusal::CertificateUrlNotAllowed)
    }

    pub(crate) fn anchors(&self) -> &[Anchor] {
        &self.anchors
    }

    pub(crate) fn issuer_hosts(&self) -> &[IssuerHost] {
        &self.issuer_hosts
    }

    pub(crate) fn intermediates(&self) -> &[CertificateDer<'static>] {
        &self.intermediates
    }

    /// Whether a DNS name of a certificate is one of ours. DNS ignores the case of ASCII letters.
    pub(crate) fn allows_name(&self, presented: &str) -> bool {
        self.names.iter().any(|name| name.eq_ignore_ascii_case(presented))
    }
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policy")
            .field("locations", &self.locations)
            .field("names", &self.names)
            .field("anchors", &self.anchors.len())
            .field("intermediates", &self.intermediates.len())
            .field("issuer_hosts", &self.issuer_hosts)
            .finish()
    }
}

/// A root together with its validity, which webpki does not keep.
#[derive(Clone)]
pub(crate) struct Anchor {
    pub(crate) trust: TrustAnchor<'static>,
    pub(crate) validity: Validity,
}

impl Anchor {
    fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let validity = Validity::of(&Certificate::from_der(der).ok()?);
        let trust = anchor_from_trusted_cert(der).ok()?.to_owned();
        Some(Self { trust, validity })
    }
}

/// Why a [`Policy`] can't be made. The messages are for whoever configures it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PolicyError {
    /// A name is not one exact DNS name.
    #[error("certificate name {name:?} is not an exact DNS name: write it in full, without wildcard and final dot")]
    Name {
        /// The name.
        name: String,
    },

    /// There is no location, so no certificate could ever be downloaded.
    #[error("no certificate location: name at least one, or leave the setting out to use Microsoft's")]
    NoLocations,

    /// There is no name, so no certificate could ever be for the right one.
    #[error("no certificate name: name at least one, or leave the setting out to use Microsoft's")]
    NoNames,

    /// There is no root, so no certificate could ever be trusted.
    #[error("no trust anchor: give at least one PEM certificate, or leave the setting out to use those bundled")]
    NoTrustAnchors,

    /// The bundle of intermediates holds something else than certificates.
    #[error("intermediates are unreadable: give PEM certificates, or nothing if the trust anchors sign directly")]
    UnreadableIntermediates,

    /// The bundle of roots holds a damaged certificate.
    #[error("trust anchors are unreadable: each PEM block must be one whole certificate")]
    UnreadableTrustAnchors,
}

/// The certificates of a bundle, `None` for a damaged one.
fn bundle(pem: &str) -> impl Iterator<Item = Option<CertificateDer<'static>>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).map(Result::ok)
}

fn is_exact_name(name: &str) -> bool {
    name.split('.')
        .all(|label| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
}

/// The names that occur in Microsoft's texts: today's, and the one until November 2019.
pub const DEFAULT_CERTIFICATE_NAMES: [&str; 2] =
    ["pcnotifications-dispatch.microsoft.com", "pcnotifications.microsoft.com"];

/// The roots that Microsoft's public TLS certificates end in. `certificates/README.md` says how to replace them.
pub const BUNDLED_TRUST_ANCHORS_PEM: &str = include_str!("../certificates/trust-anchors.pem");

/// The intermediates known to stand between those roots and a Microsoft certificate.
pub const BUNDLED_INTERMEDIATES_PEM: &str = include_str!("../certificates/intermediates.pem");
