//! A callback as it arrives, and as it is once its signature is proven.
//!
//! Which header holds the signature:
//!
//! | `Authorization` | `x-ms-signature` | outcome |
//! |---|---|---|
//! | `Signature <base64>` | absent, or the same signature | that signature |
//! | `Signature <base64>` | another signature | refused |
//! | absent | `<base64>` or `Signature <base64>` | that signature |
//! | another scheme | `<base64>` or `Signature <base64>` | that signature |
//! | another scheme, or nothing | absent | refused |
//!
//! A header that came twice, or whose value has a comma, is refused whatever else there is: who joins several values does it
//! by a comma, and no value of ours has one.
//!
//! An `Authorization` of another scheme holds no signature and takes no part: `x-ms-signature` exists for receivers whose
//! gateway uses `Authorization` for itself, and it has to verify all the same.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::{CertificateUrl, Policy, Refusal, SigningCertificate};

/// A callback whose headers and shape are read and whose sender is not proven.
///
/// It shows the one thing that is needed to go on, the address of the certificate. The body comes out of
/// [`verify`](UnverifiedCallback::verify) only.
pub struct UnverifiedCallback<'a> {
    certificate_url: CertificateUrl,
    unverified_body: &'a [u8],
    unverified_signature: Vec<u8>,
}

impl<'a> UnverifiedCallback<'a> {
    /// Reads the headers of a callback, cheapest check first.
    ///
    /// `unverified_body` is the body exactly as received, with no encoding undone but the gateway's own base64.
    ///
    /// # Errors
    ///
    /// The first reason to refuse it, in the order size, headers, algorithm, signature, certificate address.
    pub fn read(headers: &HeaderMap, unverified_body: &'a [u8], policy: &Policy) -> Result<Self, Refusal> {
        if unverified_body.len() > MAX_BODY_BYTES {
            return Err(Refusal::BodyTooLarge);
        }
        let unverified = UnverifiedHeaders::read(headers)?;
        check_algorithm(unverified.algorithm)?;
        let unverified_signature = decode_signature(unverified.signature)?;
        let certificate_url = policy.certificate_url(unverified.certificate_url)?;
        Ok(Self { certificate_url, unverified_body, unverified_signature })
    }

    /// The address of the certificate that is said to have signed the callback; one that the policy allows.
    #[must_use]
    pub fn certificate_url(&self) -> &CertificateUrl {
        &self.certificate_url
    }

    /// Proves that the key of `certificate` signed the body.
    ///
    /// Takes the callback by reference, so that it can be tried again with a newer certificate from the same address.
    ///
    /// # Errors
    ///
    /// The certificate's verdict does not hold at `now`, or the signature is not that of its key over the body.
    pub fn verify(&self, certificate: &SigningCertificate, now: Timestamp) -> Result<VerifiedCallback<'a>, Refusal> {
        let body_sha256 = Sha256::digest(self.unverified_body).into();
        certificate.verify(&body_sha256, &self.unverified_signature, now)?;
        Ok(VerifiedCallback { body: self.unverified_body, body_sha256 })
    }
}

impl fmt::Debug for UnverifiedCallback<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedCallback")
            .field("certificate_url", &self.certificate_url)
            .field("body_bytes", &self.unverified_body.len())
            .finish_non_exhaustive()
    }
}

/// A callback that Microsoft signed. [`UnverifiedCallback::verify`] is the only way to get one.
#[derive(Clone, Copy)]
pub struct VerifiedCallback<'a> {
    body: &'a [u8],
    body_sha256: [u8; 32],
}

impl<'a> VerifiedCallback<'a> {
    /// The signed bytes, exactly as received.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The SHA-256 of the body, which the signature was checked against. It identifies the callback: a replay has the
    /// same.
    #[must_use]
    pub fn body_sha256(&self) -> &[u8; 32] {
        &self.body_sha256
    }
}

