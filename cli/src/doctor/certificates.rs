//! Whether Microsoft's signing certificate can be had, and would be believed at this moment.

use std::sync::{Mutex, PoisonError};

use callback::{Policy, Refusal, SigningCertificate};
use jiff::{SignedDuration, Timestamp};
use runtime::{Clock as _, SystemClock};
use signers::{Downloads, FETCH_LIMIT, FetchCertificate as _, FetchError, Issuers, NotAccepted, SignersConfig};

use super::finding::{Finding, Subject};
use crate::account::Account;

/// How long before its end a certificate is spoken of: Microsoft renews it, at the same address, and callbacks go on.
const EXPIRY_NOTICE: SignedDuration = SignedDuration::from_hours(14 * 24);

const ISSUER: &str =
    "download the issuer and add it, or name the host that it lies on: shared/callback/certificates/README.md";
const REACH: &str = "can this machine reach the address? A function may, where this machine can't";

pub(super) async fn check(account: Account) -> Vec<Finding> {
    let all = Subject::new("certificates", "configuration");
    let read = || {
        Ok::<_, runtime::ConfigError>((
            SignersConfig::read(account.variables())?,
            SignersConfig::published(account.variables())?,
        ))
    };
    let (config, addresses) = match read() {
        Ok(read) => read,
        Err(error) => {
            let advice =
                "set the variable to what the functions have; files of a layer, to a copy of them on this machine";
            return vec![all.unknown(error.to_string(), advice)];
        }
    };
    let downloads = match config.downloads(account.tls()) {
        Ok(downloads) => downloads,
        Err(error) => return vec![all.unknown(runtime::chain(&error), "mend OUTGOING_TLS_TRUST_ANCHORS_FILE")],
    };
    let mut findings = Vec::new();
    for address in addresses {
        let looked = one(&config.policy, &downloads, &address, SystemClock.now());
        findings.push(tokio::time::timeout(FETCH_LIMIT, looked).await.unwrap_or_else(|_| {
            let words = format!("certificate and issuers were not there after {} seconds", FETCH_LIMIT.as_secs());
            Subject::new("certificates", &address).unknown(words, REACH)
        }));
    }
    findings
}

async fn one(policy: &Policy, downloads: &Downloads, address: &str, now: Timestamp) -> Finding {
    let subject = Subject::new("certificates", address);
    let url = match policy.certificate_url(address.as_bytes()) {
        Ok(url) => url,
        Err(refusal) => return subject.problem(refusal.to_string(), "mend CERTIFICATE_LOCATIONS or CERTIFICATE_NAMES"),
    };
    let unverified = match downloads.fetch(&url).await {
        Ok(bytes) => bytes,
        Err(error @ (FetchError::NoAnswer(_) | FetchError::OutOfTime)) => {
            return subject.unknown(error.to_string(), REACH);
        }
        Err(error) => {
            let advice = "if Microsoft has moved or renamed it: CertificateLocations, CertificateNames";
            return subject.problem(error.to_string(), advice);
        }
    };
    let asked = Mutex::new(Vec::new());
    let fetch = |url: callback::IssuerUrl| {
        asked.lock().unwrap_or_else(PoisonError::into_inner).push(url.to_string());
        async move { downloads.fetch_issuer(&url).await }
    };
    let judged = Issuers::new(SignedDuration::ZERO).judge(&unverified, policy, fetch, now).await;
    let asked = asked.into_inner().unwrap_or_else(PoisonError::into_inner).join(", ");
    match judged {
        Ok(certificate) => accepted(&subject, &certificate, &asked, now),
        Err(NotAccepted::Refused(refusal @ Refusal::CertificateChain { .. })) => {
            let issuer = callback::issuer_name(&unverified).unwrap_or_else(|| "not to be read".to_owned());
            subject.problem(format!("{refusal}; its issuer is {issuer}{}", places(&asked)), ISSUER)
        }
        Err(NotAccepted::Refused(refusal)) => {
            subject.problem(refusal.to_string(), format!("docs/operations.md, \"Reasons\", {}", refusal.code()))
        }
        Err(NotAccepted::NotFetched(error)) => {
            let issuer = callback::issuer_name(&unverified).unwrap_or_else(|| "not to be read".to_owned());
            let words =
                format!("its issuer, {issuer}, is not built in and could not be had: {error}{}", places(&asked));
            match error {
                FetchError::NoAnswer(_) | FetchError::OutOfTime => subject.unknown(words, REACH),
                _ => subject.problem(words, ISSUER),
            }
        }
    }
}

fn places(asked: &str) -> String {
    if asked.is_empty() { String::new() } else { format!("; looked for at {asked}") }
}

fn accepted(subject: &Subject, certificate: &SigningCertificate, asked: &str, now: Timestamp) -> Finding {
    let until = certificate.valid_until();
    let words = format!("it would be believed until {}", until.strftime("%Y-%m-%d"));
    let words = if asked.is_empty() { words } else { format!("{words}, with an issuer from {asked}") };
    if until.duration_since(now) < EXPIRY_NOTICE {
        let advice = "nothing, as long as Microsoft renews it in time; look again in a few days";
        return subject.warning(words, advice);
    }
    subject.ok(words)
}
