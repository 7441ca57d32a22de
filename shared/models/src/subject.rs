//! What a fraud event is about, read from its `ResourceUri`.
//!
//! The URI is the sender's text. Nothing is ever fetched by it, and its host says nothing to us: what is taken from it are two GUIDs,
//! in the two forms that Microsoft has documented. Anything else is no subject, and the event is one about which we can't tell.

use crate::{CustomerId, SubscriptionId, TenantId};

/// Whose subscription a fraud event is about. Ids are in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventSubject {
    /// The customer; the older form of the URI names none.
    pub customer: Option<CustomerId>,
    /// The Azure subscription; maybe the Azure plan that it lives under, since Microsoft does not say which.
    pub subscription: SubscriptionId,
}

impl EventSubject {
    /// Reads `…/v1/customers/{customer}/subscriptions/{subscription}`, with or without `/webhooks` before it, and
    /// `…/v1/fraudEvents?SubscriptionId={subscription}&EventStatus={status}`; by http or https, a trailing blank or not.
    #[must_use]
    pub fn of(resource_uri: &str) -> Option<Self> {
        let rest = resource_uri.trim_end_matches(' ');
        let rest = rest.strip_prefix("https://").or_else(|| rest.strip_prefix("http://"))?;
        let (host, path) = rest.split_once('/')?;
        if !is_host(host) {
            return None;
        }
        if let Some(query) = path.strip_prefix("v1/fraudEvents?") {
            return Some(Self { customer: None, subscription: queried(query)? });
        }
        let path = path.strip_prefix("webhooks/").unwrap_or(path);
        let (customer, subscription) = path.strip_prefix("v1/customers/")?.split_once("/subscriptions/")?;
        Some(Self { customer: Some(guid(customer)?.parse().ok()?), subscription: guid(subscription)?.parse().ok()? })
    }
}

/// The subscription of a query that has nothing but what is documented, each at most once.
fn queried(query: &str) -> Option<SubscriptionId> {
    let (mut subscription, mut status) = (None, None);
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=')?;
        let before = match name {
            "SubscriptionId" => subscription.replace(value),
            "EventStatus" if value.bytes().all(|byte| byte.is_ascii_alphabetic()) => status.replace(value),
            _ => return None,
        };
        if before.is_some() {
            return None;
        }
    }
    guid(subscription?)?.parse().ok()
}

/// A name of letters, digits, dots and hyphens: neither a user nor a port stands in it.
fn is_host(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

/// A GUID in lower case.
fn guid(text: &str) -> Option<String> {
    text.parse::<TenantId>().ok().map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CUSTOMER: &str = "4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3";
    const SUBSCRIPTION: &str = "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381";
    const HOST: &str = "api.partnercenter.microsoft.com";

    fn subject(customer: Option<&str>) -> EventSubject {
        let customer = customer.map(|id| id.parse().unwrap());
        EventSubject { customer, subscription: SUBSCRIPTION.parse().unwrap() }
    }

    #[test]
    fn both_documented_forms_are_read() {
        let path = format!("v1/customers/{CUSTOMER}/subscriptions/{SUBSCRIPTION}");
        for uri in [
            format!("https://{HOST}/{path}"),
            format!("https://{HOST}/{path} "),
            format!("http://{HOST}/webhooks/{path}"),
            format!("https://partner.partnercenterapi.microsoftonline.cn/{path}"),
            format!("https://{HOST}/{}", path.replace(CUSTOMER, &CUSTOMER.to_uppercase())),
            format!("https://{HOST}/{}", path.replace(SUBSCRIPTION, &SUBSCRIPTION.to_uppercase())),
        ] {
            assert_eq!(EventSubject::of(&uri), Some(subject(Some(CUSTOMER))), "{uri}");
        }
        for query in [
            format!("SubscriptionId={SUBSCRIPTION}&EventStatus=Active"),
            format!("EventStatus=Active&SubscriptionId={SUBSCRIPTION} "),
            format!("SubscriptionId={SUBSCRIPTION}"),
            format!("SubscriptionId={}&EventStatus=", SUBSCRIPTION.to_uppercase()),
        ] {
            let uri = format!("http://{HOST}/v1/fraudEvents?{query}");
            assert_eq!(EventSubject::of(&uri), Some(subject(None)), "{uri}");
        }
    }

    #[test]
    fn anything_else_names_nobody() {
        let path = format!("v1/customers/{CUSTOMER}/subscriptions/{SUBSCRIPTION}");
        let old = format!("v1/fraudEvents?SubscriptionId={SUBSCRIPTION}");
        for uri in [
            String::new(),
            path.clone(),
            format!("//{HOST}/{path}"),
            format!("ftp://{HOST}/{path}"),
            format!(" https://{HOST}/{path}"),
            format!("https://{HOST}/{path}\n"),
            format!("https://{HOST}/{path}/"),
            format!("https://{HOST}/{path}?a=b"),
            format!("https://{HOST}/{path}#a"),
            format!("https://{HOST}//{path}"),
            format!("https://{HOST}/v2/{path}"),
            format!("https://{HOST}/webhooks/webhooks/{path}"),
            format!("https://{HOST}/webhooks/{old}"),
            format!("https://{HOST}:443/{path}"),
            format!("https://someone@{HOST}/{path}"),
            format!("https:///{path}"),
            format!("https://{HOST}/{}", path.replace(CUSTOMER, "")),
            format!("https://{HOST}/{}", path.replace(CUSTOMER, "customer-1")),
            format!("https://{HOST}/{}", path.replace(SUBSCRIPTION, "..")),
            format!("https://{HOST}/{}", path.replace(SUBSCRIPTION, &format!("{SUBSCRIPTION}%20"))),
            format!("https://{HOST}/v1/customers/{CUSTOMER}"),
            format!("https://{HOST}/{old}&SubscriptionId={SUBSCRIPTION}"),
            format!("https://{HOST}/{old}&EventStatus=Active&EventStatus=Active"),
            format!("https://{HOST}/{old}&EventStatus=a%20b"),
            format!("https://{HOST}/{old}&PageSize=1"),
            format!("https://{HOST}/{old}&"),
            format!("https://{HOST}/v1/fraudEvents"),
            format!("https://{HOST}/v1/fraudEvents?EventStatus=Active"),
            format!("https://{HOST}/v1/fraudEvents?subscriptionid={SUBSCRIPTION}"),
        ] {
            assert_eq!(EventSubject::of(&uri), None, "{uri}");
        }
    }
}
