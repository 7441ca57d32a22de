//! SNS topics.

use std::future::Future;

use aws_sdk_sns::{Client, error::ProvideErrorMetadata, types::MessageAttributeValue};
use models::Publication;

/// A publication that did not go out, or of which we do not know: it may be repeated with the same id.
#[derive(Debug, thiserror::Error)]
#[error("publishing {what} to {topic} failed ({code})")]
pub struct PublishError {
    what: String,
    topic: String,
    code: String,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// Publishes to one topic.
pub trait Publish {
    /// Publishes; when this returns, SNS has it.
    fn publish(&self, publication: &Publication) -> impl Future<Output = Result<(), PublishError>> + Send;
}

/// Tells people something, and no program.
pub trait Tell {
    /// Publishes this text under this subject: our own fixed words, ASCII, at most 100 characters. When this returns, SNS has it.
    fn tell(&self, subject: &'static str, text: &str) -> impl Future<Output = Result<(), PublishError>> + Send;
}

/// An SNS topic.
#[derive(Clone, Debug)]
pub struct Topic {
    client: Client,
    arn: String,
}

impl Topic {
    /// The topic with this ARN.
    #[must_use]
    pub fn new(client: Client, arn: String) -> Self {
        Self { client, arn }
    }

    fn error(
        &self,
        what: String,
        code: &str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> PublishError {
        PublishError { what, topic: self.arn.clone(), code: code.to_owned(), source: source.into() }
    }
}

impl Publish for Topic {
    async fn publish(&self, publication: &Publication) -> Result<(), PublishError> {
        // One publication, one form for each kind of subscriber: people get text, programs JSON.
        let forms = serde_json::json!({ "default": publication.json, "email": publication.text });
        let what = || format!("message {}", publication.id);
        let mut request = self
            .client
            .publish()
            .topic_arn(&self.arn)
            .subject(publication.subject)
            .message_structure("json")
            .message(forms.to_string());
        for (name, value) in &publication.attributes {
            let attribute = MessageAttributeValue::builder().data_type("String").string_value(value).build();
            let attribute = attribute.map_err(|error| self.error(what(), "attribute not made", error))?;
            request = request.message_attributes(*name, attribute);
        }
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => {
                let code = error.code().unwrap_or("not reached").to_owned();
                Err(self.error(what(), &code, error))
            }
        }
    }
}

impl Tell for Topic {
    async fn tell(&self, subject: &'static str, text: &str) -> Result<(), PublishError> {
        let forms = serde_json::json!({ "default": text });
        let request = self.client.publish().topic_arn(&self.arn).subject(subject).message_structure("json");
        match request.message(forms.to_string()).send().await {
            Ok(_) => Ok(()),
            Err(error) => {
                let code = error.code().unwrap_or("not reached").to_owned();
                Err(self.error(format!("\"{subject}\""), &code, error))
            }
        }
    }
}
