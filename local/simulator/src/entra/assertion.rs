//! An application's proof by certificate: a JWT that its private key signed.
//!
//! Checked by ring, which has no part in signing anything here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::digest;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::asn1::ObjectIdentifier;

use crate::app::Shared;
use crate::entra::problem::Problem;
use crate::options::Tenant;

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(rename = "x5t#S256")]
    sha256: Option<String>,
    #[serde(rename = "x5t")]
    sha1: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    aud: String,
    exp: i64,
    iss: String,
    /// Microsoft asks for it; that a second use is refused is documented nowhere.
    jti: String,
    nbf: Option<i64>,
    sub: String,
}

/// Signature first: nothing in the claims is worth reading before.
pub(crate) fn check(app: &Shared, tenant: &Tenant, assertion: &str) -> Result<(), Problem> {
    let malformed = || Problem::client(50027, "JWT token is invalid or malformed.");
    let (signed, signature) = assertion.rsplit_once('.').ok_or_else(malformed)?;
    let (header, claims) = signed.split_once('.').ok_or_else(malformed)?;
    let header: Header = decoded(header).ok_or_else(malformed)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| malformed())?;

    let certificate = tenant.client_certificate.as_deref().filter(|known| is_named_by(&header, known));
    let certificate = certificate.ok_or_else(|| unproven("The key was not found"))?;
    verify(certificate, &header.alg, signed.as_bytes(), &signature, app.now())?;

    let claims: Claims = decoded(claims).ok_or_else(malformed)?;
    if claims.jti.is_empty() {
        return Err(malformed());
    }
    if claims.iss != tenant.client_id || claims.sub != tenant.client_id {
        let text = "Client assertion application identifier doesn't match 'client_id' parameter.";
        return Err(Problem::client(700_021, text));
    }
    if !app.addresses().iter().any(|base| claims.aud == format!("{base}/{}/oauth2/v2.0/token", tenant.id)) {
        let text = "Client assertion audience claim does not match Realm issuer.";
        return Err(Problem::client(700_023, text));
    }
    let now = app.now().as_second();
    if claims.exp <= now || claims.nbf.is_some_and(|begin| begin > now + SKEW) {
        return Err(Problem::client(700_024, "Client assertion is not within its valid time range."));
    }
    Ok(())
}

/// Microsoft's page asks for the SHA-256 thumbprint; the older SHA-1 one still counts.
fn is_named_by(header: &Header, certificate: &[u8]) -> bool {
    let thumbprint = |algorithm| URL_SAFE_NO_PAD.encode(digest::digest(algorithm, certificate));
    match (&header.sha256, &header.sha1) {
        (Some(named), _) => *named == thumbprint(&digest::SHA256),
        (None, Some(named)) => *named == thumbprint(&digest::SHA1_FOR_LEGACY_USE_ONLY),
        (None, None) => false,
    }
}

fn verify(der: &[u8], algorithm: &str, signed: &[u8], signature: &[u8], now: Timestamp) -> Result<(), Problem> {
    let certificate = Certificate::from_der(der).map_err(|_| unproven("The key was not found"))?;
    let certificate = certificate.tbs_certificate();
    let key = certificate.subject_public_key_info();
    if key.algorithm.oid != RSA_ENCRYPTION {
        return Err(unproven("The key was not found"));
    }
    let key = key.subject_public_key.raw_bytes();
    let verified = match algorithm {
        "PS256" => UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, key).verify(signed, signature),
        "RS256" => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(signed, signature),
        _ => return Err(unproven("The algorithm is not supported")),
    };
    verified.map_err(|_| unproven("The provided signature value did not match the expected signature value"))?;

    let now = u64::try_from(now.as_second()).unwrap_or_default();
    let validity = certificate.validity();
    let begin = validity.not_before.to_unix_duration().as_secs();
    let end = validity.not_after.to_unix_duration().as_secs();
    if (begin..=end).contains(&now) {
        return Ok(());
    }
    Err(Problem::client(1_000_502, "The provided certificate is not within its specified validity period."))
}

fn unproven(reason: &str) -> Problem {
    Problem::client(700_027, format!("Client assertion failed signature validation. [Reason - {reason}.]"))
}

fn decoded<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// Seconds by which a caller's clock may be ahead.
const SKEW: i64 = 300;
