//! `partner-alerts activity`: what people did, and whether the log of it is as it was written.

mod chains;

use std::io::Write;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use models::{ActivityLine, Actor, AlertId, Chain, ObjectId, TenantId};
use runtime::ConfigError;
use serde::Serialize;
use serde_json::Value;
use store::{ReadActivity as _, ReadTenants as _, Store, StoreError};

use crate::{
    account::{Account, AccountError},
    output::{Output, table},
};

/// What can be done with the activity log.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows what was done about an alert, or about a tenant as a whole, line by line.
    ///
    /// What was done about subscriptions and saved views is about a tenant as a whole. The lines name who did something, and what they wrote.
    #[command(
        after_help = "Examples:\n  partner-alerts --stack partner-alerts activity show --alert 8ab0d1c2-7e11-4c57-9f0e-3b1d2c4a5e6f\n  \
                      partner-alerts --stack partner-alerts activity show --tenant 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10\n  \
                      partner-alerts --stack partner-alerts activity show --tenant 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 --person 77777777-2222-4333-8444-555555555555 --since 2026-03-02T00:00:00Z\n  \
                      partner-alerts --stack partner-alerts --json activity show --tenant 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 --alert 8ab0d1c2-7e11-4c57-9f0e-3b1d2c4a5e6f"
    )]
    Show {
        /// The alert. Without it: what is about the tenant as a whole.
        #[arg(long, required_unless_present = "tenant")]
        alert: Option<AlertId>,
        /// The tenant's id in Entra ID. Without it: whichever tenant has lines about the alert.
        #[arg(long)]
        tenant: Option<TenantId>,
        /// Which of its lines.
        #[command(flatten)]
        wanted: Wanted,
    },
    /// Checks that the activity log is as it was written: no line changed, missing, added or cut off.
    ///
    /// Reads every line, and looks at every alert. What it says of each chain, its number of lines and the hash of the last, is worth keeping elsewhere:
    /// whoever could rewrite all lines of a chain and what says how it ends is found by that alone.
    ///
    /// Exit status 1 where a chain is not as it was written.
    #[command(after_help = "Examples:\n  partner-alerts --stack partner-alerts activity verify\n  \
                      partner-alerts --stack partner-alerts --json activity verify --tenant 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10")]
    Verify {
        /// The tenant's id in Entra ID. Without it: all tenants.
        #[arg(long)]
        tenant: Option<TenantId>,
        /// One alert alone.
        #[arg(long)]
        alert: Option<AlertId>,
    },
}

/// Which lines are shown. One that can't be read is shown all the same: nobody can say whose it is.
#[derive(Debug, Default, Args)]
pub struct Wanted {
    /// Only what this person or program did, by object id in Entra ID.
    #[arg(long, value_name = "OBJECT_ID")]
    person: Option<ObjectId>,
    /// Only what was done from this moment on (RFC 3339).
    #[arg(long, value_name = "MOMENT")]
    since: Option<Timestamp>,
    /// Only what was done before this moment (RFC 3339).
    #[arg(long, value_name = "MOMENT")]
    until: Option<Timestamp>,
}

impl Wanted {
    fn is_met_by(&self, line: &ActivityLine) -> bool {
        let who = match &line.entry.actor {
            Actor::Application { id, .. } => Some(id),
            Actor::Person(person) => Some(&person.id),
            Actor::System | Actor::Unknown => None,
        };
        let at = line.entry.at;
        self.person.as_ref().is_none_or(|person| who == Some(person))
            && self.since.is_none_or(|since| at >= since)
            && self.until.is_none_or(|until| at < until)
    }
}

/// Why a command can't do its work.
#[derive(Debug, thiserror::Error)]
pub enum ActivityError {
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
    #[error("the tables could not be read")]
    Store(#[from] StoreError),
    /// Nothing is kept of it.
    #[error(
        "there is no activity about the alert {0}: `--tenant` and `--alert` have to be exact, and what Microsoft recorded is not in this log"
    )]
    Unknown(AlertId),
    /// Nothing is kept of the tenant as a whole.
    #[error("there is no such tenant, and no activity of one: `--tenant` has to be exact")]
    UnknownTenant,
}

