//! The log of what people did, shown and verified.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use models::{
    Act as Did, Actor, Alert, AlertType, Entry, FraudThreshold, Known, Person, Resolution, Severity, Standing, Status,
    TenantId,
};
use serde_json::json;
use store::{
    About, Acquired, Act as _, ActWrite, Acted, AlertWrite, Lease as _, LeaseTerms, ReadWork as _, Store,
    WriteAlerts as _,
};
use tests::TENANT;

use crate::support::Here;

const NOW: Timestamp = Timestamp::constant(1_772_442_000, 0);
const VERIFY: [&str; 2] = ["activity", "verify"];

fn alert() -> Alert {
    Alert {
        id: "one".parse().unwrap(),
        display_name: "An alert".into(),
        description: None,
        alert_type: AlertType("CryptoMining".into()),
        status: Status::Active,
        severity: Severity::High,
        confidence: None,
        customer_id: None,
        subscription_id: None,
        reseller_id: None,
        catalog_offer_id: None,
        detected: NOW,
        first_observed: NOW,
        last_observed: NOW,
        resolution: Resolution::default(),
        is_test: false,
        affected_resources: Vec::new(),
        activity: Vec::new(),
        additional_details: std::collections::BTreeMap::new(),
    }
}

fn tenant() -> TenantId {
    TENANT.parse().unwrap()
}

fn entry(number: u8, act: Did) -> Entry {
    let person = Person::new(tenant(), TENANT.parse().unwrap(), "someone@contoso.example");
    Entry::new(format!("00000000-0000-4000-8000-{number:012}").parse().unwrap(), NOW, Actor::Person(person), act)
}

/// A system that keeps one alert, about which three things were done, and one act about the tenant as a whole.
async fn with_activity() -> Here {
    let here = Here::new().await;
    let aws = &here.test.system.parts().aws;
    let store = Store::new(aws_sdk_dynamodb::Client::new(aws), here.test.system.tables().clone());
    let terms = LeaseTerms { duration: jiff::SignedDuration::from_secs(60), gap: jiff::SignedDuration::from_secs(1) };
    let Acquired::Granted(grant) = store.acquire(&tenant(), terms, "the test", NOW).await.unwrap() else { panic!() };
    let known = Known::seen(Arc::new(alert()), models::AlertSource::Graph, grant.fence);
    let write = AlertWrite::between(&tenant(), None, known, FraudThreshold::High, false, NOW, None);
    store.write(&grant, &[write], None, NOW).await.unwrap();

    let (tenant, id) = (tenant(), alert().id);
    let to = Some(Standing::new(&Status::Resolved, Some(&"fraud".into())));
    let asked = Entry { from: Some(Standing::of(&alert())), to, ..entry(1, Did::StatusAsked) };
    let noted = Entry { note: Some("They called back.\n\u{202e}Fraud.".parse().unwrap()), ..entry(2, Did::Noted) };
    let given = entry(3, Did::Unassigned);
    for entry in [asked, noted, given] {
        let seen = store.at_work(&tenant, &id).await.unwrap().unwrap();
        let acted = store.act(&ActWrite::new(&tenant, About::Alert(&seen), &[entry]), NOW).await.unwrap();
        assert!(matches!(acted, Acted::Done { .. }));
    }
    let removed = [entry(4, Did::ViewRemoved { view: TENANT.parse().unwrap() })];
    store.act(&ActWrite::new(&tenant, About::Tenant(None), &removed), NOW).await.unwrap();
    here
}

fn line_key(number: u64) -> [(&'static str, AttributeValue); 2] {
    [("pk", AttributeValue::S(format!("{TENANT}#one"))), ("sk", AttributeValue::S(format!("{number:020}")))]
}

async fn delete_line(here: &Here, number: u64) {
    let client = aws_sdk_dynamodb::Client::new(&here.test.system.parts().aws);
    let [(pk, partition), (sk, sort)] = line_key(number);
    let delete = client.delete_item().table_name(&here.test.system.tables().activity).key(pk, partition).key(sk, sort);
    delete.send().await.unwrap();
}

async fn change_line(here: &Here, number: u64) {
    let client = aws_sdk_dynamodb::Client::new(&here.test.system.parts().aws);
    let [(pk, partition), (sk, sort)] = line_key(number);
    let update = client.update_item().table_name(&here.test.system.tables().activity).key(pk, partition).key(sk, sort);
    let update = update.update_expression("SET #line = :line").expression_attribute_names("#line", "line");
    update.expression_attribute_values(":line", AttributeValue::S("{}".to_owned())).send().await.unwrap();
}

#[tokio::test]
async fn a_log_that_is_as_it_was_written_is_said_to_be_and_every_tampering_is_named() {
    let here = with_activity().await;
    assert_eq!(here.told(&VERIFY).await.trim(), "4 lines in 2 chains are as they were written");

    change_line(&here, 2).await;
    let output = here.run(&VERIFY).await;
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(&format!("{TENANT} alert one: line 2 was changed\n")), "{told}");
    assert!(told.ends_with("1 of 2 chains are not as they were written\n"), "{told}");

    delete_line(&here, 2).await;
    let output = here.run(&[&VERIFY[..], &["--tenant", TENANT, "--alert", "one"]].concat()).await;
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("alert one: line 2 is missing\n"), "{told}");

    delete_line(&here, 3).await;
    let output = here.run(&[&["--json"], &VERIFY[..]].concat()).await;
    assert_eq!(output.status.code(), Some(1));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&told[0]["alert"], &told[0]["state"], &told[0]["head"]["count"]),
        (&json!(null), &json!("ok"), &json!(1))
    );
    let (broken, head) = (&told[1], &told[1]["head"]["hash"]);
    assert_eq!((&broken["state"], &broken["lines"], head.as_str().unwrap().len()), (&json!("broken"), &json!(1), 64));
    assert_eq!(broken["findings"], json!([{ "kind": "cut", "from": 2, "to": 3 }]));
}

