//! The alerts of a subscription that is cancelled are resolved as a person would: each by an operation of its own, whose id follows from that of the
//! cancellation, so that it is met again wherever it was cut off.

use std::sync::Arc;

use jiff::SignedDuration;
use messaging::AskForFollowUps;
use models::{AlertId, AlertResult, Asked, MicrosoftRefusal, Operation, OperationId, RequestHash, Status, Tenant};
use partner_center::{Change, NOT_POSSIBLE_AT_SOURCE, Reason, Refusal};
use store::{Act, KeepOperations, ReadTenant, ReadWork};
use subscriptions::{ResolveAlerts, ResolveFailed};

use crate::{
    Resolve,
    microsoft::Set,
    status::{Wanted, possible},
    steps::Within,
};

/// How often an alert is tried in all: for a day, where each time is refused by what may be mended. By then people have been told.
const ATTEMPTS: usize = 100;
/// How long after a refusal that may be mended it is tried anew.
const TRIED_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(15);

/// What resolves them.
pub(crate) struct Resolving<S, M, Q>(pub(crate) Arc<Resolve<S, M, Q>>);

impl<S, M, Q> ResolveAlerts for Resolving<S, M, Q>
where
    S: Act + KeepOperations + ReadTenant + ReadWork + Send + Sync,
    M: Set + Send + Sync,
    Q: AskForFollowUps + Send + Sync,
{
    async fn resolve_as_fraud(
        &self,
        tenant: &Tenant,
        alert: &AlertId,
        operation: &Operation,
    ) -> Result<AlertResult, ResolveFailed> {
        let wish = Change::Resolve(Reason::Fraud);
        let failed =
            |problem: api::Problem| ResolveFailed::from(format!("{} ({})", problem.detail(), problem.kind().name()));
        possible(tenant, wish).map_err(failed)?;
        let note = match &operation.asked {
            Asked::Subscription { note, .. } => note.clone(),
            _ => None,
        };
        for attempt in 0..ATTEMPTS {
            let Some(seen) = self.0.store.at_work(&tenant.id, alert).await? else { return Ok(AlertResult::NotFound) };
            let wanted = Wanted {
                id: OperationId::of_random(&format!("{}#{attempt}#{alert}", operation.id)),
                by: operation.by.clone(),
                request: RequestHash::of(alert.as_str().as_bytes()),
                alerts: vec![(alert.clone(), seen.stored.version)],
                wish,
                note: note.clone(),
            };
            let done = self.0.run_through(tenant, &wanted, &Within::default()).await.map_err(failed)?;
            match done.results.get(alert) {
                None => return Err("Microsoft gave no answer that can be used".into()),
                // Somebody changed it, and left it open.
                Some(AlertResult::Superseded { now }) if now.status != Status::Resolved => {}
                Some(AlertResult::Refused(refusal)) if !is_final(refusal) => {
                    if self.0.now().duration_since(done.changed) < TRIED_AGAIN_AFTER {
                        return Err(format!("it was refused ({})", refusal.code).into());
                    }
                }
                Some(result) => return Ok(result.clone()),
            }
        }
        Err("it was tried for a day".into())
    }
}

/// Whether an alert can't be resolved, whoever mends what.
fn is_final(refusal: &MicrosoftRefusal) -> bool {
    let of_alert = [Refusal::AlertUnknown, Refusal::ChangeRefused].map(Refusal::code);
    refusal.meaning.as_deref().is_some_and(|meaning| of_alert.contains(&meaning) || meaning == NOT_POSSIBLE_AT_SOURCE)
}
