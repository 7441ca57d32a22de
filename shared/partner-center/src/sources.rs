//! Which source a tenant's alerts come from.

use std::sync::Arc;

use models::{AlertId, AlertSource, Tenant};

use crate::{Credentials, FraudEvents, GraphAlerts, Limits, ListAlerts, MicrosoftError, Page, Place, Sight, Tokens};

/// Lists each tenant's alerts by the source that its configuration names.
#[derive(Debug)]
pub struct AlertSources<C> {
    graph: GraphAlerts<C>,
    fraud_events: FraudEvents<C>,
}

impl<C: Credentials + Send + Sync> AlertSources<C> {
    /// Both sources with these tokens and bounds.
    #[must_use]
    pub fn new(http: reqwest::Client, tokens: Arc<Tokens<C>>, limits: Limits) -> Self {
        Self {
            graph: GraphAlerts::new(http.clone(), Arc::clone(&tokens), limits),
            fraud_events: FraudEvents::new(http, tokens, limits),
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
