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

use crate::validity::Validity;
use crate::{Policy, Refusal, chain, encoding};

/// A certificate that may sign callbacks: the verdict of [`Policy::check_certificate`], which is the only way to get one.
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

pub(crate) fn check(unverified: &[u8], policy: &Policy, now: Timestamp) -> Result<SigningCertificate, Refusal> {
    if unverified.len() > MAX_CERTIFICATE_BYTES {
        return Err(Refusal::CertificateTooLarge);
    }
    let unverified_der =
        CertificateDer::from(encoding::der(unverified).ok_or(Refusal::CertificateUnreadable)?.into_owned());
    let leaf = Certificate::from_der(&unverified_der).map_err(|_| Refusal::CertificateUnreadable)?;
    let end_entity = EndEntityCert::try_from(&unverified_der).map_err(|error| unreadable(&error))?;
    let validity = chain::check(&end_entity, &leaf, policy, now)?;

    // From here on, what the leaf says is what a trusted authority vouched for.
    check_purpose(&leaf)?;
    check_organisation(&leaf)?;
    check_name(&end_entity, policy)?;
    let key = VerifyingKey::new(signing_key(&leaf)?);
    Ok(SigningCertificate { key, validity })
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
