//! Proves that a Partner Center webhook callback was sent by Microsoft, or says exactly why it could not.
//!
//! Bytes, headers, a certificate and the time go in; a [`VerifiedCallback`] or a [`Refusal`] comes out. Nothing here
//! does input or output, reads a clock, waits or logs, so every decision can be repeated in a test.
//!
//! The order is part of the promise, since everybody may send bytes here and the cheapest check has to come first:
//!
//! 1. [`UnverifiedCallback::read`]: size, headers, algorithm, length of the signature, address of the certificate. A few
//!    hundred byte comparisons; only a request of the right shape gets further.
//! 2. The caller obtains the certificate that [`UnverifiedCallback::certificate_url`] names.
//! 3. [`Policy::judge_certificate`]: chain to a trust anchor of ours, then purpose, organisation, name and key. Where an
//!    issuer is missing, it says which address the caller may ask for it. The verdict, a [`SigningCertificate`], is worth
//!    keeping: it holds for every callback until [`SigningCertificate::valid_until`].
//! 4. [`UnverifiedCallback::verify`]: RSASSA-PKCS1-v1_5 with SHA-256 over the raw body, as received.
//!
//! # What this promises
//!
//! - The bytes of [`VerifiedCallback::body`] are the bytes that were signed: nothing is decoded, trimmed or written
//!   anew on the way.
//! - Neither the algorithm, nor the certificate's host and directory, nor the strength of the key is the request's to
//!   choose: all come from our own lists. The address is judged by its bytes, without a URL parser that could understand
//!   it differently from the HTTP client.
//! - A [`VerifiedCallback`] has one origin, `verify`, and a [`SigningCertificate`] has one, the verdict on a certificate.
//! - No configuration switches a check off: a [`Policy`] without locations, names or trust anchors can't be made.
//! - Of the addresses inside a certificate those of its issuer are offered to the caller if they are on a listed host, the
//!   certificate lacks an issuer and would do otherwise; CRL and OCSP never are. What is found there is tried, not trusted.
//!
//! # What this leaves to others
//!
//! - **Meaning.** A valid signature says that Microsoft sent these bytes to somebody, at some time. It names no receiver
//!   and no time of sending, so replays, stale events and events about other people's tenants verify too. Whoever acts
//!   on a callback asks Microsoft first.
//! - **Downloading**: no redirects, a deadline, at most [`MAX_CERTIFICATE_BYTES`], and a bounded cache of verdicts. The
//!   addresses are judged here, what their hosts resolve to is not.
//! - **Revocation** is not checked: that would need the network for every new certificate.
//! - **JSON**, which starts only after `verify`.

mod certificate;
mod chain;
mod encoding;
mod issuer;
mod location;
mod policy;
mod refusal;
mod request;
mod search;
mod validity;

pub use certificate::{Accepted, MAX_CERTIFICATE_BYTES, SigningCertificate};
pub use issuer::{DEFAULT_ISSUER_HOSTS, IssuerHost, IssuerHostError, IssuerUrl};
pub use location::{CertificateLocation, CertificateUrl, LocationError};
pub use policy::{
    BUNDLED_INTERMEDIATES_PEM, BUNDLED_TRUST_ANCHORS_PEM, DEFAULT_CERTIFICATE_NAMES, Policy, PolicyError,
};
pub use refusal::{Refusal, RefusalKind};
pub use request::{MAX_BODY_BYTES, UnverifiedCallback, VerifiedCallback};
pub use search::{IssuerSearch, MAX_ISSUER_REQUESTS, UnverifiedIssuer, Verdict, issuer_name};
