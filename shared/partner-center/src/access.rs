//! Whether Microsoft's services take what a credential signs in with.
//!
//! A token says little: second factor, roles, the registration in Partner Center and the policies of a service are looked at by the
//! service, when it is called. So each is called once, for something that every credential of the purpose has to be able to read.
//! Nothing is changed by it, and nothing of the answer is kept.

use std::sync::Arc;

use models::{Purpose, Tenant};

use crate::{
    AlertSources, Audience, CloudDirectory, Limits, ListAlerts as _, MicrosoftError, NewId, Now, Registrations,
    SecretAtHand, StoredSecret, Tokens, sign_in::Given,
};

/// What the calls need.
pub(crate) struct Access<'a> {
    pub(crate) http: &'a reqwest::Client,
    pub(crate) clouds: &'a CloudDirectory,
    pub(crate) limits: Limits,
    pub(crate) now: &'a Now,
    pub(crate) new_id: &'a NewId,
}

impl Access<'_> {
    /// Makes the calls of this purpose, the first of them with a token that is there already, for the service that the tenant's alerts come
    /// from, and gives what was refused.
    ///
    /// Both purposes read alerts. Of Graph: `PartnerSecurity.Read.All` is the least that the list takes (Microsoft: "List securityAlerts",
    /// permissions), and `PartnerSecurity.ReadWrite.All`, which resolving takes, is more of the same, as with every permission of
    /// Graph's that is named so. What reads alerts is what asks Partner Center, too: what is registered as the webhook, where nothing
    /// is an answer like any other.
    pub(crate) async fn refusals(
        &self,
        tenant: &Tenant,
        purpose: Purpose,
        secret: &StoredSecret,
        given: Given,
    ) -> Vec<MicrosoftError> {
        // What is in Secrets Manager may be another by now.
        let at_hand = SecretAtHand { secret: secret.clone(), purpose };
        let (http, now, new_id) = (self.http.clone(), Arc::clone(self.now), Arc::clone(self.new_id));
        let tokens = Tokens::new(http, self.clouds.clone(), at_hand, self.limits, now, new_id);
        tokens.hold(&tenant.id, Audience::of_source(tenant.alert_source), given).await;
        let tokens = Arc::new(tokens);
        let alerts = AlertSources::new(self.http.clone(), Arc::clone(&tokens), self.limits);
        let mut refusals: Vec<_> = alerts.page(tenant, None).await.err().into_iter().collect();
        if purpose == Purpose::Read {
            let registrations = Registrations::new(self.http.clone(), tokens, self.limits);
            refusals.extend(registrations.registration(tenant).await.err());
        }
        refusals
    }
}
