//! `partner-alerts alerts`: alerts with all that is known of them, for spreadsheets and programs.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::{Args, Subcommand, ValueEnum};
use exports::{Export as Walk, ExportError, Format, What};
use jiff::Timestamp;
use models::{
    AlertState, AlertType, CustomerId, ObjectId, ResolvedReason, Severity, Status, SubscriptionId, Tenant, TenantId,
};
use runtime::{Clock as _, ConfigError, SystemClock};
use serde::Serialize;
use store::{ListAssignee, ListFilter, ListMoment, ListOf, ListQuery, ReadTenants as _, Store, StoreError};
use tempfile::NamedTempFile;

use crate::{
    account::{Account, AccountError},
    output::Output,
};

/// What can be done with alerts.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Writes alerts with all that is known of them, as CSV or JSON, however many there are.
    ///
    /// The filters are those of the dashboard; without any it is all that is open. Alerts come tenant by tenant, in the order of their detection, each
    /// once, as it was read. They hold personal data: who looks after an alert, who resolved it, and notes.
    ///
    /// Exit status 1 where alerts can't be read and are missing.
    #[command(after_help = "Examples:\n  partner-alerts --stack partner-alerts alerts export --output alerts.csv\n  \
                      partner-alerts --stack partner-alerts alerts export --state all --format json > alerts.json\n  \
                      partner-alerts --stack partner-alerts alerts export --tenant 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 --state resolved --reason fraud --since 2026-03-01T00:00:00Z\n  \
                      partner-alerts --stack partner-alerts alerts export --severity high,medium --assignee nobody --test false")]
    Export(Box<Export>),
}

/// Which alerts are written, and how.
#[derive(Debug, Args)]
pub struct Export {
    /// Only of these tenants, by their ids in Entra ID, with commas between. Without it: all tenants.
    #[arg(long, value_name = "TENANT", value_delimiter = ',')]
    tenant: Vec<TenantId>,
    /// Whether they need somebody.
    #[arg(long, value_enum, default_value_t = State::Open)]
    state: State,
    /// Only of this customer.
    #[arg(long, conflicts_with = "subscription")]
    customer: Option<CustomerId>,
    /// Only of this Azure subscription.
    #[arg(long)]
    subscription: Option<SubscriptionId>,
    /// Only whose moment is not before this one (RFC 3339).
    #[arg(long, value_name = "MOMENT")]
    since: Option<Timestamp>,
    /// Only whose moment is not behind this one (RFC 3339).
    #[arg(long, value_name = "MOMENT")]
    until: Option<Timestamp>,
    /// Which moment `--since` and `--until` are about.
    #[arg(long, value_enum, default_value_t = By::LastObserved)]
    by: By,
    /// Only of these severities: informational, low, medium, high, with commas between.
    #[arg(long, value_delimiter = ',')]
    severity: Vec<String>,
    /// Only of these statuses: active, investigating, resolved, with commas between.
    #[arg(long, value_delimiter = ',')]
    status: Vec<String>,
    /// Only of these exact kinds as Microsoft names them, with commas between.
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    types: Vec<String>,
    /// Only resolved for these reasons: fraud, legitimate, ignore, with commas between.
    #[arg(long, value_delimiter = ',')]
    reason: Vec<String>,
    /// Only what this person looks after, by object id in Entra ID, or `nobody`.
    #[arg(long, value_name = "OBJECT_ID")]
    assignee: Option<Assignee>,
    /// Only what is set aside at this moment (true), or what is not (false).
    #[arg(long)]
    snoozed: Option<bool>,
    /// Only simulated alerts (true), or real ones (false).
    #[arg(long)]
    test: Option<bool>,
    /// How they are written: csv, or json. Without it: csv, or json with `--json`.
    #[arg(long)]
    format: Option<Format>,
    /// The file that they are written to, as a whole or not at all. Without it: standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Whether alerts need somebody.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum State {
    Open,
    Resolved,
    All,
}

/// A moment of an alert.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    FirstObserved,
    LastObserved,
}

/// Who looks after an alert.
#[derive(Clone, Debug)]
struct Assignee(ListAssignee);

impl FromStr for Assignee {
    type Err = models::IdError;

    fn from_str(text: &str) -> Result<Self, models::IdError> {
        Ok(Self(if text == "nobody" { ListAssignee::Nobody } else { ListAssignee::Person(text.parse::<ObjectId>()?) }))
    }
}

