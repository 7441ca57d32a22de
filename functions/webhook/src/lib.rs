//! `webhook`: proves that a callback comes from Microsoft, keeps it once, and answers.
//!
//! A callback is a doorbell, never a source of truth: any partner can have Microsoft send a genuine event to our address, so
//! nothing in it is believed; a fraud event only asks `poll` to look, and says what it names for the case that nothing is found.
//!
//! | outcome | status | kept | does Partner Center try again? |
//! |---|---|---|---|
//! | kept, or kept before | 200 | yes | no; if it does, a fraud event of the last two days rings, unless it has here |
//! | malformed request | 400 | no | up to 10 times, in vain |
//! | authentic, but no event that we can read | 400 | aside | up to 10 times, in vain; each finds it kept |
//! | not authentic, or older than we accept | 401 | no | up to 10 times, in vain |
//! | unknown path | 404 | no | |
//! | too large | 413 | no | |
//! | we can't decide: certificate or store out of reach | 503 | no | yes, and it helps |
//!
//! A new callback takes one request and two write units of DynamoDB, one that was kept before one of each. A ring is one message of SQS;
//! one that comes again tells when the event came in first, so that `poll`, which notes whom it follows up, does nothing twice.
//!
//! Bodies of refusals are constant and short; the log has the exact reason. The order of the checks is that of their cost:
//! what a stranger can make us do is compare bytes, some downloads a second (per instance), and one signature check; the exact
//! bounds are in `docs/security.md`.

mod certificates;
mod config;
mod keys;
mod outcome;
pub mod request;
mod rung;
mod wire;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use callback::{Policy, Refusal, UnverifiedCallback, VerifiedCallback};
use http::{HeaderMap, Request, Response};
use jiff::{SignedDuration, Timestamp};
use messaging::Ring;
use models::{Doorbell, Event, EventId, ReconcileCause, ReconcileRequest, TenantId, TraceContext};
use runtime::{Metrics, SharedClock};
use signers::FetchCertificate;
use store::{KeepEvents, Kept, ReadTenants, ReceivedEvent};

pub use certificates::CertificateSettings;
pub use config::{Config, VARIABLES};
pub use outcome::{Outcome, Undecided};
pub use wire::{Deployed, wire};

use certificates::Certificates;
use keys::{KeysError, PathKeys};
use request::RequestId;
use rung::Rung;

/// The route that API Gateway sends here.
pub const ROUTE: &str = "POST /callbacks/{tenant}/{key}";

/// The oldest change that is accepted. Partner Center delivers up to 48 hours late and tries ten times; the record that tells
/// a replay from a new event is kept for longer than this ([`store::EVENT_RETENTION`]), which a test holds together.
pub const OLDEST_ACCEPTED: SignedDuration = SignedDuration::from_hours(29 * 24);
/// How far ahead of our clock a change may lie.
pub const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(10);

/// How long a callback that is durable already waits for the ring. The schedule makes up for one that fails.
pub const RING_LIMIT: Duration = Duration::from_secs(2);

/// How long after a fraud event came in first it rings when it comes again, for the case that its ring failed, or was never begun.
/// Microsoft delivers for up to 48 hours; for as long `poll` notes what it follows up.
pub const RINGS_AGAIN: SignedDuration = SignedDuration::from_hours(48);

/// How callbacks are judged.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The largest body, in bytes.
    pub max_body_bytes: usize,
    /// How long path keys are believed before they are read again, and how often they are read at most.
    pub path_keys_refresh: SignedDuration,
    /// How certificates are fetched and kept.
    pub certificates: CertificateSettings,
}

/// The function: what it reads and writes with, given by `main.rs`.
#[derive(Debug)]
pub struct Webhook<S, F, Q> {
    store: S,
    queue: Q,
    policy: Policy,
    clock: SharedClock,
    keys: PathKeys,
    certificates: Certificates<F>,
    max_body_bytes: usize,
    metrics: Metrics,
    rung: Rung,
}