impl fmt::Debug for VerifiedCallback<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedCallback").field("body_bytes", &self.body.len()).finish_non_exhaustive()
    }
}

struct UnverifiedHeaders<'h> {
    algorithm: &'h [u8],
    certificate_url: &'h [u8],
    signature: &'h [u8],
}

impl<'h> UnverifiedHeaders<'h> {
    fn read(headers: &'h HeaderMap) -> Result<Self, Refusal> {
        if single(headers, "content-encoding")?.is_some_and(|value| !value.eq_ignore_ascii_case(b"identity")) {
            return Err(Refusal::ContentEncoding);
        }
        Ok(Self {
            algorithm: filled(headers, "x-ms-signature-algorithm")?.ok_or(Refusal::AlgorithmMissing)?,
            certificate_url: filled(headers, "x-ms-certificate-url")?.ok_or(Refusal::CertificateUrlMissing)?,
            signature: signature_text(headers)?,
        })
    }
}

/// The one value of a header.
///
/// Two values are never a matter of choosing one. They come as two lines, or joined by a comma as an HTTP API does; no valid
/// value of ours holds a comma, so both are told apart from a single value here. (Of a REST API's event `lambda_http` keeps
/// the last value alone; whichever it is has to pass every check.)
fn single<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<Option<&'h [u8]>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() || value.as_bytes().contains(&b',') {
        return Err(Refusal::RepeatedHeader { name });
    }
    Ok(Some(value.as_bytes()))
}

fn filled<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<Option<&'h [u8]>, Refusal> {
    Ok(single(headers, name)?.filter(|value| !value.is_empty()))
}

/// The text that should be the signature's base64; the module's table says from which header.
fn signature_text(headers: &HeaderMap) -> Result<&[u8], Refusal> {
    let authorization = single(headers, "authorization")?;
    let ms_signature = single(headers, "x-ms-signature")?.map(|value| after_scheme(value).unwrap_or(value));
    match (authorization.and_then(after_scheme), ms_signature) {
        (Some(one), Some(other)) if one != other => Err(Refusal::SignatureConflict),
        (Some(text), _) | (None, Some(text)) => Ok(text),
        (None, None) if authorization.is_some() => Err(Refusal::AuthorizationScheme),
        (None, None) => Err(Refusal::SignatureMissing),
    }
}

/// What follows `Signature` and one blank, if the value starts so.
fn after_scheme(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then_some(rest)
}

fn check_algorithm(unverified: &[u8]) -> Result<(), Refusal> {
    if unverified.eq_ignore_ascii_case(ALGORITHM) {
        Ok(())
    } else if unverified.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte)) {
        Err(Refusal::AlgorithmUnsupported)
    } else {
        Err(Refusal::AlgorithmMalformed)
    }
}

/// Decodes canonical base64 only: equal signatures have equal texts, and nothing can hide between the digits.
fn decode_signature(unverified: &[u8]) -> Result<Vec<u8>, Refusal> {
    if unverified.len() > MAX_SIGNATURE_BYTES.div_ceil(3) * 4 {
        return Err(Refusal::SignatureLength);
    }
    let signature = STANDARD.decode(unverified).map_err(|_| Refusal::SignatureMalformed)?;
    if !(MIN_SIGNATURE_BYTES..=MAX_SIGNATURE_BYTES).contains(&signature.len()) {
        return Err(Refusal::SignatureLength);
    }
    Ok(signature)
}

/// The largest body that is read. Published callbacks have a few hundred bytes; the rest is room for what Microsoft may add,
/// and an end to what a stranger can make us hash.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// The signature of the smallest key that we accept, 2048 bits.
const MIN_SIGNATURE_BYTES: usize = 256;

/// The signature of the largest key that we accept, 4096 bits.
const MAX_SIGNATURE_BYTES: usize = 512;

/// The one algorithm that Microsoft was ever seen to use.
const ALGORITHM: &[u8] = b"rsa-sha256";

const SCHEME: &[u8] = b"Signature ";
