//! Signing certificates: fetched once, judged once, kept for a while.
//!
//! What is kept is the verdict of the chain check, by address. At most 16 entries; an entry never outlives its certificate
//! or 24 hours; failures are remembered briefly and never push out a good entry; a burst of new addresses is fetched at one a
//! second. A signature that does not match may mean a renewed certificate at the same address, which is looked for at most
//! once a minute; the old verdict stays until a good new one is there, and a mismatch is one only where that could be seen. The key
//! of before stays good for what it signed and Microsoft tries again, as long as its certificate may be kept.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError},
};

use callback::{CertificateUrl, MAX_CERTIFICATE_BYTES, Policy, Refusal, SigningCertificate};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::{NotVerified, Undecided};

/// Most addresses that are remembered, good and bad (threats: bounded cache).
const ENTRIES: usize = 16;
/// Downloads that may follow each other at once; after them one a second.
const BURST: i64 = 5;

/// Why a certificate could not be fetched.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FetchError {
    /// No whole answer.
    #[error("no whole answer from the certificate's host ({0})")]
    NoAnswer(String),
    /// An answer other than 200.
    #[error("the certificate's host answered with status {0}")]
    Status(u16),
    /// More bytes than a certificate has.
    #[error("the certificate's host sent more than {MAX_CERTIFICATE_BYTES} bytes")]
    TooLarge,
}

/// Fetches certificates.
pub trait FetchCertificate {
    /// The bytes at this address: no redirects, bounded in size and time.
    fn fetch(&self, url: &CertificateUrl) -> impl Future<Output = Result<Vec<u8>, FetchError>> + Send;
}

/// Certificates over https, by a client that follows no redirects and has a deadline (`runtime::http_client`).
#[derive(Clone, Debug)]
pub struct HttpsCertificates(
    /// The client.
    pub reqwest::Client,
);

