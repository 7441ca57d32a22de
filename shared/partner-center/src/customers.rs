//! A tenant's customers at Partner Center: whether one is a customer, what it is called, and what its Azure subscriptions are called.
//!
//! Promises: an id from outside is part of an address only where it is a GUID, and the token goes below the address that the tenant's
//! cloud or configuration names; of a link to a next page nothing is used but its query and its continuation token; every walk is bounded,
//! and says how many requests it took. Leaves to others: how often is asked, and where names are kept (`poll`, `store`).

use std::{collections::BTreeMap, future::Future, sync::Arc};

use models::{CustomerId, SubscriptionId, Tenant, TenantId};
use reqwest::Client;
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    Credentials, Limits, MicrosoftError, Tokens,
    partner_center::PartnerCenter,
    wire::{bounded_name, lenient, list},
};

const CUSTOMER: &str = "reading a customer";
const PLANS: &str = "listing a customer's subscriptions";
const ENTITLEMENTS: &str = "listing the Azure subscriptions of a plan";
/// What the offer of an Azure plan begins with ("Get an Azure entitlement for a subscription"). The Azure subscriptions that alerts are
/// about live below plans.
const AZURE_PLAN: &str = "DZH318Z0BPS6:0001:";
/// The codes of "there is no relationship with this customer" ("Partner Center REST error codes").
const NO_RELATIONSHIP: [&str; 2] = ["20002", "900159"];
/// Carries the place of a next page, in a link and in the request that follows it ("Partner Center REST headers").
const CONTINUATION: &str = "MS-ContinuationToken";
/// Most requests for the subscriptions of one customer: several times what a customer with one plan and a thousand subscriptions takes.
pub const SUBSCRIPTION_REQUESTS: u32 = 40;

/// What a customer is called. Texts are cut to 1,000 bytes, and are otherwise as they came: whoever shows them escapes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Customer {
    /// The company's name; none where Microsoft gives none, or an empty one.
    pub name: Option<String>,
    /// Its first domain, as in `contoso.onmicrosoft.com`.
    pub domain: Option<String>,
}

/// The names of a customer's Azure subscriptions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscriptionNames {
    /// By id, in lower case. All that the customer has, unless those that were wanted were found before the end.
    pub names: BTreeMap<SubscriptionId, String>,
    /// How many requests it took, those that were repeated counted once.
    pub requests: u32,
}

/// Reads what customers and their subscriptions are called.
pub trait ReadCustomers {
    /// A customer of this tenant. None where Partner Center itself says that it is none: there is no such customer, or no relationship
    /// with it.
    fn customer(
        &self,
        tenant: &Tenant,
        id: &CustomerId,
    ) -> impl Future<Output = Result<Option<Customer>, MicrosoftError>> + Send;

    /// The names of a customer's Azure subscriptions, read until all that are wanted are found. Nothing is found of a customer that is
    /// none.
    fn subscription_names(
        &self,
        tenant: &Tenant,
        customer: &CustomerId,
        wanted: &[SubscriptionId],
    ) -> impl Future<Output = Result<SubscriptionNames, MicrosoftError>> + Send;
}

/// Partner Center's customers.
#[derive(Debug)]
pub struct Customers<C>(PartnerCenter<C>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCustomer {
    id: String,
    #[serde(default, deserialize_with = "lenient")]
    company_profile: Option<WireProfile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProfile {
    #[serde(default, deserialize_with = "lenient")]
    company_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    domain: Option<String>,
}

/// A commerce subscription; an Azure plan is one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSubscription {
    id: String,
    offer_id: Option<String>,
}

/// An Azure subscription, which Partner Center calls an entitlement.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireEntitlement {
    id: String,
    #[serde(default, deserialize_with = "lenient")]
    friendly_name: Option<String>,
}

/// A page of a collection. An item that is odd keeps no other from being read.
#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct WirePage<T> {
    #[serde(deserialize_with = "list")]
    items: Vec<T>,
    links: Option<WireLinks>,
}

#[derive(Deserialize)]
struct WireLinks {
    next: Option<WireLink>,
}

#[derive(Deserialize)]
struct WireLink {
    uri: String,
    #[serde(default)]
    headers: Vec<WireHeader>,
}

#[derive(Deserialize)]
struct WireHeader {
    key: String,
    value: String,
}

/// Where a collection goes on: the query of its link, and the token that goes with it.
#[derive(Clone, PartialEq, Eq)]
struct Next {
    query: Option<String>,
    token: Option<String>,
}

impl From<WireLink> for Next {
    fn from(link: WireLink) -> Self {
        let token = link.headers.into_iter().find(|header| header.key.eq_ignore_ascii_case(CONTINUATION));
        let query = link.uri.split_once('?').map(|(_, query)| query.split('#').next().unwrap_or_default().to_owned());
        Self { query, token: token.map(|header| header.value) }
    }
}

impl<C: Credentials + Send + Sync> Customers<C> {
    /// A client with these tokens and bounds.
    #[must_use]
    pub fn new(http: Client, tokens: Arc<Tokens<C>>, limits: Limits) -> Self {
        Self(PartnerCenter { http, tokens, limits })
    }

