//! The search for issuers that are missing from the bundle.
//!
//! Microsoft publishes the signing certificate alone, and may have another authority issue the next one. The certificate says
//! where its issuer lies; this says which of these addresses may be asked, in which order, and when to stop. Asking is the
//! caller's. What is found is never trusted: it only helps webpki to find a path to our anchors.
//!
//! Nothing is asked for a certificate that would not do if its chain held: one of another name, organisation, purpose or key,
//! or outside its validity. For one that would, at most [`MAX_ISSUER_REQUESTS`] addresses are, each once.

use std::collections::VecDeque;

use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

use crate::certificate::{MAX_CERTIFICATE_BYTES, UnverifiedLeaf};
use crate::chain::NotProven;
use crate::issuer::{self, IssuerUrl};
use crate::{Policy, Refusal, SigningCertificate, encoding};

/// What has come of judging a certificate.
#[derive(Debug)]
pub enum Verdict<'p> {
    /// It may sign callbacks.
    Accepted(SigningCertificate),
    /// It may not, and no issuer would change that, or none is to be had.
    Refused(Refusal),
    /// There is no path from it to a trust anchor yet, and a place where an issuer may lie.
    LacksIssuer(Box<IssuerSearch<'p>>),
}

/// A certificate without a path to a trust anchor, and the places where issuers may lie that have not been asked yet.
pub struct IssuerSearch<'p> {
    policy: &'p Policy,
    leaf: UnverifiedLeaf,
    found: Vec<(CertificateDer<'static>, Certificate)>,
    url: IssuerUrl,
    others: VecDeque<IssuerUrl>,
    asked: Vec<IssuerUrl>,
    refusal: Refusal,
}

impl<'p> IssuerSearch<'p> {
    pub(crate) fn begin(policy: &'p Policy, unverified: &[u8], now: Timestamp) -> Verdict<'p> {
        let leaf = match UnverifiedLeaf::read(unverified) {
            Ok(leaf) => leaf,
            Err(refusal) => return Verdict::Refused(refusal),
        };
        let refusal = match leaf.check(policy, &[], now) {
            Ok(certificate) => return Verdict::Accepted(certificate),
            Err(NotProven { refusal, lacks_issuer }) if lacks_issuer && leaf.would_do(policy, now) => refusal,
            Err(NotProven { refusal, .. }) => return Verdict::Refused(refusal),
        };
        let mut others = VecDeque::from(issuer::addresses(leaf.certificate(), policy.issuer_hosts()));
        let Some(url) = others.pop_front() else { return Verdict::Refused(refusal) };
        Verdict::LacksIssuer(Box::new(Self { policy, leaf, found: vec![], url, others, asked: vec![], refusal }))
    }

    /// The address to ask.
    #[must_use]
    pub fn url(&self) -> &IssuerUrl {
        &self.url
    }

    /// Why the certificate is refused if nothing more is found.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        self.refusal
    }

    /// Whether these bytes are an issuer of one of the certificates that are there: only then are they worth keeping.
    #[must_use]
    pub fn wants(&self, unverified: &[u8]) -> bool {
        self.read(unverified).is_some()
    }

    /// Goes on with what lies at the address. If that is no issuer of those certificates that are there, it counts as nothing.
    #[must_use]
    pub fn found(mut self: Box<Self>, unverified: &[u8], now: Timestamp) -> Verdict<'p> {
        let Some((der, issuer)) = self.read(unverified) else { return self.not_found() };
        // The issuer's own issuer comes next, before other places of the same one.
        for url in issuer::addresses(&issuer, self.policy.issuer_hosts()).into_iter().rev() {
            self.others.push_front(url);
        }
        self.found.push((der, issuer));
        let found: Vec<_> = self.found.iter().map(|(der, _)| der.clone()).collect();
        match self.leaf.check(self.policy, &found, now) {
            Ok(certificate) => Verdict::Accepted(certificate),
            Err(NotProven { refusal, lacks_issuer: false }) => Verdict::Refused(refusal),
            Err(NotProven { refusal, lacks_issuer: true }) => {
                self.refusal = refusal;
                self.not_found()
            }
        }
    }

    /// Goes on without what lies at the address.
    #[must_use]
    pub fn not_found(mut self: Box<Self>) -> Verdict<'p> {
        self.asked.push(self.url.clone());
        self.others.retain(|url| !self.asked.contains(url));
        match self.others.pop_front() {
            Some(url) if self.asked.len() < MAX_ISSUER_REQUESTS => {
                self.url = url;
                Verdict::LacksIssuer(self)
            }
            _ => Verdict::Refused(self.refusal),
        }
    }

    /// The certificate in these bytes, if its subject is an issuer that the certificates so far name.
    fn read(&self, unverified: &[u8]) -> Option<(CertificateDer<'static>, Certificate)> {
        if unverified.len() > MAX_CERTIFICATE_BYTES {
            return None;
        }
        let der = CertificateDer::from(encoding::der(unverified)?.into_owned());
        let certificate = Certificate::from_der(&der).ok()?;
        let issued = self.found.iter().map(|(_, issued)| issued).chain([self.leaf.certificate()]);
        let names = |issued: &Certificate| issued.tbs_certificate().issuer() == certificate.tbs_certificate().subject();
        let is_new = self.found.iter().all(|(known, _)| *known != der);
        (is_new && issued.into_iter().any(names)).then_some((der, certificate))
    }
}

impl std::fmt::Debug for IssuerSearch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuerSearch")
            .field("url", &self.url)
            .field("found", &self.found.len())
            .field("asked", &self.asked.len())
            .finish_non_exhaustive()
    }
}

/// Most addresses that are asked for one certificate: two for each of the two issuers that stand between Microsoft's
/// certificates and their roots.
pub const MAX_ISSUER_REQUESTS: usize = 4;
