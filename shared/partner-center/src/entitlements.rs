//! Azure subscriptions at Partner Center: where one is found, how it stands, and how a person cancels or reactivates it.
//!
//! Promises: who cancels is a person, by their own token, which is given with the call, looked at first ([`PersonToken`]) and kept nowhere:
//! there is no way to do it by a kept credential. What is read may be read by either. An act has the `MS-RequestId` that the caller gives,
//! with every attempt, so that a repeated one is done once. Looking something up takes bounded requests and time. Leaves to others: to write
//! down first who wants what, to have it confirmed, and to follow it until it is done (`functions/resolve`).

use std::{sync::Arc, time::Duration};

use models::{CustomerId, SubscriptionId, Tenant, TenantId};
use reqwest::Client;
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

use crate::{
    Asker, Audience, Credentials, Customer, Entitlement, EntitlementError, EntitlementPlace, EntitlementStatus, Limits,
    MicrosoftError, PersonToken, Plan, SUBSCRIPTION_REQUESTS, TokenProblem, Tokens,
    azure_plan::{ENTITLEMENTS, PLANS, WireEntitlement, WirePlan, guid},
    collection::{Budget, Enough},
    customers::is_none_of_ours,
    partner_center::PartnerCenter,
    person_token::Expected,
};

const FIND: &str = "finding an Azure subscription";
const READ: &str = "reading an Azure subscription";
const CANCEL: &str = "cancelling an Azure subscription";
const REACTIVATE: &str = "reactivating an Azure subscription";
/// The one reason that is known to be taken ("Cancel an Azure subscription").
const REASON: &str = "compromise";
/// How long a look-up may take: less than the 30 seconds that an answer through API Gateway may.
const LOOK_UP: Duration = Duration::from_secs(20);

/// Azure subscriptions, for tenants and people.
#[derive(Debug)]
pub struct Entitlements<C> {
    partner_center: PartnerCenter<C>,
    look_up: Duration,
}

/// Where a customer's Azure subscription was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The plan that it lives below.
    pub plan: Plan,
    /// The subscription.
    pub entitlement: Entitlement,
    /// What further calls about it take.
    pub place: EntitlementPlace,
}

/// What somebody sees before they cancel a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The customer.
    pub customer: Customer,
    /// The subscription and its plan.
    pub found: Found,
}

/// An act that Partner Center has taken on. It is done when the subscription is seen so: about ten minutes later, by the documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The subscription, where the answer shows it: as it was before. One page of the documents has an answer without it.
    pub shown: Option<Entitlement>,
}

impl<C: Credentials + Send + Sync> Entitlements<C> {
    /// A client with these tokens and bounds.
    #[must_use]
    pub fn new(http: Client, tokens: Arc<Tokens<C>>, limits: Limits) -> Self {
        Self { partner_center: PartnerCenter { http, tokens, limits }, look_up: LOOK_UP }
    }

    /// The same where a look-up may take so long: 20 seconds unless it is said.
    #[must_use]
    pub fn within(self, look_up: Duration) -> Self {
        Self { look_up, ..self }
    }

    /// A person's own token, if what it says fits what it is for: acts on subscriptions of this partner tenant's customers. `mapped` are
    /// tenants whose people may act for this one, on purpose.
    ///
    /// # Errors
    ///
    /// [`TokenProblem`].
    pub fn person(
        &self,
        token: SecretString,
        tenant: &Tenant,
        mapped: &[TenantId],
    ) -> Result<PersonToken, TokenProblem> {
        let tokens = &self.partner_center.tokens;
        let addresses = tokens.clouds().of(tenant.cloud).ok_or(TokenProblem::OtherAudience)?;
        let audience = addresses.of(Audience::PartnerCenter);
        PersonToken::checked(token, &Expected { audience, tenant: &tenant.id, mapped, now: tokens.now() })
    }

    /// Where a customer's Azure subscription is found, and how it stands.
    ///
    /// # Errors
    ///
    /// [`EntitlementError`].
    pub async fn find(
        &self,
        asker: Asker<'_>,
        tenant: &Tenant,
        customer: &CustomerId,
        subscription: &SubscriptionId,
    ) -> Result<Found, EntitlementError> {
        self.fits(FIND, asker, tenant)?;
        self.in_time(asker, tenant, self.look_for(asker, tenant, customer, subscription)).await
    }

