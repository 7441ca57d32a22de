//! Alerts, written for spreadsheets and programs.

use made_alerts::alert;
use models::{Alert, Resolution, ResolvedReason, Severity, Status};
use serde_json::{Value, json};
use tests::TENANT;

use crate::{
    statistics::keep,
    support::{Here, OTHER},
};

const EXPORT: [&str; 2] = ["alerts", "export"];

async fn with_alerts() -> Here {
    let here = Here::new().await;
    let resolution = Resolution { reason: Some(ResolvedReason::Fraud), ..Resolution::default() };
    let alerts = [
        Alert { display_name: "=1+1, \u{1b}[2J".to_owned(), ..alert("17") },
        Alert { severity: Severity::Low, customer_id: Some("customer-1".parse().unwrap()), ..alert("low") },
        Alert { is_test: true, subscription_id: Some("SUB-1".parse().unwrap()), ..alert("test") },
        Alert { status: Status::Resolved, resolution, ..alert("done") },
    ];
    keep(&here, alerts).await;
    here
}

fn ids(json: &str) -> Vec<String> {
    let records: Vec<Value> = serde_json::from_str(json).unwrap();
    records.iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn alerts_are_written_as_they_are_by_the_filters_of_the_dashboard() {
    let here = with_alerts().await;
    for (filters, expected) in [
        (vec![], vec!["17", "low", "test"]),
        (vec!["--state", "all"], vec!["17", "done", "low", "test"]),
        (vec!["--state", "resolved", "--reason", "fraud,ignore"], vec!["done"]),
        (vec!["--severity", "LOW,medium"], vec!["low"]),
        (vec!["--status", "active", "--test", "false"], vec!["17", "low"]),
        (vec!["--customer", "CUSTOMER-1"], vec!["low"]),
        (vec!["--subscription", "sub-1", "--tenant", TENANT], vec!["test"]),
        (vec!["--type", "cryptomining", "--assignee", "nobody", "--snoozed", "false"], vec!["17", "low", "test"]),
        (vec!["--assignee", "77777777-2222-4333-8444-555555555555"], vec![]),
        (vec!["--since", "2026-03-02T09:00:01Z"], vec![]),
        (vec!["--until", "2026-03-02T09:00:00Z", "--by", "first-observed"], vec!["17", "low", "test"]),
    ] {
        let told = here.told(&[&EXPORT[..], &["--format", "json"], &filters].concat()).await;
        assert_eq!(ids(&told), expected, "{filters:?}");
    }
    let csv = here.told(&EXPORT).await;
    assert!(csv.starts_with("\u{feff}partner_tenant_id,") && csv.ends_with("\r\n"), "{csv}");
    assert_eq!(csv.matches("\r\n").count(), 4, "{csv}");
    assert!(
        csv.contains(",'17,\"'=1+1, \u{1b}[2J\",high,active,"),
        "what is written for programs stays as it is: {csv}"
    );
    assert_eq!(ids(&here.told(&[&["--json"], &EXPORT[..]].concat()).await).len(), 3);
}

#[tokio::test]
async fn a_file_is_there_as_a_whole_or_not_at_all() {
    let here = with_alerts().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.csv");
    let file = path.to_str().unwrap();
    std::fs::write(&path, "what was there before").unwrap();
    let told = here.told(&[&EXPORT[..], &["--output", file]].concat()).await;
    assert_eq!(told, format!("3 alerts are written to {file}\n"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), here.told(&EXPORT).await);
    let told = here.json(&[&EXPORT[..], &["--output", file, "--state", "all"]].concat()).await;
    assert_eq!(told, json!({ "file": file, "alerts": 4, "unreadable_alerts": 0 }));
    let whole = std::fs::read_to_string(&path).unwrap();
    assert_eq!(ids(&whole).len(), 4);

    let mut broken = with_alerts().await;
    broken.set("ALERTS_TABLE", "no-such-table");
    let refused = broken.refused(&[&EXPORT[..], &["--output", file]].concat()).await;
    assert!(refused.contains("the export broke off"), "{refused}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), whole, "what was there stays");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "and nothing beside it");
    let nowhere = folder.path().join("nowhere").join("alerts.csv");
    let refused = here.refused(&[&EXPORT[..], &["--output", nowhere.to_str().unwrap()]].concat()).await;
    assert!(refused.contains("could not be written"), "{refused}");
}

#[tokio::test]
async fn what_is_missing_is_said_and_what_is_not_there_is_refused() {
    let here = with_alerts().await;
    let client = aws_sdk_dynamodb::Client::new(&here.test.system.parts().aws);
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let update = client.update_item().table_name(&here.test.system.tables().alerts);
    let update = update.key("pk", text(&format!("{TENANT}#low"))).key("sk", text("alert"));
    let update = update.update_expression("SET detail = :odd").expression_attribute_values(":odd", text("no map"));
    update.send().await.unwrap();

    let output = here.run(&[&["--json"], &EXPORT[..]].concat()).await;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(ids(&String::from_utf8(output.stdout).unwrap()), ["17", "test"], "all others are written");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("1 alerts can't be read and are missing"), "{told}");

    let refused = here.refused(&[&EXPORT[..], &["--tenant", &format!("{TENANT},{OTHER}")]].concat()).await;
    assert!(refused.contains(&format!("there is no tenant {OTHER}")), "{refused}");
}
