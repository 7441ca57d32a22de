//! One subscription: what would end, that it be cancelled, that it be active again.

use api::{Answer, Gate, Kind, Problem, Request, document::Now};
use http::StatusCode;
use identity::{Caller, Permission};
use messaging::{AskForFollowUps, Tell};
use models::{Actor, FollowUp, Operation, OperationId, Person, SubscriptionId, SubscriptionWish, Tenant, TenantId};
use partner_center::{Asker, Credentials, EntitlementError};
use secrecy::SecretString;
use store::{Act, FindAlerts, FindOpenAlerts, KeepOperations, KeepViews, ReadTenant, ReadTenants, ReadWork};
use subscriptions::{ActError, AskError, PersonProblem, Wanted};
use tokio::time::Instant;

use super::{
    Acting, ReadSecret,
    bodies::CancelBody,
    documents::{self, PreviewShown},
    step_up::ROOM,
};
use crate::{bodies::note, documents::refused, microsoft::Set, request_id};

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
    pub(super) async fn answered(&self, request: &Request) -> Result<Answer, Problem> {
        let caller = self.resolve.gate.caller(request)?;
        let path = request.route.strip_prefix("POST /api/v1").unwrap_or_default();
        let work = async {
            match path {
                "/subscriptions/cancel" => self.cancel_all(request, caller).await,
                "/tenants/{tenant}/subscriptions/{subscription}/cancel" => {
                    self.wish(request, caller, SubscriptionWish::Cancel).await
                }
                "/tenants/{tenant}/subscriptions/{subscription}/reactivate" => {
                    self.wish(request, caller, SubscriptionWish::Reactivate).await
                }
                _ => self.show(request, caller).await,
            }
        };
        let limit = self.resolve.settings.request_limit;
        // What is written down by then goes on under the same key.
        tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(Kind::Unavailable.into()))
    }

    /// What would end.
    async fn show(&self, request: &Request, caller: &Caller) -> Result<Answer, Problem> {
        let tenant = self.tenant_to_cancel_in(caller, &request.parameter("tenant")?).await?;
        let subscription: SubscriptionId = request.parameter("subscription")?;
        let preview = self.subscriptions.preview(Asker::Tenant, &tenant, &subscription, None).await;
        let preview = preview.map_err(|error| of_ask(error.into()))?;
        Ok(api::json(StatusCode::OK, &PreviewShown::of(&tenant.id, &subscription, &preview)))
    }

    async fn wish(&self, request: &Request, caller: &Caller, wish: SubscriptionWish) -> Result<Answer, Problem> {
        let until = Instant::now() + self.resolve.settings.request_limit.saturating_sub(ROOM);
        let tenant = request.parameter("tenant")?;
        let tenant = self.tenant_to_cancel_in(caller, &tenant).await?;
        let subscription: SubscriptionId = request.parameter("subscription")?;
        let body: CancelBody = request.body()?;
        let (asks, key) = (person(caller)?, key(request)?);
        let by = Actor::Person(asks.clone());
        let wanted = Wanted {
            tenant: &tenant,
            subscription: &subscription,
            customer: None,
            wish,
            typed: &body.name,
            note: note(body.note.as_deref())?,
            id: OperationId::of_key(&tenant.id, &by, &key),
            by,
            request: request_id(request),
        };
        let operation = self.subscriptions.ask(Asker::Tenant, &wanted).await.map_err(of_ask)?;
        let operation = match body.token {
            Some(token) if operation.takes_person() => self.tell(token, &tenant, operation, &asks, until).await?,
            _ => operation,
        };
        self.leave_to_queue(&operation).await;
        documents::of_operation(&operation)
    }

    /// Tells Microsoft by a person's own token, which goes no further than this.
    async fn tell(
        &self,
        token: SecretString,
        tenant: &Tenant,
        operation: Operation,
        asks: &Person,
        until: Instant,
    ) -> Result<Operation, Problem> {
        let id = operation.id.clone();
        let of_token = |problem: PersonProblem| {
            Problem::value("token", problem).with(|it| {
                it.code = Some(problem.code().to_owned());
                it.what_to_do = Some(problem.what_to_do().to_owned());
            })
        };
        let told = match self.subscriptions.person(token, tenant, asks) {
            Ok(token) => {
                let by = Actor::Person(asks.clone());
                let act = Box::pin(self.subscriptions.act(&token, tenant, operation, &by));
                let told = tokio::time::timeout_at(until, act).await;
                match told {
                    Ok(Ok(operation)) => Ok(operation),
                    Ok(Err(error)) if is_answer(&error) => Err(of_act(error)),
                    // Microsoft may have it: what is written says how far it has come.
                    Ok(Err(_)) | Err(_) => {
                        let known = self.resolve.store.operation(&tenant.id, &id).await;
                        let known = known.map_err(|error| Problem::unavailable(&error))?;
                        known.ok_or_else(|| Kind::Unavailable.into())
                    }
                }
            }
            Err(problem) => Err(of_token(problem)),
        };
        told.map_err(|problem| problem.of_operation(&id))
    }

    /// A tenant that somebody may cancel subscriptions in.
    pub(super) async fn tenant_to_cancel_in(&self, caller: &Caller, id: &TenantId) -> Result<Tenant, Problem> {
        let allowed = Gate::allow(caller, Permission::Cancel, id);
        if let Err(problem) = &allowed
            && problem.kind() == Kind::NotFound
        {
            return Err(problem.clone());
        }
        // Whoever sees every tenant, and may cancel in theirs alone, hears first whether there is such a one.
        let tenant = self.resolve.tenant(id).await?;
        allowed?;
        if tenant.active {
            return Ok(tenant);
        }
        let detail = "The tenant is not active: nothing of it is looked at, so nothing can be followed either.";
        Err(Problem::new(Kind::NotPossible).because(detail))
    }

    /// Leaves to the queue what goes on by itself. What waits for a person, the sweep looks after.
    pub(super) async fn leave_to_queue(&self, operation: &Operation) {
        let is_left = operation.repeated_by(&operation.request) == models::Repeated::Unfinished;
        if !is_left || operation.needs_person() {
            return;
        }
        let (look, delay) = FollowUp::first(operation.tenant.clone(), operation.id.clone());
        if let Err(error) = self.queue.ask_for_follow_ups(&[look], delay).await {
            tracing::warn!(
                tenant.id = %operation.tenant, operation.id = %operation.id, error = runtime::chain(&error),
                "an operation could not be left to the queue; the sweep finds it"
            );
        }
    }
}

