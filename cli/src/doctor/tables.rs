//! Whether the tables are what the code needs, and guarded against loss.

use aws_sdk_dynamodb::{
    Client,
    types::{
        KeySchemaElement, PointInTimeRecoveryStatus, Projection, ProjectionType, StreamViewType, TableDescription,
        TableStatus, TimeToLiveStatus,
    },
};
use runtime::Variable;
use store::schema::{Index, Projected, TABLES, Table};

use super::{
    finding::{Finding, Subject},
    refused::{is_absent, unseen},
};
use crate::account::{ACTIVITY_TABLE, ALERTS_TABLE, Account, EVENTS_TABLE, SESSIONS_TABLE, TENANTS_TABLE};

/// The tables and the variables that name them.
const NAMES: [(&str, &Variable); 5] = [
    ("activity", &ACTIVITY_TABLE),
    ("alerts", &ALERTS_TABLE),
    ("events", &EVENTS_TABLE),
    ("sessions", &SESSIONS_TABLE),
    ("tenants", &TENANTS_TABLE),
];

/// What to do about a table that is not what the template makes.
const REDEPLOY: &str = "deploy the template anew; if CloudFormation sees no change, somebody has changed the table by hand: change it back";

pub(super) async fn check(account: Account) -> Vec<Finding> {
    let mut findings = Vec::new();
    for table in &TABLES {
        findings.extend(one(&account, table).await);
    }
    findings
}

async fn one(account: &Account, table: &Table) -> Vec<Finding> {
    let subject = Subject::new("tables", table.role);
    let variable = NAMES.iter().find(|(role, _)| *role == table.role).map_or(&TENANTS_TABLE, |(_, variable)| *variable);
    let name: String = match account.variables().read(variable) {
        Ok(name) => name,
        Err(error) => return vec![subject.unknown("its name is not known", error.to_string())],
    };
    let client = Client::new(account.aws());
    let described = match client.describe_table().table_name(&name).send().await {
        Ok(described) => described.table,
        Err(error) if is_absent(&error, &["ResourceNotFoundException"]) => {
            let advice = "are account, region and stack the right ones? A table that is gone comes back from its backups, under another name";
            return vec![subject.problem(format!("there is no table {name}"), advice)];
        }
        Err(error) => return vec![unseen(&subject, "dynamodb:DescribeTable", &error)],
    };
    let mut findings = described.map_or_else(Vec::new, |described| differences(&subject, table, &described));
    findings.extend(expiry(&client, &subject, table, &name).await);
    findings.extend(backups(&client, &subject, &name).await);
    if findings.is_empty() { vec![subject.ok(format!("{name} is as it should be"))] } else { findings }
}

fn differences(subject: &Subject, table: &Table, described: &TableDescription) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut wrong = |words: String| findings.push(subject.problem(words, REDEPLOY));
    let keys: &[&str] = if table.sorted { &["pk", "sk"] } else { &["pk"] };
    if key_names(described.key_schema()) != keys {
        wrong(format!("its keys are not {}", keys.join(" and ")));
    }
    for index in table.indexes {
        let there = described.global_secondary_indexes().iter().find(|known| known.index_name() == Some(index.name));
        match there {
            None => wrong(format!("it has no index {}", index.name)),
            Some(there) if key_names(there.key_schema()) != [index.partition, index.sort] => {
                wrong(format!("the keys of its index {} are not {} and {}", index.name, index.partition, index.sort));
            }
            Some(there) if !holds(index, there.projection()) => {
                wrong(format!("its index {} does not hold what it should", index.name));
            }
            Some(_) => {}
        }
    }
    let stream = described.stream_specification().filter(|stream| stream.stream_enabled());
    let view = stream.and_then(|stream| stream.stream_view_type()).map(StreamViewType::as_str);
    if view != table.stream {
        wrong(format!("its stream is {}, and should be {}", view.unwrap_or("off"), table.stream.unwrap_or("off")));
    }
    match described.table_status() {
        Some(TableStatus::Active) => {}
        Some(TableStatus::Updating) => {
            findings.push(subject.warning("it is being changed", "wait, and look again"));
        }
        status => {
            let status = status.map_or("unknown", TableStatus::as_str);
            findings.push(
                subject
                    .problem(format!("its status is {status}"), "the DynamoDB console says why, and what it waits for"),
            );
        }
    }
    if described.deletion_protection_enabled() == Some(false) {
        let name = described.table_name().unwrap_or("<table>");
        let advice = format!("aws dynamodb update-table --table-name {name} --deletion-protection-enabled");
        findings.push(subject.warning("it is not protected from deletion", advice));
    }
    findings
}

fn key_names(keys: &[KeySchemaElement]) -> Vec<&str> {
    keys.iter().map(KeySchemaElement::attribute_name).collect()
}

fn holds(index: &Index, projection: Option<&Projection>) -> bool {
    let kind = projection.and_then(Projection::projection_type);
    match index.projected {
        Projected::All => kind == Some(&ProjectionType::All),
        Projected::KeysOnly => kind == Some(&ProjectionType::KeysOnly),
        Projected::Include(wanted) => {
            let there = projection.map(Projection::non_key_attributes).unwrap_or_default();
            let same = wanted.len() == there.len() && wanted.iter().all(|name| there.iter().any(|known| known == name));
            kind == Some(&ProjectionType::Include) && same
        }
    }
}

/// Whether what has expired is deleted.
async fn expiry(client: &Client, subject: &Subject, table: &Table, name: &str) -> Option<Finding> {
    let wanted = table.ttl?;
    let described = match client.describe_time_to_live().table_name(name).send().await {
        Ok(described) => described.time_to_live_description,
        Err(error) => return Some(unseen(subject, "dynamodb:DescribeTimeToLive", &error)),
    };
    let on = |status: &TimeToLiveStatus| matches!(status, TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling);
    let is_on = described
        .as_ref()
        .is_some_and(|expiry| expiry.attribute_name() == Some(wanted) && expiry.time_to_live_status().is_some_and(on));
    (!is_on).then(|| subject.problem(format!("what has expired is not deleted: its TTL is not on {wanted}"), REDEPLOY))
}

/// Whether what is lost can be brought back.
async fn backups(client: &Client, subject: &Subject, name: &str) -> Option<Finding> {
    let described = match client.describe_continuous_backups().table_name(name).send().await {
        Ok(described) => described.continuous_backups_description,
        Err(error) => return Some(unseen(subject, "dynamodb:DescribeContinuousBackups", &error)),
    };
    let recovery = described.as_ref().and_then(|backups| backups.point_in_time_recovery_description());
    let is_on = recovery.and_then(|recovery| recovery.point_in_time_recovery_status())
        == Some(&PointInTimeRecoveryStatus::Enabled);
    let advice = format!(
        "aws dynamodb update-continuous-backups --table-name {name} \
         --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
    );
    (!is_on).then(|| subject.warning("it has no point-in-time recovery: what is lost is lost", advice))
}
