//! Partner Center's fraudEvents: listing.
//!
//! The new model is asked for, page by page. Where Microsoft doesn't know it, the list comes in the old model, whole: by itself, since
//! a header that is not known is ignored, or else because the question is then asked the old way. `docs/decisions/0023-two-sources-of-alerts.md`
//! says why.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use models::{Alert, AlertId, Tenant};
use ring::digest::{SHA256, digest};

use crate::{
    Audience, Credentials, Limits, ListAlerts, MicrosoftError, Page, Place, Sight, Tokens,
    error::fault_of,
    exchange::Call,
    listing::{at_place, no_place},
    wire::read_fraud_events,
};

const CALL: &str = "listing fraud events";
const LOOK: &str = "listing the fraud events of a subscription";
const PATH: [&str; 2] = ["v1", "fraudEvents"];
/// What asks for the new model ("Get fraud events").
pub(crate) const NEW_MODEL: (&str, &str) = ("X-NewEventsModel", "true");
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
    async fn page(&self, tenant: &Tenant, at: Option<&Place>) -> Result<Page, MicrosoftError> {
        let call = Call { name: CALL, tenant: &tenant.id, limits: self.limits };
        let read = match at {
            None => self.first_page(call, tenant).await,
            Some(place) => {
                let before = Before::at(place).ok_or_else(|| no_place(call))?;
                self.following_page(call, tenant, &before).await
            }
        };
        match at_place(call, at, read) {
            // Microsoft's own words for it are not documented.
            Err(refused @ MicrosoftError::Refused { status: 401 | 403, .. })
                if self.tokens.is_app_only(tenant, Audience::PartnerCenter).await =>
            {
                Err(MicrosoftError::AppOnly { call: CALL, tenant: tenant.id.to_string(), source: Box::new(refused) })
            }
            read => read,
        }
    }

    /// No call of fraudEvents is about one event.
    async fn alert(&self, _: &Tenant, _: &AlertId) -> Result<Sight, MicrosoftError> {
        Ok(Sight::NoWayToAsk)
    }
}

/// What the page before was like, which tells the end: `{number}.{events}.{hash of the ids}` as a place.
struct Before {
    number: usize,
    /// How many events it had.
    events: usize,
    /// A hash of their ids.
    ids: String,
}

impl Before {
    fn at(place: &Place) -> Option<Self> {
        let mut parts = place.text()?.splitn(3, '.');
        let number = parts.next()?.parse().ok().filter(|number| (1..usize::MAX).contains(number))?;
        Some(Self { number, events: parts.next()?.parse().ok()?, ids: parts.next()?.to_owned() })
    }

    fn place(&self) -> Place {
        Place(format!("{}.{}.{}", self.number, self.events, self.ids))
    }
}

/// The events of an answer, as a page that ends the list.
fn events(call: Call<'_>, body: &[u8]) -> Result<Page, MicrosoftError> {
    let (alerts, unreadable) =
        read_fraud_events(body).map_err(|error| call.bad(format!("no list of events ({})", fault_of(&error))))?;
    Ok(Page { alerts, unreadable, next: None })
}

/// Whether Partner Center itself finds fault with the question, with one of these statuses: its codes are numbers (Microsoft: "Error
/// codes"), which those of a gateway or of another service are not. One that is known to be about the caller is not about the question.
fn faults_the_question(statuses: &[u16], error: &MicrosoftError) -> bool {
    let MicrosoftError::Refused { status, code, .. } = error else { return false };
    let is_number = code.parse::<u64>().is_ok();
    statuses.contains(status) && is_number && error.diagnosis().is_none()
}

/// What tells a page from another: how many events it has, and a hash of their ids, in whatever order they come.
fn described(number: usize, page: &Page) -> Before {
    let mut ids: Vec<&str> = page.alerts.iter().map(|alert| alert.id.as_str()).collect();
    ids.extend(page.unreadable.iter().map(|event| event.id.as_str()));
    ids.sort_unstable();
    let hash = digest(&SHA256, ids.join("\n").as_bytes());
    let ids = URL_SAFE_NO_PAD.encode(hash);
    Before { number, events: page.alerts.len() + page.unreadable.len(), ids }
}

