//! Every reason for not believing a callback.

/// Why a callback or a certificate was refused.
///
/// For our log: the sender learns the [`kind`](Refusal::kind) at most. Nothing in here was chosen by the sender, so a
/// refusal can be logged as it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The algorithm header holds something that is not a token.
    #[error("signature algorithm is not a token")]
    AlgorithmMalformed,

    /// There is no algorithm header, or an empty one.
    #[error("signature algorithm is missing")]
    AlgorithmMissing,

    /// The algorithm header names something else than `rsa-sha256`.
    #[error("signature algorithm is not rsa-sha256")]
    AlgorithmUnsupported,

    /// The only header that could hold the signature is an `Authorization` of another scheme.
    #[error("authorization is not of the scheme Signature")]
    AuthorizationScheme,

    /// The body is larger than [`MAX_BODY_BYTES`](crate::MAX_BODY_BYTES).
    #[error("body is too large")]
    BodyTooLarge,

    /// The certificate has no acceptable path to one of our trust anchors.
    #[error("certificate chain is not acceptable: {detail}")]
    CertificateChain {
        /// What failed, in our own words.
        detail: &'static str,
    },

    /// The certificate, or one that it rests on, is past its validity.
    #[error("certificate has expired")]
    CertificateExpired,

    /// The certificate's key is not an RSA key of a kind that we accept.
    #[error("certificate key is not acceptable: {detail}")]
    CertificateKey {
        /// What is wrong with it, in our own words.
        detail: &'static str,
    },

    /// None of the certificate's DNS names is one of the names that sign callbacks.
    #[error("certificate is for another name")]
    CertificateName,

    /// The certificate, or one that it rests on, is not valid yet.
    #[error("certificate is not valid yet")]
    CertificateNotYetValid,

    /// The certificate's subject is not exactly one organisation, Microsoft Corporation.
    #[error("certificate is not for the organisation Microsoft Corporation")]
    CertificateOrganisation,

    /// The certificate is that of an authority, or does not say that it is for server authentication.
    #[error("certificate is that of an authority, or not for servers")]
    CertificatePurpose,

    /// The certificate is larger than [`MAX_CERTIFICATE_BYTES`](crate::MAX_CERTIFICATE_BYTES).
    #[error("certificate is too large")]
    CertificateTooLarge,

    /// What should be a certificate is none, or not in a form that we read.
    #[error("certificate is unreadable")]
    CertificateUnreadable,

    /// There is no certificate address, or an empty one.
    #[error("certificate address is missing")]
    CertificateUrlMissing,

    /// The certificate address does not name a file in one of our certificate locations.
    #[error("certificate address is not in a configured location")]
    CertificateUrlNotAllowed,

    /// The body is encoded, so that the signed bytes are not at hand.
    #[error("body has a content encoding")]
    ContentEncoding,

    /// A header that we rely on has several values, as lines of their own or joined by a comma.
    #[error("header {name} has more than one value")]
    RepeatedHeader {
        /// The header.
        name: &'static str,
    },

    /// `Authorization` and `x-ms-signature` hold different signatures.
    #[error("two headers hold different signatures")]
    SignatureConflict,

    /// No key that we accept makes signatures of this length.
    #[error("signature has an impossible length")]
    SignatureLength,

    /// The signature is not base64 in its one canonical form.
    #[error("signature is not base64")]
    SignatureMalformed,

    /// The certificate's key did not make this signature over this body.
    #[error("signature does not match the body")]
    SignatureMismatch,

    /// There is no header with a signature.
    #[error("signature is missing")]
    SignatureMissing,

    /// The signature is shorter or longer than those of the certificate's key.
    #[error("signature is not of the size of the certificate's key")]
    SignatureNotOfKeySize,
}

/// What a refusal amounts to for the sender. A handler turns it into a status.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum RefusalKind {
    /// No callback looks like this; sending it again can't help.
    Malformed,
    /// It looks like a callback, but Microsoft did not make it for us to believe.
    NotAuthentic,
    /// The body is larger than any callback.
    TooLarge,
}

impl Refusal {
    /// A short name of the reason for logs and metrics. Alarms may rely on it: it does not change.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::AlgorithmMalformed => "malformed-algorithm",
            Self::AlgorithmMissing => "missing-algorithm",
            Self::AlgorithmUnsupported => "unsupported-algorithm",
            Self::AuthorizationScheme => "authorization-scheme",
            Self::BodyTooLarge => "body-too-large",
            Self::CertificateChain { .. } => "certificate-chain",
            Self::CertificateExpired => "certificate-expired",
            Self::CertificateKey { .. } => "certificate-key",
            Self::CertificateName => "certificate-name",
            Self::CertificateNotYetValid => "certificate-not-yet-valid",
            Self::CertificateOrganisation => "certificate-organisation",
            Self::CertificatePurpose => "certificate-purpose",
            Self::CertificateTooLarge => "certificate-too-large",
            Self::CertificateUnreadable => "certificate-unreadable",
            Self::CertificateUrlMissing => "missing-certificate-url",
            Self::CertificateUrlNotAllowed => "certificate-url-not-allowed",
            Self::ContentEncoding => "content-encoding",
            Self::RepeatedHeader { .. } => "repeated-header",
            Self::SignatureConflict => "conflicting-signatures",
            Self::SignatureLength => "signature-length",
            Self::SignatureMalformed => "malformed-signature",
            Self::SignatureMismatch => "signature-mismatch",
            Self::SignatureMissing => "missing-signature",
            Self::SignatureNotOfKeySize => "signature-not-of-key-size",
        }
    }

    /// What the refusal amounts to for the sender.
    ///
    /// A certificate that is too large or unreadable is not the sender's bytes but what its address led to: the callback
    /// is then not authentic, however well it is formed.
    #[must_use]
    pub fn kind(&self) -> RefusalKind {
        match self {
            Self::BodyTooLarge => RefusalKind::TooLarge,
            Self::AlgorithmMalformed
            | Self::AlgorithmMissing
            | Self::AuthorizationScheme
            | Self::CertificateUrlMissing
            | Self::ContentEncoding
            | Self::RepeatedHeader { .. }
            | Self::SignatureLength
            | Self::SignatureMalformed
            | Self::SignatureMissing => RefusalKind::Malformed,
            Self::AlgorithmUnsupported
            | Self::CertificateChain { .. }
            | Self::CertificateExpired
            | Self::CertificateKey { .. }
            | Self::CertificateName
            | Self::CertificateNotYetValid
            | Self::CertificateOrganisation
            | Self::CertificatePurpose
            | Self::CertificateTooLarge
            | Self::CertificateUnreadable
            | Self::CertificateUrlNotAllowed
            | Self::SignatureConflict
            | Self::SignatureMismatch
            | Self::SignatureNotOfKeySize => RefusalKind::NotAuthentic,
        }
    }
}
