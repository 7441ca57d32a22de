//! `partner-alerts doctor`: what is wrong, and what to do.
//!
//! Promises: it changes nothing; the checks run side by side, and one that fails or hangs hides no other; what can't be seen is said
//! to be unknown, with what it takes to see it. Each check is a module, and knows its own part alone.

mod certificates;
mod checks;
mod clock;
mod configuration;
mod expiry;
mod finding;
mod people;
mod queues;
mod refused;
mod report;
mod schedules;
mod tables;
pub mod tenant;
mod tenants;
mod topics;

use std::io::{self, IsTerminal as _, Write};

use clap::Args;
use models::TenantId;

use crate::{
    account::{Account, AccountError},
    output::Output,
};
use checks::Checks;
use finding::Subject;
use report::Report;

pub use finding::{Finding, State};

/// What is looked at.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  partner-alerts --stack partner-alerts doctor\n  \
                  partner-alerts --stack partner-alerts doctor --tenant 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10\n  \
                  partner-alerts --stack partner-alerts --json doctor")]
pub struct Command {
    /// Look at this tenant alone, beside what all have in common.
    #[arg(long)]
    tenant: Option<TenantId>,
}

/// Why nothing could be looked at.
#[derive(Debug, thiserror::Error)]
pub enum DoctorError {
    /// This machine's own configuration can't be used.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// Saying it failed.
    #[error("writing failed")]
    Io(#[from] io::Error),
}

/// Findings as lines for people.
#[must_use]
pub fn lines(findings: &[Finding]) -> String {
    Report::lines(findings)
}

impl Command {
    /// Does it, and says whether something is wrong.
    ///
    /// # Errors
    ///
    /// [`DoctorError`].
    pub async fn run(self, stack: Option<&str>, output: &mut Output<impl Write>) -> Result<bool, DoctorError> {
        let account = Account::of_process().await?;
        let (account, mut findings) = configuration::check(account, stack).await;
        let (tenants, unfound) = tenants::wanted(&account, self.tenant.as_ref()).await;
        let clouds = tenants.iter().filter(|tenant| tenant.active).map(|tenant| tenant.cloud).collect();

        let mut checks = Checks::new(output.is_for_people() && io::stderr().is_terminal());
        checks.add(Subject::new("tables", "tables"), tables::check(account.clone()));
        checks.add(Subject::new("topics", "topics"), topics::check(account.clone()));
        checks.add(Subject::new("schedules", "schedules"), schedules::check(account.clone(), stack.map(str::to_owned)));
        checks.add(Subject::new("queues", "queues"), queues::check(account.clone()));
        checks.add(Subject::new("people", "client secret"), people::check(account.clone()));
        checks.add(Subject::new("certificates", "certificates"), certificates::check(account.clone()));
        checks.add(Subject::new("clock", "clock"), clock::check(account.clone(), clouds));
        for tenant in tenants {
            let (subject, account) = (Subject::of_tenant(&tenant.id, "tenant"), account.clone());
            checks.add(subject, async move { Box::pin(tenant::check(&account, &tenant)).await });
        }
        findings.extend(checks.all().await);
        findings.extend(unfound);
        let report = Report::new(findings);
        output.say(&report, Report::text)?;
        Ok(report.fails())
    }
}