impl<C: Credentials + Send + Sync> FraudEvents<C> {
    /// The first page of the new model; where Partner Center finds fault with the question, it doesn't know that model, and gives the list
    /// in the old one, whole. Where somebody else does (a web page, no body, another service's words), or the caller is at fault, nothing
    /// is learnt of that.
    async fn first_page(&self, call: Call<'_>, tenant: &Tenant) -> Result<Page, MicrosoftError> {
        match self.numbered(call, tenant, 1).await {
            Ok(page) => Ok(Self::followed(1, page)),
            Err(error) if faults_the_question(&[400], &error) => {
                tracing::warn!(tenant.id = %tenant.id, %error, "the new model of fraud events is refused: asking for the old one");
                let url = self.url(call, tenant)?;
                let request = || self.http.get(url.clone());
                events(call, &self.tokens.call(call, tenant, Audience::PartnerCenter, request).await?)
            }
            Err(error) => Err(error),
        }
    }

    /// Reads on until a page brings nothing new.
    ///
    /// Nothing tells the end of a list. A page shorter than asked for may be the last one, or as large as Microsoft cares to make them;
    /// the one after it knows. It may be refused, there being nothing to show. And where page numbers mean nothing, the list came whole,
    /// and comes once more.
    async fn following_page(&self, call: Call<'_>, tenant: &Tenant, before: &Before) -> Result<Page, MicrosoftError> {
        let number = before.number + 1;
        let page = match self.numbered(call, tenant, number).await {
            Ok(page) => page,
            Err(error) if faults_the_question(&[400, 404], &error) && self.ends_with(call, tenant, before).await? => {
                return Ok(Page::default());
            }
            Err(error) => return Err(error),
        };
        let comes_once_more = described(number, &page).ids == before.ids;
        Ok(if comes_once_more { Page::default() } else { Self::followed(number, page) })
    }

    /// Whether this page is the last one, now that the one after it was refused. A short one is. A full one is, too, if it is still to be
    /// had: then the question is good, and there is nothing behind it.
    async fn ends_with(&self, call: Call<'_>, tenant: &Tenant, last: &Before) -> Result<bool, MicrosoftError> {
        if last.events < PAGE_SIZE {
            return Ok(true);
        }
        let again = self.numbered(call, tenant, last.number).await?;
        Ok(described(last.number, &again).ids == last.ids)
    }

    /// An event, among those of its subscription. Where it names none, is not among them, or the question is found fault with, nothing is known.
    pub(crate) async fn among_its_subscriptions(
        &self,
        tenant: &Tenant,
        alert: &Alert,
    ) -> Result<Sight, MicrosoftError> {
        let Some(subscription) = &alert.subscription_id else { return Ok(Sight::NoWayToAsk) };
        let call = Call { name: LOOK, tenant: &tenant.id, limits: self.limits };
        let mut url = self.url(call, tenant)?;
        url.query_pairs_mut().append_pair("SubscriptionId", subscription.as_str());
        let request = || self.http.get(url.clone()).header(NEW_MODEL.0, NEW_MODEL.1);
        let page = match self.tokens.call(call, tenant, Audience::PartnerCenter, request).await {
            Ok(body) => events(call, &body)?,
            Err(error) if faults_the_question(&[400, 404], &error) => return Ok(Sight::NoWayToAsk),
            Err(error) => return Err(error),
        };
        let found = page.alerts.into_iter().find(|found| found.id == alert.id);
        Ok(found.map_or(Sight::NoWayToAsk, |found| Sight::There(Box::new(found))))
    }

    /// A page, with the place of the next one, unless it is empty.
    fn followed(number: usize, page: Page) -> Page {
        let described = described(number, &page);
        Page { next: (described.events > 0).then(|| described.place()), ..page }
    }

    fn url(&self, call: Call<'_>, tenant: &Tenant) -> Result<reqwest::Url, MicrosoftError> {
        let addresses = self.tokens.clouds().of(tenant.cloud);
        let addresses = addresses.ok_or_else(|| call.bad("the cloud has no addresses".to_owned()))?;
        Ok(addresses.partner_center.join(&PATH))
    }

    async fn numbered(&self, call: Call<'_>, tenant: &Tenant, number: usize) -> Result<Page, MicrosoftError> {
        let mut url = self.url(call, tenant)?;
        let (size, number) = (PAGE_SIZE.to_string(), number.to_string());
        url.query_pairs_mut().append_pair("PageSize", &size).append_pair("PageNumber", &number);
        let request = || self.http.get(url.clone()).header(NEW_MODEL.0, NEW_MODEL.1);
        events(call, &self.tokens.call(call, tenant, Audience::PartnerCenter, request).await?)
    }
}
