//! What an application proves itself with where it has a certificate in place of a secret: a signed statement of a few minutes.
//!
//! The form is Entra ID's "Microsoft identity platform application authentication certificate credentials": a JSON web token,
//! PS256, with the SHA-256 of the certificate (`x5t#S256`), for the very token endpoint it is sent to.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom as _, SystemRandom},
    signature::{RSA_PSS_SHA256, RsaKeyPair},
};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, pem::PemObject as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use x509_cert::{Certificate, der::Decode as _};

/// The value of `client_assertion_type` (RFC 7523, section 2.2).
pub(crate) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How long a statement holds: Microsoft recommends five to ten minutes at most.
const LIFE: SignedDuration = SignedDuration::from_mins(5);

/// Why a certificate can't be used. Says nothing of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// There is no certificate in the text.
    #[error("certificate is not a PEM certificate")]
    Certificate,
    /// Each is one, but they are not of one pair.
    #[error("certificate and private_key do not belong together: the certificate is for another key")]
    Mismatch,
    /// There is no key in the text that can be used.
    #[error("private_key is not an RSA key of 2048 bits or more in PEM (BEGIN PRIVATE KEY)")]
    PrivateKey,
}

/// A certificate of an application, with its key. Prints no key.
pub struct ApplicationCertificate {
    /// SHA-256 of the certificate, as `x5t#S256` has it.
    thumbprint: String,
    key: RsaKeyPair,
    expires: Timestamp,
}

impl fmt::Debug for ApplicationCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ApplicationCertificate").field("thumbprint", &self.thumbprint).finish_non_exhaustive()
    }
}

impl ApplicationCertificate {
    /// Reads certificate and key, both PEM.
    ///
    /// # Errors
    ///
    /// [`CertificateError`].
    pub fn read(certificate_pem: &str, private_key_pem: &SecretString) -> Result<Self, CertificateError> {
        let certificate =
            CertificateDer::from_pem_slice(certificate_pem.as_bytes()).map_err(|_| CertificateError::Certificate)?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(private_key_pem.expose_secret().as_bytes())
            .map_err(|_| CertificateError::PrivateKey)?;
        let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).map_err(|_| CertificateError::PrivateKey)?;
        let (expires, certified) = contents_of(&certificate).ok_or(CertificateError::Certificate)?;
        if certified != key.public().as_ref() {
            return Err(CertificateError::Mismatch);
        }
        Ok(Self { thumbprint: URL_SAFE_NO_PAD.encode(digest(&SHA256, &certificate)), key, expires })
    }

    /// When the certificate expires.
    #[must_use]
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    pub(crate) fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// The statement of `client_id` to this token endpoint at this moment.
    ///
    /// None where the machine has no randomness.
    pub(crate) fn assertion(&self, client_id: &str, endpoint: &str, now: Timestamp) -> Option<SecretString> {
        let random = SystemRandom::new();
        let mut id = [0; 16];
        random.fill(&mut id).ok()?;
        let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint });
        let claims = json!({
            "aud": endpoint,
            "iss": client_id,
            "sub": client_id,
            "jti": URL_SAFE_NO_PAD.encode(id),
            "nbf": now.as_second(),
            "exp": (now + LIFE).as_second(),
        });
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let statement = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key.sign(&RSA_PSS_SHA256, &random, statement.as_bytes(), &mut signature).ok()?;
        Some(format!("{statement}.{}", URL_SAFE_NO_PAD.encode(signature)).into())
    }
}

/// When a certificate ends, and the public key in it: of an RSA key PKCS#1 (RFC 3279, section 2.3.1), as ring gives it.
fn contents_of(certificate: &[u8]) -> Option<(Timestamp, Vec<u8>)> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let certificate = certificate.tbs_certificate();
    let end = certificate.validity().not_after.to_unix_duration().as_secs();
    let end = Timestamp::from_second(i64::try_from(end).ok()?).ok()?;
    Some((end, certificate.subject_public_key_info().subject_public_key.raw_bytes().to_vec()))
}

#[cfg(test)]
mod tests {
    use ring::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    const KEY: &str = include_str!("../tests/data/test-only-application-key.pem");
    const CERTIFICATE: &str = include_str!("../tests/data/test-only-application-certificate.pem");
    const OTHER_CERTIFICATE: &str = include_str!("../tests/data/test-only-other-certificate.pem");

    fn decoded(part: &str) -> serde_json::Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn a_statement_is_signed_by_the_key_and_names_certificate_application_endpoint_and_time() {
        let application = ApplicationCertificate::read(CERTIFICATE, &KEY.into()).unwrap();
        let now: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        let endpoint = "https://login.example/tenant/oauth2/v2.0/token";
        let statement = |now| application.assertion("client", endpoint, now).unwrap();
        let first = statement(now);
        let [header, claims, signature] = first.expose_secret().split('.').collect::<Vec<_>>()[..] else {
            panic!("a token has three parts");
        };
        // What openssl makes of the certificate: `openssl dgst -sha256 -binary | basenc --base64url`.
        let thumbprint = "qdcX_6wWDYPW_37fsJwWZNSc2HAvnc8oEEGRwWhmC3M";
        assert_eq!(decoded(header), json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint }));
        let mut claims_read = decoded(claims);
        let id = claims_read.as_object_mut().unwrap().remove("jti").unwrap();
        let expected =
            json!({ "aud": endpoint, "iss": "client", "sub": "client", "nbf": 1_772_442_000, "exp": 1_772_442_300 });
        assert_eq!(claims_read, expected);
        let key = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, application.key.public().as_ref());
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        key.verify(format!("{header}.{claims}").as_bytes(), &signature).unwrap();

        let second = statement(now);
        let other = decoded(second.expose_secret().split('.').nth(1).unwrap());
        assert_ne!(other["jti"], id, "each statement is used once");
    }

    #[test]
    fn what_is_no_certificate_or_key_is_said_without_repeating_it() {
        for (certificate, key, expected) in [
            ("", KEY, CertificateError::Certificate),
            (KEY, KEY, CertificateError::Certificate),
            (CERTIFICATE, CERTIFICATE, CertificateError::PrivateKey),
            (CERTIFICATE, "secret", CertificateError::PrivateKey),
            (OTHER_CERTIFICATE, KEY, CertificateError::Mismatch),
        ] {
            assert_eq!(ApplicationCertificate::read(certificate, &key.into()).unwrap_err(), expected);
        }
        let application = ApplicationCertificate::read(CERTIFICATE, &KEY.into()).unwrap();
        assert!(format!("{application:?}").len() < 120, "{application:?}");
    }
}