/// Why a command can't do its work.
#[derive(Debug, thiserror::Error)]
pub enum AlertsError {
    /// The account can't be worked on.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// A variable is missing or malformed.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The export broke off.
    #[error("the export broke off: what was written is not all of it")]
    Export(#[from] ExportError),
    /// The file can't be written.
    #[error("the file {} could not be written", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// What was written is not all.
    #[error(
        "{0} alerts can't be read and are missing; all others were written. The log of `poll` names them: mend their items"
    )]
    Incomplete(usize),
    /// Saying it failed.
    #[error("writing failed")]
    Io(#[from] io::Error),
    /// The store failed.
    #[error("the tables could not be read")]
    Store(#[from] StoreError),
    /// There is no such tenant.
    #[error("there is no tenant {0}: `tenants list` shows those that there are")]
    Unknown(TenantId),
}

/// What was written to a file.
#[derive(Debug, Serialize)]
struct Told<'a> {
    file: &'a Path,
    alerts: usize,
    unreadable_alerts: usize,
}

impl Command {
    /// Does it: alerts go to `out` where no file is named.
    ///
    /// # Errors
    ///
    /// [`AlertsError`].
    pub async fn run(
        self,
        account: &Account,
        mut out: impl Write,
        output: &mut Output<impl Write>,
    ) -> Result<(), AlertsError> {
        let Self::Export(wanted) = self;
        let store = account.store_with_alerts()?;
        let tenants = wanted.tenants(&store).await?;
        let now = SystemClock.now();
        let format = wanted.format.unwrap_or(if output.is_for_people() { Format::Csv } else { Format::Json });
        let mut walk = Walk::new(store, tenants, What::Of(Box::new(wanted.query(now))), format, now);
        if let Some(path) = &wanted.output {
            write_file(&mut walk, path).await?;
            let told = Told { file: path, alerts: walk.rows(), unreadable_alerts: walk.unreadable() };
            output.say(&told, |told| format!("{} alerts are written to {}", told.alerts, path.display()))?;
        } else {
            write(&mut walk, &mut out).await?;
        }
        match walk.unreadable() {
            0 => Ok(()),
            unreadable => Err(AlertsError::Incomplete(unreadable)),
        }
    }
}

impl Export {
    async fn tenants(&self, store: &Store) -> Result<Vec<Tenant>, AlertsError> {
        let all = store.tenants().await?;
        if let Some(unknown) = self.tenant.iter().find(|id| all.iter().all(|tenant| tenant.id != **id)) {
            return Err(AlertsError::Unknown(unknown.clone()));
        }
        Ok(all.into_iter().filter(|tenant| self.tenant.is_empty() || self.tenant.contains(&tenant.id)).collect())
    }

    fn query(&self, now: Timestamp) -> ListQuery {
        let state = match self.state {
            State::Open => Some(AlertState::Open),
            State::Resolved => Some(AlertState::Resolved),
            State::All => None,
        };
        let by_state = state.map_or(ListOf::All, ListOf::State);
        let subject = self.customer.clone().map(ListOf::Customer);
        let subject = subject.or_else(|| self.subscription.clone().map(ListOf::Subscription));
        let filter = ListFilter {
            assignee: self.assignee.clone().map(|Assignee(assignee)| assignee),
            reasons: self.reason.iter().map(|name| ResolvedReason::from(name.as_str())).collect(),
            severities: self.severity.iter().map(|name| Severity::from(name.as_str())).collect(),
            snoozed: self.snoozed.map(|wanted| (wanted, now)),
            state,
            statuses: self.status.iter().map(|name| Status::from(name.as_str())).collect(),
            test: self.test,
            types: self.types.iter().map(|name| AlertType::named(name).0).collect(),
        };
        let by = match self.by {
            By::FirstObserved => ListMoment::FirstObserved,
            By::LastObserved => ListMoment::LastObserved,
        };
        let of = subject.unwrap_or(by_state);
        ListQuery { of, by, newest_first: false, since: self.since, until: self.until, filter }
    }
}

/// Writes all of it.
async fn write(walk: &mut Walk<Store>, out: &mut impl Write) -> Result<(), AlertsError> {
    while let Some(part) = walk.next().await? {
        out.write_all(&part)?;
    }
    Ok(out.flush()?)
}

/// The same to a file, which is there whole or not at all. It is its owner's alone: alerts hold personal data.
async fn write_file(walk: &mut Walk<Store>, path: &Path) -> Result<(), AlertsError> {
    let failed = |error| AlertsError::File(path.to_owned(), error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder).map_err(failed)?;
    write(walk, &mut file).await.map_err(|error| match error {
        AlertsError::Io(error) => failed(error),
        error => error,
    })?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
