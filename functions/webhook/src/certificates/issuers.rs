//! Issuers that were found on the way to a trust anchor.
//!
//! They are kept only once they have led there, so that nothing else can get in, and forgotten when they lead nowhere any more:
//! an authority may have been renewed under its old address.

use std::collections::HashMap;

use callback::{IssuerUrl, Policy, Refusal, SigningCertificate, Verdict};
use jiff::{SignedDuration, Timestamp};

use super::{FetchCertificate, FetchError};

/// Most issuers that are kept. Microsoft's certificates have two each.
const ENTRIES: usize = 16;

/// Why a certificate is not accepted.
#[derive(Debug)]
pub(super) enum NotAccepted {
    /// For this reason.
    Refused(Refusal),
    /// An issuer may lie where we could not look.
    NotFetched(FetchError),
}

#[derive(Debug)]
pub(super) struct Issuers {
    keep: SignedDuration,
    kept: HashMap<IssuerUrl, Kept>,
}

#[derive(Debug)]
struct Kept {
    unverified: Vec<u8>,
    fetched: Timestamp,
}

impl Issuers {
    pub(super) fn new(keep: SignedDuration) -> Self {
        Self { keep, kept: HashMap::new() }
    }

    /// Judges a certificate, with issuers from where it says that they lie if it lacks some.
    pub(super) async fn judge(
        &mut self,
        unverified: &[u8],
        policy: &Policy,
        source: &impl FetchCertificate,
        now: Timestamp,
    ) -> Result<SigningCertificate, NotAccepted> {
        let mut used = Vec::new();
        let mut not_fetched = None;
        let mut verdict = policy.judge_certificate(unverified, now);
        loop {
            let search = match verdict {
                Verdict::Accepted(certificate) => {
                    self.keep(used);
                    return Ok(certificate);
                }
                Verdict::Refused(refusal) => {
                    return Err(not_fetched.map_or(NotAccepted::Refused(refusal), NotAccepted::NotFetched));
                }
                Verdict::LacksIssuer(search) => search,
            };
            let url = search.url().clone();
            // Taken out: whoever keeps it again is a path that holds.
            let known = self.kept.remove(&url).filter(|kept| now.duration_since(kept.fetched).abs() < self.keep);
            let fetched = match known {
                Some(kept) => Ok(kept),
                None => source.fetch_issuer(&url).await.map(|unverified| Kept { unverified, fetched: now }),
            };
            verdict = match fetched {
                Ok(kept) if search.wants(&kept.unverified) => {
                    let verdict = search.found(&kept.unverified, now);
                    used.push((url, kept));
                    verdict
                }
                Ok(_) => search.not_found(),
                Err(error) => {
                    not_fetched.get_or_insert(error);
                    search.not_found()
                }
            };
        }
    }

    fn keep(&mut self, used: Vec<(IssuerUrl, Kept)>) {
        for (url, kept) in used {
            if self.kept.len() >= ENTRIES {
                let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.fetched).map(|(url, _)| url.clone());
                oldest.and_then(|oldest| self.kept.remove(&oldest));
            }
            self.kept.insert(url, kept);
        }
    }
}
