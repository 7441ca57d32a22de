//! The customers of each tenant, and their Azure plans: those that alerts are about, and those that somebody describes.
//!
//! Who is about no alert and described by nobody is no customer. What is made up of one is named after its id, so that a test can
//! tell: `Customer 4a8f2d61`, `Subscription 6c2e9a47`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::app::{Shared, lock};
use crate::book::AlertError;

/// What a customer is to be like; what is left out stays as it is, or is made up.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CustomerChange {
    /// Whose customer; the first tenant's by default.
    pub tenant: Option<String>,
    /// The customer's tenant.
    pub id: String,
    /// The company's name.
    pub company_name: Option<String>,
    /// The company's domain.
    pub domain: Option<String>,
    /// How the customer stands to the partner.
    pub relationship: Option<Relationship>,
    /// More Azure subscriptions, or other names of those that are there, by id.
    pub subscriptions: BTreeMap<String, String>,
    /// How many Azure plans the subscriptions are spread over; one by default.
    pub plans: Option<usize>,
    /// Azure subscriptions that the first plan goes on listing as inactive, though they live below another, as if they had moved.
    pub left_behind: Vec<String>,
}

/// How a customer stands to a partner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Relationship {
    /// It buys from the partner.
    #[default]
    Reseller,
    /// It did: 403 with 900159.
    Ended,
    /// It never was there: 404.
    Unknown,
}

/// A customer as it is served.
#[derive(Clone, Debug)]
pub(crate) struct Customer {
    pub(crate) company_name: String,
    pub(crate) domain: String,
    pub(crate) relationship: Relationship,
    /// The Azure subscriptions by id, with their names.
    pub(crate) subscriptions: BTreeMap<String, String>,
    pub(crate) plans: usize,
    pub(crate) left_behind: Vec<String>,
}

impl Customer {
    fn made_up(id: &str) -> Self {
        Self {
            company_name: format!("Customer {}", first_part(id)),
            domain: format!("customer-{}.onmicrosoft.com", first_part(id)),
            relationship: Relationship::Reseller,
            subscriptions: BTreeMap::new(),
            plans: 1,
            left_behind: Vec::new(),
        }
    }

    fn apply(&mut self, change: &CustomerChange) {
        let CustomerChange { company_name, domain, relationship, subscriptions, plans, left_behind, .. } =
            change.clone();
        self.company_name = company_name.unwrap_or_else(|| std::mem::take(&mut self.company_name));
        self.domain = domain.unwrap_or_else(|| std::mem::take(&mut self.domain));
        self.relationship = relationship.unwrap_or(self.relationship);
        self.subscriptions.extend(subscriptions);
        self.plans = plans.unwrap_or(self.plans).max(1);
        self.left_behind.extend(left_behind);
    }

    /// The plan that a place in the list of subscriptions falls to.
    pub(crate) fn plan_of(&self, place: usize) -> usize {
        place % self.plans
    }
}

/// What somebody said of customers, in the order in which it was said.
pub(crate) type Described = Vec<(String, CustomerChange)>;

impl Shared {
    pub(crate) fn describe_customer(&self, change: CustomerChange) -> Result<(), AlertError> {
        let tenant = self.tenant(change.tenant.as_deref())?.id.clone();
        lock(&self.customers).push((tenant, change));
        Ok(())
    }

    /// A tenant's customer, if it is one.
    pub(crate) fn customer(&self, tenant: &str, id: &str) -> Option<Customer> {
        let same = |other: &str| other.eq_ignore_ascii_case(id);
        let mut customer: Option<Customer> = None;
        for alert in lock(&self.book).all(tenant).filter(|alert| same(&alert.customer_tenant_id)) {
            let customer = customer.get_or_insert_with(|| Customer::made_up(id));
            let name = format!("Subscription {}", first_part(&alert.subscription_id));
            customer.subscriptions.insert(alert.subscription_id.clone(), name);
        }
        let described = lock(&self.customers);
        for (_, change) in described.iter().filter(|(of, change)| of == tenant && same(&change.id)) {
            customer.get_or_insert_with(|| Customer::made_up(id)).apply(change);
        }
        customer
    }
}

pub(crate) fn first_part(id: &str) -> &str {
    id.split('-').next().unwrap_or_default()
}