    /// Reads a collection to its end, or until `take` has what it wants.
    async fn walk<T: DeserializeOwned>(
        &self,
        call: &'static str,
        tenant: &Tenant,
        path: &[&str],
        requests: &mut u32,
        mut take: impl FnMut(Vec<T>) -> Enough,
    ) -> Result<Enough, MicrosoftError> {
        let bad = |problem| MicrosoftError::BadAnswer { call, tenant: tenant.id.to_string(), problem };
        let mut next: Option<Next> = None;
        loop {
            if *requests >= SUBSCRIPTION_REQUESTS {
                return Err(bad(format!("more than {SUBSCRIPTION_REQUESTS} pages for one customer")));
            }
            *requests += 1;
            let page: WirePage<T> = self
                .0
                .ask(call, tenant, path, |http, mut url| {
                    url.set_query(next.as_ref().and_then(|next| next.query.as_deref()));
                    let token = next.as_ref().and_then(|next| next.token.as_deref());
                    let request = http.get(url);
                    token.into_iter().fold(request, |request, token| request.header(CONTINUATION, token))
                })
                .await?;
            if let Enough::Yes = take(page.items) {
                return Ok(Enough::Yes);
            }
            let Some(link) = page.links.and_then(|links| links.next) else { return Ok(Enough::No) };
            let following = Next::from(link);
            if next.as_ref() == Some(&following) {
                return Err(bad("its pages lead back to one that was read".to_owned()));
            }
            next = Some(following);
        }
    }

    /// Puts the names below the customer's Azure plans into `found`.
    async fn find(
        &self,
        tenant: &Tenant,
        customer: &TenantId,
        wanted: &[String],
        found: &mut SubscriptionNames,
    ) -> Result<(), MicrosoftError> {
        let path = ["v1", "customers", customer.as_str(), "subscriptions"];
        let mut plans = Vec::new();
        self.walk(PLANS, tenant, &path, &mut found.requests, |page: Vec<WireSubscription>| {
            let azure = page.into_iter().filter(|subscription| subscription.offer_id.as_deref().is_some_and(is_azure));
            plans.extend(azure.filter_map(|plan| plan.id.parse::<TenantId>().ok()));
            Enough::No
        })
        .await?;
        for plan in &plans {
            let path = ["v1", "customers", customer.as_str(), "subscriptions", plan.as_str(), "azureEntitlements"];
            let SubscriptionNames { names, requests } = &mut *found;
            let enough = self.walk(ENTITLEMENTS, tenant, &path, requests, |page: Vec<WireEntitlement>| {
                names.extend(page.into_iter().filter_map(name_of));
                let has = |id: &String| names.keys().any(|name| name.as_str() == id);
                if wanted.iter().all(has) { Enough::Yes } else { Enough::No }
            });
            if let Enough::Yes = enough.await? {
                break;
            }
        }
        Ok(())
    }
}

/// Whether a walk has found what it was for.
enum Enough {
    No,
    Yes,
}

impl<C: Credentials + Send + Sync> ReadCustomers for Customers<C> {
    async fn customer(&self, tenant: &Tenant, id: &CustomerId) -> Result<Option<Customer>, MicrosoftError> {
        let Some(customer) = guid(id) else { return Ok(None) };
        let path = ["v1", "customers", customer.as_str()];
        let read: WireCustomer = match self.0.ask(CUSTOMER, tenant, &path, Client::get).await {
            Err(error) if is_none_of_ours(&error) => return Ok(None),
            read => read?,
        };
        if !read.id.eq_ignore_ascii_case(customer.as_str()) {
            let problem = "another customer than the one that was asked for".to_owned();
            return Err(MicrosoftError::BadAnswer { call: CUSTOMER, tenant: tenant.id.to_string(), problem });
        }
        let WireProfile { company_name, domain } =
            read.company_profile.unwrap_or(WireProfile { company_name: None, domain: None });
        Ok(Some(Customer { name: bounded_name(company_name), domain: bounded_name(domain) }))
    }

    async fn subscription_names(
        &self,
        tenant: &Tenant,
        customer: &CustomerId,
        wanted: &[SubscriptionId],
    ) -> Result<SubscriptionNames, MicrosoftError> {
        let mut found = SubscriptionNames::default();
        let Some(customer) = guid(customer) else { return Ok(found) };
        let wanted: Vec<String> = wanted.iter().map(|id| id.as_str().to_ascii_lowercase()).collect();
        match self.find(tenant, &customer, &wanted, &mut found).await {
            Err(error) if !is_none_of_ours(&error) => Err(error),
            _ => Ok(found),
        }
    }
}

/// A customer is an Entra ID tenant. What is no GUID is none, and becomes part of no address.
fn guid(id: &CustomerId) -> Option<TenantId> {
    id.as_str().parse().ok()
}

/// Whether Partner Center says that there is no such customer, or none of this partner's. Its codes are numbers; for a customer that there
/// is not, the documents name none. Whatever else has the same status is of something in front of it, and proves nothing.
fn is_none_of_ours(error: &MicrosoftError) -> bool {
    match error {
        MicrosoftError::Refused { status: 404, code, .. } => code.parse::<u32>().is_ok(),
        MicrosoftError::Refused { status: 403, code, .. } => NO_RELATIONSHIP.contains(&code.as_str()),
        _ => false,
    }
}

fn is_azure(offer: &str) -> bool {
    offer.get(..AZURE_PLAN.len()).is_some_and(|start| start.eq_ignore_ascii_case(AZURE_PLAN))
}

fn name_of(entitlement: WireEntitlement) -> Option<(SubscriptionId, String)> {
    let name = bounded_name(entitlement.friendly_name)?;
    Some((entitlement.id.to_ascii_lowercase().parse().ok()?, name))
}
