//! Access tokens, one for each tenant and audience, fetched once for any number of waiting calls and renewed early.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use models::{Purpose, Tenant, TenantId};
use reqwest::{RequestBuilder, header::ACCEPT};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::{
    Audience, CloudDirectory, Credential, Credentials, Diagnosis, Limits, MicrosoftError,
    credentials::CredentialPrint,
    exchange::Call,
    kept_token::Kept,
    sign_in::{Given, Grounds, SignIn},
};

/// Tells the time: `runtime`'s clock, without the dependency.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Makes random ids: `runtime`'s, without the dependency.
pub type NewId = Arc<dyn Fn() -> Uuid + Send + Sync>;

/// Where a token is kept, and awaited while one call fetches it.
type Slot = Arc<Mutex<Option<Kept>>>;

/// Gives access tokens.
pub struct Tokens<C> {
    http: reqwest::Client,
    clouds: CloudDirectory,
    credentials: C,
    limits: Limits,
    now: Now,
    new_id: NewId,
    kept: Mutex<HashMap<(TenantId, Audience), Slot>>,
}

impl<C> std::fmt::Debug for Tokens<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Tokens").finish_non_exhaustive()
    }
}

impl<C: Credentials + Sync> Tokens<C> {
    /// Tokens for the tenants whose credentials `credentials` holds.
    #[must_use]
    pub fn new(
        http: reqwest::Client,
        clouds: CloudDirectory,
        credentials: C,
        limits: Limits,
        now: Now,
        new_id: NewId,
    ) -> Self {
        Self { http, clouds, credentials, limits, now, new_id, kept: Mutex::default() }
    }

