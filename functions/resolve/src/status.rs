//! Where alerts are to stand: an operation from the request that asks for it to the answer.

use api::{Answer, Gate, Kind, Problem, Request};
use identity::{Caller, Permission};
use messaging::AskForFollowUps;
use models::{
    Actor, AlertId, AlertResult, AlertSource, Asked, FollowUp, IdempotencyKey, Note, Operation, OperationId, Repeated,
    RequestHash, Tenant, TenantId,
};
use partner_center::Change;
use serde::Serialize;
use store::{Act, KeepOperations, ReadTenant, ReadWork};

use crate::{
    Resolve, actor,
    bodies::{ResolveBody, StatusBody, note},
    documents,
    microsoft::Set,
    request_id,
    steps::{Begun, Halt, Within, standing_of},
};

/// How many alerts in a row may be held up before the rest is left for later: something is wrong with Microsoft, not with them.
const HELD_UP: usize = 3;
/// How often somebody else may have carried an operation on before it is left to them.
const MOVES: u32 = 8;

/// What somebody wants of alerts of one tenant.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) id: OperationId,
    pub(crate) by: Actor,
    pub(crate) request: RequestHash,
    /// Each with the version that they saw.
    pub(crate) alerts: Vec<(AlertId, u64)>,
    pub(crate) wish: Change,
    pub(crate) note: Option<Note>,
}

impl Wanted {
    /// The operation, as long as it is not written down.
    fn draft(&self, tenant: &TenantId, now: jiff::Timestamp) -> Operation {
        let alerts = self.alerts.iter().map(|(alert, _)| alert.clone()).collect();
        let asked = Asked::Status { alerts, to: standing_of(self.wish), note: self.note.clone() };
        let (id, by, request) = (self.id.clone(), self.by.clone(), self.request.clone());
        let unwritten = self.alerts.iter().cloned().collect();
        Operation { unwritten, revision: 0, ..Operation::asked(id, tenant.clone(), by, request, asked, now) }
    }
}

/// The id of what a caller asks for: of their key, or a random one.
pub(crate) fn operation_id(
    tenant: &TenantId,
    by: &Actor,
    key: Option<&IdempotencyKey>,
    random: impl FnOnce() -> uuid::Uuid,
) -> OperationId {
    match key {
        Some(key) => OperationId::of_key(tenant, by, key),
        None => OperationId::of_random(&random().to_string()),
    }
}

/// The hash of a request: of its route, of what its path names, and of its body as it was read.
pub(crate) fn hash(request: &Request, path: &impl Serialize, body: &impl Serialize) -> Result<RequestHash, Problem> {
    let text = serde_json::to_vec(&(&request.route, path, body)).map_err(|error| Problem::unavailable(&error))?;
    Ok(RequestHash::of(&text))
}

/// The alert that a request is about, if the caller may act on it.
pub(crate) fn place_of(request: &Request, caller: &Caller) -> Result<(TenantId, AlertId), Problem> {
    let tenant = request.parameter("tenant")?;
    Gate::allow(caller, Permission::Resolve, &tenant)?;
    Ok((tenant, request.parameter("alert")?))
}

/// That a tenant's alerts can be made to stand so at all.
pub(crate) fn possible(tenant: &Tenant, wish: Change) -> Result<(), Problem> {
    let not_possible = |detail| Err(Problem::new(Kind::NotPossible).because(detail));
    if !tenant.active {
        return not_possible("The tenant is not active: nothing of it is looked at, so nothing is changed either.");
    }
    if tenant.act_secret.is_none() {
        return not_possible(
            "The tenant has no secret to act with: have one written with `partner-alerts tenants set`.",
        );
    }
    if tenant.alert_source == AlertSource::FraudEvents && wish == Change::Reopen {
        return not_possible(
            "fraudEvents can't reopen an alert: do it in Partner Center, or turn the tenant to Graph.",
        );
    }
    Ok(())
}

