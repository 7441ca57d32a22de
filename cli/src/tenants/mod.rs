//! `partner-alerts tenants`: which of the partner's tenants are looked after, and how.
//!
//! A tenant is an item of a table: adding, changing and removing one needs no deployment, and takes effect within a minute.

mod change;
mod show;

use std::io::Write;

use clap::{Args, Subcommand};
use models::{AlertSource, Cloud, Tenant, TenantId};
use runtime::ConfigError;
use store::{ReadTenants as _, Store, StoreError};

use crate::{
    account::{Account, AccountError},
    output::Output,
};

pub use show::Shown;

/// What can be done with tenants.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Adds a tenant, and says the callback address to register at Partner Center.
    ///
    /// Its read secret is made before, in Secrets Manager: docs/configuration.md says what is in it. The address holds a
    /// key that can't be read back: keep it where you keep secrets.
    ///
    /// Example: partner-alerts --stack partner-alerts tenants add 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10
    /// --name Contoso --read-secret partner-alerts/read/contoso
    Add(Add),
    /// Lists all tenants.
    List,
    /// Shows one tenant.
    Show {
        /// The tenant's id in Entra ID.
        id: TenantId,
    },
    /// Changes a tenant; what is not named stays.
    ///
    /// To change the path key without a gap: `--new-path-key`, register the address that it says, then `--drop-old-path-key`.
    Set(Set),
    /// Stops looking after a tenant. Its alerts and events stay where they are.
    Remove {
        /// The tenant's id in Entra ID.
        id: TenantId,
        /// Say what would be removed, and remove nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

/// A tenant to be added.
#[derive(Debug, Args)]
pub struct Add {
    /// The tenant's id in Entra ID.
    id: TenantId,
    /// A name for people.
    #[arg(long)]
    name: String,
    /// The cloud that it lives in: global, us-government-l4, us-government-l5 or china.
    #[arg(long, default_value = "global")]
    cloud: Cloud,
    /// Where its alerts are read from: graph, or fraud-events for Partner Center's older interface.
    #[arg(long, default_value = "graph")]
    alert_source: AlertSource,
    /// Name or ARN of the secret that can read alerts.
    #[arg(long)]
    read_secret: String,
    /// Name or ARN of the secret that can resolve alerts.
    #[arg(long)]
    act_secret: Option<String>,
    /// Add it without looking after it yet.
    #[arg(long)]
    inactive: bool,
    /// Say what would be added, and add nothing.
    #[arg(long)]
    dry_run: bool,
}

/// What changes of a tenant.
#[derive(Debug, Args)]
pub struct Set {
    /// The tenant's id in Entra ID.
    id: TenantId,
    /// A name for people.
    #[arg(long)]
    name: Option<String>,
    /// The cloud that it lives in: global, us-government-l4, us-government-l5 or china.
    #[arg(long)]
    cloud: Option<Cloud>,
    /// Where its alerts are read from: graph or fraud-events. The two have ids of their own: what is open comes a second time.
    #[arg(long)]
    alert_source: Option<AlertSource>,
    /// Name or ARN of the secret that can read alerts.
    #[arg(long)]
    read_secret: Option<String>,
    /// Name or ARN of the secret that can resolve alerts; empty for none.
    #[arg(long)]
    act_secret: Option<String>,
    /// Whether it is looked after.
    #[arg(long, action = clap::ArgAction::Set)]
    active: Option<bool>,
    /// Make a second path key, and say its callback address.
    #[arg(long, conflicts_with = "drop_old_path_key")]
    new_path_key: bool,
    /// Forget all path keys but the newest.
    #[arg(long)]
    drop_old_path_key: bool,
    /// Say what the tenant would be, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Why a command can't do its work.
#[derive(Debug, thiserror::Error)]
pub enum TenantsError {
    /// The account can't be worked on.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// There is such a tenant.
    #[error("there is a tenant {0} already: change it with `tenants set`")]
    Exists(TenantId),
    /// Saying it failed.
    #[error("writing failed")]
    Io(#[from] std::io::Error),
    /// A name is empty or holds what is no text.
    #[error("{0} must be a text of 1 to 200 characters")]
    Name(&'static str),
    /// There is no randomness.
    #[error("the machine has no randomness to make a path key of")]
    Randomness,
    /// Somebody changed it at the same time.
    #[error("somebody else changed the tenant {0} at the same time: look at it and try again")]
    SomebodyWasQuicker(TenantId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Two path keys are there.
    #[error("the tenant {0} has two path keys already: drop the old one first, with --drop-old-path-key")]
    TwoPathKeys(TenantId),
    /// There is no such tenant.
    #[error("there is no tenant {0}: `tenants list` shows which there are")]
    Unknown(TenantId),
}

impl From<ConfigError> for TenantsError {
    fn from(error: ConfigError) -> Self {
        Self::Account(error.into())
    }
}

impl Command {
    /// Does it.
    ///
    /// # Errors
    ///
    /// [`TenantsError`].
    pub async fn run(self, account: &Account, output: &mut Output<impl Write>) -> Result<(), TenantsError> {
        let store = account.store()?;
        match self {
            Self::Add(add) => change::add(add, &store, account, output).await,
            Self::List => {
                let mut tenants = store.tenants().await?;
                tenants.sort_by(|one, other| one.display_name.cmp(&other.display_name));
                let shown: Vec<_> = tenants.iter().map(Shown::from).collect();
                Ok(output.say(&shown, |shown| show::table_of(shown))?)
            }
            Self::Show { id } => {
                let shown = Shown::from(&find(&store, &id).await?);
                Ok(output.say(&shown, show::text_of)?)
            }
            Self::Set(set) => change::set(set, &store, account, output).await,
            Self::Remove { id, dry_run } => change::remove(&id, dry_run, &store, output).await,
        }
    }
}

async fn find(store: &Store, id: &TenantId) -> Result<Tenant, TenantsError> {
    let found = store.tenants().await?.into_iter().find(|tenant| tenant.id == *id);
    found.ok_or_else(|| TenantsError::Unknown(id.clone()))
}
