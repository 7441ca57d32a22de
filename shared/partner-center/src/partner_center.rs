//! A call to Partner Center whose answer is JSON of a documented shape.

use std::sync::Arc;

use models::Tenant;
use reqwest::RequestBuilder;
use serde::de::DeserializeOwned;

use crate::{Audience, Credentials, Limits, MicrosoftError, Tokens, error::fault_of, exchange::Call};

/// Partner Center, as one who calls it needs it.
#[derive(Debug)]
pub(crate) struct PartnerCenter<C> {
    pub(crate) http: reqwest::Client,
    pub(crate) tokens: Arc<Tokens<C>>,
    pub(crate) limits: Limits,
}

impl<C: Credentials + Send + Sync> PartnerCenter<C> {
    /// Asks below the address that the tenant's cloud or configuration names: the token goes nowhere else.
    pub(crate) async fn ask<A: DeserializeOwned>(
        &self,
        name: &'static str,
        tenant: &Tenant,
        path: &[&str],
        request: impl Fn(&reqwest::Client, reqwest::Url) -> RequestBuilder,
    ) -> Result<A, MicrosoftError> {
        let call = Call { name, tenant: &tenant.id, limits: self.limits };
        let addresses = self.tokens.clouds().of(tenant.cloud);
        let base =
            addresses.ok_or_else(|| call.bad("the cloud has no addresses".to_owned()))?.of(Audience::PartnerCenter);
        let url = base.join(path);
        let ask = || request(&self.http, url.clone());
        let body = self.tokens.call(call, tenant, Audience::PartnerCenter, ask).await?;
        serde_json::from_slice(&body)
            .map_err(|error| call.bad(format!("not of the documented shape ({})", fault_of(&error))))
    }
}
