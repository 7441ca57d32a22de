//! What people write on an alert and what never leaves our store: who looks after it, notes, a snooze. One transaction each.

use api::{Answer, Kind, Problem, Request};
use identity::Caller;
use models::{
    Actor, AlertId, AlertResult, Asked, ChangedWork, Entry, Operation, OperationId, Person, RequestHash, SeenAsSnoozed,
    TenantId, WorkChange, WorkError,
};
use serde::Serialize;
use store::{About, Act, ActWrite, Acted, AlertWrite, KeepOperations, ReadTenant, ReadWork};

use crate::{
    Resolve, actor,
    bodies::{AssignBody, AssignForm, EmptyBody, NoteBody, SnoozeBody, read},
    documents, request_id,
    status::{hash, operation_id, place_of},
};

impl<S, M, Q> Resolve<S, M, Q>
where
    S: Act + KeepOperations + ReadTenant + ReadWork + Sync,
    M: Sync,
    Q: Sync,
{
    /// Somebody, or nobody, is to look after an alert.
    pub(crate) async fn assign(&self, request: &Request, caller: &Caller) -> Result<Answer, Problem> {
        let place = place_of(request, caller)?;
        let body: AssignBody = match request.form() {
            Some(_) => request.body::<AssignForm>()?.into_body()?,
            None => request.body()?,
        };
        let me = match actor(caller) {
            Actor::Person(person) => Some(person),
            _ => None::<Person>,
        };
        let change = body
            .change(me)?
            .ok_or_else(|| Problem::new(Kind::NotPossible).because("A program looks after no alert: name a person."))?;
        self.work(request, caller, place, &body, change).await
    }

    /// A note is to be kept on an alert.
    pub(crate) async fn note(&self, request: &Request, caller: &Caller) -> Result<Answer, Problem> {
        let place = place_of(request, caller)?;
        let body: NoteBody = request.body()?;
        let change = WorkChange::Note(read("note", &body.note)?);
        self.work(request, caller, place, &body, change).await
    }

    /// An alert is to be set aside.
    pub(crate) async fn snooze(&self, request: &Request, caller: &Caller) -> Result<Answer, Problem> {
        let place = place_of(request, caller)?;
        let body: SnoozeBody = request.body()?;
        self.work(request, caller, place, &body, body.change()?).await
    }

    /// An alert is to be set aside no more.
    pub(crate) async fn unsnooze(&self, request: &Request, caller: &Caller) -> Result<Answer, Problem> {
        let place = place_of(request, caller)?;
        let body: EmptyBody = request.body_or_default()?;
        self.work(request, caller, place, &body, WorkChange::Wake).await
    }

    async fn work(
        &self,
        request: &Request,
        caller: &Caller,
        (tenant, alert): (TenantId, AlertId),
        body: &(impl Serialize + Sync),
        change: WorkChange,
    ) -> Result<Answer, Problem> {
        let (by, key) = (actor(caller), request.idempotency_key()?);
        let hash = hash(request, &(&tenant, &alert), body)?;
        let id = operation_id(&tenant, &by, key.as_ref(), || (self.new_id)());
        self.tenant(&tenant).await?;
        let worked = self.write_work(request, (id, hash, by), (tenant, &alert), change);
        let operation = tokio::time::timeout(self.settings.request_limit, worked).await;
        let operation = operation.map_err(|_| Problem::new(Kind::Unavailable))??;
        documents::of_one(&operation, &alert)
    }

    /// Writes it as soon as nobody is quicker; everybody's change is kept, since each is made of what the one before left.
    async fn write_work(
        &self,
        request: &Request,
        (id, hash, by): (OperationId, RequestHash, Actor),
        (tenant, alert): (TenantId, &AlertId),
        change: WorkChange,
    ) -> Result<Operation, Problem> {
        loop {
            if let Some(known) = self.known_operation(&tenant, &id, &hash).await? {
                return Ok(known);
            }
            let seen = self.store.at_work(&tenant, alert).await.map_err(|error| Problem::unavailable(&error))?;
            let seen = seen.ok_or(Kind::NotFound)?;
            let (line, now) = (self.activity_id(), self.now());
            let asked = Asked::Work { alert: alert.clone() };
            let draft = Operation::asked(id.clone(), tenant.clone(), by.clone(), hash.clone(), asked, now);
            let draft = Operation { revision: 0, ..draft };
            let (version, severity) = (seen.stored.version, seen.stored.known.alert.severity.clone());
            let stands = SeenAsSnoozed { version, severity };
            let changed =
                seen.work.with(change.clone(), &line, &by, stands, now).map_err(|error| problem_of(&error))?;
            let Some(ChangedWork { work, act, note }) = changed else {
                // So it may be because of the same request, which was quicker.
                if let Some(known) = self.known_operation(&tenant, &id, &hash).await? {
                    return Ok(known);
                }
                return Ok(Operation { revision: 0, ..draft.with_result(alert.clone(), AlertResult::AlreadySo, now) });
            };
            let version = AlertWrite::version(Some(seen.stored.version));
            let operation = draft.with_result(alert.clone(), AlertResult::Done { version }, now);
            let entry = Entry {
                note,
                operation: Some(operation.id.clone()),
                request: request_id(request),
                ..Entry::new(line, now, by.clone(), act)
            };
            let write = ActWrite {
                work: Some(&work),
                operation: Some(&operation),
                ..ActWrite::new(&tenant, About::Alert(&seen), std::slice::from_ref(&entry))
            };
            match self.store.act(&write, now).await.map_err(|error| Problem::unavailable(&error))? {
                Acted::Done { .. } => {
                    tracing::info!(tenant.id = %tenant, alert.id = %alert, operation.id = %id, "work on an alert was written");
                    return Ok(operation);
                }
                // The same request at the same time, or somebody else: it is looked at again.
                Acted::OperationMoved | Acted::Overtaken | Acted::TooManyViews => {}
            }
        }
    }

    /// An operation that was asked for before under the same key, by the same request.
    pub(crate) async fn known_operation(
        &self,
        tenant: &TenantId,
        id: &OperationId,
        hash: &RequestHash,
    ) -> Result<Option<Operation>, Problem> {
        let known = self.store.operation(tenant, id).await.map_err(|error| Problem::unavailable(&error))?;
        match known {
            Some(known) if known.request != *hash => Err(Kind::KeyUsedOtherwise.into()),
            known => Ok(known),
        }
    }
}

fn problem_of(error: &WorkError) -> Problem {
    let member = match error {
        WorkError::SnoozeIsOver | WorkError::SnoozeTooLong => "until",
    };
    Problem::value(member, error)
}
