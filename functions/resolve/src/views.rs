//! Saved views: each is its owner's, and everybody's of the tenant where it is shared.

use api::{Answer, Gate, Kind, Problem, Request};
use http::Method;
use identity::{Caller, Permission};
use models::{
    Act as Line, Actor, Asked, Entry, MOST_VIEWS, Operation, OperationId, Person, RequestHash, TenantId, View, ViewId,
};
use store::{About, Act, ActWrite, Acted, KeepOperations, KeepViews, ReadTenant, ReadWork, ViewWrite};

use crate::{
    Resolve, actor,
    bodies::{ChangedViewBody, RemovedViewBody, ViewBody, named_query},
    documents::{ViewChanged, of_view},
    request_id,
    status::{hash, operation_id},
};

/// What is to become of a view.
enum Wish {
    Replace(ChangedViewBody),
    New(ViewBody),
    Remove { revision: u64 },
}

/// A request about views, as far as it is the same for all.
struct Asking {
    tenant: TenantId,
    owner: Person,
    id: OperationId,
    hash: RequestHash,
}

impl<S, M, Q> Resolve<S, M, Q>
where
    S: Act + KeepOperations + KeepViews + ReadTenant + ReadWork + Sync,
    M: Sync,
    Q: Sync,
{
    /// A view is to be saved.
    pub(crate) async fn save_view(&self, request: &Request, caller: &Caller) -> Result<Answer, Problem> {
        let tenant = tenant_of(request, caller)?;
        let body: ViewBody = request.body()?;
        named_query(&body.name, &body.query)?;
        let hash = hash(request, &tenant, &body)?;
        self.change_view(request, caller, tenant, hash, None, &Wish::New(body)).await
    }

    /// A saved view is to be another.
    pub(crate) async fn replace_view(&self, request: &Request, caller: &Caller) -> Result<Answer, Problem> {
        let tenant = tenant_of(request, caller)?;
        let view: ViewId = request.parameter("view")?;
        let body: ChangedViewBody = request.body()?;
        named_query(&body.name, &body.query)?;
        let hash = hash(request, &(&tenant, &view), &body)?;
        self.change_view(request, caller, tenant, hash, Some(view), &Wish::Replace(body)).await
    }

    /// A saved view is to be no more: of the revision that the query names, or the body where there can be one.
    pub(crate) async fn remove_view(&self, request: &Request, caller: &Caller) -> Result<Answer, Problem> {
        let tenant = tenant_of(request, caller)?;
        let view: ViewId = request.parameter("view")?;
        let revision = if request.method == Method::DELETE {
            let query = request.query(&["revision"])?;
            let revision = query.get("revision").and_then(|text| text.parse().ok());
            revision.ok_or_else(|| Problem::value("revision", "name the revision that you saw"))?
        } else {
            request.body::<RemovedViewBody>()?.revision
        };
        let hash = hash(request, &(&tenant, &view), &revision)?;
        self.change_view(request, caller, tenant, hash, Some(view), &Wish::Remove { revision }).await
    }

    async fn change_view(
        &self,
        request: &Request,
        caller: &Caller,
        tenant: TenantId,
        hash: RequestHash,
        view: Option<ViewId>,
        wish: &Wish,
    ) -> Result<Answer, Problem> {
        let (by, key) = (actor(caller), request.idempotency_key()?);
        let Actor::Person(owner) = &by else {
            return Err(Problem::new(Kind::NotPossible).because("A program has no views: save them as a person."));
        };
        let id = operation_id(&tenant, &by, key.as_ref(), || (self.new_id)());
        self.tenant(&tenant).await?;
        let about = Asking { tenant, owner: owner.clone(), id, hash };
        let changed = self.write_view(request, &about, view, wish);
        let changed = tokio::time::timeout(self.settings.request_limit, changed).await;
        let view = changed.map_err(|_| Problem::new(Kind::Unavailable))??;
        Ok(match wish {
            Wish::New(_) => of_view(&about.tenant, &ViewChanged { id: view.to_string(), revision: 1 }, true),
            Wish::Replace(body) => {
                let changed = ViewChanged { id: view.to_string(), revision: body.revision + 1 };
                of_view(&about.tenant, &changed, false)
            }
            Wish::Remove { .. } => api::nothing(),
        })
    }

    /// Writes it as soon as nobody is quicker at the end of the tenant's chain.
    async fn write_view(
        &self,
        request: &Request,
        about: &Asking,
        view: Option<ViewId>,
        wish: &Wish,
    ) -> Result<ViewId, Problem> {
        let Asking { tenant, owner, id, hash } = about;
        let unavailable = |error: store::StoreError| Problem::unavailable(&error);
        loop {
            if let Some(Operation { asked: Asked::View { view }, .. }) = self.known_operation(tenant, id, hash).await? {
                return Ok(view);
            }
            let head = self.store.tenant_head(tenant).await.map_err(unavailable)?;
            let (line, change) = match self.changed_view(about, view.as_ref(), wish).await {
                Ok(changed) => changed,
                // So it may be because of the same request, which was quicker.
                Err(problem) => match self.known_operation(tenant, id, hash).await? {
                    Some(Operation { asked: Asked::View { view }, .. }) => return Ok(view),
                    _ => return Err(problem),
                },
            };
            let (changed, now) = (id_of(&change).clone(), self.now());
            let asked = Asked::View { view: changed.clone() };
            let by = Actor::Person(owner.clone());
            let operation = Operation::asked(id.clone(), tenant.clone(), by.clone(), hash.clone(), asked, now);
            let operation = Operation { revision: 1, ..operation.done(now) };
            let entry = Entry {
                operation: Some(id.clone()),
                request: request_id(request),
                ..Entry::new(self.activity_id(), now, by, line)
            };
            let write = ActWrite {
                operation: Some(&operation),
                view: Some(&change),
                ..ActWrite::new(tenant, About::Tenant(head.as_ref()), std::slice::from_ref(&entry))
            };
            match self.store.act(&write, now).await.map_err(unavailable)? {
                Acted::Done { .. } => {
                    tracing::info!(tenant.id = %tenant, view.id = %changed, operation.id = %id, "a saved view was changed");
                    return Ok(changed);
                }
                Acted::TooManyViews => {
                    let detail = format!("A tenant has {MOST_VIEWS} saved views at most: remove one.");
                    return Err(Problem::new(Kind::NotPossible).because(detail));
                }
                // Somebody else, at the chain or at the view: what they left says which.
                Acted::OperationMoved | Acted::Overtaken => {}
            }
        }
    }

    /// The change of a view that is there, and is the caller's or everybody's.
    async fn changed_view(
        &self,
        about: &Asking,
        view: Option<&ViewId>,
        wish: &Wish,
    ) -> Result<(Line, ViewWrite), Problem> {
        let saved =
            |view: View| (Line::ViewSaved { view: view.id.clone(), name: view.name.clone() }, ViewWrite::Save(view));
        if let Wish::New(body) = wish {
            let (name, query) = named_query(&body.name, &body.query)?;
            let id = (self.new_id)().to_string().parse().map_err(|_| Problem::new(Kind::Unavailable))?;
            let owner = about.owner.clone();
            return Ok(saved(View { id, name, query, owner, is_shared: body.shared, revision: 1 }));
        }
        let views = self.store.views(&about.tenant).await.map_err(|error| Problem::unavailable(&error))?;
        let known = views.views.into_iter().find(|known| Some(&known.id) == view && known.is_for(&about.owner));
        let known = known.ok_or(Kind::NotFound)?;
        let seen = |revision: u64| {
            if known.revision == revision {
                return Ok(());
            }
            Err(Problem::new(Kind::ChangedMeanwhile).with(|it| it.revision = Some(known.revision)))
        };
        let is_shared_anew = matches!(wish, Wish::Replace(body) if body.shared != known.is_shared);
        let is_theirs = known.owner.is(&about.owner);
        if !is_theirs && (is_shared_anew || matches!(wish, Wish::Remove { .. })) {
            let detail = "A shared view is its owner's: nobody else removes it, or takes it from the others.";
            return Err(Problem::new(Kind::NotAllowed).because(detail));
        }
        match wish {
            Wish::Replace(body) => {
                seen(body.revision)?;
                let (name, query) = named_query(&body.name, &body.query)?;
                Ok(saved(View { name, query, is_shared: body.shared, revision: known.revision + 1, ..known }))
            }
            Wish::Remove { revision } => {
                seen(*revision)?;
                let (id, revision) = (known.id, known.revision);
                Ok((Line::ViewRemoved { view: id.clone() }, ViewWrite::Remove { id, revision }))
            }
            Wish::New(_) => Err(Kind::NotFound.into()),
        }
    }
}

fn id_of(change: &ViewWrite) -> &ViewId {
    match change {
        ViewWrite::Remove { id, .. } => id,
        ViewWrite::Save(view) => &view.id,
    }
}

fn tenant_of(request: &Request, caller: &Caller) -> Result<TenantId, Problem> {
    let tenant = request.parameter("tenant")?;
    Gate::allow(caller, Permission::Resolve, &tenant)?;
    Ok(tenant)
}
