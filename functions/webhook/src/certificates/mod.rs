//! Signing certificates: fetched once, judged once, kept for a while.
//!
//! What is kept is the verdict of the chain check, by address. At most 16 entries; an entry never outlives its certificate
//! or 24 hours; failures are remembered briefly and never push out a good entry; a burst of new addresses is fetched at one a
//! second. A signature that does not match may mean a renewed certificate at the same address, which is looked for at most
//! once a minute; the old verdict stays until a good new one is there, and a mismatch is one only where that could be seen. The key
//! of before stays good for what it signed and Microsoft tries again, as long as its certificate may be kept.
//!
//! An issuer that a certificate lacks is looked for where the certificate says, on listed hosts alone (`callback`'s search); each
//! download of a certificate brings at most four such requests with it.

mod budget;

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError},
};

use callback::{CertificateUrl, Policy, Refusal, SigningCertificate};
use jiff::{SignedDuration, Timestamp};
use signers::{FETCH_LIMIT, FetchCertificate, FetchError, Issuers, NotAccepted};
use tokio::{sync::Mutex, time::Instant};

use crate::{NotVerified, Undecided};
use budget::{Budget, Budgets};

/// Most addresses that are remembered, good and bad (threats: bounded cache).
const ENTRIES: usize = 16;

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
    fetching: Mutex<Fetching>,
}

/// What only whoever fetches needs.
#[derive(Debug)]
struct Fetching {
    budgets: Budgets,
    issuers: Issuers,
}

#[derive(Debug)]
enum Entry {
    Good { certificate: Arc<SigningCertificate>, before: Option<Before>, fetched: Timestamp, looked: Looked },
    Bad { denial: Denial, noted: Timestamp, was_good: bool },
}

impl Entry {
    fn is_good(&self) -> bool {
        matches!(self, Self::Good { .. })
    }

    fn since(&self) -> Timestamp {
        match self {
            Self::Good { fetched, .. } => *fetched,
            Self::Bad { noted, .. } => *noted,
        }
    }

    /// Whether there ever was a good certificate: then the address is no stranger's invention.
    fn was_good(&self) -> bool {
        match self {
            Self::Good { .. } => true,
            Self::Bad { was_good, .. } => *was_good,
        }
    }
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
    unseen: Option<NotFetched>,
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
    NotFetched(NotFetched),
    OverBudget,
}

/// What could not be fetched.
#[derive(Clone, Debug)]
enum NotFetched {
    Certificate(FetchError),
    Issuer(FetchError),
}

impl From<NotAccepted> for Denial {
    fn from(not_accepted: NotAccepted) -> Self {
        match not_accepted {
            NotAccepted::Refused(refusal) => Self::Refused(refusal),
            NotAccepted::NotFetched(error) => Self::NotFetched(NotFetched::Issuer(error)),
        }
    }
}

impl From<Denial> for NotVerified {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Refused(refusal) => Self::Refused(refusal),
            Denial::NotFetched(NotFetched::Certificate(error)) => Self::Undecided(Undecided::Certificate(error)),
            Denial::NotFetched(NotFetched::Issuer(error)) => Self::Undecided(Undecided::Issuer(error)),
            Denial::OverBudget => Self::Undecided(Undecided::FetchBudget),
        }
    }
}

