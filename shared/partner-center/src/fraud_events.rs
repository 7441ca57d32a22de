//! Partner Center's fraudEvents: listing.
//!
//! The new model is asked for, page by page. Where Microsoft doesn't know it, the list comes in the old model, whole: by itself, since
//! a header that is not known is ignored, or else because the question is then asked the old way. `docs/decisions/0020-two-sources-of-alerts.md`
//! says why.

use std::{collections::HashSet, sync::Arc};

use models::Tenant;
use serde_json::value::RawValue;

use crate::{
    Audience, Credentials, Limits, ListAlerts, Listing, MicrosoftError, Tokens, exchange::Call, wire::read_fraud_event,
};

const CALL: &str = "listing fraud events";
const PATH: [&str; 2] = ["v1", "fraudEvents"];
/// What asks for the new model ("Get fraud events").
const NEW_MODEL: (&str, &str) = ("X-NewEventsModel", "true");
/// How many events a page is asked to have. Microsoft names no bound; an event of the samples' size has 3 kB.
const PAGE_SIZE: usize = 100;

/// Lists alerts by fraudEvents, which takes app+user credentials alone.
#[derive(Debug)]
pub struct FraudEvents<C> {
    http: reqwest::Client,
    tokens: Arc<Tokens<C>>,
    limits: Limits,
}

impl<C: Credentials + Send + Sync> FraudEvents<C> {
    /// A client with these tokens and bounds.
    #[must_use]
    pub fn new(http: reqwest::Client, tokens: Arc<Tokens<C>>, limits: Limits) -> Self {
        Self { http, tokens, limits }
    }
}

impl<C: Credentials + Send + Sync> ListAlerts for FraudEvents<C> {
    async fn list(&self, tenant: &Tenant) -> Result<Listing, MicrosoftError> {
        let call = Call { name: CALL, tenant: &tenant.id, limits: self.limits };
        let addresses = self.tokens.clouds().of(tenant.cloud);
        let addresses = addresses.ok_or_else(|| call.bad("the cloud has no addresses".to_owned()))?;
        let url = addresses.partner_center.join(&PATH);
        let listed = match self.first_page(call, tenant, &url).await {
            Ok(Some(first)) => self.following_pages(call, tenant, &url, first).await,
            Ok(None) => self.old_model(call, tenant, &url).await,
            Err(error) => Err(error),
        };
        match listed {
            // Microsoft's own words for it are not documented.
            Err(refused @ MicrosoftError::Refused { status: 401 | 403, .. })
                if self.tokens.is_app_only(tenant).await =>
            {
                Err(MicrosoftError::AppOnly { call: CALL, tenant: tenant.id.to_string(), source: Box::new(refused) })
            }
            listed => listed,
        }
    }
}

/// What was read so far.
#[derive(Default)]
struct Events {
    listing: Listing,
    /// The ids that were read.
    seen: HashSet<String>,
    /// Whether the last page had fewer events than were asked for.
    short: bool,
}

impl Events {
    /// Takes a page, and says whether it brought anything new.
    fn take(&mut self, call: Call<'_>, page: &[u8]) -> Result<bool, MicrosoftError> {
        let events: Vec<&RawValue> = serde_json::from_slice(page)
            .map_err(|error| call.bad(format!("no list of events ({:?} error)", error.classify())))?;
        self.short = events.len() < PAGE_SIZE;
        let before = self.seen.len();
        for event in events {
            match read_fraud_event(event.get().as_bytes()) {
                Ok(alert) if self.seen.insert(alert.id.to_string()) => self.listing.alerts.push(alert),
                Err(unreadable) if self.seen.insert(unreadable.id.to_string()) => {
                    self.listing.unreadable.push(unreadable);
                }
                Ok(_) | Err(_) => {}
            }
        }
        Ok(self.seen.len() > before)
    }
}

impl<C: Credentials + Send + Sync> FraudEvents<C> {
    /// The first page of the new model. None where Microsoft finds fault with the question: it doesn't know that model.
    async fn first_page(
        &self,
        call: Call<'_>,
        tenant: &Tenant,
        url: &reqwest::Url,
    ) -> Result<Option<Vec<u8>>, MicrosoftError> {
        match self.page(call, tenant, url, 1).await {
            Ok(page) => Ok(Some(page)),
            Err(error @ MicrosoftError::Refused { status: 400, .. }) => {
                tracing::warn!(tenant.id = %tenant.id, %error, "the new model of fraud events is refused: asking for the old one");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Reads on until a page brings nothing new.
    ///
    /// Nothing tells the end of a list. A page shorter than asked for may be the last one, or as large as Microsoft cares to make them;
    /// the one after it knows. It may be refused, there being nothing to show. And where page numbers mean nothing, the list came whole,
    /// and comes once more.
    async fn following_pages(
        &self,
        call: Call<'_>,
        tenant: &Tenant,
        url: &reqwest::Url,
        first: Vec<u8>,
    ) -> Result<Listing, MicrosoftError> {
        let mut events = Events::default();
        let mut goes_on = events.take(call, &first)?;
        let mut number = 1;
        while goes_on {
            number += 1;
            if number > self.limits.pages {
                return Err(call.bad(format!("more than {} pages", self.limits.pages)));
            }
            goes_on = match self.page(call, tenant, url, number).await {
                Ok(page) => events.take(call, &page)?,
                Err(MicrosoftError::Refused { status: 400 | 404, .. }) if events.short => false,
                Err(error) => return Err(error),
            };
        }
        Ok(events.listing)
    }

    async fn page(
        &self,
        call: Call<'_>,
        tenant: &Tenant,
        url: &reqwest::Url,
        number: usize,
    ) -> Result<Vec<u8>, MicrosoftError> {
        let mut url = url.clone();
        let (size, number) = (PAGE_SIZE.to_string(), number.to_string());
        url.query_pairs_mut().append_pair("PageSize", &size).append_pair("PageNumber", &number);
        let request = || self.http.get(url.clone()).header(NEW_MODEL.0, NEW_MODEL.1);
        self.tokens.call(call, tenant, Audience::PartnerCenter, request).await
    }

    /// The old model has no pages.
    async fn old_model(&self, call: Call<'_>, tenant: &Tenant, url: &reqwest::Url) -> Result<Listing, MicrosoftError> {
        let mut events = Events::default();
        let body = self.tokens.call(call, tenant, Audience::PartnerCenter, || self.http.get(url.clone())).await?;
        events.take(call, &body)?;
        Ok(events.listing)
    }
}
