//! Whether chains of activity lines are as they were written.

use std::io::Write;

use models::{AlertId, Chain, Finding, Head, TenantId, verify as findings_of};
use serde::Serialize;
use store::{KeptChain, ReadActivity as _, Store, StoreError};

use super::{ActivityError, tenants};
use crate::output::Output;

/// A chain, verified.
#[derive(Debug, Serialize)]
struct Verified {
    tenant: TenantId,
    /// None of what is about the tenant as a whole.
    alert: Option<AlertId>,
    /// `ok` or `broken`.
    state: &'static str,
    /// How many lines there are.
    lines: usize,
    /// How it ends by what says so: worth keeping elsewhere.
    head: Option<Head>,
    findings: Vec<Finding>,
}

/// Verifies chains, and says whether one is not as it was written.
pub(super) async fn verify(
    store: &Store,
    tenant: Option<TenantId>,
    alert: Option<AlertId>,
    output: &mut Output<impl Write>,
) -> Result<bool, ActivityError> {
    let mut verified = Vec::new();
    for tenant in tenants(store, tenant).await? {
        let chains = match &alert {
            Some(alert) => [Chain { tenant, alert: Some(alert.clone()) }].into(),
            None => store.chains(&tenant).await?,
        };
        for chain in chains {
            let (kept, unread) = match store.kept_chain(&chain).await {
                Ok(kept) => (kept, None),
                // One chain that can't be judged keeps none of the others from being judged.
                Err(StoreError::BadItem { .. }) => (KeptChain::default(), Some(Finding::HeadUnreadable)),
                Err(StoreError::Contended { .. }) => (KeptChain::default(), Some(Finding::Growing)),
                Err(error) => return Err(error.into()),
            };
            if unread.is_none() && kept.lines.is_empty() && kept.head.is_none() {
                continue;
            }
            let findings = match unread {
                Some(finding) => vec![finding],
                None => findings_of(&chain, &kept.lines, kept.head.as_ref()),
            };
            let state = if findings.is_empty() { "ok" } else { "broken" };
            let Chain { tenant, alert } = chain;
            verified.push(Verified { tenant, alert, state, lines: kept.lines.len(), head: kept.head, findings });
        }
    }
    if let (Some(alert), true) = (alert, verified.is_empty()) {
        return Err(ActivityError::Unknown(alert));
    }
    output.say(&verified, |verified| text_of(verified))?;
    Ok(verified.iter().any(|chain| !chain.findings.is_empty()))
}

fn text_of(verified: &[Verified]) -> String {
    let broken: Vec<_> = verified.iter().filter(|chain| !chain.findings.is_empty()).collect();
    let said = broken.iter().flat_map(|chain| {
        let about = chain.alert.as_ref().map_or_else(|| "as a whole".to_owned(), |alert| format!("alert {alert}"));
        chain.findings.iter().map(move |finding| format!("{} {about}: {}", chain.tenant, words(*finding)))
    });
    let lines: usize = verified.iter().map(|chain| chain.lines).sum();
    let sum = match broken.len() {
        0 => format!("{lines} lines in {} chains are as they were written", verified.len()),
        count => format!("{count} of {} chains are not as they were written", verified.len()),
    };
    said.chain([sum]).map(|line| crate::printable(&line)).collect::<Vec<_>>().join("\n")
}

fn words(finding: Finding) -> String {
    let lines = |from: u64, to: u64| {
        if from == to { format!("line {from} is") } else { format!("lines {from} to {to} are") }
    };
    match finding {
        Finding::Added { line } => format!("line {line} was added, or what says how the log ends was set back"),
        Finding::Changed { line: 0 } => "a line that is in no place of a line was changed or added".to_owned(),
        Finding::Changed { line } => format!("line {line} was changed"),
        Finding::Cut { from, to } => format!("{} cut off the end", lines(from, to)),
        Finding::Doubled { line } => format!("line {line} is there more than once"),
        Finding::Foreign { line } => format!("line {line} is about something else"),
        Finding::Growing => "it grew each time that it was read: verify it again".to_owned(),
        Finding::HeadUnreadable => {
            "what says how the log ends can't be read: somebody has changed it by hand, and lines may be missing"
                .to_owned()
        }
        Finding::HeadLost { line } => {
            format!("what says how the log ends was gone at line {line}: lines may be missing there")
        }
        Finding::Missing { from, to } => format!("{} missing", lines(from, to)),
    }
}