impl<F: FetchCertificate> Certificates<F> {
    pub(crate) fn new(source: F, settings: CertificateSettings) -> Self {
        let fetching = Fetching { budgets: Budgets::default(), issuers: Issuers::new(settings.keep) };
        Self { source, settings, entries: StdMutex::default(), fetching: Mutex::new(fetching) }
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
        let Fetching { budgets, issuers } = &mut *self.fetching.lock().await;
        // Somebody else may have fetched it while we waited.
        if let Some(known) = self.known(url, now) {
            return Ok(known?);
        }
        let was_good = self.entries().get(url).is_some_and(Entry::was_good);
        let budget = if was_good { &mut budgets.familiar } else { &mut budgets.strange };
        let judged = self.fetch(url, policy, now, budget, issuers).await;
        let entry = match &judged {
            Ok(certificate) => {
                let certificate = Arc::clone(certificate);
                Entry::Good { certificate, before: None, fetched: now, looked: Looked::seen(now) }
            }
            // Our own restraint is no property of the address.
            Err(Denial::OverBudget) => return Ok(judged?),
            Err(denial) => Entry::Bad { denial: denial.clone(), noted: now, was_good },
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
        let Fetching { budgets, issuers } = &mut *self.fetching.lock().await;
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
        match self.fetch(url, policy, now, &mut budgets.familiar, issuers).await {
            Ok(certificate) => {
                let of_seen = |fetched| Before { certificate: Arc::clone(seen), fetched };
                let replaced = seen_fetched.filter(|_| !certificate.has_key_of(seen)).map(of_seen);
                let before = replaced.or_else(|| self.before(url));
                let looked = Looked::seen(now);
                self.insert(url, Entry::Good { certificate: Arc::clone(&certificate), before, fetched: now, looked });
                Ok(certificate)
            }
            // The host's own page says nothing of what should lie there.
            Err(Denial::Refused(Refusal::CertificateUnreadable)) => {
                let unseen = NotFetched::Certificate(FetchError::NoCertificate);
                self.note_look(url, Looked { at: now, unseen: Some(unseen.clone()) });
                Err(Denial::NotFetched(unseen).into())
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
                let holds = now.as_second() <= certificate.valid_until().as_second();
                (age < self.settings.keep && holds).then(|| Ok(Arc::clone(certificate)))
            }
            Entry::Bad { denial, noted, .. } => {
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
        issuers: &mut Issuers,
    ) -> Result<Arc<SigningCertificate>, Denial> {
        if !budget.take(now) {
            return Err(Denial::OverBudget);
        }
        let end = Instant::now() + FETCH_LIMIT;
        let not_fetched = |error| Denial::NotFetched(NotFetched::Certificate(error));
        let unverified = before(end, self.source.fetch(url)).await.map_err(not_fetched)?;
        let fetch = |url| async move { before(end, self.source.fetch_issuer(&url)).await };
        Ok(Arc::new(issuers.judge(&unverified, policy, fetch, now).await?))
    }

    fn insert(&self, url: &CertificateUrl, entry: Entry) {
        let mut entries = self.entries();
        if !entries.contains_key(url) && entries.len() >= ENTRIES {
            // First what never was good, the oldest of it. What is or was good makes room for what is good alone.
            let worth = |(_, kept): &(&CertificateUrl, &Entry)| (kept.was_good(), kept.is_good(), kept.since());
            let victim = entries.iter().min_by_key(worth);
            let victim = victim.filter(|(_, kept)| entry.is_good() || !kept.was_good());
            let Some(victim) = victim.map(|(url, _)| url.clone()) else { return };
            entries.remove(&victim);
        }
        entries.insert(url.clone(), entry);
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<CertificateUrl, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is fetched, or that it took too long.
async fn before(end: Instant, fetch: impl Future<Output = Result<Vec<u8>, FetchError>>) -> Result<Vec<u8>, FetchError> {
    tokio::time::timeout_at(end, fetch).await.unwrap_or(Err(FetchError::OutOfTime))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    use callback::{
        BUNDLED_INTERMEDIATES_PEM, BUNDLED_TRUST_ANCHORS_PEM, CertificateLocation, DEFAULT_ISSUER_HOSTS, IssuerUrl,
    };

    use super::*;

    const MICROSOFTS: &[u8] =
        include_bytes!("../../../../shared/callback/tests/data/microsoft-chain/leaf-microsoft.com.pem");

    /// What lies at the addresses that are allowed.
    #[derive(Clone, Debug, Default)]
    struct Host {
        /// Microsoft's certificate, at its name; nothing at all elsewhere.
        is_up: Arc<AtomicBool>,
    }

    impl FetchCertificate for Host {
        async fn fetch(&self, url: &CertificateUrl) -> Result<Vec<u8>, FetchError> {
            let is_there = self.is_up.load(Relaxed) && url.as_str().ends_with("/real.cer");
            if is_there { Ok(MICROSOFTS.to_vec()) } else { Err(FetchError::Status(404)) }
        }

        /// Nobody ever answers.
        async fn fetch_issuer(&self, _: &IssuerUrl) -> Result<Vec<u8>, FetchError> {
            std::future::pending().await
        }
    }

    fn policy(intermediates: &str) -> Policy {
        let locations = vec![CertificateLocation::DEFAULT.parse().unwrap()];
        let names = vec!["microsoft.com".to_owned()];
        let hosts = DEFAULT_ISSUER_HOSTS.map(|host| host.parse().unwrap()).to_vec();
        let policy = Policy::new(locations, names, BUNDLED_TRUST_ANCHORS_PEM, intermediates).unwrap();
        policy.with_issuer_hosts(hosts)
    }

    fn certificates(host: Host) -> Certificates<Host> {
        let settings = CertificateSettings {
            keep: SignedDuration::from_hours(24),
            remember_failure: SignedDuration::from_secs(10),
            renewal_pause: SignedDuration::from_mins(1),
        };
        Certificates::new(host, settings)
    }

    fn url(policy: &Policy, name: &str) -> CertificateUrl {
        let location = CertificateLocation::DEFAULT;
        policy.certificate_url(format!("{location}{name}.cer").as_bytes()).unwrap()
    }

    fn start() -> Timestamp {
        "2026-04-01T00:00:00Z".parse().unwrap()
    }

    fn seconds(seconds: i64) -> SignedDuration {
        SignedDuration::from_secs(seconds)
    }

    #[tokio::test]
    async fn ten_thousand_addresses_leave_sixteen_entries() {
        let (policy, certificates) = (policy(BUNDLED_INTERMEDIATES_PEM), certificates(Host::default()));
        let mut now = start();
        for number in 0..10_000 {
            let denied = certificates.get(&url(&policy, &format!("x{number}")), &policy, now).await;
            assert!(matches!(denied, Err(NotVerified::Undecided(Undecided::Certificate(FetchError::Status(404))))));
            now += seconds(1);
        }
        assert_eq!(certificates.entries().len(), ENTRIES);
    }

    #[tokio::test]
    async fn an_address_that_once_was_good_is_never_starved_by_made_up_ones() {
        let host = Host::default();
        host.is_up.store(true, Relaxed);
        let (policy, certificates) = (policy(BUNDLED_INTERMEDIATES_PEM), certificates(host.clone()));
        let real = url(&policy, "real");
        certificates.get(&real, &policy, start()).await.unwrap();
        // Its day is over, and its host is down for a moment.
        host.is_up.store(false, Relaxed);
        let mut now = start() + SignedDuration::from_hours(24);
        assert!(certificates.get(&real, &policy, now).await.is_err());
        host.is_up.store(true, Relaxed);
        for number in 0..200 {
            let made_up = url(&policy, &format!("x{number}"));
            assert!(certificates.get(&made_up, &policy, now).await.is_err());
            now += SignedDuration::from_millis(100);
        }
        certificates.get(&real, &policy, now).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_certificate_and_its_issuers_take_no_longer_than_the_function_has() {
        let host = Host::default();
        host.is_up.store(true, Relaxed);
        let (policy, certificates) = (policy(""), certificates(host));
        let began = Instant::now();
        let undecided = certificates.get(&url(&policy, "real"), &policy, start()).await;
        assert!(
            matches!(undecided, Err(NotVerified::Undecided(Undecided::Issuer(FetchError::OutOfTime)))),
            "{undecided:?}"
        );
        assert_eq!(began.elapsed(), FETCH_LIMIT);
    }
}