impl FetchCertificate for HttpsCertificates {
    async fn fetch(&self, url: &CertificateUrl) -> Result<Vec<u8>, FetchError> {
        let no_answer = |error: reqwest::Error| FetchError::NoAnswer(runtime::chain(&error.without_url()));
        let mut response = self.0.get(url.as_str()).send().await.map_err(no_answer)?;
        if response.status() != http::StatusCode::OK {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
            if bytes.len() + chunk.len() > MAX_CERTIFICATE_BYTES {
                return Err(FetchError::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

/// How certificates are kept.
#[derive(Clone, Copy, Debug)]
pub struct CertificateSettings {
    /// How long a good certificate is kept, at most 24 hours.
    pub keep: SignedDuration,
    /// How long a failure is remembered.
    pub remember_failure: SignedDuration,
    /// How often a renewed certificate is looked for at one address.
    pub renewal_pause: SignedDuration,
}

#[derive(Debug)]
pub(crate) struct Certificates<F> {
    source: F,
    settings: CertificateSettings,
    entries: StdMutex<HashMap<CertificateUrl, Entry>>,
    // Held while a certificate is fetched: any number of waiting requests make one download.
    fetching: Mutex<Budgets>,
}

#[derive(Debug)]
enum Entry {
    Good { certificate: Arc<SigningCertificate>, before: Option<Before>, fetched: Timestamp, looked: Looked },
    Bad { denial: Denial, noted: Timestamp },
}

/// The certificate of another key that was at the same address before.
#[derive(Clone, Debug)]
struct Before {
    certificate: Arc<SigningCertificate>,
    fetched: Timestamp,
}

/// When a renewed certificate was last looked for, and why that could not be seen, if it could not.
#[derive(Debug)]
struct Looked {
    at: Timestamp,
    unseen: Option<FetchError>,
}

impl Looked {
    fn seen(at: Timestamp) -> Self {
        Self { at, unseen: None }
    }
}

/// Why there is no certificate, in a form that can be told more than once.
#[derive(Clone, Debug)]
enum Denial {
    Refused(Refusal),
    NotFetched(FetchError),
    OverBudget,
}

impl From<Denial> for NotVerified {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Refused(refusal) => Self::Refused(refusal),
            Denial::NotFetched(error) => Self::Undecided(Undecided::Certificate(error)),
            Denial::OverBudget => Self::Undecided(Undecided::FetchBudget),
        }
    }
}

/// Downloads that are left. Addresses that had a good certificate have a budget of their own, so that nobody who makes up
/// addresses can keep the real one from being renewed.
#[derive(Debug, Default)]
struct Budgets {
    familiar: Budget,
    strange: Budget,
}

/// Downloads that are left, as the moment from which on they would all be.
#[derive(Debug, Default)]
struct Budget {
    full_at: Option<Timestamp>,
}

impl Budget {
    fn take(&mut self, now: Timestamp) -> bool {
        let full_at = self.full_at.unwrap_or(now).max(now);
        // A clock that was set back must not lock us out for longer than a full budget takes to come back.
        let full_at = full_at.min(now + SignedDuration::from_secs(BURST));
        let left = full_at.duration_since(now) <= SignedDuration::from_secs(BURST - 1);
        self.full_at = Some(if left { full_at + SignedDuration::from_secs(1) } else { full_at });
        left
    }
}

impl<F: FetchCertificate> Certificates<F> {
    pub(crate) fn new(source: F, settings: CertificateSettings) -> Self {
        Self { source, settings, entries: StdMutex::default(), fetching: Mutex::default() }
    }

    /// The certificate at this address, if it is one that may sign callbacks.
    pub(crate) async fn get(
        &self,
        url: &CertificateUrl,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Arc<SigningCertificate>, NotVerified> {
        if let Some(known) = self.known(url, now) {
            return Ok(known?);
        }
        let mut budgets = self.fetching.lock().await;
        // Somebody else may have fetched it while we waited.
        if let Some(known) = self.known(url, now) {
            return Ok(known?);
        }
        let is_familiar = matches!(self.entries().get(url), Some(Entry::Good { .. }));
        let budget = if is_familiar { &mut budgets.familiar } else { &mut budgets.strange };
        let judged = self.fetch(url, policy, now, budget).await;
        let entry = match &judged {
            Ok(certificate) => {
                let certificate = Arc::clone(certificate);
                Entry::Good { certificate, before: None, fetched: now, looked: Looked::seen(now) }
            }
            // Our own restraint is no property of the address.
            Err(Denial::OverBudget) => return Ok(judged?),
            Err(denial) => Entry::Bad { denial: denial.clone(), noted: now },
        };
        self.insert(url, entry);
        Ok(judged?)
    }

    /// The certificate that is at this address now, after `seen` did not fit. That is `seen` itself where it was looked at
    /// less than a minute ago, or where there is no other good one. Where we can't see what is there, it is an error, and
    /// stays one for that minute: the mismatch may be of our own making.
    pub(crate) async fn renewed(
        &self,
        url: &CertificateUrl,
        seen: &Arc<SigningCertificate>,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Arc<SigningCertificate>, NotVerified> {
        let mut budgets = self.fetching.lock().await;
        let mut seen_fetched = None;
        if let Some(Entry::Good { certificate, fetched, looked, .. }) = self.entries().get(url) {
            seen_fetched = Some(*fetched);
            if !Arc::ptr_eq(certificate, seen) {
                return Ok(Arc::clone(certificate));
            }
            if now.duration_since(looked.at).abs() < self.settings.renewal_pause {
                let unseen = looked.unseen.clone().map(Denial::NotFetched);
                return unseen.map_or_else(|| Ok(Arc::clone(seen)), |denial| Err(denial.into()));
            }
        }
        match self.fetch(url, policy, now, &mut budgets.familiar).await {
            Ok(certificate) => {
                let of_seen = |fetched| Before { certificate: Arc::clone(seen), fetched };
                let replaced = seen_fetched.filter(|_| !certificate.has_key_of(seen)).map(of_seen);
                let before = replaced.or_else(|| self.before(url));
                let looked = Looked::seen(now);
                self.insert(url, Entry::Good { certificate: Arc::clone(&certificate), before, fetched: now, looked });
                Ok(certificate)
            }
            // What is there now is no good: the old verdict stands, and so does its mismatch.
            Err(Denial::Refused(_)) => {
                self.note_look(url, Looked::seen(now));
                Ok(Arc::clone(seen))
            }
            Err(Denial::NotFetched(error)) => {
                self.note_look(url, Looked { at: now, unseen: Some(error.clone()) });
                Err(Denial::NotFetched(error).into())
            }
            // We did not look.
            Err(Denial::OverBudget) => Err(Denial::OverBudget.into()),
        }
    }

    /// The certificate that was at this address before the present one, where a callback that it signed may still be tried again.
    pub(crate) fn replaced(&self, url: &CertificateUrl, now: Timestamp) -> Option<Arc<SigningCertificate>> {
        let before = self.before(url)?;
        let age = now.duration_since(before.fetched).abs();
        (age < self.settings.keep && now < before.certificate.valid_until()).then_some(before.certificate)
    }

    fn before(&self, url: &CertificateUrl) -> Option<Before> {
        match self.entries().get(url)? {
            Entry::Good { before, .. } => before.clone(),
            Entry::Bad { .. } => None,
        }
    }

    fn note_look(&self, url: &CertificateUrl, look: Looked) {
        if let Some(Entry::Good { looked, .. }) = self.entries().get_mut(url) {
            *looked = look;
        }
    }

    fn known(&self, url: &CertificateUrl, now: Timestamp) -> Option<Result<Arc<SigningCertificate>, Denial>> {
        match self.entries().get(url)? {
            Entry::Good { certificate, fetched, .. } => {
                let age = now.duration_since(*fetched).abs();
                (age < self.settings.keep && now < certificate.valid_until()).then(|| Ok(Arc::clone(certificate)))
            }
            Entry::Bad { denial, noted } => {
                let age = now.duration_since(*noted).abs();
                (age < self.settings.remember_failure).then(|| Err(denial.clone()))
            }
        }
    }

    async fn fetch(
        &self,
        url: &CertificateUrl,
        policy: &Policy,
        now: Timestamp,
        budget: &mut Budget,
    ) -> Result<Arc<SigningCertificate>, Denial> {
        if !budget.take(now) {
            return Err(Denial::OverBudget);
        }
        let unverified = self.source.fetch(url).await.map_err(Denial::NotFetched)?;
        policy.check_certificate(&unverified, now).map(Arc::new).map_err(Denial::Refused)
    }

    fn insert(&self, url: &CertificateUrl, entry: Entry) {
        let mut entries = self.entries();
        if !entries.contains_key(url) && entries.len() >= ENTRIES {
            let is_good = |entry: &Entry| matches!(entry, Entry::Good { .. });
            let oldest = |(_, entry): &(&CertificateUrl, &Entry)| match entry {
                Entry::Good { fetched, .. } => *fetched,
                Entry::Bad { noted, .. } => *noted,
            };
            let bad = entries.iter().filter(|(_, kept)| !is_good(kept)).min_by_key(oldest);
            let victim = bad.or_else(|| entries.iter().filter(|_| is_good(&entry)).min_by_key(oldest));
            let Some(victim) = victim.map(|(url, _)| url.clone()) else { return };
            entries.remove(&victim);
        }
        entries.insert(url.clone(), entry);
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<CertificateUrl, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use callback::{BUNDLED_INTERMEDIATES_PEM, BUNDLED_TRUST_ANCHORS_PEM, CertificateLocation};

    use super::*;

    /// Whatever it is asked for, it is not there.
    #[derive(Debug)]
    struct Nothing;

    impl FetchCertificate for Nothing {
        async fn fetch(&self, _: &CertificateUrl) -> Result<Vec<u8>, FetchError> {
            Err(FetchError::Status(404))
        }
    }

    #[tokio::test]
    async fn ten_thousand_addresses_leave_sixteen_entries() {
        let location = CertificateLocation::DEFAULT;
        let names = vec!["pcnotifications-dispatch.microsoft.com".to_owned()];
        let anchors = (BUNDLED_TRUST_ANCHORS_PEM, BUNDLED_INTERMEDIATES_PEM);
        let policy = Policy::new(vec![location.parse().unwrap()], names, anchors.0, anchors.1).unwrap();
        let settings = CertificateSettings {
            keep: SignedDuration::from_hours(24),
            remember_failure: SignedDuration::from_secs(10),
            renewal_pause: SignedDuration::from_mins(1),
        };
        let certificates = Certificates::new(Nothing, settings);
        let mut now: Timestamp = "2026-04-01T00:00:00Z".parse().unwrap();
        for number in 0..10_000 {
            let url = policy.certificate_url(format!("{location}x{number}.cer").as_bytes()).unwrap();
            let denied = certificates.get(&url, &policy, now).await;
            assert!(matches!(denied, Err(NotVerified::Undecided(Undecided::Certificate(FetchError::Status(404))))));
            now += SignedDuration::from_secs(1);
        }
        assert_eq!(certificates.entries().len(), ENTRIES);
    }

    #[test]
    fn the_budget_is_a_burst_and_then_one_a_second() {
        let start: Timestamp = "2026-04-01T00:00:00Z".parse().unwrap();
        let mut budget = Budget::default();
        let taken = |budget: &mut Budget, now| (0..100).filter(|_| budget.take(now)).count();
        assert_eq!(taken(&mut budget, start), 5);
        assert_eq!(taken(&mut budget, start + SignedDuration::from_secs(1)), 1);
        assert_eq!(taken(&mut budget, start + SignedDuration::from_secs(3)), 2);
        assert_eq!(taken(&mut budget, start + SignedDuration::from_hours(1)), 5);
        assert_eq!(
            taken(&mut budget, start - SignedDuration::from_hours(1)),
            0,
            "a clock set back brings nothing at once"
        );
        assert_eq!(taken(&mut budget, start - SignedDuration::from_hours(1) + SignedDuration::from_secs(5)), 5);
    }
}
