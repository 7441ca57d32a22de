//! The webhook registration of a tenant at Partner Center: which events it sends, and where to.
//!
//! A tenant has one registration, and no call is documented that takes it away. Members come in either case, so they are read in
//! both; statuses and events are open sets. Of what our endpoint answered Microsoft repeats a text, which came from outside.

use std::{fmt, sync::Arc};

use models::Tenant;
use reqwest::{Client, RequestBuilder};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Audience, Credentials, Limits, MicrosoftError, Tokens, partner_center::PartnerCenter};

const PATH: [&str; 3] = ["webhooks", "v1", "registration"];
const VALIDATION: &str = "validationEvents";

/// What a tenant has registered. Prints no address, which has the path key in it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Registration {
    /// Where Partner Center posts events.
    #[serde(alias = "webhookUrl")]
    pub webhook_url: String,
    /// The events that it posts, by their names.
    #[serde(alias = "webhookEvents")]
    pub webhook_events: Vec<String>,
    /// Whether the signature comes in `x-ms-signature` in place of `Authorization`.
    #[serde(alias = "signatureTokenToMsSignatureHeader", default, skip_serializing_if = "Option::is_none")]
    pub signature_token_to_ms_signature_header: Option<bool>,
}

impl fmt::Debug for Registration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Registration").field("webhook_events", &self.webhook_events).finish_non_exhaustive()
    }
}

/// A test event under way. Prints no address, which has the path key in it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestEvent {
    /// `submitted`, `completed`, `failed`, or what Microsoft may add.
    #[serde(alias = "Status")]
    pub status: String,
    /// Where it was sent to.
    #[serde(alias = "CallbackUrl", default)]
    pub callback_url: Option<String>,
    /// The attempts so far, oldest first.
    #[serde(alias = "Results", default)]
    pub results: Vec<Attempt>,
}

impl fmt::Debug for TestEvent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("TestEvent");
        shown.field("status", &self.status).field("results", &self.results).finish_non_exhaustive()
    }
}

/// One attempt to deliver a test event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// The answer of our endpoint by its name, as in `OK` or `Unauthorized`.
    #[serde(alias = "ResponseCode", default)]
    pub response_code: Option<String>,
    /// What our endpoint answered.
    #[serde(alias = "ResponseMessage", default)]
    pub response_message: Option<String>,
    /// Whether the trouble was on Microsoft's side.
    #[serde(alias = "SystemError", default)]
    pub system_error: bool,
    /// When, in UTC, as Microsoft writes it: without a zone.
    #[serde(alias = "DateTimeUtc", default)]
    pub date_time_utc: Option<String>,
}

/// The answer to a test event that was asked for: an object by the page, a bare text by the API's description.
#[derive(Deserialize)]
#[serde(untagged)]
enum Submitted {
    Object {
        #[serde(rename = "correlationId", alias = "CorrelationId")]
        correlation_id: String,
    },
    Text(String),
}

/// Reads and changes registrations.
#[derive(Debug)]
pub struct Registrations<C>(PartnerCenter<C>);

impl<C: Credentials + Send + Sync> Registrations<C> {
    /// A client with these tokens and bounds.
    #[must_use]
    pub fn new(http: Client, tokens: Arc<Tokens<C>>, limits: Limits) -> Self {
        Self(PartnerCenter { http, tokens, limits })
    }

    /// The names of all events that the tenant may register.
    ///
    /// # Errors
    ///
    /// [`MicrosoftError`].
    pub async fn events(&self, tenant: &Tenant) -> Result<Vec<String>, MicrosoftError> {
        self.ask("listing webhook events", tenant, &["events"], Client::get).await
    }

