//! What somebody sees before they ask: whose subscription it is, what is in it as far as its alerts say, and which of them would be resolved.

use std::{collections::BTreeSet, sync::Arc};

use models::{Alert, CustomerId, EventSubject, Operation, SubscriptionId, Tenant, TenantId};
use partner_center::{Asker, Credentials, EntitlementError};
use store::{FindAlerts, FindOpenAlerts, KeepOperations, StoreError};

use crate::{
    Subscriptions, about,
    ask::{is_called, name_to_type},
};

/// Most alerts that are shown. More are resolved all the same.
const MOST_SHOWN: usize = 100;

/// What would end, or be active again.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The customer, the subscription and its plan, as Partner Center has them.
    pub found: partner_center::Preview,
    /// The resources that its open alerts name, by id.
    pub resources: BTreeSet<String>,
    /// Its open alerts, those that were observed last first: up to 100 of them.
    pub alerts: Vec<Arc<Alert>>,
    /// How many of its alerts can't be read: they are resolved by nobody.
    pub unreadable: usize,
    /// What is under way about it.
    pub under_way: Option<Operation>,
}

impl Preview {
    /// Whether this is what its subscription is called, so that whoever typed it means this one. [`Subscriptions::ask`] looks at it anew.
    #[must_use]
    pub fn is_called(&self, subscription: &SubscriptionId, typed: &str) -> bool {
        is_called(&self.found.found.entitlement, subscription, typed)
    }

    /// What whoever means this one types: its name, or its id where it has none that somebody can type.
    #[must_use]
    pub fn to_type<'a>(&'a self, subscription: &'a SubscriptionId) -> &'a str {
        name_to_type(&self.found.found.entitlement).unwrap_or(subscription.as_str())
    }
}

/// Why there is no preview.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// Nobody knows whose it is.
    #[error("no alert that is kept of tenant {tenant} is about the subscription {subscription}")]
    CustomerUnknown {
        /// The tenant.
        tenant: TenantId,
        /// The subscription.
        subscription: SubscriptionId,
    },
    /// Partner Center does not know it, or did not say.
    #[error("the subscription could not be looked up")]
    LookUp(#[from] EntitlementError),
    /// The store failed.
    #[error("the tables could not be read")]
    Store(#[from] StoreError),
}

impl<S, C> Subscriptions<S, C>
where
    S: FindAlerts + FindOpenAlerts + KeepOperations + Sync,
    C: Credentials + Send + Sync,
{
    /// What somebody sees before they ask. `customer` is whose it is, where whoever asks knows; else the one that its alerts name.
    ///
    /// # Errors
    ///
    /// [`PreviewError`].
    pub async fn preview(
        &self,
        asker: Asker<'_>,
        tenant: &Tenant,
        subscription: &SubscriptionId,
        customer: Option<&CustomerId>,
    ) -> Result<Preview, PreviewError> {
        let customer = self.customer_of(tenant, subscription, customer).await?;
        let found = self.entitlements.preview(asker, tenant, &customer, subscription).await?;
        let open = self.store.open_alerts_of(&tenant.id, subscription, MOST_SHOWN).await?;
        let store::OpenAlerts { alerts, unreadable } = open;
        let resources = alerts.iter().flat_map(|alert| &alert.affected_resources);
        let resources = resources.map(|resource| resource.resource_id.clone()).collect();
        let under_way = self.under_way(&tenant.id, subscription).await?;
        Ok(Preview { found, resources, alerts, unreadable, under_way })
    }

    /// Whose a subscription is.
    pub(crate) async fn customer_of(
        &self,
        tenant: &Tenant,
        subscription: &SubscriptionId,
        known: Option<&CustomerId>,
    ) -> Result<CustomerId, PreviewError> {
        if let Some(known) = known {
            return Ok(known.clone());
        }
        let subject = EventSubject { customer: None, subscription: subscription.clone() };
        let mut alerts = self.store.candidates(&tenant.id, &subject).await?;
        alerts.sort_by_key(|known| std::cmp::Reverse(known.alert.last_observed));
        let named = alerts.into_iter().find_map(|known| known.alert.customer_id.clone());
        let none = || PreviewError::CustomerUnknown { tenant: tenant.id.clone(), subscription: subscription.clone() };
        named.ok_or_else(none)
    }

    /// What is under way about a subscription.
    pub(crate) async fn under_way(
        &self,
        tenant: &TenantId,
        subscription: &SubscriptionId,
    ) -> Result<Option<Operation>, StoreError> {
        let same = |other: &SubscriptionId| other.as_str().eq_ignore_ascii_case(subscription.as_str());
        let unfinished = self.store.unfinished(tenant).await?;
        Ok(unfinished.into_iter().find(|operation| about(operation).is_some_and(|(_, _, other)| same(other))))
    }
}
