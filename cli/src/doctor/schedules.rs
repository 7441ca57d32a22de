//! Whether the schedules are there and on: without them only callbacks find alerts, and nothing is swept.

use aws_sdk_scheduler::{Client, types::ScheduleState};

use super::{
    finding::{Finding, Subject},
    refused::{is_absent, unseen},
};
use crate::account::{Account, SCHEDULES};

pub(super) async fn check(account: Account, stack: Option<String>) -> Vec<Finding> {
    let all = Subject::new("schedules", "schedules");
    let known = |account: &Account| account.variables().list::<String>(&SCHEDULES);
    let names = match (known(&account), &stack) {
        (Ok(names), _) => Ok(names),
        (Err(error), None) => Err(all.unknown("their names are not known", error.to_string())),
        (Err(_), Some(stack)) => match account.with_schedules(stack).await {
            Ok(with) => {
                known(&with).map_err(|_| all.problem(format!("the stack {stack} has none"), "deploy the template anew"))
            }
            Err(error) => Err(all.unknown(
                runtime::chain(&error),
                "give yourself the permission cloudformation:ListStackResources, or set SCHEDULES to their names",
            )),
        },
    };
    let names = match names {
        Ok(names) => names,
        Err(finding) => return vec![finding],
    };
    let client = Client::new(account.aws());
    let mut findings = Vec::new();
    for name in names {
        findings.push(one(&client, &name).await);
    }
    findings
}

async fn one(client: &Client, name: &str) -> Finding {
    let subject = Subject::new("schedules", name);
    match client.get_schedule().name(name).send().await {
        Ok(schedule) => match schedule.state() {
            Some(ScheduleState::Enabled) => {
                subject.ok(format!("on, {}", schedule.schedule_expression().unwrap_or("at no time that is said")))
            }
            _ => subject.problem(
                format!("it is off: {}", without(name)),
                "switch it on in the EventBridge console (Scheduler, Schedules)",
            ),
        },
        Err(error) if is_absent(&error, &["ResourceNotFoundException"]) => {
            subject.problem("there is no such schedule", "deploy the template anew")
        }
        Err(error) => unseen(&subject, "scheduler:GetSchedule", &error),
    }
}

/// What comes of it when a schedule is off. CloudFormation's names hold those of the functions.
fn without(name: &str) -> &'static str {
    let name = name.to_ascii_lowercase();
    if name.contains("poll") {
        "without it alerts are found by callbacks alone"
    } else if name.contains("renew") {
        "without it no credential is looked at, and refresh tokens end after 90 days"
    } else if name.contains("resolve") || name.ends_with("-operations") {
        "without it an operation that the queue has lost is carried on by nobody"
    } else {
        "without it messages that the stream missed stay unpublished"
    }
}
