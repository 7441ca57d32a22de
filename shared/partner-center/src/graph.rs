//! Microsoft Graph partner security alerts (beta): listing, and reading one.

use std::sync::Arc;

use models::{AlertId, Tenant};
use reqwest::Url;

use crate::{
    Audience, BaseUrl, Credentials, Limits, ListAlerts, MicrosoftError, Page, Place, Sight, Tokens,
    error::{LEAVES_GRAPH, fault_of},
    exchange::Call,
    listing::{at_place, no_place},
    wire::{GraphPage, read_alert, read_graph_page},
};

const LIST: &str = "listing security alerts";
const READ: &str = "reading a security alert";
pub(crate) const PATH: [&str; 4] = ["beta", "security", "partner", "securityAlerts"];

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
            Some(place) => address(&graph, place).ok_or_else(|| no_place(call))?,
        };
        let answer = self.tokens.call(call, tenant, Audience::Graph, || self.http.get(url.clone())).await;
        at_place(call, at, answer.and_then(|body| read_page(call, &graph, &body)))
    }

    async fn alert(&self, tenant: &Tenant, id: &AlertId) -> Result<Sight, MicrosoftError> {
        let call = self.call(tenant, READ);
        let graph = self.graph(call, tenant)?;
        let mut path = PATH.to_vec();
        path.push(id.as_str());
        let url = graph.join(&path);
        let body = match self.tokens.call(call, tenant, Audience::Graph, || self.http.get(url.clone())).await {
            Ok(body) => body,
            Err(MicrosoftError::Refused { status: 404, code, .. }) if says_not_found(&code) => return Ok(Sight::Gone),
            Err(error) => return Err(error),
        };
        match read_alert(&body) {
            Ok(alert) if alert.id == *id => Ok(Sight::There(Box::new(alert))),
            // By its id it is this alert. An answer without one is no alert at all: a web page, a part of an answer.
            Err(unreadable) if unreadable.id == *id => Ok(Sight::Unreadable(unreadable)),
            Ok(_) | Err(_) => Err(call.bad("not the alert that was asked for".to_owned())),
        }
    }
}

/// Whether it is Graph that knows no such alert, by its codes for it (Microsoft: "Microsoft Graph error responses and resource types"; the
/// second is that of its directory, the third that of its security services). A 404 of something in front of it has none of them,
/// and makes no alert vanish; what this API itself says is documented nowhere, so a code that is not here proves nothing either.
pub(crate) fn says_not_found(code: &str) -> bool {
    ["itemNotFound", "Request_ResourceNotFound", "ResourceNotFound", "NotFound"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(code))
}

fn read_page(call: Call<'_>, graph: &BaseUrl, body: &[u8]) -> Result<Page, MicrosoftError> {
    let GraphPage { alerts, unreadable, next_link } =
        read_graph_page(body).map_err(|error| call.bad(format!("no page of alerts ({})", fault_of(&error))))?;
    let mut page = Page { alerts, unreadable, next: None };
    if let Some(link) = next_link {
        let next = link.parse().ok().filter(|url| graph.hosts(url));
        let next: Url = next.ok_or_else(|| call.bad(LEAVES_GRAPH.to_owned()))?;
        let query = next.query().map(|query| format!("?{query}")).unwrap_or_default();
        let place = Place(format!("{}{query}", next.path()));
        // What could not be gone on from later is better known now.
        if address(graph, &place).is_none() {
            return Err(call.bad("a next link that no list has".to_owned()));
        }
        page.next = Some(place);
    }
    Ok(page)
}

/// The address of a place: a path, and a query, on Graph's own host. The token goes nowhere else, whatever a place says.
fn address(graph: &BaseUrl, place: &Place) -> Option<Url> {
    let rest = place.text().filter(|rest| rest.starts_with('/') && !rest.starts_with("//"))?;
    format!("{graph}{rest}").parse().ok().filter(|url| graph.hosts(url))
}
