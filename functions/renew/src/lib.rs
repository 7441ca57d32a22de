//! `renew`: keeps the credentials of every tenant alive.
//!
//! Woken by the schedule, it signs in with each secret of each active tenant, which proves that it works, and keeps the new
//! refresh token once a day. It is the only function that writes secrets.
//!
//! | what happens | then |
//! |---|---|
//! | a credential works | noted; its refresh token is renewed where that has come to age |
//! | a credential is refused, or a secret can't be used | noted and logged with what to do; counts as failed |
//! | Microsoft, Secrets Manager or the store is in trouble | noted and logged; counts as undecided, and the next tick is the retry |
//! | another run is at it | left to that run |
//! | the tenants can't be read | the invocation fails; the next tick is the retry, and the alarm on missing counts tells if it stays so |
//!
//! One tenant's trouble is no other's: tenants are looked at side by side, and each credential has a limit of its own.

mod config;
mod report;
mod wire;

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use jiff::SignedDuration;
use models::{CredentialDates, Purpose, Tenant};
use partner_center::{Diagnosis, Kept, RenewCredentials, RenewalError};
use runtime::{Metrics, SharedClock};
use serde::Deserialize;
use store::{CredentialState, Looking, ReadTenants, StoreError, WatchCredentials};

use report::{Report, Verdict};

pub use config::{Config, VARIABLES};
pub use wire::{Deployed, wire};

/// How many tenants are looked at at the same time: far below what Secrets Manager and Entra ID allow, and enough for a thousand
/// tenants in the time of one invocation.
const SIDE_BY_SIDE: usize = 10;
/// How much longer than a look its lease runs: what it takes to note the outcome, and what clocks may differ.
const LEASE_MARGIN: SignedDuration = SignedDuration::from_secs(60);
/// The outcome of a credential that works.
const WORKS: &str = "ok";
/// The outcome of a look that took too long.
const OUT_OF_TIME: &str = "out-of-time";

/// What wakes the function.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Invocation {
    /// Always `renew`: the input that `template.yaml` gives the schedule.
    pub task: Task,
}

/// The schedule's one task.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Look at every credential.
    Renew,
}

/// Why an invocation failed as a whole.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    /// The tenants could not be read.
    #[error("the tenants could not be read")]
    Tenants(#[source] StoreError),
}

/// Why nothing is known of a credential.
#[derive(Debug, thiserror::Error)]
enum LookError {
    /// It doesn't work, or isn't kept alive.
    #[error(transparent)]
    Renewal(#[from] RenewalError),
    /// It took longer than it may.
    #[error("it took longer than {seconds} seconds")]
    OutOfTime {
        /// How long it may take.
        seconds: u64,
    },
}

impl LookError {
    fn code(&self) -> &'static str {
        match self {
            Self::Renewal(error) => error.code(),
            Self::OutOfTime { .. } => OUT_OF_TIME,
        }
    }

    fn diagnosis(&self) -> Option<Diagnosis> {
        match self {
            Self::Renewal(error) => error.diagnosis(),
            Self::OutOfTime { .. } => None,
        }
    }

    fn verdict(&self) -> Verdict {
        match self {
            Self::Renewal(error) if !error.may_pass() => Verdict::Failed,
            Self::Renewal(_) | Self::OutOfTime { .. } => Verdict::Undecided,
        }
    }
}

/// The function: what it reads and writes with, given by `main.rs`.
#[derive(Debug)]
pub struct Renew<S, R> {
    store: S,
    renewer: R,
    clock: SharedClock,
    look_limit: Duration,
    metrics: Metrics,
}