impl<S, F, Q> Webhook<S, F, Q>
where
    S: ReadTenants + KeepEvents + Sync,
    F: FetchCertificate + Sync,
    Q: Ring + Sync,
{
    /// The function with these parts.
    pub fn new(store: S, source: F, queue: Q, policy: Policy, clock: SharedClock, settings: Settings) -> Self {
        Self {
            store,
            queue,
            policy,
            clock,
            keys: PathKeys::new(settings.path_keys_refresh),
            certificates: Certificates::new(source, settings.certificates),
            max_body_bytes: settings.max_body_bytes,
            metrics: Metrics::none(),
            rung: Rung::default(),
        }
    }

    /// The function whose counts go there.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Metrics) -> Self {
        self.metrics = metrics;
        self
    }

    /// Answers one request. Its [`TraceContext`] and [`request::RequestId`], where there are such, are among its extensions.
    pub async fn answer(&self, request: Request<Bytes>) -> Response<&'static str> {
        let outcome = self.receive(&request).await;
        outcome.log();
        self.metrics.report(self.clock.now(), &outcome.counts());
        outcome.response()
    }

    /// Takes one callback: everything but the wrapping.
    pub async fn receive(&self, request: &Request<Bytes>) -> Outcome {
        let (path, headers, body) = (request.uri().path(), request.headers(), request.body());
        let trace = request.extensions().get().copied();
        let request_id = request.extensions().get::<RequestId>().map(|RequestId(id)| id.as_str());
        if body.len() > self.max_body_bytes {
            return Outcome::Refused { tenant: None, refusal: Refusal::BodyTooLarge };
        }
        let now = self.clock.now();
        let tenant = match self.keys.tenant_of(path, &self.store, now).await {
            Ok(Some(tenant)) => tenant,
            Ok(None) => return Outcome::UnknownPath,
            Err(KeysError::NotRead(error)) => {
                return Outcome::Undecided { tenant: None, why: Undecided::PathKeys(error) };
            }
            Err(KeysError::Awaited) => return Outcome::Undecided { tenant: None, why: Undecided::PathKeysAwaited },
        };
        let verified = match self.verify(headers, body, now).await {
            Ok(verified) => verified,
            Err(NotVerified::Refused(refusal)) => return Outcome::Refused { tenant: Some(tenant), refusal },
            Err(NotVerified::Undecided(why)) => return Outcome::Undecided { tenant: Some(tenant), why },
        };
        self.keep(tenant, verified, now, Taken { trace, request_id }).await
    }

    async fn verify<'a>(
        &self,
        headers: &HeaderMap,
        body: &'a [u8],
        now: Timestamp,
    ) -> Result<VerifiedCallback<'a>, NotVerified> {
        let unverified = UnverifiedCallback::read(headers, body, &self.policy)?;
        let url = unverified.certificate_url();
        let certificate = self.certificates.get(url, &self.policy, now).await?;
        match unverified.verify(&certificate, now) {
            Err(refusal @ (Refusal::SignatureMismatch | Refusal::SignatureNotOfKeySize)) => {
                // Signed before the certificate was renewed, and tried again since.
                if let Some(replaced) = self.certificates.replaced(url, now)
                    && let Ok(verified) = unverified.verify(&replaced, now)
                {
                    return Ok(verified);
                }
                // The certificate may have been renewed at the same address. If not, a forgery is not checked twice.
                let renewed = self.certificates.renewed(url, &certificate, &self.policy, now).await?;
                if Arc::ptr_eq(&renewed, &certificate) {
                    Err(refusal.into())
                } else {
                    Ok(unverified.verify(&renewed, now)?)
                }
            }
            verdict => Ok(verdict?),
        }
    }

    async fn keep(
        &self,
        tenant: TenantId,
        callback: VerifiedCallback<'_>,
        now: Timestamp,
        Taken { trace, request_id }: Taken<'_>,
    ) -> Outcome {
        let id = EventId::of_sha256(callback.body_sha256());
        let event = Event::read(callback.body());
        if let Ok(event) = &event {
            let age = now.duration_since(event.changed);
            if age > OLDEST_ACCEPTED || age < -CLOCK_TOLERANCE {
                return Outcome::OutOfTime { tenant, event: id };
            }
        }
        let readable = event.is_ok();
        let received = ReceivedEvent {
            tenant: &tenant,
            id: &id,
            body: callback.body(),
            received: now,
            readable,
            trace,
            request_id,
        };
        let kept = match self.store.keep(&received).await {
            Ok(kept) => kept,
            Err(error) => return Outcome::Undecided { tenant: Some(tenant), why: Undecided::NotKept(error) },
        };
        let event = match event {
            Ok(event) => event,
            Err(error) => return Outcome::KeptAside { tenant, event: id, kept, error },
        };
        let first = match kept {
            Kept::New => Some(now),
            Kept::Duplicate { .. } if self.rung.knows(&tenant, &id) => None,
            Kept::Duplicate { first } => first.filter(|first| now.duration_since(*first) <= RINGS_AGAIN),
        };
        let bell = first.filter(|_| event.is_fraud_signal()).map(|first| Doorbell::of(&id, &event, first));
        let rang = if let Some(bell) = bell { Some(self.ring(&tenant, bell, trace).await) } else { None };
        match kept {
            Kept::New => Outcome::Kept { tenant, event: id, name: event.name, rang },
            Kept::Duplicate { .. } => Outcome::Duplicate { tenant, event: id, rang },
        }
    }

    async fn ring(
        &self,
        tenant: &TenantId,
        bell: Doorbell,
        trace: Option<TraceContext>,
    ) -> Result<(), messaging::QueueError> {
        let event = bell.event.clone();
        let request = ReconcileRequest { tenant: tenant.clone(), cause: ReconcileCause::Callback(bell), trace };
        let ring = self.queue.ring(&request, SignedDuration::ZERO);
        let sent = tokio::time::timeout(RING_LIMIT, ring).await;
        sent.unwrap_or(Err(messaging::QueueError::OutOfTime(RING_LIMIT)))?;
        self.rung.note(tenant, &event);
        Ok(())
    }
}

/// The invocation in which a callback was taken in.
struct Taken<'a> {
    trace: Option<TraceContext>,
    request_id: Option<&'a str>,
}

/// Why a callback is not verified: because it should not be, or because we can't tell.
#[derive(Debug)]
enum NotVerified {
    Refused(Refusal),
    Undecided(Undecided),
}

impl From<Refusal> for NotVerified {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
