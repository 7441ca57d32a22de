//! An account in ministack: what tests make and look at there, as its owner.
#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a test that can't be set up has to fail loudly")]

use aws_sdk_sns::config::{Credentials, Region, timeout::TimeoutConfig};
use aws_sdk_sqs::types::{Message, QueueAttributeName};
use runtime::{OutgoingTls, Variable, Variables};
use serde_json::{Value, json};

use crate::PATIENCE;

/// Where ministack is.
const ENDPOINT: Variable = Variable {
    name: "MINISTACK_ENDPOINT",
    meaning: "the address of a running ministack, as tests/with-ministack does",
    default: None,
};
/// How long one request waits for messages, in seconds, and how many may come back empty: far more than anything takes.
const LONG_POLL: i32 = 5;
const EMPTY_POLLS: u32 = 12;

/// The attribute of a subscription by which messages come as they are.
pub const RAW: (&str, &str) = ("RawMessageDelivery", "true");

/// The account.
#[derive(Clone, Debug)]
pub struct Account {
    /// Where ministack is.
    pub endpoint: String,
    /// Tables.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Secrets.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// Topics.
    pub sns: aws_sdk_sns::Client,
    /// Queues.
    pub sqs: aws_sdk_sqs::Client,
}

/// A queue.
#[derive(Clone, Debug)]
pub struct Queue {
    /// Its address.
    pub url: String,
    /// Its ARN.
    pub arn: String,
}

impl Account {
    /// The account of the ministack that the process was started beside.
    pub async fn open() -> Self {
        let endpoint: String = match Variables::of_process().read(&ENDPOINT) {
            Ok(endpoint) => endpoint,
            Err(error) => panic!("{error}"),
        };
        let tls = OutgoingTls::read(&Variables::default()).expect("the bundled roots can be read");
        let aws = runtime::aws_config_loader(&tls)
            .expect("a client can be made")
            .endpoint_url(&endpoint)
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
            // What is awaited takes as long as it takes; a request has to outlast its long poll.
            .timeout_config(TimeoutConfig::builder().operation_timeout(PATIENCE).build())
            .load()
            .await;
        Self {
            endpoint,
            dynamodb: aws_sdk_dynamodb::Client::new(&aws),
            secrets: aws_sdk_secretsmanager::Client::new(&aws),
            sns: aws_sdk_sns::Client::new(&aws),
            sqs: aws_sdk_sqs::Client::new(&aws),
        }
    }

    /// Makes a topic.
    pub async fn topic_arn(&self, name: &str) -> String {
        let made = self.sns.create_topic().name(name).send().await.expect("a topic can be made");
        made.topic_arn.expect("a topic has an ARN")
    }

    /// Makes a queue.
    pub async fn queue(&self, name: &str) -> Queue {
        let made = self.sqs.create_queue().queue_name(name).send().await.expect("a queue can be made");
        let url = made.queue_url.expect("a queue has an address");
        let arn = self.attribute(&url, QueueAttributeName::QueueArn).await;
        Queue { url, arn }
    }

    /// Makes a queue that hears a topic, by these attributes of the subscription.
    pub async fn subscriber(&self, topic: &str, name: &str, attributes: &[(&str, &str)]) -> Queue {
        let queue = self.queue(name).await;
        self.allow(&queue, topic).await;
        let mut request = self.sns.subscribe().topic_arn(topic).protocol("sqs").endpoint(&queue.arn);
        for (name, value) in attributes {
            request = request.attributes(*name, *value);
        }
        request.send().await.expect("a queue can hear a topic");
        queue
    }

    /// Takes messages until there are this many. More are no less a failure than fewer.
    pub async fn receive(&self, queue: &Queue, expected: usize) -> Vec<Message> {
        let mut received = Vec::new();
        let mut empty = 0;
        while received.len() < expected && empty < EMPTY_POLLS {
            let request = self.sqs.receive_message().queue_url(&queue.url).max_number_of_messages(10);
            let request = request.message_attribute_names("All").wait_time_seconds(LONG_POLL);
            let messages = request.send().await.expect("a queue can be read").messages.unwrap_or_default();
            empty += u32::from(messages.is_empty());
            for message in messages {
                let receipt = message.receipt_handle.clone().expect("a message has a receipt");
                let taken = self.sqs.delete_message().queue_url(&queue.url).receipt_handle(receipt).send().await;
                taken.expect("a message can be taken");
                received.push(message);
            }
        }
        assert_eq!(received.len(), expected, "messages received from {}: {received:#?}", queue.url);
        self.assert_empty(queue).await;
        received
    }

    /// Nothing is in the queue.
    pub async fn assert_empty(&self, queue: &Queue) {
        let left = self.attribute(&queue.url, QueueAttributeName::ApproximateNumberOfMessages).await;
        assert_eq!(left, "0", "messages left in {}", queue.url);
    }

    async fn attribute(&self, url: &str, name: QueueAttributeName) -> String {
        let request = self.sqs.get_queue_attributes().queue_url(url).attribute_names(name.clone());
        let read = request.send().await.expect("a queue can be looked at");
        read.attributes.expect("a queue has attributes")[&name].clone()
    }

    /// A queue takes nothing from a topic that its policy does not name.
    async fn allow(&self, queue: &Queue, topic: &str) {
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "Service": "sns.amazonaws.com" },
                "Action": "sqs:SendMessage",
                "Resource": queue.arn,
                "Condition": { "ArnEquals": { "aws:SourceArn": topic } },
            }],
        });
        let request = self.sqs.set_queue_attributes().queue_url(&queue.url);
        let request = request.attributes(QueueAttributeName::Policy, policy.to_string());
        request.send().await.expect("a queue can have a policy");
    }
}

/// The JSON that a message is.
#[must_use]
pub fn json_of(message: &Message) -> Value {
    let body = message.body.as_deref().expect("a message has a body");
    serde_json::from_str(body).expect("a message is JSON")
}
