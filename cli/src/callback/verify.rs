//! Callbacks in, verdicts out: the library that the deployed function uses, with nothing around it.

use std::io::{self, BufRead, Write};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use callback::{
    BUNDLED_INTERMEDIATES_PEM, BUNDLED_TRUST_ANCHORS_PEM, CertificateLocation, DEFAULT_CERTIFICATE_NAMES,
    DEFAULT_ISSUER_HOSTS, IssuerUrl, Policy, Refusal, UnverifiedCallback, Verdict,
};
use http::HeaderMap;
use jiff::Timestamp;
use serde::Serialize;

use super::{
    MAX_LINE_BYTES,
    lines::{self, Line},
    request::{Base64, Request},
};

/// What came of a line.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Judged {
    /// It was judged.
    Verdict {
        /// Whether Microsoft signed it, as far as this trust goes.
        authentic: bool,
        /// `authentic`, or the reason in the word that logs and metrics use.
        reason: &'static str,
        /// The reason in a sentence.
        detail: String,
    },
    /// It could not be read.
    Unreadable {
        /// Which it was, from 1.
        line: u64,
        /// What is wrong with it.
        error: String,
    },
}

/// Judges each line of `input` and writes a line to `output`; gives the number of those that could not be read.
///
/// # Errors
///
/// Reading or writing failed. What is wrong with a line is in its answer.
pub fn verify(input: &mut impl BufRead, output: &mut impl Write, now: impl Fn() -> Timestamp) -> io::Result<u64> {
    let mut verifier = Verifier::default();
    let (mut number, mut unreadable) = (0, 0);
    lines::each(input, |line| {
        number += 1;
        let judged = match line {
            Line::Whole(line) if line.trim_ascii().is_empty() => return Ok(()),
            Line::Whole(line) => verifier.judge(number, line, &now),
            Line::TooLong => Judged::Unreadable { line: number, error: format!("longer than {MAX_LINE_BYTES} bytes") },
        };
        unreadable += u64::from(matches!(judged, Judged::Unreadable { .. }));
        serde_json::to_writer(&mut *output, &judged)?;
        output.write_all(b"\n")
    })?;
    Ok(unreadable)
}

/// Judges callbacks. It keeps the policy of the line before, which is most often that of the next, too.
#[derive(Debug, Default)]
pub struct Verifier {
    kept: Option<(Trust, Policy)>,
}

impl Verifier {
    /// Judges one line.
    pub fn judge(&mut self, line: u64, text: &[u8], now: impl Fn() -> Timestamp) -> Judged {
        match self.read(text, now) {
            Ok(Ok(())) => Judged::Verdict {
                authentic: true,
                reason: "authentic",
                detail:
                    "the key of the certificate signed these bytes; a function may still find the event unreadable, or \
                         out of time"
                        .to_owned(),
            },
            Ok(Err(Refused { refusal, issuer: None })) => {
                Judged::Verdict { authentic: false, reason: refusal.code(), detail: refusal.to_string() }
            }
            Ok(Err(Refused { refusal, issuer: Some(url) })) => Judged::Verdict {
                authentic: false,
                reason: refusal.code(),
                detail: format!(
                    "{refusal}; a function would look for the issuer at {url}: give it among intermediates"
                ),
            },
            Err(error) => Judged::Unreadable { line, error },
        }
    }

    fn read(&mut self, text: &[u8], now: impl Fn() -> Timestamp) -> Result<Result<(), Refused>, String> {
        let request: Request = serde_json::from_slice(text).map_err(|error| unreadable(&error))?;
        let headers = request.headers()?;
        let policy = self.policy(Trust::of(&request, &headers)?)?;
        let now = request.now.unwrap_or_else(now);
        Ok(judge(policy, &headers, &request.body.0, &request.certificate.0, now))
    }

    fn policy(&mut self, trust: Trust) -> Result<&Policy, String> {
        let kept = match self.kept.take() {
            Some(kept) if kept.0 == trust => kept,
            _ => {
                let policy = trust.policy()?;
                (trust, policy)
            }
        };
        Ok(&self.kept.insert(kept).1)
    }
}

