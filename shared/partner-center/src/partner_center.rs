//! A call to Partner Center, by a tenant's kept credential or by a person's own token.

use std::sync::Arc;

use models::Tenant;
use reqwest::RequestBuilder;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::{Asker, Audience, Credentials, Limits, MicrosoftError, Tokens, error::fault_of, exchange::Call};

/// Partner Center, as one who calls it needs it.
#[derive(Debug)]
pub(crate) struct PartnerCenter<C> {
    pub(crate) http: reqwest::Client,
    pub(crate) tokens: Arc<Tokens<C>>,
    pub(crate) limits: Limits,
}

impl<C: Credentials + Send + Sync> PartnerCenter<C> {
    /// What a tenant's kept credential is answered, which is JSON of a documented shape.
    pub(crate) async fn ask<A: DeserializeOwned>(
        &self,
        name: &'static str,
        tenant: &Tenant,
        path: &[&str],
        request: impl Fn(&reqwest::Client, reqwest::Url) -> RequestBuilder,
    ) -> Result<A, MicrosoftError> {
        self.ask_as(Asker::Tenant, name, tenant, path, request).await
    }

    /// What this one is answered.
    pub(crate) async fn ask_as<A: DeserializeOwned>(
        &self,
        asker: Asker<'_>,
        name: &'static str,
        tenant: &Tenant,
        path: &[&str],
        request: impl Fn(&reqwest::Client, reqwest::Url) -> RequestBuilder,
    ) -> Result<A, MicrosoftError> {
        let body = self.send(asker, self.tokens.fresh_uuid(), name, tenant, path, request).await?;
        serde_json::from_slice(&body)
            .map_err(|error| self.call(name, tenant).bad(format!("not of the documented shape ({})", fault_of(&error))))
    }

    /// Asks below the address that the tenant's cloud or configuration names: no token goes anywhere else. Each attempt has this
    /// `MS-RequestId`.
    pub(crate) async fn send(
        &self,
        asker: Asker<'_>,
        id: Uuid,
        name: &'static str,
        tenant: &Tenant,
        path: &[&str],
        request: impl Fn(&reqwest::Client, reqwest::Url) -> RequestBuilder,
    ) -> Result<Vec<u8>, MicrosoftError> {
        let call = self.call(name, tenant);
        let addresses = self.tokens.clouds().of(tenant.cloud);
        let base =
            addresses.ok_or_else(|| call.bad("the cloud has no addresses".to_owned()))?.of(Audience::PartnerCenter);
        let url = base.join(path);
        let ask = || request(&self.http, url.clone());
        match asker {
            Asker::Person(person) => self.tokens.call_as_person(id, call, person.secret(), ask).await,
            Asker::Tenant => self.tokens.call_named(id, call, tenant, Audience::PartnerCenter, ask).await,
        }
    }

    pub(crate) fn call<'a>(&self, name: &'static str, tenant: &'a Tenant) -> Call<'a> {
        Call { name, tenant: &tenant.id, limits: self.limits }
    }
}
