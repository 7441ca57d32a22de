//! Callbacks: their bodies, their signatures and the way to the receiver.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Serialize;

use crate::alerts::Alert;
use crate::app::{Shared, new_id};
use crate::authority::{AuthorityError, CERTIFICATE_NAME};

/// Everything that the receiver of a callback gets, apart from what any HTTP client adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCallback {
    /// The bytes that are signed, as they go over the wire.
    pub body: Vec<u8>,
    /// Names and values.
    pub headers: Vec<(String, String)>,
}

impl SignedCallback {
    /// The signature in `x-ms-signature`, where registrations may ask for it, in place of `Authorization`.
    #[must_use]
    pub fn in_ms_signature(mut self) -> Self {
        for (name, _) in &mut self.headers {
            if name == AUTHORIZATION {
                "x-ms-signature".clone_into(name);
            }
        }
        self
    }
}

/// The two ways to forge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgery {
    /// One byte of the body differs from what was signed; it is still JSON.
    Body,
    /// Signed by a key that isn't the certificate's.
    Key,
}

/// A callback did not reach its receiver.
#[derive(Debug, thiserror::Error)]
#[error("failed to post the callback")]
pub struct DeliverError(#[source] reqwest::Error);

/// What the receiver said.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Shared {
    pub(crate) fn sign(&self, body: &[u8]) -> Result<SignedCallback, AuthorityError> {
        Ok(self.dress(body.to_vec(), &self.authority.sign(body)?))
    }

    pub(crate) fn forge(&self, body: &[u8], forgery: Forgery) -> Result<SignedCallback, AuthorityError> {
        match forgery {
            Forgery::Body => {
                let mut callback = self.sign(body)?;
                // A digit with its last bit flipped is another digit.
                if let Some(byte) = callback.body.iter_mut().rfind(|byte| byte.is_ascii_digit()) {
                    *byte ^= 1;
                } else if let Some(byte) = callback.body.last_mut() {
                    *byte ^= 1;
                }
                Ok(callback)
            }
            Forgery::Key => Ok(self.dress(body.to_vec(), &self.authority.sign_as_forger(body, self.now())?)),
        }
    }

    pub(crate) async fn post(&self, url: &str, callback: &SignedCallback) -> Result<Answer, DeliverError> {
        let mut request = self.client.post(self.reached_at(url)).body(callback.body.clone());
        for (name, value) in &callback.headers {
            request = request.header(name, value);
        }
        // The address holds the receiver's path key: an error must not carry it into a log.
        let failed = |error: reqwest::Error| DeliverError(error.without_url());
        let response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let body = response.text().await.map_err(failed)?;
        tracing::info!(callback.status = status, callback.bytes = callback.body.len(), "callback posted");
        Ok(Answer { status, body })
    }

    fn dress(&self, body: Vec<u8>, signature: &[u8]) -> SignedCallback {
        let headers = [
            ("Content-Type", "application/json".to_owned()),
            (AUTHORIZATION, format!("Signature {}", STANDARD.encode(signature))),
            ("X-MS-Certificate-Url", format!("{}{CERTIFICATE_NAME}.cer", self.certificate_location())),
            ("X-MS-Signature-Algorithm", "rsa-sha256".to_owned()),
            ("Accept-Encoding", "gzip, deflate".to_owned()),
        ];
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        SignedCallback { body, headers }
    }
}

/// The body of an event; `alert` says whose it is, where the event has an owner.
pub(crate) fn event_body(event: &str, alert: Option<&Alert>, now: Timestamp) -> Vec<u8> {
    let change = now.strftime(CHANGE);
    match (event, alert) {
        (FRAUD_EVENT, Some(alert)) => {
            let Alert { customer_tenant_id, subscription_id, .. } = alert;
            // The space at the end is Microsoft's.
            let uri = format!("{API}/v1/customers/{customer_tenant_id}/subscriptions/{subscription_id} ");
            body(event, Some(&uri), None, &change)
        }
        ("subscription-updated", Some(alert)) => {
            let Alert { customer_tenant_id, subscription_id, .. } = alert;
            let uri = format!(
                "http://api.partnercenter.microsoft.com/webhooks/v1/customers/{customer_tenant_id}/subscriptions/\
                 {subscription_id}"
            );
            body(event, Some(&uri), Some("subscription"), &change)
        }
        ("test-created", _) => test_body(&new_id(), now),
        _ => body(event, None, Some(event.split('-').next().unwrap_or(event)), &change),
    }
}

/// The body of the test event that has this id.
pub(crate) fn test_body(correlation_id: &str, now: Timestamp) -> Vec<u8> {
    // Plain http is Microsoft's.
    let uri =
        format!("http://api.partnercenter.microsoft.com/webhooks/v1/registration/validationEvents/{correlation_id}");
    body("test-created", Some(&uri), Some("test"), &now.strftime(CHANGE))
}

fn body(event: &str, uri: Option<&str>, resource: Option<&str>, change: &dyn fmt::Display) -> Vec<u8> {
    let body = Body {
        event_name: event,
        resource_uri: uri,
        resource_name: resource,
        audit_uri: None,
        resource_change_utc_date: change.to_string(),
    };
    // Strings alone: serialising them to memory has no way to fail.
    serde_json::to_vec(&body).unwrap_or_default()
}

/// Compact and in this order: the length that Microsoft's published sample states fits no other form.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    event_name: &'a str,
    resource_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<&'a str>,
    audit_uri: Option<&'a str>,
    resource_change_utc_date: String,
}

/// The event of the purpose.
pub(crate) const FRAUD_EVENT: &str = "azure-fraud-event-detected";

const CHANGE: &str = "%Y-%m-%dT%H:%M:%S%.7f+00:00";
const API: &str = "https://api.partnercenter.microsoft.com";
const AUTHORIZATION: &str = "Authorization";