    pub(crate) fn clouds(&self) -> &CloudDirectory {
        &self.clouds
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// What the credentials behind the tokens are for.
    pub(crate) fn purpose(&self) -> Purpose {
        self.credentials.purpose()
    }

    /// Signs a tenant in for this audience, to see whether that can be done.
    ///
    /// # Errors
    ///
    /// [`MicrosoftError`].
    pub async fn sign_in(&self, tenant: &Tenant, audience: Audience) -> Result<(), MicrosoftError> {
        self.token(tenant, audience).await.map(drop)
    }

    /// A token of this tenant for this audience.
    pub(crate) async fn token(&self, tenant: &Tenant, audience: Audience) -> Result<SecretString, MicrosoftError> {
        let slot = Arc::clone(self.kept.lock().await.entry((tenant.id.clone(), audience)).or_default());
        let mut token = slot.lock().await;
        let now = (self.now)();
        if let Some(kept) = token.as_ref().filter(|kept| kept.is_of_use(now)) {
            return Ok(kept.given.access_token.clone());
        }
        let (given, credential) = self.fetch(tenant, audience).await?;
        *token = Some(Kept::new(given.clone(), Some(credential), now));
        Ok(given.access_token)
    }

    /// Whether the credential that a tenant's token of this audience was given for is for its application alone, as far as it can be read.
    pub(crate) async fn is_app_only(&self, tenant: &Tenant, audience: Audience) -> bool {
        if let Some(slot) = self.slot(&tenant.id, audience).await
            && let Some(credential) = slot.lock().await.as_ref().and_then(|kept| kept.credential.as_ref())
        {
            return credential.is_app_only;
        }
        self.credentials.credential(tenant).await.is_ok_and(|credential| credential.print().is_app_only)
    }

    /// Where a token is kept that was asked for before.
    async fn slot(&self, tenant: &TenantId, audience: Audience) -> Option<Slot> {
        self.kept.lock().await.get(&(tenant.clone(), audience)).map(Arc::clone)
    }

    /// Holds a token that is there already, in place of one that would be fetched.
    pub(crate) async fn hold(&self, tenant: &TenantId, audience: Audience, given: Given) {
        let slot = Arc::new(Mutex::new(Some(Kept::new(given, None, (self.now)()))));
        self.kept.lock().await.insert((tenant.clone(), audience), slot);
    }

    /// Does this with a token that Microsoft refused, unless another has taken its place: then nobody has to sign in anew.
    async fn with_refused(
        &self,
        tenant: &TenantId,
        audience: Audience,
        refused: &SecretString,
        change: impl FnOnce(&mut Option<Kept>),
    ) {
        if let Some(slot) = self.slot(tenant, audience).await {
            change_refused(&mut *slot.lock().await, refused, change);
        }
    }

    /// Whether there is another token to be had than one that lacks a right, since a call that began then got it: another has taken its place,
    /// or the secret says something else by now than what it was given for, and it is forgotten.
    async fn has_another(&self, tenant: &Tenant, audience: Audience, refused: &SecretString, began: Timestamp) -> bool {
        let Some(slot) = self.slot(&tenant.id, audience).await else { return false };
        let mut token = slot.lock().await;
        let Some(kept) = token.as_mut().filter(|kept| kept.is(refused)) else { return true };
        if !kept.is_worth_a_look(began, (self.now)()) {
            return false;
        }
        let credential = self.credentials.credential(tenant).await;
        let is_another = credential.is_ok_and(|credential| kept.credential != Some(credential.print()));
        if is_another {
            *token = None;
        }
        is_another
    }

    /// Makes a call with a token. One that Microsoft no longer takes is replaced once. So is one that lacks a right, where the secret
    /// has been changed since it was given, which is looked at once a minute at most; else it is not
    /// used on for long, so that a later call signs in anew, with what the secret then says.
    ///
    /// To Partner Center every attempt has the same `MS-RequestId`, so that the work is done once however often it is asked for, and an
    /// `MS-CorrelationId` of its own. To Graph it has a `client-request-id` of its own: there the former has no counterpart.
    pub(crate) async fn call(
        &self,
        call: Call<'_>,
        tenant: &Tenant,
        audience: Audience,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Vec<u8>, MicrosoftError> {
        self.call_named((self.new_id)(), call, tenant, audience, request).await
    }

    /// The same by an `MS-RequestId` that the caller gives: whoever asks once more by it, be it days later, asks for the same work.
    pub(crate) async fn call_named(
        &self,
        id: Uuid,
        call: Call<'_>,
        tenant: &Tenant,
        audience: Audience,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Vec<u8>, MicrosoftError> {
        let named = || match audience {
            Audience::Graph => request().header("client-request-id", self.fresh_id()),
            Audience::PartnerCenter => {
                request().header("MS-RequestId", id.to_string()).header("MS-CorrelationId", self.fresh_id())
            }
        };
        let with = |token: SecretString| {
            let named = &named;
            move || named().bearer_auth(token.expose_secret()).header(ACCEPT, "application/json")
        };
        let began = (self.now)();
        let mut token = self.token(tenant, audience).await?;
        let mut answer = call.send(&self.now, with(token.clone())).await;
        if answer.as_ref().is_err_and(may_be_the_token) {
            self.with_refused(&tenant.id, audience, &token, |kept| *kept = None).await;
            token = self.token(tenant, audience).await?;
            answer = call.send(&self.now, with(token.clone())).await;
        }
        if answer.as_ref().is_err_and(lacks_a_right) && self.has_another(tenant, audience, &token, began).await {
            token = self.token(tenant, audience).await?;
            answer = call.send(&self.now, with(token.clone())).await;
        }
        if answer.as_ref().is_err_and(lacks_a_right) {
            let mark = |kept: &mut Option<Kept>| kept.iter_mut().for_each(|kept| kept.lacks_a_right = true);
            self.with_refused(&tenant.id, audience, &token, mark).await;
        }
        answer
    }

    /// A call of Partner Center by a person's own token. It is kept nowhere, so where it is not taken there is no other to try.
    pub(crate) async fn call_as_person(
        &self,
        id: Uuid,
        call: Call<'_>,
        token: &SecretString,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Vec<u8>, MicrosoftError> {
        let with_token = || {
            let named = request().header("MS-RequestId", id.to_string()).header("MS-CorrelationId", self.fresh_id());
            named.bearer_auth(token.expose_secret()).header(ACCEPT, "application/json")
        };
        call.send(&self.now, with_token).await
    }

    pub(crate) fn fresh_uuid(&self) -> Uuid {
        (self.new_id)()
    }

    fn fresh_id(&self) -> String {
        (self.new_id)().to_string()
    }

    async fn fetch(&self, tenant: &Tenant, audience: Audience) -> Result<(Given, CredentialPrint), MicrosoftError> {
        let credential = self
            .credentials
            .credential(tenant)
            .await
            .map_err(|source| MicrosoftError::Credential { tenant: tenant.id.to_string(), source })?;
        let print = credential.print();
        let Credential { client_id, proof, grant } = &credential;
        let Self { http, clouds, limits, now, .. } = self;
        let sign_in = SignIn { http, clouds, limits: *limits, tenant, client_id, proof, now };
        Ok((sign_in.ask(Grounds::Grant(grant), audience).await?, print))
    }
}

fn change_refused(kept: &mut Option<Kept>, refused: &SecretString, change: impl FnOnce(&mut Option<Kept>)) {
    if kept.as_ref().is_some_and(|kept| kept.is(refused)) {
        change(kept);
    }
}

/// Whether another token may be taken where this one was not. For want of a second factor, or of the right audience, any is refused.
fn may_be_the_token(error: &MicrosoftError) -> bool {
    let of_any = matches!(error.diagnosis(), Some(Diagnosis::MfaMissing | Diagnosis::AudienceRetired));
    matches!(error, MicrosoftError::Refused { status: 401, .. }) && !of_any
}

/// Whether a token of the same credential may be taken once somebody has mended what it lacks: a consent, a role, a second factor, a
/// policy. That partner and customer are strangers is no matter of the token.
fn lacks_a_right(error: &MicrosoftError) -> bool {
    let of_the_token = match error.diagnosis() {
        Some(Diagnosis::MfaMissing) => return true,
        Some(Diagnosis::RelationshipMissing) => false,
        _ => true,
    };
    // In whoever's words: what services say to a token that lacks a right is documented for the least of them.
    matches!(error, MicrosoftError::Refused { status: 403, .. }) && of_the_token
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(token: &str, expires: Timestamp) -> Given {
        Given { access_token: token.to_owned().into(), expires, refresh_token: None, id_token: None }
    }

    #[test]
    fn a_refused_token_is_forgotten_and_not_the_one_that_took_its_place() {
        let now = Timestamp::UNIX_EPOCH;
        let left = |token: Option<&str>, refused: &str| {
            let mut kept = token.map(|token| Kept::new(given(token, now), None, now));
            change_refused(&mut kept, &refused.to_owned().into(), |kept| *kept = None);
            kept.map(|kept| kept.given.access_token.expose_secret().to_owned())
        };
        // Two calls went out with the first token; the answer to one of them comes when the other has signed in anew.
        assert_eq!(left(Some("second"), "first").as_deref(), Some("second"));
        assert_eq!(left(Some("second"), "second"), None);
        assert_eq!(left(None, "first"), None);
    }

    #[test]
    fn another_token_is_asked_for_at_once_or_the_next_time_only_where_it_may_help() {
        for (status, code, at_once, later) in [
            (401, "none", true, false),
            (401, "InvalidAuthenticationToken", true, false),
            (401, "900421", false, true),
            (401, "900420", false, false),
            (403, "none", false, true),
            (403, "Unauthorized_MissingMFA", false, true),
            (403, "Forbidden", false, true),
            (403, "900150", false, true),
            (403, "900329", false, true),
            (403, "20002", false, false),
            (403, "900159", false, false),
            (404, "none", false, false),
            (429, "none", false, false),
        ] {
            let refused = MicrosoftError::Refused {
                call: "a call",
                tenant: "a tenant".to_owned(),
                status,
                code: code.to_owned(),
                body: crate::RefusalBody::Microsofts,
                description: None,
                ids: crate::SupportIds::default(),
                attempts: 1,
                wait_until: None,
            };
            assert_eq!((may_be_the_token(&refused), lacks_a_right(&refused)), (at_once, later), "{status} {code}");
        }
    }
}
