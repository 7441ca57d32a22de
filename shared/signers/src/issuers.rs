//! Issuers that were found on the way to a trust anchor.
//!
//! Those that a certificate rests on are kept, and nothing else that lay at their addresses. An authority may be renewed under its old
//! address: where what is kept leads nowhere, it is forgotten, and looked for anew before anything is concluded.

use std::{collections::HashMap, future::Future};

use callback::{IssuerUrl, MAX_ISSUER_REQUESTS, Policy, Refusal, SigningCertificate, UnverifiedIssuer, Verdict};
use jiff::{SignedDuration, Timestamp};

use crate::FetchError;

/// Most issuers that are kept. Microsoft's certificates have two each.
const ENTRIES: usize = 16;

/// Why a certificate is not accepted.
#[derive(Debug)]
pub enum NotAccepted {
    /// For this reason.
    Refused(Refusal),
    /// An issuer may lie where we could not look.
    NotFetched(FetchError),
}

/// The issuers that are kept.
#[derive(Debug)]
pub struct Issuers {
    keep: SignedDuration,
    kept: HashMap<IssuerUrl, Kept>,
}

#[derive(Clone, Debug)]
struct Kept {
    unverified: Vec<u8>,
    fetched: Timestamp,
}

impl Issuers {
    /// None yet. Each is kept this long at most.
    #[must_use]
    pub fn new(keep: SignedDuration) -> Self {
        Self { keep, kept: HashMap::new() }
    }

    /// Judges a certificate, with issuers from where it says that they lie if it lacks some. `fetch` gives what lies there, and is
    /// asked [`MAX_ISSUER_REQUESTS`] times at most, both searches together.
    ///
    /// # Errors
    ///
    /// [`NotAccepted`].
    pub async fn judge<F: Future<Output = Result<Vec<u8>, FetchError>>>(
        &mut self,
        unverified: &[u8],
        policy: &Policy,
        fetch: impl Fn(IssuerUrl) -> F,
        now: Timestamp,
    ) -> Result<SigningCertificate, NotAccepted> {
        self.kept.retain(|_, kept| now.duration_since(kept.fetched).abs() < self.keep);
        let mut left = MAX_ISSUER_REQUESTS;
        let mut used_kept = Vec::new();
        let judged = self.search(unverified, policy, &fetch, &mut left, now, &mut used_kept).await;
        if judged.is_ok() || used_kept.is_empty() {
            return judged;
        }
        // It may have been renewed since.
        for url in &used_kept {
            self.kept.remove(url);
        }
        self.search(unverified, policy, &fetch, &mut left, now, &mut Vec::new()).await
    }

    async fn search<F: Future<Output = Result<Vec<u8>, FetchError>>>(
        &mut self,
        unverified: &[u8],
        policy: &Policy,
        fetch: &impl Fn(IssuerUrl) -> F,
        left: &mut usize,
        now: Timestamp,
        used_kept: &mut Vec<IssuerUrl>,
    ) -> Result<SigningCertificate, NotAccepted> {
        let mut fetched: Vec<(IssuerUrl, Vec<u8>, UnverifiedIssuer)> = Vec::new();
        let mut not_fetched = None;
        let mut verdict = policy.judge_certificate(unverified, now);
        loop {
            let search = match verdict {
                Verdict::Accepted(accepted) => {
                    for (url, unverified, _) in fetched.into_iter().filter(|(.., issuer)| accepted.rests_on(issuer)) {
                        self.keep(url, Kept { unverified, fetched: now });
                    }
                    return Ok(accepted.certificate);
                }
                Verdict::Refused(refusal) => {
                    return Err(not_fetched.map_or(NotAccepted::Refused(refusal), NotAccepted::NotFetched));
                }
                Verdict::LacksIssuer(search) => search,
            };
            let url = search.url().clone();
            let there = match self.kept.get(&url) {
                Some(kept) => {
                    used_kept.push(url.clone());
                    Ok(kept.unverified.clone())
                }
                None if *left == 0 => Err(FetchError::TooMany),
                None => {
                    *left -= 1;
                    fetch(url.clone()).await
                }
            };
            verdict = match there {
                Ok(bytes) => match search.read(&bytes) {
                    Some(issuer) => {
                        if !self.kept.contains_key(&url) {
                            fetched.push((url, bytes, issuer.clone()));
                        }
                        search.found(issuer, now)
                    }
                    None => search.not_found(),
                },
                Err(error) => {
                    not_fetched.get_or_insert(error);
                    search.not_found()
                }
            };
        }
    }

    fn keep(&mut self, url: IssuerUrl, kept: Kept) {
        if self.kept.len() >= ENTRIES {
            let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.fetched).map(|(url, _)| url.clone());
            oldest.and_then(|oldest| self.kept.remove(&oldest));
        }
        self.kept.insert(url, kept);
    }
}