impl<S, M, Q> Resolve<S, M, Q>
where
    S: Act + KeepOperations + ReadTenant + ReadWork + Sync,
    M: Set + Sync,
    Q: AskForFollowUps + Sync,
{
    /// An alert is to be resolved.
    pub(crate) async fn resolve(&self, request: &Request, caller: &Caller) -> Result<Answer, Problem> {
        let (tenant, alert) = place_of(request, caller)?;
        let body: ResolveBody = request.body()?;
        let hash = hash(request, &(&tenant, &alert), &body)?;
        let wanted = (alert, body.version, Change::from(body.reason), note(body.note.as_deref())?);
        self.change_one(request, caller, &tenant, wanted, hash).await
    }

    /// An alert is to be looked into, or to be open again.
    pub(crate) async fn change(&self, request: &Request, caller: &Caller, wish: Change) -> Result<Answer, Problem> {
        let (tenant, alert) = place_of(request, caller)?;
        let body: StatusBody = request.body()?;
        let hash = hash(request, &(&tenant, &alert), &body)?;
        let wanted = (alert, body.version, wish, note(body.note.as_deref())?);
        self.change_one(request, caller, &tenant, wanted, hash).await
    }

    async fn change_one(
        &self,
        request: &Request,
        caller: &Caller,
        tenant: &TenantId,
        (alert, version, wish, note): (AlertId, u64, Change, Option<Note>),
        hash: RequestHash,
    ) -> Result<Answer, Problem> {
        let (by, key) = (actor(caller), request.idempotency_key()?);
        let id = operation_id(tenant, &by, key.as_ref(), || (self.new_id)());
        let tenant = self.tenant(tenant).await?;
        let wanted = Wanted { id, by, request: hash, alerts: vec![(alert.clone(), version)], wish, note };
        let operation = self.run(&tenant, &wanted, request).await?;
        documents::of_one(&operation, &alert)
    }

    /// Does what is wanted, as far as the time of a request goes, and leaves the rest to the queue.
    pub(crate) async fn run(&self, tenant: &Tenant, wanted: &Wanted, request: &Request) -> Result<Operation, Problem> {
        let within = Within { request: request_id(request), trace: request.trace };
        let began = self.now();
        let done = tokio::time::timeout(self.settings.request_limit, self.run_through(tenant, wanted, &within)).await;
        let operation = if let Ok(done) = done {
            done?
        } else {
            let known = self.known_operation(&tenant.id, &wanted.id, &wanted.request).await?;
            known.ok_or_else(|| Problem::new(Kind::Unavailable))?
        };
        if operation.left().next().is_some() {
            // Whoever asked first has begun a chain of looks, which ends by itself; who asks again adds one look, not another chain.
            let is_repeated = operation.at < began;
            self.leave_to_queue(&operation, is_repeated).await;
        }
        Ok(operation)
    }

    pub(crate) async fn run_through(
        &self,
        tenant: &Tenant,
        wanted: &Wanted,
        within: &Within,
    ) -> Result<Operation, Problem> {
        let operation = match self.operation(tenant, &wanted.id).await? {
            Some(known) => known,
            None => self.start_once(tenant, wanted, within).await?,
        };
        match operation.repeated_by(&wanted.request) {
            Repeated::Another => Err(Kind::KeyUsedOtherwise.into()),
            Repeated::Finished => Ok(operation),
            Repeated::Unfinished => {
                self.carry_on(tenant, operation, within).await.map_err(|halt| Problem::unavailable(&halt))
            }
        }
    }

    /// Starts it, or finds what the same request has started at the same time: then nothing is to be done, or not any more.
    async fn start_once(&self, tenant: &Tenant, wanted: &Wanted, within: &Within) -> Result<Operation, Problem> {
        possible(tenant, wanted.wish)?;
        match self.start(tenant, wanted, within).await {
            Ok(started) if started.revision > 0 => Ok(started),
            Ok(draft) => Ok(self.operation(tenant, &wanted.id).await?.unwrap_or(draft)),
            Err(Halt::Moved) => {
                let quicker = self.operation(tenant, &wanted.id).await?;
                quicker.ok_or_else(|| Problem::new(Kind::Unavailable))
            }
            Err(halt) => Err(Problem::unavailable(&halt)),
        }
    }

    /// Writes down what is wanted, with the first alert of which anything is to be done. Where there is none, nothing is written, and nothing is left.
    async fn start(&self, tenant: &Tenant, wanted: &Wanted, within: &Within) -> Result<Operation, Halt> {
        let mut draft = wanted.draft(&tenant.id, self.now());
        for (alert, _) in &wanted.alerts {
            match self.begin(&draft, alert, within).await? {
                Begun::Written(written) => return Ok(*written),
                Begun::Not(result) => {
                    draft = Operation { revision: 0, ..draft.with_result(alert.clone(), result, self.now()) };
                }
            }
        }
        Ok(draft)
    }

    /// Takes the steps that are left, alert by alert; those that are held up by Microsoft are left for later.
    ///
    /// # Errors
    ///
    /// [`Halt`] where our own store fails.
    pub(crate) async fn carry_on(
        &self,
        tenant: &Tenant,
        mut operation: Operation,
        within: &Within,
    ) -> Result<Operation, Halt> {
        let (mut held_up, mut moves) = (Vec::new(), 0);
        loop {
            let next = operation.left().find(|alert| !held_up.contains(*alert)).cloned();
            let Some(alert) = next else { break };
            match self.step(tenant, &mut operation, &alert, within).await {
                Ok(()) => {}
                Err(Halt::Moved) if moves < MOVES => {
                    moves += 1;
                    let known = self.store.operation(&operation.tenant, &operation.id).await?;
                    operation = known.ok_or(Halt::Strange)?;
                }
                Err(Halt::Moved) => break,
                Err(halt @ (Halt::Hung(_) | Halt::Microsoft(_) | Halt::NotTold(_))) => {
                    let error = runtime::chain(&halt);
                    let (tenant, alert_id) = (&operation.tenant, &alert);
                    tracing::warn!(
                        tenant.id = %tenant, alert.id = %alert_id, operation.id = %operation.id, error,
                        "Microsoft can't be told where an alert is to stand; it is tried again"
                    );
                    operation = self.put_back(operation, &alert).await?;
                    held_up.push(alert);
                    if held_up.len() == HELD_UP {
                        break;
                    }
                }
                Err(halt) => return Err(halt),
            }
        }
        log_results(&operation);
        Ok(operation)
    }

    /// Has the next look begin with the others, so that one alert which Microsoft never answers to keeps none of them waiting.
    async fn put_back(&self, operation: Operation, alert: &AlertId) -> Result<Operation, Halt> {
        if operation.left().count() < 2 {
            return Ok(operation);
        }
        let after = operation.with_held_up(alert, self.now());
        if self.store.advance(&after).await? {
            return Ok(after);
        }
        let known = self.store.operation(&operation.tenant, &operation.id).await?;
        known.ok_or(Halt::Strange)
    }

    pub(crate) async fn operation(&self, tenant: &Tenant, id: &OperationId) -> Result<Option<Operation>, Problem> {
        self.store.operation(&tenant.id, id).await.map_err(|error| Problem::unavailable(&error))
    }

    async fn leave_to_queue(&self, operation: &Operation, is_repeated: bool) {
        let (look, delay) = FollowUp::first(operation.tenant.clone(), operation.id.clone());
        let look = if is_repeated { FollowUp { behind: None, ..look } } else { look };
        if let Err(error) = self.queue.ask_for_follow_ups(&[look], delay).await {
            tracing::warn!(
                tenant.id = %operation.tenant, operation.id = %operation.id, error = runtime::chain(&error),
                "an operation could not be left to the queue; the sweep finds it"
            );
        }
    }
}

/// One line of what came of it so far: ids and counts.
fn log_results(operation: &Operation) {
    let count = |wanted: fn(&AlertResult) -> bool| operation.results.values().filter(|result| wanted(result)).count();
    tracing::info!(
        tenant.id = %operation.tenant,
        operation.id = %operation.id,
        already_so = count(|result| matches!(result, AlertResult::AlreadySo)),
        done = count(|result| matches!(result, AlertResult::Done { .. })),
        refused = count(|result| matches!(result, AlertResult::Refused(_))),
        superseded = count(|result| matches!(result, AlertResult::Superseded { .. })),
        left = operation.left().count(),
        "alerts were told where to stand"
    );
}
