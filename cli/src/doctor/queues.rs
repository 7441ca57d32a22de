//! Whether the queues are there, and whether anything was given up.

use aws_sdk_sqs::{Client, types::QueueAttributeName};
use runtime::Variable;

use super::{
    finding::{Finding, Subject, counted},
    refused::{is_absent, unseen},
};
use crate::account::{
    Account, EXPORTS_DEAD_LETTERS_URL, EXPORTS_QUEUE_URL, NAMES_DEAD_LETTERS_URL, NAMES_QUEUE_URL,
    OPERATIONS_DEAD_LETTERS_URL, OPERATIONS_QUEUE_URL, RECONCILE_DEAD_LETTERS_URL, RECONCILE_QUEUE_URL,
    STREAM_DEAD_LETTERS_URL,
};

/// What wakes `poll`, `resolve` and `dashboard`.
const QUEUES: [(&str, &Variable); 4] = [
    ("reconcile queue", &RECONCILE_QUEUE_URL),
    ("names queue", &NAMES_QUEUE_URL),
    ("operations queue", &OPERATIONS_QUEUE_URL),
    ("exports queue", &EXPORTS_QUEUE_URL),
];

/// Where more to do about dead letters is written.
const DEAD_LETTERS: [(&str, &Variable, &str); 5] = [
    (
        "reconcile dead letters",
        &RECONCILE_DEAD_LETTERS_URL,
        "the log of poll says why those runs failed; nothing has to be sent again. Purge the queue when it is clear (docs/operations.md, \"Dead letters\")",
    ),
    (
        "names dead letters",
        &NAMES_DEAD_LETTERS_URL,
        "the log of poll says what ended it. No alert depends on it, and names are asked for anew every day. Purge the queue when it is clear (docs/operations.md, \"Dead letters\")",
    ),
    (
        "operations dead letters",
        &OPERATIONS_DEAD_LETTERS_URL,
        "the log of resolve says why. The sweep asks for what is left every five minutes; purge the queue when it is clear (docs/operations.md, \"Dead letters\")",
    ),
    (
        "exports dead letters",
        &EXPORTS_DEAD_LETTERS_URL,
        "the log of dashboard says why. Whoever waits for the export has to ask for it anew; purge the queue when it is clear (docs/operations.md, \"Dead letters\")",
    ),
    (
        "stream dead letters",
        &STREAM_DEAD_LETTERS_URL,
        "the log of notify says why. Fraud messages are published all the same; events of these records may not have been (docs/operations.md, \"Dead letters\")",
    ),
];

/// What is there only where large exports are written in turns: not on one machine, which has no bucket, and not with a release before those.
const OPTIONAL: [&Variable; 2] = [&EXPORTS_QUEUE_URL, &EXPORTS_DEAD_LETTERS_URL];

pub(super) async fn check(account: Account) -> Vec<Finding> {
    let client = Client::new(account.aws());
    let mut findings = Vec::new();
    for (name, variable) in QUEUES {
        if is_left_out(&account, variable) {
            continue;
        }
        let queue = Subject::new("queues", name);
        findings.push(match waiting(&account, &client, &queue, variable).await {
            Ok(count) => queue.ok(format!("{} waiting", counted(count, "message"))),
            Err(finding) => finding,
        });
    }
    for (name, variable, advice) in DEAD_LETTERS {
        if is_left_out(&account, variable) {
            continue;
        }
        let queue = Subject::new("queues", name);
        findings.push(match waiting(&account, &client, &queue, variable).await {
            Ok(0) => queue.ok("none"),
            Ok(count) => queue.warning(format!("{}, given up", counted(count, "message")), advice),
            Err(finding) => finding,
        });
    }
    findings
}

fn is_left_out(account: &Account, variable: &Variable) -> bool {
    let is_optional = OPTIONAL.iter().any(|optional| optional.name == variable.name);
    is_optional && matches!(account.variables().optional::<String>(variable), Ok(None))
}

async fn waiting(account: &Account, client: &Client, subject: &Subject, variable: &Variable) -> Result<u64, Finding> {
    let unknown = |error: runtime::ConfigError| subject.unknown("its address is not known", error.to_string());
    let url: String = account.variables().read(variable).map_err(unknown)?;
    let name = QueueAttributeName::ApproximateNumberOfMessages;
    match client.get_queue_attributes().queue_url(&url).attribute_names(name.clone()).send().await {
        Ok(found) => {
            let count = found.attributes().and_then(|attributes| attributes.get(&name)?.parse().ok());
            count.ok_or_else(|| {
                subject.unknown("AWS does not say how many messages wait", "look at the queue in the SQS console")
            })
        }
        Err(error) if is_absent(&error, &["NonExistentQueue", "QueueDoesNotExist"]) => {
            Err(subject.problem(format!("there is no queue {url}"), "deploy the template anew"))
        }
        Err(error) => Err(unseen(subject, "sqs:GetQueueAttributes", &error)),
    }
}