    /// The same with the customer's name and domain: what somebody is shown who is about to cancel it.
    ///
    /// # Errors
    ///
    /// [`EntitlementError`].
    pub async fn preview(
        &self,
        asker: Asker<'_>,
        tenant: &Tenant,
        customer: &CustomerId,
        subscription: &SubscriptionId,
    ) -> Result<Preview, EntitlementError> {
        self.fits(FIND, asker, tenant)?;
        let read = async {
            let known = self.partner_center.customer(asker, tenant, customer).await?;
            let known = known.ok_or_else(|| no_customer(tenant, customer.as_str()))?;
            let found = self.look_for(asker, tenant, customer, subscription).await?;
            Ok(Preview { customer: known, found })
        };
        self.in_time(asker, tenant, read).await
    }

    /// How an Azure subscription stands.
    ///
    /// # Errors
    ///
    /// [`EntitlementError`].
    pub async fn read(
        &self,
        asker: Asker<'_>,
        tenant: &Tenant,
        place: &EntitlementPlace,
    ) -> Result<Entitlement, EntitlementError> {
        self.fits(READ, asker, tenant)?;
        let mut ids = Default::default();
        let path = place.path(&mut ids, None);
        let failed = |error: MicrosoftError| EntitlementError::from(error).to(asker);
        let read = self.partner_center.ask_as(asker, READ, tenant, &path, Client::get).await;
        let read: WireEntitlement = read.map_err(failed)?;
        let entitlement = read.entitlement().filter(|entitlement| entitlement.id == place.subscription);
        let bad = || self.partner_center.call(READ, tenant).bad("not the subscription that was asked for".to_owned());
        entitlement.ok_or_else(bad).map_err(failed)
    }

    /// Has an Azure subscription cancelled, as compromised: its resources stop, and its data go after the time that Microsoft keeps them.
    /// Asked once more by the same `request`, it is not done a second time.
    ///
    /// # Errors
    ///
    /// [`EntitlementError`]. After one that is no refusal nobody knows whether it is done.
    pub async fn cancel(
        &self,
        person: &PersonToken,
        tenant: &Tenant,
        place: &EntitlementPlace,
        request: Uuid,
    ) -> Result<Accepted, EntitlementError> {
        let body = json!({ "cancellationReason": REASON });
        self.act(person, tenant, place, (CANCEL, "cancel"), request, |http, url| http.post(url).json(&body)).await
    }

    /// Has a cancelled Azure subscription reactivated. What holds for [`cancel`](Self::cancel) holds for it.
    ///
    /// # Errors
    ///
    /// [`EntitlementError`].
    pub async fn reactivate(
        &self,
        person: &PersonToken,
        tenant: &Tenant,
        place: &EntitlementPlace,
        request: Uuid,
    ) -> Result<Accepted, EntitlementError> {
        // Without a body a server may ask for its length.
        let post = |http: &Client, url| http.post(url).header("Content-Length", "0");
        self.act(person, tenant, place, (REACTIVATE, "reactivate"), request, post).await
    }

