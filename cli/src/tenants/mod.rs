//! `partner-alerts tenants`: which of the partner's tenants are looked after, and how.
//!
//! A tenant is an item of a table: adding, changing and removing one needs no deployment, and takes effect within a minute.

mod change;
mod consent;
mod credential;
mod show;

use std::{io::Write, path::PathBuf};

use clap::{Args, Subcommand};
use models::{Cloud, Tenant, TenantId};
use partner_center::{ConsentError, CredentialError, Diagnosis, Purpose, SecretError};
use runtime::{Clock as _, ConfigError, SystemClock};
use store::{ReadCredentials as _, ReadTenants as _, Store, StoreError};

use crate::{
    account::{Account, AccountError},
    output::Output,
};

pub use credential::{SignInArguments, Way};
pub use show::Shown;

/// What can be done with tenants.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Adds a tenant, checks at once what works, and says the callback address to register at Partner Center.
    ///
    /// With `--client-id` its read secret is made in Secrets Manager, and with `--consent` a person of the tenant signs in and
    /// consents; without both, the secret that is there is used. The callback address holds a key that can't be read back: keep it
    /// where you keep secrets. What is missing yet is said with what to do, and leaves the tenant added: `doctor` looks again.
    #[command(
        after_help = "Examples:\n  partner-alerts --stack partner-alerts tenants add 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 --name Contoso \
                      --client-id 11111111-2222-4333-8444-555555555555 --client-secret-file - --client-secret-expires 2027-05-01 --consent browser\n  \
                      partner-alerts --stack partner-alerts tenants add 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 --name Contoso --read-secret partner-alerts/read/contoso"
    )]
    Add(Add),
    /// Lists all tenants, and what was last found out about their secrets.
    #[command(after_help = "Example:\n  partner-alerts --stack partner-alerts tenants list")]
    List,
    /// Shows one tenant, and what was last found out about its secrets.
    #[command(
        after_help = "Example:\n  partner-alerts --stack partner-alerts tenants show 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10"
    )]
    Show {
        /// The tenant's id in Entra ID.
        id: TenantId,
    },
    /// Changes a tenant; what is not named stays.
    ///
    /// To change the path key without a gap: `--new-path-key`, register the address that it says, then `--drop-old-path-key`.
    #[command(
        after_help = "Examples:\n  partner-alerts --stack partner-alerts tenants set 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 --consent browser\n  partner-alerts --stack partner-alerts tenants set 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 --active false --dry-run\n  \
                      partner-alerts --stack partner-alerts tenants set 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 --new-path-key\n  \
                      partner-alerts --stack partner-alerts tenants set 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 --drop-old-path-key"
    )]
    Set(Set),
    /// Stops looking after a tenant. Its alerts and events stay where they are.
    #[command(
        after_help = "Examples:\n  partner-alerts --stack partner-alerts tenants remove 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 --dry-run\n  \
                      partner-alerts --stack partner-alerts tenants remove 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10"
    )]
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
    /// Name or ARN of the secret that can read alerts. Without it: partner-alerts/read/ and the tenant's id.
    #[arg(long, value_name = "NAME")]
    read_secret: Option<String>,
    /// Name or ARN of the secret that can resolve alerts.
    #[arg(long)]
    act_secret: Option<String>,
    /// Add it without looking after it yet.
    #[arg(long)]
    inactive: bool,
    /// Say what would be added, and add nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    sign_in: SignInArguments,
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
    /// Which of its two secrets the options of the sign-in are about.
    #[arg(long, value_name = "SECRET", default_value = "read", value_parser = purpose)]
    secret: Purpose,
    #[command(flatten)]
    sign_in: SignInArguments,
}

fn purpose(text: &str) -> Result<Purpose, &'static str> {
    Purpose::ALL.into_iter().find(|purpose| purpose.as_str() == text).ok_or("it should be read or act")
}

/// Why a command can't do its work.
#[derive(Debug, thiserror::Error)]
pub enum TenantsError {
    /// The account can't be worked on.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// Certificate or key can't be used.
    #[error("the certificate can't be used")]
    Certificate(#[source] SecretError),
    /// There is no consent.
    #[error(transparent)]
    Consent(#[from] ConsentError),
    /// Secrets Manager failed.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// There is such a tenant.
    #[error("there is a tenant {0} already: change it with `tenants set`")]
    Exists(TenantId),
    /// Saying it failed.
    #[error("writing failed")]
    Io(#[from] std::io::Error),
    /// A name is empty or holds what is no text.
    #[error("{0} must be a text of 1 to 200 characters")]
    Name(&'static str),
    /// The client secret is empty.
    #[error("there is no client secret in what --client-secret-file names")]
    NoClientSecret,
    /// There is no randomness.
    #[error("the machine has no randomness to make a path key of")]
    Randomness,
    /// The browser can't come back.
    #[error("the browser can't come back to port {port}: take another with --redirect-port, and register it")]
    RedirectPort {
        /// The port.
        port: u16,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// Somebody else wrote the secret.
    #[error(
        "somebody else wrote the {0} secret {1} at the same time, and what they wrote stays: look at it and try again"
    )]
    SecretChanged(Purpose, String),
    /// There is such a secret.
    #[error(
        "there is a secret {1} already: leave --client-id out to use it, or replace it with `tenants set` once the tenant is added"
    )]
    SecretExists(Purpose, String),
    /// There is no such secret.
    #[error("there is no secret {1} yet: say with --client-id and --client-secret-file what to put into it")]
    SecretMissing(Purpose, String),
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
    /// A file can't be read.
    #[error("{} can't be read", file.display())]
    Unreadable {
        /// The file; `-` for standard input.
        file: PathBuf,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
}

impl TenantsError {
    /// What to do about it, where that is known.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Consent(ConsentError::Microsoft(error)) => error.diagnosis().map(Diagnosis::what_to_do),
            _ => None,
        }
    }
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
                let (now, mut shown) = (SystemClock.now(), Vec::new());
                for tenant in &tenants {
                    shown.push(Shown::with_credentials(tenant, store.credentials(&tenant.id).await?, now));
                }
                Ok(output.say(&shown, |shown| show::table_of(shown))?)
            }
            Self::Show { id } => {
                let tenant = find(&store, &id).await?;
                let known = store.credentials(&tenant.id).await?;
                let shown = Shown::with_credentials(&tenant, known, SystemClock.now());
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
