//! `partner-alerts sessions`: who is signed in by a browser, and how that ends from outside.
//!
//! A session keeps what Entra ID said of somebody when they signed in, for eight hours at most. Whoever has lost an account, or has to lose a role, is out
//! only when their sessions are: take the role away at Entra ID first, or they begin another.

use std::io::Write;

use clap::{ArgGroup, Args, Subcommand};
use jiff::Timestamp;
use models::{ObjectId, TenantId};
use runtime::{Clock as _, ConfigError, SystemClock};
use serde::Serialize;
use store::{EndSessions as _, KeptSession, StoreError};

use crate::{
    account::Account,
    output::{Output, table},
};

/// What can be done with sessions.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Ends sessions: whoever holds them has to sign in again.
    ///
    /// Take the role away at Entra ID first: a session that begins after this is not ended by it. A program's access token is none, and is good until its
    /// own end, about an hour.
    #[command(
        after_help = "Examples:\n  partner-alerts --stack partner-alerts sessions end --person 77777777-2222-4333-8444-555555555555\n  \
                      partner-alerts --stack partner-alerts sessions end --all --dry-run"
    )]
    End(End),
    /// Who is signed in by a browser, by object id and tenant, the latest first.
    #[command(after_help = "Examples:\n  partner-alerts --stack partner-alerts sessions list")]
    List,
}

/// Which sessions are to end.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("whose").required(true).args(["person", "all"])))]
pub struct End {
    /// The person's object id in Entra ID.
    #[arg(long, value_name = "OBJECT_ID")]
    person: Option<ObjectId>,
    /// Only sessions of this tenant, where the person signed in to several.
    #[arg(long, requires = "person")]
    tenant: Option<TenantId>,
    /// Everybody's, and those that can't be read.
    #[arg(long)]
    all: bool,
    /// Say which would end, and end none.
    #[arg(long)]
    dry_run: bool,
}

/// Why a command can't do its work.
#[derive(Debug, thiserror::Error)]
pub enum SessionsError {
    /// A variable is missing or malformed.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Saying it failed.
    #[error("writing failed")]
    Io(#[from] std::io::Error),
    /// The store failed before anything was ended.
    #[error("the sessions could not be read")]
    NotRead(#[source] StoreError),
    /// The store failed between two of them.
    #[error("{ended} of {all} sessions have ended, and the next one could not be: run the command again")]
    NotEnded {
        /// How many have.
        ended: usize,
        /// How many should have.
        all: usize,
        /// What the store said.
        #[source]
        source: StoreError,
    },
}

/// A session, without what it is kept under and without the person's name.
#[derive(Debug, Serialize)]
struct Shown {
    /// None, as the rest, where it can't be read.
    person: Option<ObjectId>,
    tenant: Option<TenantId>,
    begun: Option<Timestamp>,
    last_used: Option<Timestamp>,
    /// Whether it lets somebody in still: what has run out is deleted late.
    alive: bool,
}

#[derive(Debug, Serialize)]
struct Ended {
    dry_run: bool,
    sessions: Vec<Shown>,
}

impl Command {
    /// Does it.
    ///
    /// # Errors
    ///
    /// [`SessionsError`].
    pub async fn run(self, account: &Account, output: &mut Output<impl Write>) -> Result<(), SessionsError> {
        let store = account.store_with_sessions()?;
        let now = SystemClock.now();
        let mut sessions = store.sessions().await.map_err(SessionsError::NotRead)?;
        sessions.sort_by_key(|kept| std::cmp::Reverse(kept.session.as_ref().map(|session| session.begun)));
        let shown = |kept: &KeptSession| Shown::of(kept, now);
        let Self::End(end) = self else {
            let shown: Vec<_> = sessions.iter().map(shown).collect();
            return Ok(output.say(&shown, |shown| listed(shown, "Nobody is signed in by a browser."))?);
        };
        sessions.retain(|kept| end.means(kept));
        if !end.dry_run {
            for (ended, session) in sessions.iter().enumerate() {
                let failed = |source| SessionsError::NotEnded { ended, all: sessions.len(), source };
                store.end_session(session).await.map_err(failed)?;
            }
        }
        let ended = Ended { dry_run: end.dry_run, sessions: sessions.iter().map(shown).collect() };
        Ok(output.say(&ended, |Ended { dry_run, sessions }| {
            let head = if *dry_run { "Would end (--dry-run):" } else { "Ended:" };
            let none = "There is no such session.";
            if sessions.is_empty() { none.to_owned() } else { format!("{head}\n\n{}", listed(sessions, none)) }
        })?)
    }
}

impl End {
    fn means(&self, kept: &KeptSession) -> bool {
        let claims = kept.session.as_ref().map(|session| &session.claims);
        let is_theirs = |person: &ObjectId| {
            let in_tenant = |tid| self.tenant.as_ref().is_none_or(|tenant| tenant == tid);
            claims.is_some_and(|claims| claims.oid() == person && in_tenant(claims.tid()))
        };
        self.all || self.person.as_ref().is_some_and(is_theirs)
    }
}

impl Shown {
    fn of(kept: &KeptSession, now: Timestamp) -> Self {
        let session = kept.session.as_ref();
        Self {
            person: session.map(|session| session.claims.oid().clone()),
            tenant: session.map(|session| session.claims.tid().clone()),
            begun: session.map(|session| session.begun),
            last_used: session.map(|session| session.seen),
            alive: session.is_some_and(|session| session.is_alive(now)),
        }
    }
}

fn listed(sessions: &[Shown], none: &str) -> String {
    fn text(value: Option<&impl ToString>) -> String {
        value.map_or("unreadable".to_owned(), ToString::to_string)
    }
    let row = |Shown { person, tenant, begun, last_used, alive }: &Shown| {
        let alive = if *alive { "yes" } else { "no" };
        vec![
            text(person.as_ref()),
            text(tenant.as_ref()),
            text(begun.as_ref()),
            text(last_used.as_ref()),
            alive.to_owned(),
        ]
    };
    if sessions.is_empty() {
        return none.to_owned();
    }
    table(&["person", "tenant", "begun", "last used", "alive"], sessions.iter().map(row))
}