    async fn act(
        &self,
        person: &PersonToken,
        tenant: &Tenant,
        place: &EntitlementPlace,
        (name, act): (&'static str, &str),
        request: Uuid,
        post: impl Fn(&Client, reqwest::Url) -> reqwest::RequestBuilder,
    ) -> Result<Accepted, EntitlementError> {
        let asker = Asker::Person(person);
        self.fits(name, asker, tenant)?;
        let mut ids = Default::default();
        let path = place.path(&mut ids, Some(act));
        let answer = self
            .partner_center
            .send(asker, request, name, tenant, &path, post)
            .await
            .map_err(EntitlementError::Person)?;
        // Any success is one, whatever comes with it: what is shown proves nothing.
        let shown = serde_json::from_slice::<WireEntitlement>(&answer).ok().and_then(WireEntitlement::entitlement);
        Ok(Accepted { shown: shown.filter(|shown| shown.id == place.subscription) })
    }

    fn fits(&self, call: &'static str, asker: Asker<'_>, tenant: &Tenant) -> Result<(), EntitlementError> {
        let Asker::Person(person) = asker else { return Ok(()) };
        let fits = person.is_for(&tenant.id, self.partner_center.tokens.now());
        fits.map_err(|problem| EntitlementError::Token { call, tenant: tenant.id.clone(), problem })
    }

    async fn in_time<T>(
        &self,
        asker: Asker<'_>,
        tenant: &Tenant,
        work: impl Future<Output = Result<T, EntitlementError>>,
    ) -> Result<T, EntitlementError> {
        let (call, after) = (FIND, self.look_up);
        let out_of_time = |_| EntitlementError::OutOfTime { call, tenant: tenant.id.clone(), after };
        tokio::time::timeout(after, work).await.map_err(out_of_time)?.map_err(|error| error.to(asker))
    }

    async fn look_for(
        &self,
        asker: Asker<'_>,
        tenant: &Tenant,
        customer: &CustomerId,
        subscription: &SubscriptionId,
    ) -> Result<Found, EntitlementError> {
        let buyer = guid(customer.as_str()).ok_or_else(|| no_customer(tenant, customer.as_str()))?;
        let none = || no_subscription(tenant, customer.as_str(), subscription.as_str());
        let wanted = guid(subscription.as_str()).ok_or_else(none)?;
        let mut budget = Budget { made: 0, most: SUBSCRIPTION_REQUESTS };
        // One that has moved may still be listed below the plan that it has left: the plan below which it runs counts.
        let mut elsewhere = None;
        for plan in self.plans(asker, tenant, buyer, &mut budget).await? {
            if let Some(entitlement) = self.below(asker, tenant, (buyer, plan.id), wanted, &mut budget).await? {
                let place = EntitlementPlace { customer: buyer, plan: plan.id, subscription: wanted };
                let found = Found { plan, entitlement, place };
                if found.entitlement.status == EntitlementStatus::Active {
                    return Ok(found);
                }
                elsewhere.get_or_insert(found);
            }
        }
        elsewhere.ok_or_else(none)
    }

    async fn plans(
        &self,
        asker: Asker<'_>,
        tenant: &Tenant,
        customer: Uuid,
        budget: &mut Budget,
    ) -> Result<Vec<Plan>, EntitlementError> {
        let customer = customer.to_string();
        let path = ["v1", "customers", &customer, "subscriptions"];
        let mut plans = Vec::new();
        let walk = self.partner_center.walk(asker, PLANS, tenant, &path, budget, |page: Vec<WirePlan>| {
            plans.extend(page.into_iter().filter_map(WirePlan::plan));
            Enough::No
        });
        match walk.await {
            Err(error) if is_none_of_ours(&error) => Err(no_customer(tenant, &customer)),
            walked => Ok(walked.map(|_| plans)?),
        }
    }

    /// The subscription, where it lives below this plan of the customer's.
    async fn below(
        &self,
        asker: Asker<'_>,
        tenant: &Tenant,
        (customer, plan): (Uuid, Uuid),
        wanted: Uuid,
        budget: &mut Budget,
    ) -> Result<Option<Entitlement>, EntitlementError> {
        let [customer, plan] = [customer, plan].map(|id| id.to_string());
        let path = ["v1", "customers", &customer, "subscriptions", &plan, "azureEntitlements"];
        let mut found = None;
        let walk =
            self.partner_center.walk(asker, ENTITLEMENTS, tenant, &path, budget, |page: Vec<WireEntitlement>| {
                found = page.into_iter().filter_map(WireEntitlement::entitlement).find(|one| one.id == wanted);
                if found.is_some() { Enough::Yes } else { Enough::No }
            });
        match walk.await {
            // The plan went between two questions: nothing lives below it.
            Err(MicrosoftError::Refused { status: 404, code, .. }) if code.parse::<u32>().is_ok() => Ok(None),
            walked => Ok(walked.map(|_| found)?),
        }
    }
}

fn no_customer(tenant: &Tenant, customer: &str) -> EntitlementError {
    EntitlementError::NoCustomer { customer: customer.to_owned(), tenant: tenant.id.clone() }
}

fn no_subscription(tenant: &Tenant, customer: &str, subscription: &str) -> EntitlementError {
    let (customer, subscription) = (customer.to_owned(), subscription.to_owned());
    EntitlementError::NoSubscription { customer, tenant: tenant.id.clone(), subscription }
}
