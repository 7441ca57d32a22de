//! SNS: answers publishes and shows them.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

/// What SNS takes at most, in bytes: message, subject and attributes together.
const MESSAGE_BYTES: usize = 262_144;

/// What a topic does with a message.
pub type Subscriber = Arc<dyn Fn(&Published) + Send + Sync>;

/// A message as a topic got it.
#[derive(Clone, Debug)]
pub struct Published {
    /// The topic's ARN.
    pub topic: String,
    /// The subject.
    pub subject: String,
    /// What a person gets.
    pub text: String,
    /// What a program gets.
    pub json: String,
    /// The message attributes.
    pub attributes: BTreeMap<String, String>,
}

/// The topics that exist, and who is told.
#[derive(Clone)]
pub(crate) struct Topics {
    arns: Arc<[String]>,
    subscriber: Subscriber,
}

impl std::fmt::Debug for Topics {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.arns.iter()).finish()
    }
}

impl Topics {
    pub(crate) fn new(arns: impl IntoIterator<Item = String>, subscriber: Subscriber) -> Self {
        Self { arns: arns.into_iter().collect(), subscriber }
    }

    pub(super) fn answer(&self, body: &[u8]) -> Response {
        match read(body).and_then(|message| self.publish(&message)) {
            Ok(id) => xml(
                StatusCode::OK,
                &format!(
                    "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>{id}\
                     </MessageId></PublishResult></PublishResponse>"
                ),
            ),
            Err(Invalid { status, code, message }) => xml(
                status,
                &format!(
                    "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type><Code>\
                     {code}</Code><Message>{message}</Message></Error></ErrorResponse>"
                ),
            ),
        }
    }

    fn publish(&self, message: &Published) -> Result<uuid::Uuid, Invalid> {
        if !self.arns.contains(&message.topic) {
            let status = StatusCode::NOT_FOUND;
            return Err(Invalid { status, code: "NotFound", message: "Topic does not exist" });
        }
        (self.subscriber)(message);
        Ok(uuid::Uuid::new_v4())
    }
}

struct Invalid {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
}

fn invalid(message: &'static str) -> Invalid {
    Invalid { status: StatusCode::BAD_REQUEST, code: "InvalidParameter", message }
}

/// Reads a `Publish` of the query protocol, as strictly as SNS does where our messages could go wrong.
fn read(body: &[u8]) -> Result<Published, Invalid> {
    let fields: BTreeMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    if field("Action") != "Publish" {
        return Err(Invalid { code: "InvalidAction", ..invalid("only Publish is answered here") });
    }
    let subject = field("Subject");
    if subject.is_empty() || subject.len() > 100 || !subject.is_ascii() || subject.chars().any(char::is_control) {
        return Err(invalid("Invalid parameter: Subject"));
    }
    if field("MessageStructure") != "json" {
        return Err(invalid("Invalid parameter: MessageStructure"));
    }
    let attributes = attributes(&fields)?;
    let size: usize = attributes.iter().map(|(name, value)| name.len() + value.len() + "String".len()).sum();
    if size + subject.len() + field("Message").len() > MESSAGE_BYTES {
        return Err(invalid("Invalid parameter: Message too long"));
    }
    let forms: BTreeMap<String, String> =
        serde_json::from_str(field("Message")).map_err(|_| invalid("Invalid parameter: Message Structure - JSON"))?;
    let json =
        forms.get("default").ok_or_else(|| invalid("Invalid parameter: Message Structure - No default entry"))?;
    Ok(Published {
        topic: field("TopicArn").to_owned(),
        subject: subject.to_owned(),
        text: forms.get("email").unwrap_or(json).clone(),
        json: json.clone(),
        attributes,
    })
}

fn attributes(fields: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Invalid> {
    let mut attributes = BTreeMap::new();
    for place in 1.. {
        let field = |name: &str| fields.get(&format!("MessageAttributes.entry.{place}.{name}"));
        let Some(name) = field("Name") else { break };
        match (field("Value.DataType").map(String::as_str), field("Value.StringValue")) {
            (Some("String"), Some(value)) if !value.is_empty() => {
                attributes.insert(name.clone(), value.clone());
            }
            _ => {
                return Err(Invalid {
                    code: "ParameterValueInvalid",
                    ..invalid("an attribute is empty or of no type")
                });
            }
        }
    }
    Ok(attributes)
}

fn xml(status: StatusCode, body: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/xml")], body.to_owned()).into_response()
}