/// The person who asks. An application has no such permission, and is nobody who could sign in.
pub(super) fn person(caller: &Caller) -> Result<Person, Problem> {
    match caller.kind() {
        identity::Kind::Person => Ok(Person::new(caller.tid().clone(), caller.oid().clone(), caller.name())),
        identity::Kind::Application => Err(Kind::NotAllowed.into()),
    }
}

/// The key, without which a request that was cut off could not be told from another.
pub(super) fn key(request: &Request) -> Result<models::IdempotencyKey, Problem> {
    request.idempotency_key()?.ok_or_else(|| {
        let detail = "Idempotency-Key has to be there, so that a repeated request cancels nothing twice.";
        Problem::new(Kind::Unreadable).because(detail).with(|it| it.member = Some("Idempotency-Key"))
    })
}

/// What keeps a wish from being written down.
pub(super) fn of_ask(error: AskError) -> Problem {
    match error {
        AskError::CustomerUnknown { .. } => {
            Problem::new(Kind::NotFound).because("No alert that is kept of the tenant is about this subscription.")
        }
        AskError::KeyUsedOtherwise => Kind::KeyUsedOtherwise.into(),
        AskError::LookUp(error @ (EntitlementError::NoCustomer { .. } | EntitlementError::NoSubscription { .. })) => {
            let advice = error.what_to_do().unwrap_or_default();
            Problem::new(Kind::NotFound).because(format!("Partner Center knows no such subscription: {advice}."))
        }
        AskError::LookUp(error) => of_microsoft(&error),
        AskError::NameDiffers => Problem::value("name", "it is not what the subscription is called"),
        AskError::Step(error) => Problem::unavailable(&error),
        AskError::UnderWay(operation) => {
            let problem = Problem::new(Kind::ChangedMeanwhile);
            let problem = problem.because("Something is under way about this subscription: see the operation.");
            let acted = documents::acted(&operation).map(Box::new).map(Now::Subscription);
            problem.of_operation(&operation.id).with(|it| it.now = acted)
        }
    }
}

/// Whether an error says what Microsoft did, or that it was not asked.
fn is_answer(error: &ActError) -> bool {
    match error {
        ActError::Microsoft(error) => error.clear_refusal().or_else(|| error.turned_away()).is_some(),
        ActError::Step(_) => true,
    }
}

/// What keeps Microsoft from having been told, as far as we know.
fn of_act(error: ActError) -> Problem {
    match error {
        ActError::Microsoft(error) => of_microsoft(&error),
        ActError::Step(error) => Problem::unavailable(&error),
    }
}

fn of_microsoft(error: &EntitlementError) -> Problem {
    let refusal = error.clear_refusal();
    refusal.map_or_else(|| Problem::unavailable(error), |refusal| Problem::refused(refused(&refusal)))
}
