//! Up to ten cancellations in one request, of any number of tenants: an operation and a result for each.

use std::{collections::BTreeMap, pin::Pin};

use api::{Answer, Gate, Kind, Problem, Request, operation::step_up};
use futures_util::{StreamExt as _, stream};
use http::StatusCode;
use identity::{Caller, Permission};
use messaging::{AskForFollowUps, Tell};
use models::{Actor, IdempotencyKey, Note, Operation, OperationId, Person, SubscriptionId, SubscriptionWish, TenantId};
use partner_center::{Asker, Credentials};
use store::{Act, FindAlerts, FindOpenAlerts, KeepOperations, KeepViews, ReadTenant, ReadTenants, ReadWork};
use subscriptions::Wanted;

use super::{
    Acting, ReadSecret,
    bodies::{BulkCancelBody, BulkCancelForm},
    documents::{self, BulkCancelResult, BulkCancelled},
    requests::{key, of_ask, person},
};
use crate::{bodies::note, documents::shown, microsoft::Set, request_id, status::hash};

/// How many are looked up at the same time.
const SIDE_BY_SIDE: usize = 5;

/// One that is being asked for.
type Asking<'a> = Pin<Box<dyn Future<Output = Result<Operation, Problem>> + Send + 'a>>;

/// What is wanted of every one of them.
struct Bulk {
    asks: Person,
    key: IdempotencyKey,
    note: Option<Note>,
}

impl<S, M, Q, C, P, R> Acting<S, M, Q, C, P, R>
where
    S: Act
        + FindAlerts
        + FindOpenAlerts
        + KeepOperations
        + KeepViews
        + ReadTenant
        + ReadTenants
        + ReadWork
        + Send
        + Sync,
    M: Set + Send + Sync,
    Q: AskForFollowUps + Send + Sync,
    C: Credentials + Send + Sync,
    P: Tell + Sync,
    R: ReadSecret + Sync,
{
    /// Subscriptions are to be cancelled. One's trouble is no other's.
    pub(super) async fn cancel_all(&self, request: &Request, caller: &Caller) -> Result<Answer, Problem> {
        Gate::allow_somewhere(caller, Permission::Cancel)?;
        let body = match request.form() {
            Some(_) => request.body::<BulkCancelForm>()?.into_body()?,
            None => request.body()?,
        };
        let wanted = body.wanted()?;
        let bulk = Bulk { asks: person(caller)?, key: key(request)?, note: note(body.note.as_deref())? };
        self.claim_key(request, &bulk, &body, &wanted).await?;
        // Made one by one: a closure over borrowed items would be one for each of their lifetimes.
        let mut asking: Vec<Asking<'_>> = Vec::new();
        for one in &wanted {
            asking.push(Box::pin(self.cancel_one(request, caller, one, &bulk)));
        }
        let asked: Vec<_> = stream::iter(asking).buffered(SIDE_BY_SIDE).collect().await;
        let reused =
            asked.iter().filter_map(|asked| asked.as_ref().err()).find(|it| it.kind() == Kind::KeyUsedOtherwise);
        if let Some(reused) = reused {
            return Err(reused.clone());
        }
        let mut waiting: BTreeMap<&TenantId, Vec<&str>> = BTreeMap::new();
        for operation in asked.iter().flatten() {
            if operation.needs_person() {
                waiting.entry(&operation.tenant).or_default().push(operation.id.as_str());
            }
            self.leave_to_queue(operation).await;
        }
        let step_ups = waiting.into_iter().map(|(tenant, all)| step_up(tenant, all)).collect();
        let result = |((tenant, subscription, _), asked): (&(TenantId, SubscriptionId, &str), &Result<_, Problem>)| {
            let problem = asked.as_ref().err();
            problem.inspect(|problem| problem.log());
            BulkCancelResult {
                tenant: tenant.to_string(),
                subscription: subscription.to_string(),
                acted: asked.as_ref().ok().and_then(documents::acted),
                problem: problem.map(|problem| problem.kind().uri()),
                detail: problem.map(|problem| problem.detail().to_owned()),
            }
        };
        let results = wanted.iter().zip(&asked).map(result).collect();
        Ok(shown(StatusCode::ACCEPTED, BulkCancelled { results, step_ups }))
    }

    /// Keeps what the key was used for, so that the same key with another request is noticed, whatever subscriptions that names.
    async fn claim_key(
        &self,
        request: &Request,
        bulk: &Bulk,
        body: &BulkCancelBody,
        wanted: &[(TenantId, SubscriptionId, &str)],
    ) -> Result<(), Problem> {
        let same: Vec<_> = wanted.iter().map(|(tenant, id, typed)| (tenant, id, *typed)).collect();
        let hash = hash(request, &(), &(same, &body.note))?;
        let home = &bulk.asks.tenant;
        let id = OperationId::of_key(home, &Actor::Person(bulk.asks.clone()), &bulk.key);
        let claimed = self.resolve.store.claim_key(home, &id, &hash, self.resolve.now()).await;
        let claimed = claimed.map_err(|error| Problem::unavailable(&error))?;
        if claimed { Ok(()) } else { Err(Kind::KeyUsedOtherwise.into()) }
    }

    async fn cancel_one(
        &self,
        request: &Request,
        caller: &Caller,
        (tenant, subscription, typed): &(TenantId, SubscriptionId, &str),
        bulk: &Bulk,
    ) -> Result<Operation, Problem> {
        let tenant = self.tenant_to_cancel_in(caller, tenant).await?;
        let by = Actor::Person(bulk.asks.clone());
        let of_request = OperationId::of_key(&tenant.id, &by, &bulk.key);
        let wanted = Wanted {
            tenant: &tenant,
            subscription,
            customer: None,
            wish: SubscriptionWish::Cancel,
            typed,
            note: bulk.note.clone(),
            // One of its own, which follows from the key all the same.
            id: OperationId::of_random(&format!("{of_request}#{}", subscription.as_str().to_ascii_lowercase())),
            by,
            request: request_id(request),
        };
        self.subscriptions.ask(Asker::Tenant, &wanted).await.map_err(of_ask)
    }
}
