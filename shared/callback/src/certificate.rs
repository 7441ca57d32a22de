//! Whether a certificate may sign callbacks.
//!
//! webpki proves the chain; the rest is ours, because webpki is made for TLS, where it is somebody else's business: it
//! takes a certificate without extended key usage, knows nothing of organisations, and leaves the leaf's key alone.

use jiff::Timestamp;
use rsa::RsaPublicKey;
use rsa::pkcs1::RsaPublicKeyRef;
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::signature::hazmat::PrehashVerifier as _;
use rsa::traits::PublicKeyParts as _;
use rustls_pki_types::CertificateDer;
use sha2::Sha256;
use webpki::EndEntityCert;
use x509_cert::Certificate;
use x509_cert::der::asn1::{Any, ObjectIdentifier};
use x509_cert::der::{Decode as _, Tag, Tagged as _};
use x509_cert::ext::pkix::ExtendedKeyUsage;

use crate::chain::{NotProven, Proven};
use crate::validity::Validity;
use crate::{Policy, Refusal, UnverifiedIssuer, chain, encoding};

/// A certificate that may sign callbacks: a verdict of [`Policy::check_certificate`] or
/// [`Policy::judge_certificate`], which are the only ways to get one.
#[derive(Clone)]
pub struct SigningCertificate {
    key: VerifyingKey<Sha256>,
    validity: Validity,
}

impl SigningCertificate {
    /// From when on the verdict holds: the latest beginning among all certificates of the path.
    #[must_use]
    pub fn valid_from(&self) -> Timestamp {
        self.validity.from()
    }

    /// Until when the verdict holds, this second included: the earliest end among all certificates of the path.
    #[must_use]
    pub fn valid_until(&self) -> Timestamp {
        self.validity.until()
    }

    /// Whether another verdict is about the same key: a renewed certificate may hold the old one.
    #[must_use]
    pub fn has_key_of(&self, other: &Self) -> bool {
        self.key.as_ref() == other.key.as_ref()
    }

    pub(crate) fn verify(&self, sha256: &[u8; 32], unverified_signature: &[u8], now: Timestamp) -> Result<(), Refusal> {
        self.validity.check(now)?;
        if unverified_signature.len() != self.key.as_ref().size() {
            return Err(Refusal::SignatureNotOfKeySize);
        }
        Signature::try_from(unverified_signature)
            .and_then(|signature| self.key.verify_prehash(sha256, &signature))
            .map_err(|_| Refusal::SignatureMismatch)
    }
}

impl std::fmt::Debug for SigningCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningCertificate")
            .field("key_bits", &self.key.as_ref().n().bits())
            .field("valid_from", &self.valid_from())
            .field("valid_until", &self.valid_until())
            .finish_non_exhaustive()
    }
}

/// A certificate that may sign callbacks, with what it rests on.
#[derive(Debug)]
pub struct Accepted {
    /// The certificate.
    pub certificate: SigningCertificate,
    issuers: Vec<CertificateDer<'static>>,
}

impl Accepted {
    /// Whether an issuer that was found stands between the certificate and its root.
    #[must_use]
    pub fn rests_on(&self, issuer: &UnverifiedIssuer) -> bool {
        self.issuers.contains(issuer.der())
    }
}

/// A certificate as it was found: readable, and not proven.
pub(crate) struct UnverifiedLeaf {
    der: CertificateDer<'static>,
    certificate: Certificate,
}

impl UnverifiedLeaf {
    pub(crate) fn read(unverified: &[u8]) -> Result<Self, Refusal> {
        if unverified.len() > MAX_CERTIFICATE_BYTES {
            return Err(Refusal::CertificateTooLarge);
        }
        let der = CertificateDer::from(encoding::der(unverified).ok_or(Refusal::CertificateUnreadable)?.into_owned());
        let certificate = Certificate::from_der(&der).map_err(|_| Refusal::CertificateUnreadable)?;
        Ok(Self { der, certificate })
    }

