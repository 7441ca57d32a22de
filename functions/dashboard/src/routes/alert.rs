//! `GET /api/v1/tenants/{tenant}/alerts/{alert}`, and what is asked of an operation and of saved views.

use std::collections::{BTreeSet, HashMap};

use api::{Answer, Kind, Problem};
use identity::Kind as CallerKind;
use models::{Alert, AlertId, NameId, Operation, OperationId, Person, TenantId, View};

use store::{AlertAtWork, KeptViews, StoreError};

use super::{found, names::Names, of_store};
use crate::{
    Asked, Dashboard, ReadSealingKeys, Reads,
    shapes::{
        alert::AlertWhole,
        operation::OperationShown,
        rest::{ViewShown, Views},
    },
};

impl<S: Reads, K: ReadSealingKeys + Sync> Dashboard<S, K> {
    /// An alert, whole.
    pub(crate) async fn alert(&self, asked: Asked<'_>) -> Result<Answer, Problem> {
        let tenant = asked.tenant()?;
        asked.without_query()?;
        let id: AlertId = asked.request.parameter("alert")?;
        let at_work = self.store.at_work(&tenant, &id).await.map_err(of_store)?.ok_or(Kind::NotFound)?;
        let under_way = self.under_way(&tenant, &at_work).await?;
        let wanted = names_of(&at_work.stored.known.alert);
        let names = Names::read(&self.store, HashMap::from([(tenant.clone(), wanted)])).await;
        Ok(found(&AlertWhole::of(&tenant, &at_work, under_way.as_ref(), &names, asked.now)))
    }

    /// The operation that began last to change where an alert stands, as long as it is not known what came of it: an earlier one does nothing any more.
    pub(crate) async fn under_way(
        &self,
        tenant: &TenantId,
        at_work: &AlertAtWork,
    ) -> Result<Option<Operation>, Problem> {
        let Some(begun) = &at_work.begun else { return Ok(None) };
        let operation = self.readable(tenant, &begun.operation).await?;
        let alert = &at_work.stored.known.alert.id;
        Ok(operation.filter(|operation| operation.left().any(|left| left == alert)))
    }

    /// An operation, if it can be read: one that can't hides nothing else.
    pub(crate) async fn readable(&self, tenant: &TenantId, id: &OperationId) -> Result<Option<Operation>, Problem> {
        match self.store.operation(tenant, id).await {
            Err(error @ StoreError::BadItem { .. }) => {
                tracing::error!(
                    tenant.id = %tenant, operation.id = %id, error = runtime::chain(&error),
                    "an operation can't be read: its alert is shown without it"
                );
                Ok(None)
            }
            read => read.map_err(of_store),
        }
    }

    /// How far something has come that was asked for.
    pub(crate) async fn operation(&self, asked: Asked<'_>) -> Result<Answer, Problem> {
        let tenant = asked.tenant()?;
        asked.without_query()?;
        let id: OperationId = asked.request.parameter("operation")?;
        let operation = self.store.operation(&tenant, &id).await.map_err(of_store)?.ok_or(Kind::NotFound)?;
        Ok(found(&OperationShown::from(&operation)))
    }

    /// Saved views: the caller's own, and those that are shared.
    pub(crate) async fn views(&self, asked: Asked<'_>) -> Result<Answer, Problem> {
        let tenant = asked.tenant()?;
        asked.without_query()?;
        let person = asked.person();
        let is_for = |view: &&View| is_shown(view, person.as_ref());
        let KeptViews { views, unreadable } = self.store.views(&tenant).await.map_err(of_store)?;
        if views.is_empty() {
            self.is_there(&tenant).await?;
        }
        Ok(found(&Views { views: views.iter().filter(is_for).map(ViewShown::from).collect(), unreadable }))
    }
}

impl Asked<'_> {
    /// The person who asks. A program has no views of its own: by its id nobody else's is taken for it.
    pub(crate) fn person(&self) -> Option<Person> {
        let caller = self.caller;
        let is_person = caller.kind() == CallerKind::Person;
        is_person.then(|| Person::new(caller.tid().clone(), caller.oid().clone(), caller.name()))
    }
}

/// Whether a view is shown to whoever asks.
pub(crate) fn is_shown(view: &View, person: Option<&Person>) -> bool {
    view.is_shared || person.is_some_and(|person| view.is_for(person))
}

/// The names that an alert needs.
pub(crate) fn names_of(alert: &Alert) -> BTreeSet<NameId> {
    let mut names = BTreeSet::new();
    names.extend(alert.customer_id.as_ref().map(NameId::customer));
    names.extend(alert.subscription_id.as_ref().map(NameId::subscription));
    names.extend(alert.reseller_id.as_deref().and_then(NameId::reseller));
    names
}
