//! `partner-alerts webhook`: where Partner Center sends a tenant's events, and what they are about.

mod address;
mod audit;
mod register;
mod show;
mod test;

use std::{io::Write, time::Duration};

use clap::{Args, Subcommand};
use models::{Tenant, TenantId};
use partner_center::{AuditError, AuditId, Diagnosis, MicrosoftError, Purpose};
use runtime::ConfigError;
use store::{ReadTenants as _, StoreError};

pub(crate) use show::Shown;

use crate::{
    account::{Account, AccountError},
    output::Output,
};

/// What can be done with a webhook registration.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lists the events that a tenant may register.
    #[command(
        after_help = "Example:\n  partner-alerts --stack partner-alerts webhook events 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10"
    )]
    Events {
        /// The tenant's id in Entra ID.
        tenant: TenantId,
    },
    /// Shows what a tenant has registered, and whether its events come here.
    #[command(
        after_help = "Example:\n  partner-alerts --stack partner-alerts webhook show 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10"
    )]
    Show {
        /// The tenant's id in Entra ID.
        tenant: TenantId,
    },
    /// Registers a tenant's callback address, in place of what was registered before.
    ///
    /// The address is the one that `tenants add` or `tenants set --new-path-key` said. It is read from standard input where it
    /// is `-`, so that its key stands in no history.
    #[command(
        after_help = "Examples:\n  partner-alerts --stack partner-alerts webhook register 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 --url -\n  \
                      partner-alerts --stack partner-alerts webhook register 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 --url - --dry-run"
    )]
    Register(Register),
    /// Has Microsoft send a test event, and follows it until it has arrived or was given up.
    ///
    /// Microsoft sends two a minute at most. Exit status 1 if it did not arrive.
    #[command(
        after_help = "Example:\n  partner-alerts --stack partner-alerts webhook test 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10"
    )]
    Test {
        /// The tenant's id in Entra ID.
        tenant: TenantId,
        /// Seconds between two looks.
        #[arg(long, default_value = "3", value_parser = clap::value_parser!(u64).range(0..=60))]
        every: u64,
        /// Seconds after which it is no longer followed; `webhook status` goes on.
        #[arg(long, default_value = "300", value_parser = clap::value_parser!(u64).range(1..=3600))]
        patience: u64,
    },
    /// Shows how a test event has fared. Microsoft forgets it after seven days.
    #[command(
        after_help = "Example:\n  partner-alerts --stack partner-alerts webhook status 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 0b0fbf0e-4d1b-4c8c-8b57-1f0a53ea4b1f"
    )]
    Status {
        /// The tenant's id in Entra ID.
        tenant: TenantId,
        /// The correlation id that `webhook test` said.
        correlation_id: String,
    },
    /// Shows the audit record that an event names: who did what, and when. Partner Center keeps it for 90 days.
    ///
    /// It holds personal data. Old and new values of what was changed are shown with `--json` only.
    #[command(
        after_help = "Example:\n  partner-alerts --stack partner-alerts webhook audit 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 \
                      9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10_4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3_updatecustomer_639080287298312247"
    )]
    Audit {
        /// The tenant's id in Entra ID.
        tenant: TenantId,
        /// The record's id, or the `AuditUri` of an event: of an address nothing is used but the id at its end.
        record: AuditId,
    },
}

/// A registration to be made.
#[derive(Debug, Args)]
pub struct Register {
    /// The tenant's id in Entra ID.
    tenant: TenantId,
    /// The callback address, or `-` to read it from standard input.
    #[arg(long)]
    url: String,
    /// An event to be sent; may come more than once. All that the tenant may register if there is none.
    #[arg(long = "event")]
    events: Vec<String>,
    /// Have the signature sent in `x-ms-signature`, for gateways that use `Authorization` themselves.
    #[arg(long)]
    ms_signature: bool,
    /// Take the place of an address that is not this deployment's: Partner Center knows one for each tenant, so that whoever
    /// listens there gets nothing more.
    #[arg(long)]
    replace: bool,
    /// Say what would be registered, and register nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Why a command can't do its work.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The account can't be worked on.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The audit record can't be had.
    #[error(transparent)]
    Audit(AuditError),
    /// Reading or writing failed.
    #[error("reading or writing failed")]
    Io(#[from] std::io::Error),
    /// Microsoft's side failed.
    #[error("Microsoft did not do it")]
    Microsoft(#[from] MicrosoftError),
    /// The test event did not arrive.
    #[error("the test event did not arrive")]
    NotArrived,
    /// Another program's address is registered.
    #[error(
        "{0} is registered, which is not this deployment's: whoever listens there would get nothing more. Take its place with --replace"
    )]
    Occupied(String),
    /// The address is not one of the tenant's here.
    #[error("{0}")]
    NotOurs(&'static str),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The tenant may not register an event.
    #[error("the tenant may not register the event {0}: `webhook events` lists those that it may")]
    UnknownEvent(String),
    /// There is no such tenant.
    #[error("there is no tenant {0}: `tenants list` shows which there are")]
    UnknownTenant(TenantId),
}

impl From<ConfigError> for WebhookError {
    fn from(error: ConfigError) -> Self {
        Self::Account(error.into())
    }
}

impl From<AuditError> for WebhookError {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Microsoft(error) => Self::Microsoft(error),
            error => Self::Audit(error),
        }
    }
}

impl WebhookError {
    /// What to do about it, where that is known.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Microsoft(error) => error.diagnosis().map(Diagnosis::what_to_do),
            _ => None,
        }
    }
}

impl Command {
    /// Does it.
    ///
    /// # Errors
    ///
    /// [`WebhookError`].
    pub async fn run(self, account: &Account, output: &mut Output<impl Write>) -> Result<(), WebhookError> {
        let tenant = find(account, self.tenant()).await?;
        let registrations = account.microsoft_for(Purpose::Read)?.registrations();
        match self {
            Self::Events { .. } => {
                let events = registrations.events(&tenant).await?;
                Ok(output.say(&events, |events| show::lines(events))?)
            }
            Self::Show { .. } => {
                let registered = registrations.registration(&tenant).await?;
                let shown = Shown::new(registered.as_ref(), &tenant, &account.callback_base_url()?);
                Ok(output.say(&shown, show::text_of)?)
            }
            Self::Register(register) => register::run(register, &tenant, &registrations, account, output).await,
            Self::Test { every, patience, .. } => {
                let (every, patience) = (Duration::from_secs(every), Duration::from_secs(patience));
                let base = account.callback_base_url()?;
                test::run(&tenant, &registrations, &base, test::Pace { every, patience }, output).await
            }
            Self::Status { correlation_id, .. } => {
                let event = test::shown(registrations.test_event(&tenant, &correlation_id).await?);
                Ok(output.say(&event, test::text_of)?)
            }
            Self::Audit { record, .. } => audit::run(&record, &tenant, account, output).await,
        }
    }

    fn tenant(&self) -> &TenantId {
        match self {
            Self::Events { tenant }
            | Self::Show { tenant }
            | Self::Test { tenant, .. }
            | Self::Status { tenant, .. }
            | Self::Audit { tenant, .. } => tenant,
            Self::Register(register) => &register.tenant,
        }
    }
}

async fn find(account: &Account, id: &TenantId) -> Result<Tenant, WebhookError> {
    let found = account.store()?.tenants().await?.into_iter().find(|tenant| tenant.id == *id);
    found.ok_or_else(|| WebhookError::UnknownTenant(id.clone()))
}
