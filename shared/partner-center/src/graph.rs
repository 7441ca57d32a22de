//! Microsoft Graph partner security alerts (beta): listing.

use std::{collections::HashSet, sync::Arc};

use models::Tenant;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    Audience, BaseUrl, Credentials, Limits, ListAlerts, Listing, MicrosoftError, Tokens, exchange::Call,
    wire::read_alert,
};

const CALL: &str = "listing security alerts";
const PATH: [&str; 4] = ["beta", "security", "partner", "securityAlerts"];

/// Lists alerts by Microsoft Graph.
#[derive(Debug)]
pub struct GraphAlerts<C> {
    http: reqwest::Client,
    tokens: Arc<Tokens<C>>,
    limits: Limits,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    value: Vec<&'a RawValue>,
    #[serde(rename = "@odata.nextLink")]
    next_link: Option<String>,
}

impl<C: Credentials + Send + Sync> GraphAlerts<C> {
    /// A client with these tokens and bounds.
    #[must_use]
    pub fn new(http: reqwest::Client, tokens: Arc<Tokens<C>>, limits: Limits) -> Self {
        Self { http, tokens, limits }
    }

    /// How many alerts the first page of a tenant's list holds: to see whether it can be read, without reading all of it.
    ///
    /// # Errors
    ///
    /// [`MicrosoftError`].
    pub async fn first_page(&self, tenant: &Tenant) -> Result<usize, MicrosoftError> {
        let call = self.call(tenant);
        let url = self.graph(call, tenant)?.join(&PATH);
        let body = self.tokens.call(call, tenant, Audience::Graph, || self.http.get(url.clone())).await?;
        Ok(page(call, &body)?.value.len())
    }

    fn call<'a>(&self, tenant: &'a Tenant) -> Call<'a> {
        Call { name: CALL, tenant: &tenant.id, limits: self.limits }
    }

    fn graph(&self, call: Call<'_>, tenant: &Tenant) -> Result<BaseUrl, MicrosoftError> {
        let graph = self.tokens.clouds().of(tenant.cloud).map(|addresses| addresses.graph.clone());
        graph.ok_or_else(|| call.bad("the cloud has no addresses".to_owned()))
    }
}

fn page<'a>(call: Call<'_>, body: &'a [u8]) -> Result<Page<'a>, MicrosoftError> {
    serde_json::from_slice(body).map_err(|error| call.bad(format!("no page of alerts ({:?} error)", error.classify())))
}

impl<C: Credentials + Send + Sync> ListAlerts for GraphAlerts<C> {
    async fn list(&self, tenant: &Tenant) -> Result<Listing, MicrosoftError> {
        let call = self.call(tenant);
        let graph = self.graph(call, tenant)?;
        let mut listing = Listing::default();
        let mut seen = HashSet::new();
        let mut next = Some(graph.join(&PATH));
        while let Some(url) = next {
            if seen.len() >= self.limits.pages {
                return Err(call.bad(format!("more than {} pages", self.limits.pages)));
            }
            if !seen.insert(url.clone()) {
                return Err(call.bad("its pages lead back to one that was read".to_owned()));
            }
            let body = self.tokens.call(call, tenant, Audience::Graph, || self.http.get(url.clone())).await?;
            let page = page(call, &body)?;
            for alert in page.value {
                match read_alert(alert.get().as_bytes()) {
                    Ok(alert) => listing.alerts.push(alert),
                    Err(unreadable) => listing.unreadable.push(unreadable),
                }
            }
            next = page
                .next_link
                .map(|link| {
                    checked_link(&graph, &link)
                        .ok_or_else(|| call.bad("a next link that leaves Graph's host".to_owned()))
                })
                .transpose()?;
        }
        Ok(listing)
    }
}

/// A next link, if it lies on Graph's own host: the token goes nowhere else.
fn checked_link(graph: &BaseUrl, link: &str) -> Option<reqwest::Url> {
    link.parse().ok().filter(|url| graph.hosts(url))
}
