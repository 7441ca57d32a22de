//! A collection of Partner Center's, read page by page.
//!
//! Of a link to a next page nothing is used but its query and its continuation token, so that no token of ours goes where a link leads.

use models::Tenant;
use serde::{Deserialize, de::DeserializeOwned};

use crate::{Asker, Credentials, MicrosoftError, partner_center::PartnerCenter, wire::list};

/// Carries the place of a next page, in a link and in the request that follows it ("Partner Center REST headers").
const CONTINUATION: &str = "MS-ContinuationToken";

/// Whether a walk has found what it was for.
pub(crate) enum Enough {
    No,
    Yes,
}

/// How many requests were made, and how many may be.
pub(crate) struct Budget {
    pub(crate) made: u32,
    pub(crate) most: u32,
}

/// A page of a collection. An item that is odd keeps no other from being read.
#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct WirePage<T> {
    #[serde(deserialize_with = "list")]
    items: Vec<T>,
    links: Option<WireLinks>,
}

#[derive(Deserialize)]
struct WireLinks {
    next: Option<WireLink>,
}

#[derive(Deserialize)]
struct WireLink {
    uri: String,
    #[serde(default)]
    headers: Vec<WireHeader>,
}

#[derive(Deserialize)]
struct WireHeader {
    key: String,
    value: String,
}

/// Where a collection goes on: the query of its link, and the token that goes with it.
#[derive(Clone, PartialEq, Eq)]
struct Next {
    query: Option<String>,
    token: Option<String>,
}

impl From<WireLink> for Next {
    fn from(link: WireLink) -> Self {
        let token = link.headers.into_iter().find(|header| header.key.eq_ignore_ascii_case(CONTINUATION));
        let query = link.uri.split_once('?').map(|(_, query)| query.split('#').next().unwrap_or_default().to_owned());
        Self { query, token: token.map(|header| header.value) }
    }
}

impl<C: Credentials + Send + Sync> PartnerCenter<C> {
    /// Reads a collection to its end, or until `take` has what it wants.
    pub(crate) async fn walk<T: DeserializeOwned>(
        &self,
        asker: Asker<'_>,
        name: &'static str,
        tenant: &Tenant,
        path: &[&str],
        budget: &mut Budget,
        mut take: impl FnMut(Vec<T>) -> Enough,
    ) -> Result<Enough, MicrosoftError> {
        let bad = |problem| self.call(name, tenant).bad(problem);
        let mut next: Option<Next> = None;
        loop {
            if budget.made >= budget.most {
                return Err(bad(format!("more than {} pages for one customer", budget.most)));
            }
            budget.made += 1;
            let page: WirePage<T> = self
                .ask_as(asker, name, tenant, path, |http, mut url| {
                    url.set_query(next.as_ref().and_then(|next| next.query.as_deref()));
                    let token = next.as_ref().and_then(|next| next.token.as_deref());
                    let request = http.get(url);
                    token.into_iter().fold(request, |request, token| request.header(CONTINUATION, token))
                })
                .await?;
            if let Enough::Yes = take(page.items) {
                return Ok(Enough::Yes);
            }
            let Some(link) = page.links.and_then(|links| links.next) else { return Ok(Enough::No) };
            let following = Next::from(link);
            if next.as_ref() == Some(&following) {
                return Err(bad("its pages lead back to one that was read".to_owned()));
            }
            next = Some(following);
        }
    }
}
