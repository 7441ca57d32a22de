//! Access tokens, one for each tenant and audience, fetched once for any number of waiting calls and renewed early.

use std::{collections::HashMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use models::{Tenant, TenantId};
use reqwest::{RequestBuilder, header::ACCEPT};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use crate::{
    Audience, CloudDirectory, Credential, Credentials, Grant, Limits, MicrosoftError,
    exchange::Call,
    sign_in::{Given, Grounds, SignIn},
};

/// How long before its end a token is renewed: longer than any run uses it.
const RENEW_EARLY: SignedDuration = SignedDuration::from_mins(5);

/// Tells the time: `runtime`'s clock, without the dependency.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Where a token is kept, and awaited while one call fetches it.
type Slot = Arc<Mutex<Option<Given>>>;

/// Gives access tokens.
pub struct Tokens<C> {
    http: reqwest::Client,
    clouds: CloudDirectory,
    credentials: C,
    limits: Limits,
    now: Now,
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
    pub fn new(http: reqwest::Client, clouds: CloudDirectory, credentials: C, limits: Limits, now: Now) -> Self {
        Self { http, clouds, credentials, limits, now, kept: Mutex::default() }
    }

    pub(crate) fn clouds(&self) -> &CloudDirectory {
        &self.clouds
    }

    /// A token of this tenant for this audience.
    pub(crate) async fn token(&self, tenant: &Tenant, audience: Audience) -> Result<SecretString, MicrosoftError> {
        let slot = Arc::clone(self.kept.lock().await.entry((tenant.id.clone(), audience)).or_default());
        let mut token = slot.lock().await;
        let now = (self.now)();
        if let Some(kept) = token.as_ref().filter(|kept| kept.expires - RENEW_EARLY > now) {
            return Ok(kept.access_token.clone());
        }
        let fresh = self.fetch(tenant, audience, now).await?;
        *token = Some(fresh.clone());
        Ok(fresh.access_token)
    }

    /// Whether a tenant's credential is for its application alone, as far as it can be read.
    pub(crate) async fn is_app_only(&self, tenant: &Tenant) -> bool {
        let credential = self.credentials.credential(tenant).await;
        matches!(credential, Ok(Credential { grant: Grant::ClientCredentials, .. }))
    }

    /// Forgets a token that Microsoft refused.
    async fn forget(&self, tenant: &TenantId, audience: Audience) {
        self.kept.lock().await.remove(&(tenant.clone(), audience));
    }

    /// Makes a call with a token. One that Microsoft no longer takes is replaced once.
    pub(crate) async fn call(
        &self,
        call: Call<'_>,
        tenant: &Tenant,
        audience: Audience,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Vec<u8>, MicrosoftError> {
        let with = |token: SecretString| {
            let request = &request;
            move || request().bearer_auth(token.expose_secret()).header(ACCEPT, "application/json")
        };
        match call.send(with(self.token(tenant, audience).await?)).await {
            Err(MicrosoftError::Refused { status: 401, .. }) => {
                self.forget(&tenant.id, audience).await;
                call.send(with(self.token(tenant, audience).await?)).await
            }
            answer => answer,
        }
    }

    async fn fetch(&self, tenant: &Tenant, audience: Audience, now: Timestamp) -> Result<Given, MicrosoftError> {
        let credential = self
            .credentials
            .credential(tenant)
            .await
            .map_err(|source| MicrosoftError::Credential { tenant: tenant.id.to_string(), source })?;
        let Credential { client_id, proof, grant } = &credential;
        let (http, clouds, limits) = (&self.http, &self.clouds, self.limits);
        SignIn { http, clouds, limits, tenant, client_id, proof, now }.ask(Grounds::Grant(grant), audience).await
    }
}
