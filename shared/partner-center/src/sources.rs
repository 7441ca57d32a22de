//! Which source a tenant's alerts come from, and the customers that they are about.

use std::sync::Arc;

use models::{Alert, AlertId, AlertSource, CustomerId, SubscriptionId, Tenant};

use crate::{
    Credentials, Customer, Customers, FraudEvents, GraphAlerts, Limits, ListAlerts, LookAtAlerts, MicrosoftError, Page,
    Place, ReadCustomers, Sight, SubscriptionNames, Tokens,
};

/// Lists each tenant's alerts by the source that its configuration names, and reads its customers.
#[derive(Debug)]
pub struct AlertSources<C> {
    graph: GraphAlerts<C>,
    fraud_events: FraudEvents<C>,
    customers: Customers<C>,
}

impl<C: Credentials + Send + Sync> AlertSources<C> {
    /// Both sources with these tokens and bounds.
    #[must_use]
    pub fn new(http: reqwest::Client, tokens: Arc<Tokens<C>>, limits: Limits) -> Self {
        Self {
            graph: GraphAlerts::new(http.clone(), Arc::clone(&tokens), limits),
            fraud_events: FraudEvents::new(http.clone(), Arc::clone(&tokens), limits),
            customers: Customers::new(http, tokens, limits),
        }
    }
}

impl<C: Credentials + Send + Sync> ListAlerts for AlertSources<C> {
    async fn page(&self, tenant: &Tenant, at: Option<&Place>) -> Result<Page, MicrosoftError> {
        match tenant.alert_source {
            AlertSource::FraudEvents => self.fraud_events.page(tenant, at).await,
            AlertSource::Graph => self.graph.page(tenant, at).await,
        }
    }

    async fn alert(&self, tenant: &Tenant, id: &AlertId) -> Result<Sight, MicrosoftError> {
        match tenant.alert_source {
            AlertSource::FraudEvents => self.fraud_events.alert(tenant, id).await,
            AlertSource::Graph => self.graph.alert(tenant, id).await,
        }
    }
}

impl<C: Credentials + Send + Sync> LookAtAlerts for AlertSources<C> {
    async fn look_at(&self, tenant: &Tenant, alert: &Alert) -> Result<Sight, MicrosoftError> {
        match tenant.alert_source {
            AlertSource::FraudEvents => self.fraud_events.among_its_subscriptions(tenant, alert).await,
            AlertSource::Graph => self.graph.alert(tenant, &alert.id).await,
        }
    }
}

impl<C: Credentials + Send + Sync> ReadCustomers for AlertSources<C> {
    async fn customer(&self, tenant: &Tenant, id: &CustomerId) -> Result<Option<Customer>, MicrosoftError> {
        self.customers.customer(tenant, id).await
    }

    async fn subscription_names(
        &self,
        tenant: &Tenant,
        customer: &CustomerId,
        wanted: &[SubscriptionId],
    ) -> Result<SubscriptionNames, MicrosoftError> {
        self.customers.subscription_names(tenant, customer, wanted).await
    }
}
