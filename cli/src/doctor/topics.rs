//! Whether the topics are there, and whether anybody hears of fraud.

use std::collections::HashMap;

use aws_sdk_sns::{Client, types::Subscription};
use runtime::Variable;

use super::{
    finding::{Finding, Subject, counted},
    refused::{is_absent, unseen},
};
use crate::account::{Account, EVENTS_TOPIC_ARN, FRAUD_TOPIC_ARN, OPERATIONS_TOPIC_ARN};

/// What SNS says in place of the ARN of a subscription that nobody has confirmed.
const PENDING: &str = "PendingConfirmation";

pub(super) async fn check(account: Account) -> Vec<Finding> {
    let client = Client::new(account.aws());
    let (mut fraud, operations, events) =
        tokio::join!(fraud(&account, &client), operations(&account, &client), events(&account, &client));
    fraud.extend([operations, events]);
    fraud
}

/// Somebody should hear that something is going to stop working.
async fn operations(account: &Account, client: &Client) -> Finding {
    let subject = Subject::new("topics", "operations topic");
    match attributes(account, client, &subject, &OPERATIONS_TOPIC_ARN).await {
        Ok((_, attributes)) => match confirmed(&attributes) {
            0 => subject.warning(
                "nobody hears of alarms: it has no confirmed subscription",
                "subscribe whoever looks after Partner Alerts with `aws sns subscribe`, and have them confirm it",
            ),
            count => subject.ok(counted(count, "confirmed subscription")),
        },
        Err(finding) => finding,
    }
}

/// Nobody has to subscribe to events.
async fn events(account: &Account, client: &Client) -> Finding {
    let subject = Subject::new("topics", "events topic");
    match attributes(account, client, &subject, &EVENTS_TOPIC_ARN).await {
        Ok((_, attributes)) => subject.ok(counted(confirmed(&attributes), "confirmed subscription")),
        Err(finding) => finding,
    }
}

async fn fraud(account: &Account, client: &Client) -> Vec<Finding> {
    let subject = Subject::new("topics", "fraud topic");
    let (arn, attributes) = match attributes(account, client, &subject, &FRAUD_TOPIC_ARN).await {
        Ok(found) => found,
        Err(finding) => return vec![finding],
    };
    let mut findings = Vec::new();
    match confirmed(&attributes) {
        0 => findings.push(subject.problem(
            "nobody hears of it when there is fraud: it has no confirmed subscription",
            "subscribe somebody with `aws sns subscribe`, and have them confirm it (docs/deploy.md, \"Listen\")",
        )),
        count => findings.push(subject.ok(counted(count, "confirmed subscription"))),
    }
    match pending(client, &arn).await {
        Ok(pending) => findings.extend(pending.iter().map(|endpoint| {
            let advice = "the mail or request that SNS sent has a link that confirms it; after three days it has to be made anew";
            subject.warning(format!("a subscription is not confirmed: {endpoint}"), advice)
        })),
        Err(error) => findings.push(unseen(&subject, "sns:ListSubscriptionsByTopic", &error)),
    }
    findings
}

async fn attributes(
    account: &Account,
    client: &Client,
    subject: &Subject,
    variable: &Variable,
) -> Result<(String, HashMap<String, String>), Finding> {
    let arn: String = account
        .variables()
        .read(variable)
        .map_err(|error| subject.unknown("its ARN is not known", error.to_string()))?;
    match client.get_topic_attributes().topic_arn(&arn).send().await {
        Ok(found) => Ok((arn, found.attributes.unwrap_or_default())),
        Err(error) if is_absent(&error, &["NotFound", "NotFoundException"]) => Err(subject.problem(
            format!("there is no topic {arn}"),
            "deploy the template anew, and subscribe anew: a topic takes its subscriptions with it",
        )),
        Err(error) => Err(unseen(subject, "sns:GetTopicAttributes", &error)),
    }
}

fn confirmed(attributes: &HashMap<String, String>) -> u64 {
    attributes.get("SubscriptionsConfirmed").and_then(|count| count.parse().ok()).unwrap_or_default()
}

type ListError =
    aws_sdk_sns::error::SdkError<aws_sdk_sns::operation::list_subscriptions_by_topic::ListSubscriptionsByTopicError>;

async fn pending(client: &Client, arn: &str) -> Result<Vec<String>, ListError> {
    let mut pages = client.list_subscriptions_by_topic().topic_arn(arn).into_paginator().send();
    let mut pending = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page?;
        let unconfirmed = page.subscriptions().iter().filter(|known| known.subscription_arn() == Some(PENDING));
        pending.extend(unconfirmed.map(in_part));
    }
    Ok(pending)
}

/// Protocol and endpoint, of the latter as much as whoever subscribed it needs to know which one it is.
fn in_part(subscription: &Subscription) -> String {
    let protocol = subscription.protocol().unwrap_or("unknown protocol");
    let endpoint = subscription.endpoint().unwrap_or_default();
    format!("{protocol} {}", part(endpoint))
}

fn part(endpoint: &str) -> String {
    if let Some((scheme, rest)) = endpoint.split_once("://") {
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        return format!("{scheme}://{}/…", host.rsplit('@').next().unwrap_or_default());
    }
    if let Some((name, host)) = endpoint.split_once('@') {
        return format!("{}…@{host}", name.chars().take(1).collect::<String>());
    }
    let length = endpoint.chars().count();
    format!("…{}", endpoint.chars().skip(length.saturating_sub(4)).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_named_and_not_told() {
        for (protocol, endpoint, expected) in [
            ("email", "security@example.com", "email s…@example.com"),
            ("https", "https://hooks.example/services/secret?key=1", "https https://hooks.example/…"),
            ("https", "https://user:word@hooks.example", "https https://hooks.example/…"),
            ("https", "https://hooks.example/secret@elsewhere", "https https://hooks.example/…"),
            ("sms", "+353861234567", "sms …4567"),
            ("sms", "12", "sms …12"),
        ] {
            let subscription = Subscription::builder().protocol(protocol).endpoint(endpoint).build();
            assert_eq!(in_part(&subscription), expected);
        }
    }
}
