//! SNS: answers publishes and shows them, and says who subscribes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::subscriptions::{Subscription, Subscriptions};

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
    arns: Arc<Mutex<BTreeSet<String>>>,
    subscriber: Subscriber,
    subscriptions: Subscriptions,
}

impl std::fmt::Debug for Topics {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.arns().iter()).finish()
    }
}

impl Topics {
    /// Topics of these ARNs. Each is heard by this system, which shows what is published.
    pub(crate) fn new(arns: impl IntoIterator<Item = String>, subscriber: Subscriber) -> Self {
        let arns: BTreeSet<_> = arns.into_iter().collect();
        let subscriptions = Subscriptions::default();
        for arn in &arns {
            subscriptions.add(arn, "lambda", "arn:aws:lambda:eu-west-1:000000000000:function:screen");
        }
        Self { arns: Arc::new(Mutex::new(arns)), subscriber, subscriptions }
    }

    pub(super) fn answer(&self, body: &[u8]) -> Response {
        let fields: Fields = form_urlencoded::parse(body).into_owned().collect();
        let action = text(&fields, "Action");
        let answered = match action {
            "DeleteTopic" => {
                self.delete(text(&fields, "TopicArn"));
                Ok(String::new())
            }
            "GetTopicAttributes" => self.attributes(text(&fields, "TopicArn")),
            "ListSubscriptionsByTopic" => self.list(text(&fields, "TopicArn")),
            "Publish" => read(&fields).and_then(|message| self.publish(&message)),
            "Subscribe" => self.subscribe(&fields),
            "Unsubscribe" => {
                self.subscriptions.remove(text(&fields, "SubscriptionArn"));
                Ok(String::new())
            }
            _ => Err(Invalid { code: "InvalidAction", ..invalid("not an action of the local system") }),
        };
        match answered {
            Ok(result) => xml(
                StatusCode::OK,
                &format!(
                    "<{action}Response xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><{action}Result>{result}\
                     </{action}Result></{action}Response>"
                ),
            ),
            Err(Invalid { status, code, message }) => failure(status, code, message),
        }
    }

    fn publish(&self, message: &Published) -> Result<String, Invalid> {
        self.existing(&message.topic)?;
        (self.subscriber)(message);
        Ok(format!("<MessageId>{}</MessageId>", uuid::Uuid::new_v4()))
    }

    fn subscribe(&self, fields: &Fields) -> Result<String, Invalid> {
        let topic = self.existing(text(fields, "TopicArn"))?;
        let (protocol, endpoint) = (text(fields, "Protocol"), text(fields, "Endpoint"));
        if protocol.is_empty() || endpoint.is_empty() {
            return Err(invalid("Invalid parameter: Protocol or Endpoint"));
        }
        let (arn, made) = self.subscriptions.add(topic, protocol, endpoint);
        let arn = if made.is_confirmed { arn } else { "pending confirmation".to_owned() };
        Ok(format!("<SubscriptionArn>{arn}</SubscriptionArn>"))
    }

    fn list(&self, topic: &str) -> Result<String, Invalid> {
        self.existing(topic)?;
        let member = |(arn, subscription): (String, Subscription)| {
            let arn = if subscription.is_confirmed { &arn } else { "PendingConfirmation" };
            let Subscription { topic, protocol, endpoint, .. } = &subscription;
            let [topic, protocol, endpoint] = [topic, protocol, endpoint].map(|text| escaped(text));
            format!(
                "<member><TopicArn>{topic}</TopicArn><Protocol>{protocol}</Protocol><SubscriptionArn>{arn}</SubscriptionArn>\
                 <Owner>000000000000</Owner><Endpoint>{endpoint}</Endpoint></member>"
            )
        };
        let members: String = self.subscriptions.of(topic).into_iter().map(member).collect();
        Ok(format!("<Subscriptions>{members}</Subscriptions>"))
    }

    fn attributes(&self, topic: &str) -> Result<String, Invalid> {
        self.existing(topic)?;
        let subscriptions = self.subscriptions.of(topic);
        let confirmed = subscriptions.iter().filter(|(_, subscription)| subscription.is_confirmed).count();
        let attributes = [
            ("TopicArn", topic.to_owned()),
            ("Owner", "000000000000".to_owned()),
            ("SubscriptionsConfirmed", confirmed.to_string()),
            ("SubscriptionsPending", (subscriptions.len() - confirmed).to_string()),
            ("SubscriptionsDeleted", "0".to_owned()),
        ];
        let entry = |(name, value)| format!("<entry><key>{name}</key><value>{value}</value></entry>");
        Ok(format!("<Attributes>{}</Attributes>", attributes.map(entry).concat()))
    }

    fn delete(&self, topic: &str) {
        for (arn, _) in self.subscriptions.of(topic) {
            self.subscriptions.remove(&arn);
        }
        self.arns().remove(topic);
    }

    fn existing<'a>(&self, topic: &'a str) -> Result<&'a str, Invalid> {
        if self.arns().contains(topic) {
            return Ok(topic);
        }
        Err(Invalid { status: StatusCode::NOT_FOUND, code: "NotFound", message: "Topic does not exist" })
    }

    fn arns(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.arns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a request of the query protocol says.
type Fields = BTreeMap<String, String>;

fn text<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).map(String::as_str).unwrap_or_default()
}

/// What a request asks for.
pub(super) fn action(body: &[u8]) -> String {
    let action = form_urlencoded::parse(body).find(|(name, _)| name == "Action");
    action.map(|(_, action)| action.into_owned()).unwrap_or_default()
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
fn read(fields: &Fields) -> Result<Published, Invalid> {
    let field = |name: &str| text(fields, name);
    let subject = field("Subject");
    if subject.is_empty() || subject.len() > 100 || !subject.is_ascii() || subject.chars().any(char::is_control) {
        return Err(invalid("Invalid parameter: Subject"));
    }
    if field("MessageStructure") != "json" {
        return Err(invalid("Invalid parameter: MessageStructure"));
    }
    let attributes = attributes(fields)?;
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

/// An error in the form of the query protocol.
pub(super) fn failure(status: StatusCode, code: &str, message: &str) -> Response {
    let message = escaped(message);
    xml(
        status,
        &format!(
            "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type><Code>{code}\
             </Code><Message>{message}</Message></Error></ErrorResponse>"
        ),
    )
}

/// A text inside XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn xml(status: StatusCode, body: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/xml")], body.to_owned()).into_response()
}
