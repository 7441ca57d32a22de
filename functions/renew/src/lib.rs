//! `renew`: keeps the credentials of every tenant alive.
//!
//! Woken by the schedule, it signs in with each secret of each tenant and calls what the secret is for, which proves that it works, and
//! keeps the new refresh token once a day. It is the only function that writes secrets.
//!
//! | what happens | then |
//! |---|---|
//! | a credential works | noted; its refresh token is renewed where that has come to age |
//! | a credential is refused, or a secret can't be used | noted, told and logged with what to do; counts as failed |
//! | it works again, nears its end, or ages | told, once each |
//! | the tenant is inactive | looked after all the same, so that it can be switched on; told to nobody, and in no count of failures |
//! | a tenant's configuration can't be read | logged and counted; the others go on |
//! | Microsoft, Secrets Manager or the store is in trouble | noted and logged; counts as undecided, and the next tick is the retry |
//! | another run is at it | left to that run |
//! | the tenants can't be read | the invocation fails; the next tick is the retry, and the alarm on missing counts tells if it stays so |
//!
//! One tenant's trouble is no other's: tenants are looked at side by side, and each credential has a limit of its own.

mod config;
mod look;
mod news;
mod report;
mod wire;

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use jiff::SignedDuration;
use messaging::Tell;
use models::{CredentialDates, Purpose, Tenant};
use partner_center::RenewCredentials;
use runtime::{Metrics, SharedClock};
use serde::Deserialize;
use store::{CredentialState, Looking, ReadAllTenants, StoreError, Told, WatchCredentials};

use look::Seen;
use report::{Report, Verdict};

pub use config::{Config, VARIABLES};
pub use wire::{Deployed, wire};

/// How many tenants are looked at at the same time: far below what Secrets Manager and Entra ID allow, and enough for a thousand
/// tenants in the time of one invocation.
const SIDE_BY_SIDE: usize = 10;
/// How much longer than a look its lease runs: what it takes to tell of the outcome and to note it, and what clocks may differ.
const LEASE_MARGIN: SignedDuration = SignedDuration::from_secs(60);

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

/// The function: what it reads and writes with, given by `main.rs`.
#[derive(Debug)]
pub struct Renew<S, R, T> {
    store: S,
    renewer: R,
    people: T,
    clock: SharedClock,
    look_limit: Duration,
    metrics: Metrics,
}

impl<S, R, T> Renew<S, R, T>
where
    S: ReadAllTenants + WatchCredentials + Sync,
    R: RenewCredentials + Sync,
    T: Tell + Sync,
{
    /// The function with these parts. No credential may take longer than `look_limit`.
    pub fn new(store: S, renewer: R, people: T, clock: SharedClock, look_limit: Duration) -> Self {
        Self { store, renewer, people, clock, look_limit, metrics: Metrics::none() }
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
    /// [`RenewError`]. What becomes of a credential is noted, told, logged and counted.
    pub async fn handle(&self, invocation: Invocation, run: &str) -> Result<(), RenewError> {
        let Invocation { task: Task::Renew } = invocation;
        let all = self.store.all_tenants().await.map_err(RenewError::Tenants).inspect_err(|error| {
            tracing::error!(error = runtime::chain(error), "no credential could be looked at");
        })?;
        let unreadable = Report::of_unreadable(all.unreadable.len());
        // Made before any is awaited: nothing runs until the stream asks for it, and never more than the bound.
        let looks: Vec<_> = all.readable.into_iter().map(|tenant| self.tenant(tenant, run)).collect();
        let seen: Vec<Report> = stream::iter(looks).buffer_unordered(SIDE_BY_SIDE).collect().await;
        let report = seen.into_iter().fold(unreadable, Report::and);
        let now = self.clock.now();
        self.metrics.report(now, &report.counts(now));
        Ok(())
    }

    /// Looks at the credentials of a tenant, one after the other: the same application may stand behind both.
    async fn tenant(&self, tenant: Tenant, run: &str) -> Report {
        let mut report = Report::default();
        for purpose in Purpose::ALL.into_iter().filter(|purpose| purpose.secret_of(&tenant).is_some()) {
            let (verdict, renewed, dates) = self.credential(&tenant, purpose, run).await;
            let of_this =
                if tenant.active { Report::of(verdict, renewed, dates) } else { Report::of_inactive(verdict, renewed) };
            report = report.and(of_this);
        }
        report
    }

    async fn credential(&self, tenant: &Tenant, purpose: Purpose, run: &str) -> (Verdict, bool, CredentialDates) {
        let term =
            SignedDuration::try_from(self.look_limit).unwrap_or(SignedDuration::MAX).saturating_add(LEASE_MARGIN);
        let begun = self.store.begin_look(&tenant.id, purpose, run, term, self.clock.now()).await;
        let mut look = match begun {
            Ok(Looking::Granted(look)) => look,
            Ok(Looking::Held(known)) => return (Verdict::LeftToAnother, false, dates_of(&known)),
            Err(error) => {
                let error = runtime::chain(&error);
                tracing::warn!(tenant.id = %tenant.id, credential = %purpose, error, "a credential could not be looked at");
                return (Verdict::Undecided, false, CredentialDates::default());
            }
        };
        let seen = look::look(&self.renewer, tenant, purpose, self.look_limit).await;
        let dates = seen.dates.unwrap_or(dates_of(&look.known));
        // Nobody uses the credentials of an inactive tenant: what has happened to them is told when it is switched on.
        if tenant.active {
            look.told = self.tell(tenant, purpose, look.told.clone(), &seen, dates).await;
        }
        match self.store.end_look(&look, seen.outcome, seen.dates, self.clock.now()).await {
            Ok(Some(_)) => {}
            Ok(None) => {
                let credential = purpose.as_str();
                tracing::info!(tenant.id = %tenant.id, credential, "another run has taken over, and notes what it finds");
            }
            Err(error) => {
                let error = runtime::chain(&error);
                tracing::warn!(tenant.id = %tenant.id, credential = %purpose, error, "what was found could not be noted");
            }
        }
        (seen.verdict, seen.renewed, dates)
    }

    /// Tells people what is new, and gives what they have been told by then. Noted afterwards: where that fails, they are told again.
    async fn tell(&self, tenant: &Tenant, purpose: Purpose, before: Told, seen: &Seen, dates: CredentialDates) -> Told {
        let mut told = before;
        for news in news::news((tenant, purpose), &told.clone(), seen, dates, self.clock.now()) {
            match self.people.tell(news.subject, &news.text).await {
                Ok(()) => told = news.told.or(told),
                Err(error) => {
                    let error = runtime::chain(&error);
                    tracing::error!(
                        tenant.id = %tenant.id, credential = %purpose, error,
                        "nobody could be told of a credential: the next run tries again"
                    );
                }
            }
        }
        told
    }
}

fn dates_of(known: &CredentialState) -> CredentialDates {
    CredentialDates { refresh_token_obtained: known.refresh_token_obtained, proof_expires: known.proof_expires }
}
