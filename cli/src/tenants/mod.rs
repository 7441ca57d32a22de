//! `partner-alerts tenants`: which of the partner's tenants are looked after, and how.
//!
//! A tenant is an item of a table: adding, changing and removing one needs no deployment, and takes effect within a minute.

mod arguments;
mod change;
mod consent;
mod error;
mod keep;
mod path_keys;
mod proof;
mod show;
mod sign_in;

use std::io::Write;

use clap::Subcommand;
use models::{Tenant, TenantId};
use runtime::{Clock as _, SystemClock};
use store::{AllTenants, ReadCredentials as _, ReadLastRuns as _, Store};

use crate::{account::Account, output::Output};

pub use arguments::{Add, Set, WhichKey};
pub use error::TenantsError;
pub use show::{Listed, Shown};
pub use sign_in::{SignInArguments, Way};

/// What can be done with tenants.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Adds a tenant, checks at once what works, and says the callback address to register at Partner Center.
    ///
    /// With `--client-id` its read secret is made in Secrets Manager, and with `--consent` a person of the tenant signs in and
    /// consents; without both, the secret that is there is used. The callback address holds a key that can't be read back: keep it
    /// where you keep secrets.
    ///
    /// First it is looked at what works. A secret that does not sign in to Partner Center, or to Graph where alerts come from there, adds
    /// and writes nothing, without `--anyway`; nor does trouble on Microsoft's side. What else is missing, as a webhook registration, is said with what to do, and
    /// leaves the tenant added: `doctor` looks again.
    ///
    /// Exit status: 0 added, 1 nothing was added.
    #[command(
        after_help = "Examples:\n  partner-alerts --stack partner-alerts tenants add 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 --name Contoso \
                      --client-id 11111111-2222-4333-8444-555555555555 --client-secret-file - --client-secret-expires 2027-05-01 --consent browser\n  \
                      partner-alerts --stack partner-alerts tenants add 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 --name Contoso --read-secret partner-alerts/read/contoso"
    )]
    Add(Add),
    /// Lists all tenants: when each was last read in full, and what was last found out about its secrets.
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
    /// With `--client-id` the proof in its secret is replaced, and a refresh token of the same application stays; with `--consent` the
    /// refresh token is. Neither is written before it is proven: where a sign-in does not work, or something that worked before would no
    /// longer, nothing is changed without `--anyway`. What was there before stays as the version AWSPREVIOUS. Another `--alert-source` is
    /// tried first, too: where the read secret can't list alerts by it, nothing is changed.
    ///
    /// To change the path key without a gap: `--new-path-key`, register the address that it says, then
    /// `--drop-path-key oldest`; where the new address was lost, `--drop-path-key newest` takes it back.
    #[command(
        after_help = "Examples:\n  partner-alerts --stack partner-alerts tenants set 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 --consent browser\n  \
                      partner-alerts --stack partner-alerts tenants set 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 \
                      --client-id 11111111-2222-4333-8444-555555555555 --client-secret-file - --client-secret-expires 2027-05-01\n  \
                      partner-alerts --stack partner-alerts tenants set 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 --secret act \
                      --client-id 11111111-2222-4333-8444-555555555555 --certificate-file act.pem --private-key-file act.key\n  partner-alerts --stack partner-alerts tenants set 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 --active false --dry-run\n  \
                      partner-alerts --stack partner-alerts tenants set 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 --new-path-key\n  \
                      partner-alerts --stack partner-alerts tenants set 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 --drop-path-key oldest"
    )]
    Set(Set),
    /// Stops looking after a tenant. Its alerts and events, its secrets and its registration at Partner Center stay where they are.
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

impl Command {
    /// What clap can't see.
    ///
    /// # Errors
    ///
    /// What can't be meant.
    pub fn check(&self) -> Result<(), clap::Error> {
        match self {
            Self::Add(add) => add.sign_in.check(),
            Self::Set(set) => set.sign_in.check(),
            Self::List | Self::Show { .. } | Self::Remove { .. } => Ok(()),
        }
    }

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
                let AllTenants { readable: mut tenants, unreadable } = store.tenants_with_unreadable().await?;
                tenants.sort_by(|one, other| one.display_name.cmp(&other.display_name));
                let (now, mut shown) = (SystemClock.now(), Vec::new());
                for tenant in &tenants {
                    let known = store.credentials(&tenant.id).await?;
                    let runs = store.last_runs(&tenant.id).await?;
                    shown.push(Listed::Readable(Shown::with_credentials(tenant, known, now).with_runs(runs)));
                }
                shown.extend(unreadable.into_iter().map(|(id, unreadable)| Listed::Unreadable { id, unreadable }));
                Ok(output.say(&shown, |shown| show::table_of(shown))?)
            }
            Self::Show { id } => {
                let tenant = find(&store, &id).await?;
                let known = store.credentials(&tenant.id).await?;
                let shown = Shown::with_credentials(&tenant, known, SystemClock.now());
                let shown = shown.with_runs(store.last_runs(&tenant.id).await?);
                Ok(output.say(&shown, show::text_of)?)
            }
            Self::Set(set) => change::set(set, &store, account, output).await,
            Self::Remove { id, dry_run } => change::remove(&id, dry_run, &store, output).await,
        }
    }
}

async fn find(store: &Store, id: &TenantId) -> Result<Tenant, TenantsError> {
    let all = store.tenants_with_unreadable().await?;
    if let Some((_, reason)) = all.unreadable.into_iter().find(|(unreadable, _)| unreadable == id.as_str()) {
        return Err(TenantsError::UnreadableItem { id: id.clone(), reason });
    }
    let found = all.readable.into_iter().find(|tenant| tenant.id == *id);
    found.ok_or_else(|| TenantsError::Unknown(id.clone()))
}
