//! Access tokens, one for each tenant and audience, fetched once for any number of waiting calls and renewed early.

use std::{collections::HashMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use models::{Tenant, TenantId};
use reqwest::{RequestBuilder, header::ACCEPT};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::{
    Audience, CloudDirectory, Credentials, Grant, Limits, MicrosoftError, Proof, assertion::TYPE, exchange::Call,
};

pub(crate) const CALL: &str = "sign-in (token)";

/// How long before its end a token is renewed: longer than any run uses it.
const RENEW_EARLY: SignedDuration = SignedDuration::from_mins(5);

/// Tells the time: `runtime`'s clock, without the dependency.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

#[derive(Clone)]
struct AccessToken {
    secret: SecretString,
    expires: Timestamp,
}

/// Where a token is kept, and awaited while one call fetches it.
type Slot = Arc<Mutex<Option<AccessToken>>>;

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    expires_in: i64,
}

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
        if let Some(kept) = token.as_ref().filter(|kept| kept.expires - RENEW_EARLY > now) {
            return Ok(kept.secret.clone());
        }
        let fresh = self.fetch(tenant, audience, now).await?;
        *token = Some(fresh.clone());
        Ok(fresh.secret)
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

    async fn fetch(&self, tenant: &Tenant, audience: Audience, now: Timestamp) -> Result<AccessToken, MicrosoftError> {
        let call = Call { name: CALL, tenant: &tenant.id, limits: self.limits };
        let addresses =
            self.clouds.of(tenant.cloud).ok_or_else(|| call.bad("the cloud has no addresses".to_owned()))?;
        let credential = self
            .credentials
            .read_credential(tenant)
            .await
            .map_err(|source| MicrosoftError::Credential { tenant: tenant.id.to_string(), source })?;
        let url = addresses.login.join(&[tenant.id.as_str(), "oauth2", "v2.0", "token"]);
        let scope = format!("{}/.default", addresses.of(audience));
        let mut form = vec![("client_id", credential.client_id.as_str()), ("scope", &scope)];
        let assertion;
        match &credential.proof {
            Proof::ClientSecret(secret) => form.push(("client_secret", secret.expose_secret())),
            Proof::Certificate(certificate) => {
                assertion = certificate.assertion(&credential.client_id, url.as_str(), now);
                let assertion = assertion.as_ref().ok_or_else(|| call.bad("no randomness to sign with".to_owned()))?;
                form.extend([("client_assertion_type", TYPE), ("client_assertion", assertion.expose_secret())]);
            }
        }
        match &credential.grant {
            Grant::ClientCredentials => form.push(("grant_type", "client_credentials")),
            Grant::RefreshToken(token) => {
                form.extend([("grant_type", "refresh_token"), ("refresh_token", token.expose_secret())]);
            }
        }
        let body = call.send(|| self.http.post(url.clone()).form(&form)).await?;
        // The parser's words could repeat a part of the answer, which holds the token.
        let answer: TokenAnswer =
            serde_json::from_slice(&body).map_err(|_| call.bad("no access_token and expires_in".to_owned()))?;
        Ok(AccessToken {
            secret: answer.access_token.into(),
            expires: now + SignedDuration::from_secs(answer.expires_in.clamp(0, 86_400)),
        })
    }
}
