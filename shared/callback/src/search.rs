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

use crate::certificate::{Accepted, MAX_CERTIFICATE_BYTES, UnverifiedLeaf};
use crate::chain::NotProven;
use crate::issuer::{self, IssuerUrl};
use crate::{Policy, Refusal, encoding};

/// What has come of judging a certificate.
#[derive(Debug)]
pub enum Verdict<'p> {
    /// It may sign callbacks.
    Accepted(Accepted),
    /// It may not, and no issuer would change that, or none is to be had.
    Refused(Refusal),
    /// There is no path from it to a trust anchor yet, and a place where an issuer may lie.
    LacksIssuer(Box<IssuerSearch<'p>>),
}

/// A certificate without a path to a trust anchor, and the places where issuers may lie that have not been asked yet.
pub struct IssuerSearch<'p> {
    policy: &'p Policy,
    leaf: UnverifiedLeaf,
    found: Vec<UnverifiedIssuer>,
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
            Ok(accepted) => return Verdict::Accepted(accepted),
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

    /// Reads what lies at the address. None if that is no issuer of one of the certificates that are there.
    #[must_use]
    pub fn read(&self, unverified: &[u8]) -> Option<UnverifiedIssuer> {
        let issuer = UnverifiedIssuer::read(unverified)?;
        let so_far = self.found.iter().map(|found| &found.certificate).chain([self.leaf.certificate()]);
        let subject = issuer.certificate.tbs_certificate().subject();
        let names = |certificate: &Certificate| certificate.tbs_certificate().issuer() == subject;
        so_far.into_iter().any(names).then_some(issuer)
    }

    /// Goes on with an issuer that was found.
    ///
    /// One that leads nowhere, or that webpki refuses for a reason of its own, does not end the search: a place that anybody can
    /// answer for must not decide.
    #[must_use]
    pub fn found(mut self: Box<Self>, issuer: UnverifiedIssuer, now: Timestamp) -> Verdict<'p> {
        // The issuer's own issuer comes next, before other places of the same one.
        for url in issuer::addresses(&issuer.certificate, self.policy.issuer_hosts()).into_iter().rev() {
            self.others.push_front(url);
        }
        self.found.push(issuer);
        let found: Vec<_> = self.found.iter().map(|found| found.der.clone()).collect();
        match self.leaf.check(self.policy, &found, now) {
            Ok(accepted) => Verdict::Accepted(accepted),
            Err(NotProven { refusal, .. }) => {
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
}

/// The certificate of an issuer as it was found: readable, and not proven.
#[derive(Clone)]
pub struct UnverifiedIssuer {
    der: CertificateDer<'static>,
    certificate: Certificate,
}

impl UnverifiedIssuer {
    fn read(unverified: &[u8]) -> Option<Self> {
        if unverified.len() > MAX_CERTIFICATE_BYTES {
            return None;
        }
        let der = CertificateDer::from(encoding::der(unverified)?.into_owned());
        let certificate = Certificate::from_der(&der).ok()?;
        Some(Self { der, certificate })
    }

    pub(crate) fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }
}

/// The name of the issuer that a certificate claims, for people: nothing of it is proven. None where it can't be read.
#[must_use]
pub fn issuer_name(unverified: &[u8]) -> Option<String> {
    let certificate = UnverifiedIssuer::read(unverified)?.certificate;
    Some(certificate.tbs_certificate().issuer().to_string())
}

impl std::fmt::Debug for UnverifiedIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnverifiedIssuer").field("bytes", &self.der.len()).finish_non_exhaustive()
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