    pub(crate) fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Proves the chain, with what the policy brings and with what was found besides; then all the rest.
    pub(crate) fn check(
        &self,
        policy: &Policy,
        found: &[CertificateDer<'static>],
        now: Timestamp,
    ) -> Result<Accepted, NotProven> {
        let end_entity = EndEntityCert::try_from(&self.der).map_err(|error| unreadable(&error))?;
        let Proven { validity, issuers } = chain::check(&end_entity, &self.certificate, policy, found, now)?;
        // From here on, what the leaf says is what a trusted authority vouched for.
        let key = self.statements(&end_entity, policy)?;
        Ok(Accepted { certificate: SigningCertificate { key: VerifyingKey::new(key), validity }, issuers })
    }

    /// Whether it would be accepted if its chain held.
    pub(crate) fn would_do(&self, policy: &Policy, now: Timestamp) -> bool {
        Validity::of(&self.certificate).check(now).is_ok()
            && EndEntityCert::try_from(&self.der).is_ok_and(|end_entity| self.statements(&end_entity, policy).is_ok())
    }

    /// What the leaf says of itself: purpose, organisation, name and key.
    fn statements(&self, end_entity: &EndEntityCert<'_>, policy: &Policy) -> Result<RsaPublicKey, Refusal> {
        check_purpose(&self.certificate)?;
        check_organisation(&self.certificate)?;
        check_name(end_entity, policy)?;
        signing_key(&self.certificate)
    }
}

fn unreadable(error: &webpki::Error) -> Refusal {
    match error {
        webpki::Error::UnsupportedCriticalExtension => Refusal::CertificateChain { detail: chain::detail(error) },
        _ => Refusal::CertificateUnreadable,
    }
}

/// Server authentication has to be named. "Any purpose" is not it: certificates that Microsoft's authorities issue to
/// customers, for code or for clients, must never do.
pub(crate) fn check_purpose(leaf: &Certificate) -> Result<(), Refusal> {
    match leaf.tbs_certificate().get_extension::<ExtendedKeyUsage>() {
        Ok(Some((_critical, usages))) if usages.0.contains(&SERVER_AUTHENTICATION) => Ok(()),
        _ => Err(Refusal::CertificatePurpose),
    }
}

/// Compares the attribute itself: a printed name can be made to contain anything.
///
/// Authorities write the organisation as `UTF8String` or `PrintableString` (RFC 5280, section 4.1.2.4, asks for these two);
/// the same letters in another string type are other bytes, and refused.
fn check_organisation(leaf: &Certificate) -> Result<(), Refusal> {
    let mut organisations =
        leaf.tbs_certificate().subject().iter().filter(|attribute| attribute.oid == ORGANISATION_NAME);
    match (organisations.next(), organisations.next()) {
        (Some(organisation), None) if is_microsoft(&organisation.value) => Ok(()),
        _ => Err(Refusal::CertificateOrganisation),
    }
}

fn is_microsoft(value: &Any) -> bool {
    matches!(value.tag(), Tag::PrintableString | Tag::Utf8String) && value.value() == ORGANISATION
}

/// Exact names only: a certificate for `*.microsoft.com` is for some web server, not for callbacks. The common name is
/// never looked at.
fn check_name(leaf: &EndEntityCert<'_>, policy: &Policy) -> Result<(), Refusal> {
    if leaf.valid_dns_names().any(|name| policy.allows_name(name)) { Ok(()) } else { Err(Refusal::CertificateName) }
}

/// The `rsa` crate alone would take 1024 bits and any odd exponent up to 33 bits. Public authorities are held to 2048 bits
/// and more; over 4096 a forged request costs us more than it proves.
fn signing_key(leaf: &Certificate) -> Result<RsaPublicKey, Refusal> {
    let info = leaf.tbs_certificate().subject_public_key_info();
    if info.algorithm.oid != RSA_ENCRYPTION {
        return Err(unacceptable_key("not an RSA key"));
    }
    let bits = info.subject_public_key.as_bytes().ok_or(UNREADABLE_KEY)?;
    let key = RsaPublicKeyRef::from_der(bits).map_err(|_| UNREADABLE_KEY)?;
    let modulus = key.modulus.as_bytes();
    if !(MIN_KEY_BITS..=MAX_KEY_BITS).contains(&bit_length(modulus)) {
        return Err(unacceptable_key("modulus is not of 2048 to 4096 bits"));
    }
    if modulus.last().is_none_or(|byte| byte % 2 == 0) {
        return Err(unacceptable_key("modulus is even"));
    }
    if key.public_exponent.as_bytes() != EXPONENT {
        return Err(unacceptable_key("exponent is not 65537"));
    }
    RsaPublicKey::try_from(key).map_err(|_| UNREADABLE_KEY)
}

/// The length of a number that has no leading zero bytes, which DER's integers don't.
fn bit_length(number: &[u8]) -> usize {
    let leading_zeros = number.first().map_or(0, |byte| byte.leading_zeros() as usize);
    number.len() * 8 - leading_zeros
}

fn unacceptable_key(detail: &'static str) -> Refusal {
    Refusal::CertificateKey { detail }
}

/// The largest certificate that is read. Microsoft's own largest, with 180 names, has 7 kB.
pub const MAX_CERTIFICATE_BYTES: usize = 64 * 1024;

const MIN_KEY_BITS: usize = 2048;
const MAX_KEY_BITS: usize = 4096;

/// 65537, the one that every public authority uses.
const EXPONENT: &[u8] = &[1, 0, 1];

const ORGANISATION: &[u8] = b"Microsoft Corporation";

const ORGANISATION_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const SERVER_AUTHENTICATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");

const UNREADABLE_KEY: Refusal = Refusal::CertificateKey { detail: "not a readable RSA key" };
