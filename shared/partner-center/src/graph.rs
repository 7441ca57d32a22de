//! Microsoft Graph partner security alerts (beta): listing, and reading one.

use std::sync::Arc;

use models::{AlertId, Tenant};
use reqwest::Url;

use crate::{
    Audience, BaseUrl, Credentials, Limits, ListAlerts, MicrosoftError, Page, Place, Sight, Tokens,
    exchange::Call,
    wire::{GraphPage, read_alert, read_graph_page},
};

const LIST: &str = "listing security alerts";
const READ: &str = "reading a security alert";
const PATH: [&str; 4] = ["beta", "security", "partner", "securityAlerts"];

/// Lists alerts by Microsoft Graph.
#[derive(Debug)]
pub struct GraphAlerts<C> {
    http: reqwest::Client,
    tokens: Arc<Tokens<C>>,
    limits: Limits,
}

impl<C: Credentials + Send + Sync> GraphAlerts<C> {
    /// A client with these tokens and bounds.
    #[must_use]
    pub fn new(http: reqwest::Client, tokens: Arc<Tokens<C>>, limits: Limits) -> Self {
        Self { http, tokens, limits }
    }

    fn call<'a>(&self, tenant: &'a Tenant, name: &'static str) -> Call<'a> {
        Call { name, tenant: &tenant.id, limits: self.limits }
    }

    fn graph(&self, call: Call<'_>, tenant: &Tenant) -> Result<BaseUrl, MicrosoftError> {
        let graph = self.tokens.clouds().of(tenant.cloud).map(|addresses| addresses.graph.clone());
        graph.ok_or_else(|| call.bad("the cloud has no addresses".to_owned()))
    }
}

impl<C: Credentials + Send + Sync> ListAlerts for GraphAlerts<C> {
    async fn page(&self, tenant: &Tenant, at: Option<&Place>) -> Result<Page, MicrosoftError> {
        let call = self.call(tenant, LIST);
        let graph = self.graph(call, tenant)?;
        let url = match at {
            None => graph.join(&PATH),
            Some(Place(rest)) => checked_link(&graph, &format!("{graph}{rest}"))
                .ok_or_else(|| call.bad("a place that is none of Graph's".to_owned()))?,
        };
        let body = self.tokens.call(call, tenant, Audience::Graph, || self.http.get(url.clone())).await?;
        let GraphPage { alerts, unreadable, next_link } = read_graph_page(&body)
            .map_err(|error| call.bad(format!("no page of alerts ({:?} error)", error.classify())))?;
        let mut page = Page { alerts, unreadable, next: None };
        if let Some(link) = next_link {
            let next = checked_link(&graph, &link);
            let next = next.ok_or_else(|| call.bad("a next link that leaves Graph's host".to_owned()))?;
            let query = next.query().map(|query| format!("?{query}")).unwrap_or_default();
            page.next = Some(Place(format!("{}{query}", next.path())));
        }
        Ok(page)
    }

    async fn alert(&self, tenant: &Tenant, id: &AlertId) -> Result<Sight, MicrosoftError> {
        let call = self.call(tenant, READ);
        let graph = self.graph(call, tenant)?;
        let mut path = PATH.to_vec();
        path.push(id.as_str());
        let url = graph.join(&path);
        let body = match self.tokens.call(call, tenant, Audience::Graph, || self.http.get(url.clone())).await {
            Ok(body) => body,
            Err(MicrosoftError::Refused { status: 404, .. }) => return Ok(Sight::Gone),
            Err(error) => return Err(error),
        };
        Ok(match read_alert(&body) {
            Ok(alert) if alert.id == *id => Sight::There(Box::new(alert)),
            Ok(_) => return Err(call.bad("another alert than the one that was asked for".to_owned())),
            Err(unreadable) => Sight::Unreadable(unreadable),
        })
    }
}

/// A next link, if it lies on Graph's own host: the token goes nowhere else.
fn checked_link(graph: &BaseUrl, link: &str) -> Option<Url> {
    link.parse().ok().filter(|url| graph.hosts(url))
}
