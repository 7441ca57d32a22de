//! What tests and people do around "from nothing to connected": sign people in, take grants back, await deliveries.

use crate::Simulator;
use crate::app::{Shared, lock};
use crate::authority::AuthorityError;
use crate::book::AlertError;
use crate::customers::CustomerChange;
use crate::entra::{Decision, PendingSignIn, Person, SignInError, access_token_of};
use crate::partner_center::{AuditRecord, NewAuditRecord, Registration, TestEvent};
use crate::subscriptions::{SubscriptionAct, SubscriptionRules};

impl Simulator {
    /// Partner Center's base address: `https://localhost:PORT`, the Microsoft side by the name that its tokens need.
    #[must_use]
    pub fn partner_center_url(&self) -> String {
        self.app.partner_center_url.clone()
    }

    /// A refresh token as this person's sign-in would leave it, good for 90 days.
    ///
    /// # Errors
    /// The tenant is unknown.
    pub fn refresh_token_of(&self, tenant: &str, person: Person) -> Result<String, AlertError> {
        let tenant = self.app.tenant(Some(tenant))?;
        Ok(lock(&self.app.tokens).sign_in(&tenant.id, person, self.app.now()))
    }

    /// How Partner Center goes about cancelling and reactivating from now on.
    pub fn set_subscription_rules(&self, rules: SubscriptionRules) {
        lock(&self.app.subscriptions).rules = rules;
    }

    /// What was done to Azure subscriptions, oldest first. A repeated request is in it once.
    #[must_use]
    pub fn subscription_acts(&self) -> Vec<SubscriptionAct> {
        lock(&self.app.subscriptions).acts.clone()
    }

    /// A password is changed: no refresh token that the tenant has is good any more.
    pub fn revoke_grants(&self, tenant: &str) {
        lock(&self.app.tokens).revoke_grants(tenant);
    }

    /// Somebody does something that Partner Center keeps a record of.
    ///
    /// # Errors
    /// The tenant is unknown.
    pub fn write_audit_record(&self, new: NewAuditRecord) -> Result<AuditRecord, AlertError> {
        self.app.write_audit_record(new)
    }

    /// A customer is there, or is called otherwise from now on.
    ///
    /// # Errors
    /// The tenant is unknown.
    pub fn describe_customer(&self, change: CustomerChange) -> Result<(), AlertError> {
        self.app.describe_customer(change)
    }

    /// The sign-ins that wait for their person, the oldest first.
    #[must_use]
    pub fn pending_sign_ins(&self) -> Vec<PendingSignIn> {
        lock(&self.app.sign_ins).pending(self.app.now())
    }

    /// Waits for a sign-in in this tenant that is not decided yet.
    pub async fn sign_in_begun(&self, tenant: &str) -> PendingSignIn {
        let find = || self.pending_sign_ins().into_iter().find(|sign_in| sign_in.tenant == tenant);
        self.app.until(find).await
    }

    /// The person signs in and consents: the tenant's oldest sign-in, or the one with this code.
    ///
    /// # Errors
    /// There is no such tenant, or no such sign-in waits in it.
    pub fn approve(&self, tenant: &str, user_code: Option<&str>, person: Person) -> Result<(), SignInError> {
        self.app.decide(tenant, user_code, Decision::Approve(person))
    }

    /// The person refuses.
    ///
    /// # Errors
    /// There is no such tenant, or no such sign-in waits in it.
    pub fn deny(&self, tenant: &str, user_code: Option<&str>) -> Result<(), SignInError> {
        self.app.decide(tenant, user_code, Decision::Deny)
    }

    /// Whoever signs in next in this tenant is this person, and consents at once.
    ///
    /// # Errors
    /// There is no such tenant.
    pub fn approve_next(&self, tenant: &str, person: Person) -> Result<(), SignInError> {
        self.app.decide_next(tenant, Decision::Approve(person))
    }

    /// Whoever signs in next in this tenant refuses at once.
    ///
    /// # Errors
    /// There is no such tenant.
    pub fn deny_next(&self, tenant: &str) -> Result<(), SignInError> {
        self.app.decide_next(tenant, Decision::Deny)
    }

    /// A token with which the tenant's application may be called for this person. None if there is no such tenant.
    #[must_use]
    pub fn access_token(&self, tenant: &str, person: &Person) -> Option<String> {
        let tenant = self.app.tenant(Some(tenant)).ok()?;
        access_token_of(&self.app, tenant, person).ok()
    }

    /// A token with whatever header and claims, by the key that Entra ID signs with. The header's `kid` is filled in where it has none.
    ///
    /// # Errors
    /// The key can't be made or does not sign.
    pub fn sign_token(&self, header: serde_json::Value, claims: &serde_json::Value) -> Result<String, AuthorityError> {
        self.app.token_keys.sign(header, claims)
    }

    /// A new key signs tokens. Those before go on being published, unless they are withdrawn.
    ///
    /// # Errors
    /// The key can't be made.
    pub fn rotate_token_keys(&self, withdraw: bool) -> Result<(), AuthorityError> {
        self.app.token_keys.rotate(withdraw)
    }

    /// What the tenant has registered.
    #[must_use]
    pub fn registration(&self, tenant: &str) -> Option<Registration> {
        lock(&self.app.registrations).by_tenant.get(tenant).cloned()
    }

    /// What became of a test event, once that is known: it was taken, or all attempts are spent.
    pub async fn test_event_over(&self, correlation_id: &str) -> Option<TestEvent> {
        self.app.test_event_over(correlation_id).await
    }

    /// What lies below `public`, such as `https://hooks.example`, is served at `local` on this machine. Registrations
    /// have to be https, and nothing here has a certificate for its public name.
    pub fn set_public_address(&self, public: &str, local: &str) {
        self.app.set_public_address(public, local);
    }
}

impl Shared {
    pub(crate) fn decide(&self, tenant: &str, user_code: Option<&str>, decision: Decision) -> Result<(), SignInError> {
        self.known(tenant)?;
        lock(&self.sign_ins).decide(tenant, user_code, decision, self.now())?;
        self.changed();
        Ok(())
    }

    pub(crate) fn decide_next(&self, tenant: &str, decision: Decision) -> Result<(), SignInError> {
        self.known(tenant)?;
        lock(&self.sign_ins).decide_next(tenant, decision);
        Ok(())
    }

    pub(crate) fn set_public_address(&self, public: &str, local: &str) {
        let [public, local] = [public, local].map(|base| base.trim_end_matches('/').to_owned());
        lock(&self.public_addresses).push((public, local));
    }

    fn known(&self, tenant: &str) -> Result<(), SignInError> {
        self.tenant(Some(tenant)).map(|_| ()).map_err(|_| SignInError::UnknownTenant(tenant.to_owned()))
    }
}