/// What is wrong with a line, and in which column of it. It may begin with all of a certificate, which is of no use.
fn unreadable(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let words = text.rsplit_once(" at line ").map_or(text.as_str(), |(words, _)| words);
    let start: String = words.chars().take(200).collect();
    let advice = if error.is_eof() { ": a callback has to be on one line, as `jq -c` writes it" } else { "" };
    format!("{start} (column {}){advice}", error.column())
}

/// Why a callback is not authentic.
struct Refused {
    refusal: Refusal,
    /// Where a function, which may use the network, would go on.
    issuer: Option<IssuerUrl>,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, issuer: None }
    }
}

/// The same order as in the deployed function: what costs least comes first.
fn judge(policy: &Policy, headers: &HeaderMap, body: &[u8], certificate: &[u8], now: Timestamp) -> Result<(), Refused> {
    let callback = UnverifiedCallback::read(headers, body, policy)?;
    let certificate = match policy.judge_certificate(certificate, now) {
        Verdict::Accepted(accepted) => accepted.certificate,
        Verdict::Refused(refusal) => return Err(refusal.into()),
        Verdict::LacksIssuer(search) => {
            return Err(Refused { refusal: search.refusal(), issuer: Some(search.url().clone()) });
        }
    };
    Ok(callback.verify(&certificate, now).map(|_| ())?)
}

/// What a policy is made of.
#[derive(Debug, PartialEq, Eq)]
struct Trust {
    locations: Vec<CertificateLocation>,
    names: Vec<String>,
    anchors_pem: Option<String>,
    intermediates_pem: Option<String>,
}

impl Trust {
    fn of(request: &Request, headers: &HeaderMap) -> Result<Self, String> {
        let names = request.certificate_names.clone();
        Ok(Self {
            locations: locations(request, headers)?,
            names: names.unwrap_or_else(|| DEFAULT_CERTIFICATE_NAMES.map(str::to_owned).to_vec()),
            anchors_pem: request.trust_anchors.as_deref().map(pem),
            intermediates_pem: request.intermediates.as_deref().map(pem),
        })
    }

    fn policy(&self) -> Result<Policy, String> {
        let anchors = self.anchors_pem.as_deref().unwrap_or(BUNDLED_TRUST_ANCHORS_PEM);
        let intermediates = self.intermediates_pem.as_deref().unwrap_or(BUNDLED_INTERMEDIATES_PEM);
        let hosts = DEFAULT_ISSUER_HOSTS.iter().filter_map(|host| host.parse().ok()).collect();
        Policy::new(self.locations.clone(), self.names.clone(), anchors, intermediates)
            .map(|policy| policy.with_issuer_hosts(hosts))
            .map_err(|error| error.to_string())
    }
}

/// Where the certificate may lie. A host stands for the directory that the callback names on it, since a location is never a
/// host alone; a location may be given in full, too.
fn locations(request: &Request, headers: &HeaderMap) -> Result<Vec<CertificateLocation>, String> {
    let Some(hosts) = &request.certificate_hosts else {
        return Ok(CertificateLocation::DEFAULT.parse().into_iter().collect());
    };
    let url = headers.get("x-ms-certificate-url").and_then(|url| url.to_str().ok()).unwrap_or_default();
    let location = |host: &String| {
        let prefix = if host.contains("://") { host.clone() } else { format!("https://{host}/") };
        let directory = url.strip_prefix(&prefix).and_then(|rest| rest.rfind('/').map(|slash| &rest[..=slash]));
        let directory = directory.filter(|_| !host.contains("://")).unwrap_or_default();
        // A directory that is none is refused as an address, not as a line: it comes from the callback.
        let whole = format!("{prefix}{directory}").parse().or_else(|_| prefix.parse());
        whole.map_err(|error: callback::LocationError| format!("certificate_hosts: {host:?}: {error}"))
    };
    hosts.iter().map(location).collect()
}

fn pem(certificates: &[Base64]) -> String {
    let block = |der: &Base64| {
        let body = STANDARD.encode(&der.0);
        let lines: Vec<&str> = body.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    };
    certificates.iter().map(block).collect()
}
