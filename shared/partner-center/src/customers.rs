//! A tenant's customers at Partner Center: whether one is a customer, what it is called, and what its Azure subscriptions are called.
//!
//! Promises: an id from outside is part of an address only where it is a GUID, and the token goes below the address that the tenant's
//! cloud or configuration names; every walk is bounded, and says how many requests it took. Leaves to others: how often is asked, and where names are kept (`poll`, `store`).

use std::{collections::BTreeMap, future::Future, sync::Arc};

use models::{CustomerId, SubscriptionId, Tenant, TenantId};
use reqwest::Client;
use serde::Deserialize;

use crate::{
    Asker, Credentials, Limits, MicrosoftError, Tokens,
    azure_plan::{ENTITLEMENTS, PLANS, WireEntitlement, WirePlan},
    collection::{Budget, Enough},
    partner_center::PartnerCenter,
    wire::{bounded_name, lenient},
};

const CUSTOMER: &str = "reading a customer";
/// The codes of "there is no relationship with this customer" ("Partner Center REST error codes").
const NO_RELATIONSHIP: [&str; 2] = ["20002", "900159"];
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

impl<C: Credentials + Send + Sync> Customers<C> {
    /// A client with these tokens and bounds.
    #[must_use]
    pub fn new(http: Client, tokens: Arc<Tokens<C>>, limits: Limits) -> Self {
        Self(PartnerCenter { http, tokens, limits })
    }

    /// Puts the names below the customer's Azure plans into `found`.
    async fn find(
        &self,
        tenant: &Tenant,
        customer: &TenantId,
        wanted: &[String],
        found: &mut SubscriptionNames,
    ) -> Result<(), MicrosoftError> {
        let mut budget = Budget { made: 0, most: SUBSCRIPTION_REQUESTS };
        let read = self.find_within(tenant, customer, wanted, &mut found.names, &mut budget).await;
        found.requests = budget.made;
        read
    }

    async fn find_within(
        &self,
        tenant: &Tenant,
        customer: &TenantId,
        wanted: &[String],
        names: &mut BTreeMap<SubscriptionId, String>,
        budget: &mut Budget,
    ) -> Result<(), MicrosoftError> {
        let path = ["v1", "customers", customer.as_str(), "subscriptions"];
        let mut plans = Vec::new();
        self.0
            .walk(Asker::Tenant, PLANS, tenant, &path, budget, |page: Vec<WirePlan>| {
                plans.extend(
                    page.into_iter().filter(WirePlan::is_azure).filter_map(|plan| plan.id.parse::<TenantId>().ok()),
                );
                Enough::No
            })
            .await?;
        for plan in &plans {
            let path = ["v1", "customers", customer.as_str(), "subscriptions", plan.as_str(), "azureEntitlements"];
            let enough =
                self.0.walk(Asker::Tenant, ENTITLEMENTS, tenant, &path, budget, |page: Vec<WireEntitlement>| {
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

impl<C: Credentials + Send + Sync> ReadCustomers for Customers<C> {
    async fn customer(&self, tenant: &Tenant, id: &CustomerId) -> Result<Option<Customer>, MicrosoftError> {
        self.0.customer(Asker::Tenant, tenant, id).await
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

impl<C: Credentials + Send + Sync> PartnerCenter<C> {
    /// A customer of this tenant, whoever asks for it.
    pub(crate) async fn customer(
        &self,
        asker: Asker<'_>,
        tenant: &Tenant,
        id: &CustomerId,
    ) -> Result<Option<Customer>, MicrosoftError> {
        let Some(customer) = guid(id) else { return Ok(None) };
        let path = ["v1", "customers", customer.as_str()];
        let read: WireCustomer = match self.ask_as(asker, CUSTOMER, tenant, &path, Client::get).await {
            Err(error) if is_none_of_ours(&error) => return Ok(None),
            read => read?,
        };
        if !read.id.eq_ignore_ascii_case(customer.as_str()) {
            return Err(self.call(CUSTOMER, tenant).bad("another customer than the one that was asked for".to_owned()));
        }
        let WireProfile { company_name, domain } =
            read.company_profile.unwrap_or(WireProfile { company_name: None, domain: None });
        Ok(Some(Customer { name: bounded_name(company_name), domain: bounded_name(domain) }))
    }
}

/// A customer is an Entra ID tenant. What is no GUID is none, and becomes part of no address.
fn guid(id: &CustomerId) -> Option<TenantId> {
    id.as_str().parse().ok()
}

/// Whether Partner Center says that there is no such customer, or none of this partner's. Its codes are numbers; for a customer that there
/// is not, the documents name none. Whatever else has the same status is of something in front of it, and proves nothing.
pub(crate) fn is_none_of_ours(error: &MicrosoftError) -> bool {
    match error {
        MicrosoftError::Refused { status: 404, code, .. } => code.parse::<u32>().is_ok(),
        MicrosoftError::Refused { status: 403, code, .. } => NO_RELATIONSHIP.contains(&code.as_str()),
        _ => false,
    }
}

fn name_of(entitlement: WireEntitlement) -> Option<(SubscriptionId, String)> {
    let name = bounded_name(entitlement.friendly_name)?;
    Some((entitlement.id.to_ascii_lowercase().parse().ok()?, name))
}