/// A line, as it is shown.
#[derive(Debug, Serialize)]
struct Shown {
    tenant: TenantId,
    number: Option<u64>,
    hash: String,
    /// The line itself; its text where it is no JSON.
    line: Value,
    #[serde(skip)]
    read: Option<ActivityLine>,
}

impl Command {
    /// Does it. Says whether something is wrong.
    ///
    /// # Errors
    ///
    /// [`ActivityError`].
    pub async fn run(self, account: &Account, output: &mut Output<impl Write>) -> Result<bool, ActivityError> {
        let store = account.store_with_activity()?;
        match self {
            Self::Show { alert, tenant, wanted } => show(&store, tenant, alert, &wanted, output).await,
            Self::Verify { tenant, alert } => chains::verify(&store, tenant, alert, output).await,
        }
    }
}

/// These tenants: the one that is named, or all.
async fn tenants(store: &Store, named: Option<TenantId>) -> Result<Vec<TenantId>, StoreError> {
    match named {
        Some(tenant) => Ok(vec![tenant]),
        None => Ok(store.tenants().await?.into_iter().map(|tenant| tenant.id).collect()),
    }
}

async fn show(
    store: &Store,
    tenant: Option<TenantId>,
    alert: Option<AlertId>,
    wanted: &Wanted,
    output: &mut Output<impl Write>,
) -> Result<bool, ActivityError> {
    let mut shown = Vec::new();
    for tenant in tenants(store, tenant.clone()).await? {
        let chain = Chain { tenant: tenant.clone(), alert: alert.clone() };
        for line in store.kept_chain(&chain).await?.lines {
            let text = || Value::String(line.text.clone());
            shown.push(Shown {
                tenant: tenant.clone(),
                number: line.number,
                line: serde_json::from_str(&line.text).unwrap_or_else(|_| text()),
                read: line.read().ok(),
                hash: line.hash,
            });
        }
    }
    if shown.is_empty() {
        if let Some(alert) = alert {
            return Err(ActivityError::Unknown(alert));
        }
        if !store.tenants().await?.iter().any(|known| Some(&known.id) == tenant.as_ref()) {
            return Err(ActivityError::UnknownTenant);
        }
        output.say(&shown, |_| "Nothing was done about the tenant as a whole.\n".to_owned())?;
        return Ok(false);
    }
    shown.retain(|line| line.read.as_ref().is_none_or(|line| wanted.is_met_by(line)));
    let none = "Nothing of what was done fits --person, --since and --until.\n";
    output.say(&shown, |shown| if shown.is_empty() { none.to_owned() } else { text_of(shown) })?;
    Ok(false)
}

fn text_of(shown: &[Shown]) -> String {
    let row = |shown: &Shown| {
        let number = shown.number.map_or_else(|| "?".to_owned(), |number| number.to_string());
        let said = |member: &str| shown.line.get(member).map(words).unwrap_or_default();
        let at = shown.read.as_ref().map(|line| line.entry.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
        let standing = |member: &str| shown.line.pointer(&format!("/{member}/status")).map(words);
        let way = match (standing("from"), standing("to")) {
            (None, None) => String::new(),
            (from, to) => format!("{} -> {}", from.unwrap_or_default(), to.unwrap_or_default()),
        };
        let why = shown.line.pointer("/to/reason").map(words).unwrap_or_default();
        vec![number, at.unwrap_or_default(), said("actor"), said("act"), way, why, said("note")]
    };
    table(&["line", "when", "who", "what", "status", "reason", "note"], shown.iter().map(row))
}

/// A member of a line in words: a person by name, an act by its kind and what belongs to it.
fn words(value: &Value) -> String {
    let member = |name: &str| value.get(name).and_then(Value::as_str);
    match value {
        Value::String(text) => text.clone(),
        Value::Object(members) => match member("kind").unwrap_or_default() {
            "" | "person" => member("name").unwrap_or_default().to_owned(),
            "application" => format!("application {}", member("id").unwrap_or_default()),
            kind => {
                let others = members.iter().filter(|(name, _)| *name != "kind").map(|(_, value)| words(value));
                std::iter::once(kind.replace('_', " ")).chain(others).collect::<Vec<_>>().join(" ")
            }
        },
        other => other.to_string(),
    }
}
