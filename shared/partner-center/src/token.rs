//! Access tokens, one for each tenant, fetched once for any number of waiting calls and renewed early.

use std::{collections::HashMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use models::{Tenant, TenantId};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::{CloudDirectory, Credentials, Grant, Limits, MicrosoftError, exchange::Call};

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

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    expires_in: i64,
}

/// Gives access tokens for Microsoft Graph.
pub struct Tokens<C> {
    http: reqwest::Client,
    clouds: CloudDirectory,
    credentials: C,
    limits: Limits,
    now: Now,
    kept: Mutex<HashMap<TenantId, Arc<Mutex<Option<AccessToken>>>>>,
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

    /// A token of this tenant for Graph.
    pub(crate) async fn graph_token(&self, tenant: &Tenant) -> Result<SecretString, MicrosoftError> {
        let slot = Arc::clone(self.kept.lock().await.entry(tenant.id.clone()).or_default());
        let mut token = slot.lock().await;
        let now = (self.now)();
        if let Some(kept) = token.as_ref().filter(|kept| kept.expires - RENEW_EARLY > now) {
            return Ok(kept.secret.clone());
        }
        let fresh = self.fetch(tenant, now).await?;
        *token = Some(fresh.clone());
        Ok(fresh.secret)
    }

    /// Forgets a token that Microsoft refused.
    pub(crate) async fn forget(&self, tenant: &TenantId) {
        self.kept.lock().await.remove(tenant);
    }

    async fn fetch(&self, tenant: &Tenant, now: Timestamp) -> Result<AccessToken, MicrosoftError> {
        let call = Call { name: CALL, tenant: &tenant.id, limits: self.limits };
        let addresses =
            self.clouds.of(tenant.cloud).ok_or_else(|| call.bad("the cloud has no addresses".to_owned()))?;
        let credential = self
            .credentials
            .read_credential(tenant)
            .await
            .map_err(|source| MicrosoftError::Credential { tenant: tenant.id.to_string(), source })?;
        let scope = format!("{}/.default", addresses.graph);
        let mut form = vec![
            ("client_id", credential.client_id.as_str()),
            ("client_secret", credential.client_secret.expose_secret()),
            ("scope", &scope),
        ];
        match &credential.grant {
            Grant::ClientCredentials => form.push(("grant_type", "client_credentials")),
            Grant::RefreshToken(token) => {
                form.extend([("grant_type", "refresh_token"), ("refresh_token", token.expose_secret())]);
            }
        }
        let url = addresses.login.join(&[tenant.id.as_str(), "oauth2", "v2.0", "token"]);
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