impl<S, R> Renew<S, R>
where
    S: ReadTenants + WatchCredentials + Sync,
    R: RenewCredentials + Sync,
{
    /// The function with these parts. No credential may take longer than `look_limit`.
    pub fn new(store: S, renewer: R, clock: SharedClock, look_limit: Duration) -> Self {
        Self { store, renewer, clock, look_limit, metrics: Metrics::none() }
    }

    /// The function whose counts go there.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Metrics) -> Self {
        self.metrics = metrics;
        self
    }

    /// Handles one invocation. `run` is its id, which no other invocation has.
    ///
    /// # Errors
    ///
    /// [`RenewError`]. What becomes of a credential is noted, logged and counted.
    pub async fn handle(&self, invocation: Invocation, run: &str) -> Result<(), RenewError> {
        let Invocation { task: Task::Renew } = invocation;
        let tenants = self.store.tenants().await.map_err(RenewError::Tenants).inspect_err(|error| {
            tracing::error!(error = runtime::chain(error), "no credential could be looked at");
        })?;
        let active = tenants.into_iter().filter(|tenant| tenant.active);
        // Made before any is awaited: nothing runs until the stream asks for it, and never more than the bound.
        let looks: Vec<_> = active.map(|tenant| self.tenant(tenant, run)).collect();
        let seen: Vec<Report> = stream::iter(looks).buffer_unordered(SIDE_BY_SIDE).collect().await;
        let report = seen.into_iter().fold(Report::default(), Report::and);
        let now = self.clock.now();
        self.metrics.report(now, &report.counts(now));
        Ok(())
    }

    /// Looks at the credentials of a tenant, one after the other: the same application may stand behind both.
    async fn tenant(&self, tenant: Tenant, run: &str) -> Report {
        let mut report = Report::default();
        for purpose in Purpose::ALL.into_iter().filter(|purpose| purpose.secret_of(&tenant).is_some()) {
            report = report.and(self.credential(&tenant, purpose, run).await);
        }
        report
    }

    async fn credential(&self, tenant: &Tenant, purpose: Purpose, run: &str) -> Report {
        let term =
            SignedDuration::try_from(self.look_limit).unwrap_or(SignedDuration::MAX).saturating_add(LEASE_MARGIN);
        let begun = self.store.begin_look(&tenant.id, purpose, run, term, self.clock.now()).await;
        let look = match begun {
            Ok(Looking::Granted(look)) => look,
            Ok(Looking::Held(known)) => return Report::of(Verdict::LeftToAnother, dates_of(&known)),
            Err(error) => {
                let error = runtime::chain(&error);
                tracing::warn!(tenant.id = %tenant.id, credential = %purpose, error, "a credential could not be looked at");
                return Report::of(Verdict::Undecided, CredentialDates::default());
            }
        };
        let (dates, result) = self.look(tenant, purpose).await;
        let verdict = log(tenant, purpose, &result);
        let outcome = result.map_or_else(|error| error.code(), |_| WORKS);
        match self.store.end_look(&look, outcome, dates, self.clock.now()).await {
            Ok(Some(known)) => Report::of(verdict, dates_of(&known)),
            // Whoever has the lease now notes what it finds.
            Ok(None) => Report::of(verdict, dates.unwrap_or_default()),
            Err(error) => {
                let error = runtime::chain(&error);
                tracing::warn!(tenant.id = %tenant.id, credential = %purpose, error, "what was found could not be noted");
                Report::of(verdict, dates.unwrap_or_default())
            }
        }
    }

    async fn look(&self, tenant: &Tenant, purpose: Purpose) -> (Option<CredentialDates>, Result<Kept, LookError>) {
        let renewing = self.renewer.renew(tenant, purpose);
        match tokio::time::timeout(self.look_limit, renewing).await {
            Ok(renewal) => (renewal.dates, renewal.result.map_err(LookError::from)),
            Err(_) => (None, Err(LookError::OutOfTime { seconds: self.look_limit.as_secs() })),
        }
    }
}

fn dates_of(known: &CredentialState) -> CredentialDates {
    CredentialDates { refresh_token_obtained: known.refresh_token_obtained, proof_expires: known.proof_expires }
}

fn log(tenant: &Tenant, purpose: Purpose, result: &Result<Kept, LookError>) -> Verdict {
    let error = match result {
        Ok(kept) => {
            let renewed = *kept == Kept::Renewed;
            tracing::info!(tenant.id = %tenant.id, credential = %purpose, renewed, "credential works");
            if *kept == Kept::AsSomebodyWrote {
                tracing::info!(
                    tenant.id = %tenant.id, credential = %purpose,
                    "somebody else wrote the secret at the same time: what they wrote stays"
                );
            }
            return Verdict::Works { renewed };
        }
        Err(error) => error,
    };
    let (diagnosis, advice) = (error.diagnosis().map(Diagnosis::code), error.diagnosis().map(Diagnosis::what_to_do));
    let (verdict, error) = (error.verdict(), runtime::chain(error));
    if verdict == Verdict::Failed {
        tracing::error!(
            tenant.id = %tenant.id, credential = %purpose, error, diagnosis, advice,
            "a credential does not work, or is not kept alive"
        );
    } else {
        tracing::warn!(
            tenant.id = %tenant.id, credential = %purpose, error, diagnosis, advice,
            "a credential could not be judged"
        );
    }
    verdict
}