    /// What the tenant has registered, if it has.
    ///
    /// # Errors
    ///
    /// [`MicrosoftError`].
    pub async fn registration(&self, tenant: &Tenant) -> Result<Option<Registration>, MicrosoftError> {
        match self.ask("reading the webhook registration", tenant, &[], Client::get).await {
            Ok(registration) => Ok(Some(registration)),
            Err(MicrosoftError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Registers, in place of what the tenant had registered if it had, and gives what is registered now.
    ///
    /// # Errors
    ///
    /// [`MicrosoftError`].
    pub async fn register(&self, tenant: &Tenant, wanted: &Registration) -> Result<Registration, MicrosoftError> {
        const NAME: &str = "registering the webhook";
        if self.registration(tenant).await?.is_none() {
            match self.ask(NAME, tenant, &[], |http, url| http.post(url).json(wanted)).await {
                // Somebody else was quicker.
                Err(MicrosoftError::Refused { status: 409, .. }) => {}
                answer => return answer,
            }
        }
        self.ask(NAME, tenant, &[], |http, url| http.put(url).json(wanted)).await
    }

    /// Asks for a test event, of which Microsoft sends two a minute at most, and gives its correlation id.
    ///
    /// # Errors
    ///
    /// [`MicrosoftError`].
    pub async fn send_test_event(&self, tenant: &Tenant) -> Result<String, MicrosoftError> {
        let post = |http: &Client, url| http.post(url).header("content-length", "0");
        let submitted = self.ask("asking for a test event", tenant, &[VALIDATION], post).await?;
        let (Submitted::Object { correlation_id } | Submitted::Text(correlation_id)) = submitted;
        Ok(correlation_id)
    }

    /// Whether the person behind the tenant's credential signed in with a second factor, as Partner Center sees it (its request header
    /// `ValidateMfa`). None where it does not say, or can't be asked: then another call says why.
    pub async fn second_factor(&self, tenant: &Tenant) -> Option<bool> {
        let PartnerCenter { http, tokens, .. } = &self.0;
        let token = tokens.token(tenant, Audience::PartnerCenter).await.ok()?;
        let url = tokens.clouds().of(tenant.cloud)?.of(Audience::PartnerCenter).join(&PATH);
        let request = http.get(url).bearer_auth(token.expose_secret()).header("ValidateMfa", "true");
        let answer = request.send().await.ok()?;
        answer.headers().get("isMfaCompliant")?.to_str().ok()?.to_ascii_lowercase().parse().ok()
    }

    /// How a test event fares. Microsoft forgets it after seven days.
    ///
    /// # Errors
    ///
    /// [`MicrosoftError`].
    pub async fn test_event(&self, tenant: &Tenant, correlation_id: &str) -> Result<TestEvent, MicrosoftError> {
        self.ask("looking after a test event", tenant, &[VALIDATION, correlation_id], Client::get).await
    }

    async fn ask<A: DeserializeOwned>(
        &self,
        name: &'static str,
        tenant: &Tenant,
        below: &[&str],
        request: impl Fn(&Client, reqwest::Url) -> RequestBuilder,
    ) -> Result<A, MicrosoftError> {
        self.0.ask(name, tenant, &[&PATH, below].concat(), request).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_shapes_are_read_in_either_case() {
        let registered: Registration =
            serde_json::from_str(include_str!("../tests/data/webhook-registration-response.json")).unwrap();
        assert!(registered.webhook_url.starts_with("https://"), "{registered:?}");
        let camel = r#"{"subscriberId":"s","webhookUrl":"https://a.example","webhookEvents":["test-created"]}"#;
        let registered: Registration = serde_json::from_str(camel).unwrap();
        assert_eq!(registered.webhook_events, ["test-created"]);

        let event: TestEvent =
            serde_json::from_str(include_str!("../tests/data/webhook-validation-event-status.json")).unwrap();
        assert_eq!((event.status.as_str(), event.results.len()), ("completed", 1));
        assert_eq!(event.results[0].response_code.as_deref(), Some("OK"));
    }

    #[test]
    fn an_address_does_not_print() {
        let url = "https://a.example/callbacks/tenant/key".to_owned();
        let registration = Registration {
            webhook_url: url.clone(),
            webhook_events: vec!["test-created".to_owned()],
            signature_token_to_ms_signature_header: None,
        };
        let event = TestEvent { status: "completed".to_owned(), callback_url: Some(url), results: vec![] };
        let printed = format!("{registration:?} {event:?}");
        assert!(printed.contains("test-created") && printed.contains("completed"), "{printed}");
        assert!(!printed.contains("key"), "{printed}");
    }

    #[test]
    fn what_is_registered_is_written_as_microsoft_documents_it() {
        let wanted: serde_json::Value =
            serde_json::from_str(include_str!("../tests/data/webhook-registration-request.json")).unwrap();
        let read: Registration = serde_json::from_value(wanted.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), wanted);
    }

    #[test]
    fn a_correlation_id_comes_in_an_object_or_alone() {
        for body in [r#"{"correlationId":"c"}"#, r#""c""#] {
            let (Submitted::Object { correlation_id } | Submitted::Text(correlation_id)) =
                serde_json::from_str(body).unwrap();
            assert_eq!(correlation_id, "c", "{body}");
        }
    }
}
