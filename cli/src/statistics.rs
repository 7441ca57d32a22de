//! `partner-alerts statistics`: whether the figures are what the alerts add up to.

use std::io::Write;

use clap::Subcommand;
use models::TenantId;
use runtime::ConfigError;
use serde::Serialize;
use store::{Drift, Recount as _, Recounted, StoreError};

use crate::{
    account::{Account, AccountError},
    output::{Output, table},
};

/// How often a tenant is counted at most while a run is at work.
const ATTEMPTS: usize = 3;

/// What can be done with statistics.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Counts the alerts anew and compares: each counter that is another is shown.
    ///
    /// Reads every alert. Exit status 1 where the figures differ, or could not be compared.
    #[command(after_help = "Examples:\n  partner-alerts --stack partner-alerts statistics recount\n  \
                      partner-alerts --stack partner-alerts statistics recount 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 --mend")]
    Recount {
        /// The tenant's id in Entra ID. Without it: all tenants.
        tenant: Option<TenantId>,
        /// Set what differs to what was counted.
        #[arg(long)]
        mend: bool,
    },
}

/// Why a command can't do its work.
#[derive(Debug, thiserror::Error)]
pub enum StatisticsError {
    /// The account can't be worked on.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// A variable is missing or malformed.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Saying it failed.
    #[error("writing failed")]
    Io(#[from] std::io::Error),
    /// The store failed.
    #[error("the tables could not be read or written")]
    Store(#[from] StoreError),
    /// There is no such tenant, and nothing is kept of one.
    #[error("there is no tenant {0}, and nothing is kept of one: `tenants list` shows those that there are")]
    Unknown(TenantId),
}

/// A tenant's figures, compared.
#[derive(Debug, Serialize)]
struct Shown {
    tenant: TenantId,
    /// `ok`, `drift`, `mended`, `moving` (a run was at work), or `unknown` (alerts that can't be read).
    state: &'static str,
    alerts: usize,
    unreadable_alerts: usize,
    drift: Vec<ShownDrift>,
}

#[derive(Debug, Serialize)]
struct ShownDrift {
    item: String,
    counter: String,
    /// None where that is no whole number.
    kept: Option<i64>,
    counted: i64,
}

impl Command {
    /// Does it. Says whether something is wrong still.
    ///
    /// # Errors
    ///
    /// [`StatisticsError`].
    pub async fn run(self, account: &Account, output: &mut Output<impl Write>) -> Result<bool, StatisticsError> {
        let Self::Recount { tenant, mend } = self;
        let store = account.store_with_alerts()?;
        let configured = store.tenants_with_unreadable().await?.readable.into_iter().map(|tenant| tenant.id);
        let configured: Vec<TenantId> = configured.collect();
        let named = tenant.as_ref().filter(|tenant| !configured.contains(tenant)).cloned();
        let tenants = tenant.map_or(configured, |tenant| vec![tenant]);
        let mut shown = Vec::new();
        for tenant in tenants {
            let mut counted = store.recount(&tenant).await?;
            for _ in 1..ATTEMPTS {
                if !counted.is_moving {
                    break;
                }
                counted = store.recount(&tenant).await?;
            }
            // One that was removed has left its alerts and figures.
            if named.is_some() && counted == Recounted::default() {
                return Err(StatisticsError::Unknown(tenant));
            }
            let mended = mend && state(&counted) == "drift" && store.mend(&tenant, &counted.drift).await?;
            shown.push(Shown::new(tenant, counted, mended));
        }
        output.say(&shown, |shown| text_of(shown))?;
        Ok(shown.iter().any(|shown| !matches!(shown.state, "ok" | "mended")))
    }
}

fn state(counted: &Recounted) -> &'static str {
    match counted {
        Recounted { broken: 1.., .. } => "unknown",
        Recounted { drift, .. } if drift.is_empty() => "ok",
        Recounted { is_moving: true, .. } => "moving",
        Recounted { .. } => "drift",
    }
}

impl Shown {
    fn new(tenant: TenantId, counted: Recounted, mended: bool) -> Self {
        let state = if mended { "mended" } else { state(&counted) };
        let Recounted { alerts, broken, drift, .. } = counted;
        let of = |Drift { item, counter, kept, counted, .. }| ShownDrift { item, counter, kept, counted };
        let drift = drift.into_iter().map(of);
        Self { tenant, state, alerts, unreadable_alerts: broken, drift: drift.collect() }
    }

    fn words(&self) -> String {
        let Self { tenant, alerts, unreadable_alerts, .. } = self;
        match self.state {
            "ok" => format!("{tenant}: the figures are what {alerts} alerts add up to"),
            "mended" => format!("{tenant}: the figures were not what {alerts} alerts add up to, and are so now"),
            "moving" => format!("{tenant}: a run is at work, and the figures move: try again"),
            "unknown" => format!(
                "{tenant}: {unreadable_alerts} alerts are not kept as they should be, so that the figures can't be compared; the log of \
                 poll names them: mend their items first"
            ),
            _ => format!("{tenant}: the figures are not what {alerts} alerts add up to; --mend sets them to it"),
        }
    }
}

fn text_of(shown: &[Shown]) -> String {
    let tenants: Vec<String> = shown.iter().map(Shown::words).collect();
    let row = |shown: &Shown, drift: &ShownDrift| {
        let ShownDrift { item, counter, kept, counted } = drift;
        let kept = kept.map_or("no number".to_owned(), |kept| kept.to_string());
        vec![shown.tenant.to_string(), item.clone(), counter.clone(), kept, counted.to_string()]
    };
    let rows: Vec<_> = shown.iter().flat_map(|shown| shown.drift.iter().map(|drift| row(shown, drift))).collect();
    if rows.is_empty() {
        return tenants.join("\n");
    }
    let drift = table(&["tenant", "item", "counter", "kept", "counted"], rows);
    format!("{}\n\n{drift}", tenants.join("\n"))
}
