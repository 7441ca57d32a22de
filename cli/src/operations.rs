//! `partner-alerts operations`: what somebody asked for, and how far it has come.

mod told;

use std::{collections::BTreeMap, io::Write};

use api::operation::{RefusalDocument, step_up_of};
use clap::Subcommand;
use jiff::Timestamp;
use models::{
    Actor, AlertId, AlertResult, Asked, MicrosoftRefusal, Operation, OperationId, OperationState, SubscriptionProgress,
    SubscriptionStage, SubscriptionWish, SupersededWish, TenantId,
};
use partner_center::refusal_advice;
use runtime::ConfigError;
use serde::Serialize;
use store::{ReadOperations as _, StoreError};

use crate::{
    account::{Account, AccountError},
    output::Output,
};

/// What can be done with operations.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows how far something has come that was asked for: a cancellation, a decision about alerts.
    ///
    /// Says who asked for what, how far it is, what came of it for each alert, and, where it waits for a person, how they go on. It is kept for 30 days after
    /// its last change; the activity log has it for longer. The id stands in the answer of whoever began it, in the activity log and in the logs. Nothing is
    /// changed.
    #[command(
        after_help = "Examples:\n  partner-alerts --stack partner-alerts operations show 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 \
                      2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\n  \
                      partner-alerts --stack partner-alerts --json operations show 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 \
                      2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
    )]
    Show {
        /// The tenant's id in Entra ID.
        tenant: TenantId,
        /// The operation's id.
        operation: OperationId,
    },
}

/// Why a command can't do its work.
#[derive(Debug, thiserror::Error)]
pub enum OperationsError {
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
        "tenant {tenant} has no operation {operation}: both have to be exact, and what has not changed for 30 days stands in `activity show` alone"
    )]
    Unknown {
        /// The tenant.
        tenant: TenantId,
        /// The operation.
        operation: OperationId,
    },
}

/// An operation, as the API shows it.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    id: &'a OperationId,
    tenant: &'a TenantId,
    by: &'a Actor,
    #[serde(skip_serializing_if = "Option::is_none")]
    taken_on_by: Option<&'a Actor>,
    at: Timestamp,
    asked: &'a Asked,
    state: ShownState<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<ShownProgress<'a>>,
    needs_token: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    step_up: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<RefusalDocument>,
    results: BTreeMap<&'a AlertId, ShownResult<'a>>,
    superseded: &'a BTreeMap<AlertId, SupersededWish>,
    changed: Timestamp,
}

/// As it is kept; a refusal with what to do about it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum ShownState<'a> {
    Refused { kind: &'static str, refusal: RefusalDocument, description: &'a str },
    Other(&'a OperationState),
}

/// The same of an alert.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum ShownResult<'a> {
    Refused {
        kind: &'static str,
        #[serde(flatten)]
        refusal: RefusalDocument,
    },
    Other(&'a AlertResult),
}

/// As it is kept; none of its numbers is left out.
#[derive(Debug, Serialize)]
struct ShownProgress<'a> {
    wish: SubscriptionWish,
    stage: SubscriptionStage,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<&'a str>,
    since: Timestamp,
    tellings: u32,
    refusals: u32,
}

impl Command {
    /// Does it.
    ///
    /// # Errors
    ///
    /// [`OperationsError`].
    pub async fn run(self, account: &Account, output: &mut Output<impl Write>) -> Result<(), OperationsError> {
        let Self::Show { tenant, operation: id } = self;
        let kept = account.store_with_alerts()?.operation(&tenant, &id).await?;
        let operation = kept.ok_or(OperationsError::Unknown { tenant, operation: id })?;
        Ok(output.say(&Shown::from(&operation), |_| told::text_of(&operation))?)
    }
}

impl<'a> From<&'a Operation> for Shown<'a> {
    fn from(operation: &'a Operation) -> Self {
        Self {
            id: &operation.id,
            tenant: &operation.tenant,
            by: &operation.by,
            taken_on_by: operation.taken_on_by.as_ref(),
            at: operation.at,
            asked: &operation.asked,
            state: (&operation.state).into(),
            progress: operation.progress.as_ref().map(ShownProgress::from),
            needs_token: operation.needs_person(),
            step_up: step_up_of(operation),
            refusal: operation.refusal.as_ref().map(refused),
            results: operation.results.iter().map(|(alert, result)| (alert, result.into())).collect(),
            superseded: &operation.superseded,
            changed: operation.changed,
        }
    }
}

impl<'a> From<&'a OperationState> for ShownState<'a> {
    fn from(state: &'a OperationState) -> Self {
        match state {
            OperationState::Refused { refusal, description } => {
                Self::Refused { kind: "refused", refusal: refused(refusal), description }
            }
            other => Self::Other(other),
        }
    }
}

impl<'a> From<&'a AlertResult> for ShownResult<'a> {
    fn from(result: &'a AlertResult) -> Self {
        match result {
            AlertResult::Refused(refusal) => Self::Refused { kind: "refused", refusal: refused(refusal) },
            other => Self::Other(other),
        }
    }
}

impl<'a> From<&'a SubscriptionProgress> for ShownProgress<'a> {
    fn from(progress: &'a SubscriptionProgress) -> Self {
        let SubscriptionProgress { wish, stage, plan, since, tellings, refusals } = progress;
        let (wish, stage, since, tellings, refusals) = (*wish, *stage, *since, *tellings, *refusals);
        Self { wish, stage, plan: plan.as_deref(), since, tellings, refusals }
    }
}

fn refused(refusal: &MicrosoftRefusal) -> RefusalDocument {
    RefusalDocument::new(refusal, refusal_advice(refusal.meaning.as_deref()))
}
