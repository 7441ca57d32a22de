//! The path from a certificate to one of our trust anchors.
//!
//! The path is webpki's work: signatures, validity, constraints, and limits on how much work a certificate can cause
//! (100 signatures, 6 intermediates). The only certificate of the sender's choice in it is the leaf; intermediates come
//! from the policy, or were found by a search (`search.rs`) that asks listed hosts alone.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath, ring};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

use crate::policy::{Anchor, Policy};
use crate::validity::{Validity, seconds};
use crate::{Refusal, certificate};

/// Why a chain, or what it vouches for, could not be proven.
#[derive(Debug)]
pub(crate) struct NotProven {
    pub(crate) refusal: Refusal,
    /// Whether an issuer that we don't have might change that.
    pub(crate) lacks_issuer: bool,
}

impl From<Refusal> for NotProven {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, lacks_issuer: false }
    }
}

/// A chain that holds.
pub(crate) struct Proven {
    /// For how long all of its certificates hold, the root's included.
    pub(crate) validity: Validity,
    /// The issuers between the leaf and the root.
    pub(crate) issuers: Vec<CertificateDer<'static>>,
}

/// Proves the chain.
///
/// `leaf` is the same certificate as `unverified`, for the reason that is given when the proof fails. `found` are issuers that
/// are tried beside those of the policy.
pub(crate) fn check(
    unverified: &EndEntityCert<'_>,
    leaf: &Certificate,
    policy: &Policy,
    found: &[CertificateDer<'static>],
    now: Timestamp,
) -> Result<Proven, NotProven> {
    let time = seconds(now).ok_or(Refusal::CertificateNotYetValid)?;
    // webpki trusts a root for ever; one that is past its own validity is not offered to it.
    let (anchors, trusted): (Vec<&Anchor>, Vec<TrustAnchor<'_>>) = policy
        .anchors()
        .iter()
        .filter(|anchor| anchor.validity.check(now).is_ok())
        .map(|anchor| (anchor, anchor.trust.clone()))
        .unzip();
    let intermediates = match found {
        [] => Cow::Borrowed(policy.intermediates()),
        found => Cow::Owned([policy.intermediates(), found].concat()),
    };
    let path = unverified
        .verify_for_usage(
            ALGORITHMS,
            &trusted,
            &intermediates,
            UnixTime::since_unix_epoch(Duration::from_secs(time)),
            KeyUsage::server_auth(),
            None,
            None,
        )
        .map_err(|error| NotProven { refusal: refusal(&error, leaf, now), lacks_issuer: lacks_issuer(&error) })?;
    let validity = validity_of_issuers(&path, &anchors).ok_or(UNREADABLE_ISSUER)?.intersection(Validity::of(leaf));
    Ok(Proven { validity, issuers: path.intermediate_certificates().map(|issuer| issuer.der().into_owned()).collect() })
}

fn validity_of_issuers(path: &VerifiedPath<'_>, anchors: &[&Anchor]) -> Option<Validity> {
    let anchor = anchors.iter().find(|anchor| anchor.trust == *path.anchor())?;
    path.intermediate_certificates().try_fold(anchor.validity, |validity, intermediate| {
        let intermediate = Certificate::from_der(&intermediate.der()).ok()?;
        Some(validity.intersection(Validity::of(&intermediate)))
    })
}

/// Whether other issuers might do: whatever is wrong, but for a leaf that is itself an authority and for too much work. What
/// else may be wrong with the leaf is looked at where it is asked for.
fn lacks_issuer(error: &webpki::Error) -> bool {
    use webpki::Error;

    !matches!(
        error,
        Error::CaUsedAsEndEntity
            | Error::MaximumNameConstraintComparisonsExceeded
            | Error::MaximumPathBuildCallsExceeded
            | Error::MaximumPathDepthExceeded
            | Error::MaximumSignatureChecksExceeded
    )
}

/// webpki says what is wrong with a path, not with which certificate of it, so the leaf is looked at again. It is not
/// proven here; what it says only chooses between reasons to refuse it.
fn refusal(error: &webpki::Error, leaf: &Certificate, now: Timestamp) -> Refusal {
    use webpki::Error;

    match error {
        Error::CertExpired { .. } | Error::CertNotValidYet { .. } => {
            Validity::of(leaf).check(now).err().unwrap_or(ISSUER_OUTSIDE_VALIDITY)
        }
        Error::CaUsedAsEndEntity => Refusal::CertificatePurpose,
        Error::EmptyEkuExtension | Error::RequiredEkuNotFoundContext(_) => {
            certificate::check_purpose(leaf).err().unwrap_or(Refusal::CertificateChain { detail: detail(error) })
        }
        _ => Refusal::CertificateChain { detail: detail(error) },
    }
}

/// The reason in our own words: webpki's may repeat what the certificate says, at the sender's length.
pub(crate) fn detail(error: &webpki::Error) -> &'static str {
    use webpki::Error;

    match error {
        Error::EmptyEkuExtension | Error::RequiredEkuNotFoundContext(_) => "an issuer is for another purpose",
        Error::EndEntityUsedAsCa => "an issuer is not an authority",
        Error::InvalidSignatureForPublicKey => "a certificate was not signed by its issuer",
        Error::MaximumNameConstraintComparisonsExceeded
        | Error::MaximumPathBuildCallsExceeded
        | Error::MaximumPathDepthExceeded
        | Error::MaximumSignatureChecksExceeded => "too much work to judge",
        Error::NameConstraintViolation => "an issuer may not vouch for this name",
        Error::PathLenConstraintViolated => "too many authorities below one that limits them",
        Error::UnknownIssuer => "no path to a trust anchor",
        Error::UnsupportedCriticalExtension => "critical extension that is not understood",
        Error::UnsupportedSignatureAlgorithmContext(_) | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            "signature algorithm is not accepted"
        }
        _ => "not acceptable",
    }
}

const ISSUER_OUTSIDE_VALIDITY: Refusal = Refusal::CertificateChain { detail: "an issuer is outside its validity" };

const UNREADABLE_ISSUER: Refusal = Refusal::CertificateChain { detail: "an issuer is unreadable" };

/// How certificates may be signed: nothing older than SHA-256, no RSA key under 2048 bits.
static ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    ring::ECDSA_P256_SHA256,
    ring::ECDSA_P256_SHA384,
    ring::ECDSA_P384_SHA256,
    ring::ECDSA_P384_SHA384,
    ring::RSA_PKCS1_2048_8192_SHA256,
    ring::RSA_PKCS1_2048_8192_SHA384,
    ring::RSA_PKCS1_2048_8192_SHA512,
    ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    ring::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    ring::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
];
