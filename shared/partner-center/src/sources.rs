//! Which source a tenant's alerts come from.

use std::sync::Arc;

use models::{AlertSource, Tenant};

use crate::{Credentials, FraudEvents, GraphAlerts, Limits, ListAlerts, Listing, MicrosoftError, Tokens};

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
    async fn list(&self, tenant: &Tenant) -> Result<Listing, MicrosoftError> {
        match tenant.alert_source {
            AlertSource::FraudEvents => self.fraud_events.list(tenant).await,
            AlertSource::Graph => self.graph.list(tenant).await,
        }
    }
}
