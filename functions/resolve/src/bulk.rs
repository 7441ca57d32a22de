//! Up to a hundred alerts in one request, of any number of tenants: an operation for each tenant, and a result for each alert.

use std::collections::BTreeMap;

use api::{Answer, Gate, Kind, Problem, Request};
use futures_util::future::join_all;
use identity::{Caller, Permission};
use messaging::AskForFollowUps;
use models::{AlertId, IdempotencyKey, Note, Operation, OperationId, RequestHash, TenantId};
use partner_center::Change;
use store::{Act, KeepOperations, ReadTenant, ReadWork};

use crate::{
    Resolve, actor,
    bodies::{BulkForm, note},
    documents::{self, BulkResult, ResultDocument},
    microsoft::Set,
    status::{Wanted, hash, operation_id},
};

/// What is wanted of the alerts of every tenant.
struct Bulk {
    request: RequestHash,
    key: Option<IdempotencyKey>,
    wish: Change,
    note: Option<Note>,
}

impl<S, M, Q> Resolve<S, M, Q>
where
    S: Act + KeepOperations + ReadTenant + ReadWork + Sync,
    M: Set + Sync,
    Q: AskForFollowUps + Sync,
{
    /// Alerts are to be resolved. One tenant's trouble is no other's: each alert has a result of its own.
    pub(crate) async fn resolve_all(&self, request: &Request, caller: &Caller) -> Result<Answer, Problem> {
        Gate::allow_somewhere(caller, Permission::Resolve)?;
        let body = match request.form() {
            Some(_) => request.body::<BulkForm>()?.into_body()?,
            None => request.body()?,
        };
        let alerts = body.alerts()?;
        let bulk = Bulk {
            request: hash(request, &(), &body)?,
            key: request.idempotency_key()?,
            wish: body.reason.into(),
            note: note(body.note.as_deref())?,
        };
        if let Some(key) = &bulk.key {
            let id = OperationId::of_key(caller.tid(), &actor(caller), key);
            let claimed = self.store.claim_key(caller.tid(), &id, &bulk.request, self.now()).await;
            if !claimed.map_err(|error| Problem::unavailable(&error))? {
                return Err(Kind::KeyUsedOtherwise.into());
            }
        }
        let mut by_tenant: BTreeMap<&TenantId, Vec<(AlertId, u64)>> = BTreeMap::new();
        for (tenant, alert, version) in &alerts {
            by_tenant.entry(tenant).or_default().push((alert.clone(), *version));
        }
        let tenants = by_tenant
            .into_iter()
            .map(async |(tenant, alerts)| (tenant, self.resolve_of(tenant, alerts, request, caller, &bulk).await));
        let done: BTreeMap<_, _> = join_all(tenants).await.into_iter().collect();
        // Whoever uses a key for something else has made a mistake about all of it.
        let reused =
            done.values().filter_map(|done| done.as_ref().err()).find(|it| it.kind() == Kind::KeyUsedOtherwise);
        if let Some(reused) = reused {
            return Err(reused.clone());
        }
        let result = |(tenant, alert, _): &(TenantId, AlertId, u64)| {
            let (operation, result) = match &done[tenant] {
                Ok(operation) => (Some(operation), ResultDocument::of(operation, alert)),
                Err(problem) => (None, ResultDocument::of_problem(problem)),
            };
            // What was never written down has no operation that anybody could look at.
            let operation = operation.filter(|operation| operation.revision > 0).map(|it| it.id.to_string());
            BulkResult { tenant: tenant.to_string(), alert: alert.to_string(), operation, result }
        };
        for problem in done.values().filter_map(|done| done.as_ref().err()) {
            problem.log();
        }
        Ok(documents::of_many(alerts.iter().map(result).collect()))
    }

    async fn resolve_of(
        &self,
        tenant: &TenantId,
        alerts: Vec<(AlertId, u64)>,
        request: &Request,
        caller: &Caller,
        bulk: &Bulk,
    ) -> Result<Operation, Problem> {
        Gate::allow(caller, Permission::Resolve, tenant)?;
        let tenant = self.tenant(tenant).await?;
        let by = actor(caller);
        let id = operation_id(&tenant.id, &by, bulk.key.as_ref(), || (self.new_id)());
        let (request_hash, note) = (bulk.request.clone(), bulk.note.clone());
        let wanted = Wanted { id, by, request: request_hash, alerts, wish: bulk.wish, note };
        self.run(&tenant, &wanted, request).await
    }
}