#[tokio::test]
async fn only_what_somebody_did_in_a_time_is_shown_where_that_is_asked_for_and_what_can_not_be_read_always() {
    let here = with_activity().await;
    let other = "77777777-2222-4333-8444-555555555555";
    for (filter, lines) in [
        (&["--person", TENANT][..], 3),
        (&["--person", other][..], 0),
        (&["--since", "2026-03-02T09:00:00Z"][..], 3),
        (&["--since", "2026-03-02T09:00:01Z"][..], 0),
        (&["--until", "2026-03-02T09:00:01Z"][..], 3),
        (&["--until", "2026-03-02T09:00:00Z"][..], 0),
        (&["--person", TENANT, "--since", "2026-03-02T09:00:01Z"][..], 0),
    ] {
        let command = [&["--json", "activity", "show", "--alert", "one"][..], filter].concat();
        let shown: Vec<serde_json::Value> = serde_json::from_str(&here.told(&command).await).unwrap();
        assert_eq!(shown.len(), lines, "{filter:?}");
    }
    let none = here.told(&["activity", "show", "--alert", "one", "--person", other]).await;
    assert_eq!(none.trim(), "Nothing of what was done fits --person, --since and --until.");
    change_line(&here, 2).await;
    let command = ["--json", "activity", "show", "--alert", "one", "--person", other];
    let shown: Vec<serde_json::Value> = serde_json::from_str(&here.told(&command).await).unwrap();
    assert_eq!(shown.len(), 1, "nobody can say who did it: {shown:?}");
}

#[tokio::test]
async fn what_was_done_about_an_alert_is_shown_and_steers_no_terminal() {
    let here = with_activity().await;
    let shown = here.told(&["activity", "show", "--alert", "one"]).await;
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 4, "{shown}");
    for part in
        ["1", "2026-03-02 09:00:00 UTC", "someone@contoso.example", "status asked", "active -> resolved", "fraud"]
    {
        assert!(lines[1].contains(part), "{part}: {shown}");
    }
    assert!(lines[2].contains("They called back.\u{fffd}\u{fffd}Fraud."), "{shown}");

    let json = here.json(&["activity", "show", "--tenant", TENANT, "--alert", "one"]).await;
    assert_eq!(json[1]["line"]["note"], "They called back.\n\u{202e}Fraud.");
    assert_eq!((&json[2]["number"], json.as_array().unwrap().len()), (&json!(3), 3));

    for arguments in [&["activity", "show", "--alert", "two"][..], &["activity", "verify", "--alert", "two"]] {
        let refused = here.refused(arguments).await;
        assert!(refused.contains("there is no activity about the alert two"), "{refused}");
    }
}

#[tokio::test]
async fn one_chain_whose_end_can_t_be_read_is_a_finding_and_the_others_are_judged() {
    let here = with_activity().await;
    let client = aws_sdk_dynamodb::Client::new(&here.test.system.parts().aws);
    let update = client.update_item().table_name(&here.test.system.tables().alerts);
    let update =
        update.key("pk", AttributeValue::S(format!("{TENANT}#one"))).key("sk", AttributeValue::S("alert".into()));
    let update = update.update_expression("SET #chain = :chain").expression_attribute_names("#chain", "chain");
    update.expression_attribute_values(":chain", AttributeValue::S("spoilt".to_owned())).send().await.unwrap();
    let output = here.run(&[&["--json"], &VERIFY[..]].concat()).await;
    assert_eq!(output.status.code(), Some(1));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told[0]["state"], "ok", "what is about the tenant as a whole: {told}");
    assert_eq!((&told[1]["alert"], &told[1]["findings"]), (&json!("one"), &json!([{ "kind": "head_unreadable" }])));
    let told = String::from_utf8(here.run(&VERIFY).await.stdout).unwrap();
    assert!(told.contains("alert one: what says how the log ends can't be read"), "{told}");
}
