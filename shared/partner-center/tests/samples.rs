//! What Graph says of an alert, read: the samples in every field, each way of spoiling one, and sizes that nobody means.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

use std::collections::BTreeMap;

use jiff::Timestamp;
use models::{
    ActivityEntry, AffectedResource, Alert, AlertType, Confidence, Resolution, ResolvedReason, Severity, Status,
};
use partner_center::{UnreadableAlert, read_alert};
use serde_json::{Value, json};

const PAGE_1: &str = include_str!("data/graph-securityalerts-page1.json");
const PAGE_2: &str = include_str!("data/graph-securityalerts-page2.json");
const EMPTY_PAGE: &str = include_str!("data/graph-securityalerts-page-empty-with-next.json");
const ONE: &str = include_str!("data/graph-securityalert-get.json");
const PATCHED: &str = include_str!("data/graph-securityalert-patch-response.json");

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn read(alert: &Value) -> Result<Alert, UnreadableAlert> {
    read_alert(alert.to_string().as_bytes())
}

fn of_page(text: &str) -> Vec<Alert> {
    parsed(text)["value"].as_array().unwrap().iter().map(|alert| read(alert).unwrap()).collect()
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn details(pairs: &[(&str, &str)]) -> BTreeMap<String, Value> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect()
}

fn change(from: Status, to: Status, by: &str, at: &str) -> ActivityEntry {
    ActivityEntry {
        status_from: Some(from),
        status_to: Some(to),
        updated_by: Some(by.to_owned()),
        updated: Some(moment(at)),
    }
}

// ---- the samples ---------------------------------------------------------------------------------------------------------

const MACHINE: &str = "/subscriptions/6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381/resourceGroups/rg-build/providers/Microsoft.Compute/virtualMachines/vm-build-07";

/// The alert of `graph-securityalert-get.json`.
fn mining() -> Alert {
    use Status::{Active, Investigating};
    Alert {
        id: "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381-70d3b5f9-1c84-4e6a-a25b-09f7d1c3e862".parse().unwrap(),
        display_name: "Connections to known mining pools".to_owned(),
        description: Some(
            "A virtual machine in the subscription reached an address that belongs to a known mining pool.".to_owned(),
        ),
        alert_type: AlertType("CryptoMining".to_owned()),
        status: Active,
        severity: Severity::High,
        confidence: Some(Confidence::High),
        customer_id: Some("4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3".parse().unwrap()),
        subscription_id: Some("6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381".parse().unwrap()),
        reseller_id: Some("2f7d90b6-c1e8-4a53-9b04-d86f3e5a7c12".to_owned()),
        catalog_offer_id: Some("MS-AZR-0017G".to_owned()),
        detected: moment("2026-03-02T06:12:09Z"),
        first_observed: moment("2026-03-02T06:10:00Z"),
        last_observed: moment("2026-03-02T08:35:00Z"),
        resolution: Resolution::default(),
        is_test: false,
        affected_resources: vec![AffectedResource {
            resource_id: MACHINE.to_owned(),
            resource_type: Some("AzureResource".to_owned()),
        }],
        activity: vec![
            change(Active, Investigating, "adele@fabrikam.example", "2026-03-02T07:05:41Z"),
            change(Investigating, Active, "adele@fabrikam.example", "2026-03-02T07:06:02Z"),
        ],
        additional_details: details(&[
            ("resourceid", MACHINE),
            ("resourcetype", "Virtual Machine"),
            ("VM_IP", "[  \"10.20.0.7\"]"),
            ("MiningPool_IP", "[  \"198.51.100.9\"]"),
            ("ConnectionCount", "4"),
            ("CryptoCurrencyMiningPoolDomainName", "pool.example.net"),
        ]),
    }
}

#[test]
fn one_alert_reads_into_every_field() {
    assert_eq!(read(&parsed(ONE)).unwrap(), mining());
}

#[test]
fn a_resolved_alert_reads_with_its_reason_its_moment_and_its_person() {
    let mut expected = mining();
    expected.status = Status::Resolved;
    expected.resolution = Resolution {
        reason: Some(ResolvedReason::Fraud),
        on: Some(moment("2026-03-02T09:02:55.117Z")),
        by: Some("adele@fabrikam.example".to_owned()),
    };
    let last = change(Status::Active, Status::Resolved, "adele@fabrikam.example", "2026-03-02T09:02:55.117Z");
    expected.activity.push(last);
    assert_eq!(read(&parsed(PATCHED)).unwrap(), expected);
}

#[test]
fn the_first_page_reads_with_seven_digits_of_a_second_and_with_null_details() {
    let alerts = of_page(PAGE_1);
    assert_eq!(alerts.len(), 2);
    assert_eq!(alerts[0], mining());
    let expected = Alert {
        id: "c58e1a04-93b7-4d2f-8e60-b4a9f75d31c6".parse().unwrap(),
        display_name: "Unusual resource deployment".to_owned(),
        description: Some("Compute was deployed in many regions in a short time.".to_owned()),
        alert_type: AlertType("VM_AnomalousDeployment".to_owned()),
        status: Status::Investigating,
        severity: Severity::Medium,
        confidence: Some(Confidence::Medium),
        customer_id: Some("b3d5e7c2-81a4-4f16-a0c9-3d2e5f7a9b14".parse().unwrap()),
        subscription_id: Some("e07b41d9-6a25-4c8f-93b0-5f1d2a8c6e73".parse().unwrap()),
        reseller_id: None,
        detected: moment("2026-03-01T22:41:50.1234567Z"),
        first_observed: moment("2026-03-01T22:30:00Z"),
        last_observed: moment("2026-03-01T23:30:00Z"),
        affected_resources: Vec::new(),
        activity: vec![change(Status::Active, Status::Investigating, "alex@fabrikam.example", "2026-03-01T23:01:12Z")],
        additional_details: BTreeMap::new(),
        ..mining()
    };
    assert_eq!(alerts[1], expected);
    assert_eq!(alerts[1].detected.subsec_nanosecond(), 123_456_700);
}

#[test]
fn the_second_page_reads_with_an_old_type_a_new_type_a_future_value_and_a_test_alert() {
    let alerts = of_page(PAGE_2);
    assert_eq!(alerts.len(), 2);
    let [old, new] = [&alerts[0], &alerts[1]];
    assert_eq!(old.alert_type, AlertType("usageAnomalyDetection".to_owned()));
    assert_eq!((&old.status, &old.severity), (&Status::Resolved, &Severity::Low));
    let resolution = Resolution {
        reason: Some(ResolvedReason::Legitimate),
        on: Some(moment("2026-02-20T15:22:09.44Z")),
        by: Some("adele@fabrikam.example".to_owned()),
    };
    assert_eq!(old.resolution, resolution);
    assert_eq!((old.is_test, &old.additional_details), (false, &BTreeMap::new()));

    assert_eq!(new.alert_type, AlertType("ServiceTypeAddedLater".to_owned()));
    assert_eq!(new.severity, Severity::Informational);
    assert_eq!(new.confidence, Some(Confidence::Unknown("unknownFutureValue".to_owned())));
    assert!(new.is_test);
    assert_eq!((&new.catalog_offer_id, &new.resolution), (&None, &Resolution::default()));
    assert_eq!((new.affected_resources.len(), new.activity.len()), (0, 0));
}

#[test]
fn an_empty_page_has_no_alert() {
    assert_eq!(of_page(EMPTY_PAGE), []);
}

// ---- variants ------------------------------------------------------------------------------------------------------------

/// The sample with this member in place of its own.
fn with(name: &str, value: Value) -> Value {
    let mut alert = parsed(ONE);
    alert[name] = value;
    alert
}

fn without(names: &[&str]) -> Value {
    let mut alert = parsed(ONE);
    for name in names {
        alert.as_object_mut().unwrap().remove(*name).unwrap();
    }
    alert
}

#[test]
fn a_test_alert_is_one_by_boolean_or_by_text() {
    for (value, expected) in [
        (json!(true), true),
        (json!("true"), true),
        (json!("True"), true),
        (json!(false), false),
        (json!("false"), false),
        (json!(""), false),
        (Value::Null, false),
    ] {
        assert_eq!(read(&with("isTest", value.clone())).unwrap().is_test, expected, "{value}");
    }
    assert!(!read(&without(&["isTest"])).unwrap().is_test);
}

#[test]
fn words_are_read_in_any_case_and_unknown_ones_are_kept() {
    let alert = read(&with("status", json!("ACTIVE"))).unwrap();
    assert_eq!(alert.status, Status::Active);
    let alert = read(&with("severity", json!("unknownFutureValue"))).unwrap();
    assert_eq!(alert.severity, Severity::Unknown("unknownFutureValue".to_owned()));
    let alert = read(&with("resolvedReason", json!("Legitimate"))).unwrap();
    assert_eq!(alert.resolution.reason, Some(ResolvedReason::Legitimate));
}

#[test]
fn what_is_absent_or_null_is_none_and_a_missing_severity_counts_as_unknown() {
    let least = json!({ "id": "alert", "detectedDateTime": "2026-03-02T06:12:09Z" });
    let alert = read(&least).unwrap();
    assert_eq!(alert.display_name, "Security alert");
    assert_eq!(alert.alert_type, AlertType("unknown".to_owned()));
    assert_eq!(alert.status, Status::Unknown("unknown".to_owned()));
    assert_eq!(alert.severity, Severity::Unknown("unknown".to_owned()));
    assert_eq!(
        (alert.customer_id.clone(), alert.subscription_id.clone(), alert.confidence.clone()),
        (None, None, None)
    );

    let mut nulls = least.clone();
    for name in parsed(ONE).as_object().unwrap().keys() {
        if !["id", "detectedDateTime"].contains(&name.as_str()) {
            nulls[name] = Value::Null;
        }
    }
    assert_eq!(read(&nulls).unwrap(), alert);
}

#[test]
fn one_date_is_enough_and_stands_for_the_others() {
    let all = ["detectedDateTime", "firstObservedDateTime", "lastObservedDateTime"];
    for (left, expected) in [(0, "2026-03-02T06:12:09Z"), (1, "2026-03-02T06:10:00Z"), (2, "2026-03-02T08:35:00Z")] {
        let others: Vec<&str> = all.into_iter().filter(|name| *name != all[left]).collect();
        let alert = read(&without(&others)).unwrap();
        let expected = moment(expected);
        assert_eq!([alert.detected, alert.first_observed, alert.last_observed], [expected; 3], "{}", all[left]);
    }
}

#[test]
fn empty_ids_are_none_and_blanks_around_them_are_dropped() {
    assert_eq!(read(&with("customerTenantId", json!(""))).unwrap().customer_id, None);
    assert_eq!(read(&with("subscriptionId", json!("  "))).unwrap().subscription_id, None);
    let alert = read(&with("subscriptionId", json!(" s-1 "))).unwrap();
    assert_eq!(alert.subscription_id, Some("s-1".parse().unwrap()));
}

#[test]
fn unknown_members_are_ignored_and_details_of_any_kind_are_kept() {
    let value = json!({ "deep": [1, 2.5, null, { "x": "y" }], "text": "t" });
    let mut alert = with("additionalDetails", value.clone());
    alert["comesLater"] = json!({ "any": "thing" });
    let read = read(&alert).unwrap();
    assert_eq!(json!(read.additional_details), value);
}

#[test]
fn a_moment_without_a_zone_is_utc_and_never_is_none() {
    for (text, expected) in [
        ("2026-03-02T06:12:09+02:00", Some("2026-03-02T04:12:09Z")),
        ("2026-03-02T06:12:09", Some("2026-03-02T06:12:09Z")),
        (" 2026-03-02T06:12:09.1234567Z ", Some("2026-03-02T06:12:09.1234567Z")),
        ("9999-12-31T23:59:59.997", None),
        ("9999-12-31T23:59:59.997Z", None),
    ] {
        let alert = read(&with("resolvedOnDateTime", json!(text))).unwrap();
        assert_eq!(alert.resolution.on, expected.map(moment), "{text}");
    }
}

// ---- odd and spoilt alerts -----------------------------------------------------------------------------------------------

#[test]
fn an_odd_optional_member_counts_as_absent_and_hides_no_alert() {
    let canary = || json!("canary-value");
    let odd: Vec<(&str, Value)> = vec![
        ("detectedDateTime", canary()),
        ("detectedDateTime", json!(271_828)),
        ("firstObservedDateTime", json!("yesterday")),
        ("lastObservedDateTime", json!(["2026-03-02T06:12:09Z"])),
        ("resolvedOnDateTime", json!("2026-03-02T25:00:00Z")),
        ("status", json!(271_828)),
        ("status", json!(["active"])),
        ("severity", json!({ "low": 1 })),
        ("severity", json!(true)),
        ("confidenceLevel", json!(3)),
        ("displayName", json!(271_828)),
        ("description", json!(["text"])),
        ("alertType", json!(271_828)),
        ("customerTenantId", json!(271_828)),
        ("customerTenantId", json!("c".repeat(129))),
        ("customerTenantId", json!("line\nbreak")),
        ("subscriptionId", json!({})),
        ("subscriptionId", json!("s".repeat(129))),
        ("resolvedReason", json!(1)),
        ("resolvedBy", json!({})),
        ("isTest", canary()),
        ("isTest", json!(1)),
        ("affectedResources", canary()),
        ("affectedResources", json!({ "resourceId": "r" })),
        ("activityLogs", canary()),
        ("additionalDetails", json!(["text"])),
        ("additionalDetails", canary()),
    ];
    for (name, value) in odd {
        let alert = read(&with(name, value.clone())).unwrap_or_else(|error| panic!("{name}: {value}: {error}"));
        assert_eq!(alert, read(&without(&[name])).unwrap(), "{name}: {value}");
    }
}

#[test]
fn an_odd_entry_of_a_list_hides_no_other() {
    let good = json!({ "resourceId": "/r/1", "resourceType": "AzureResource" });
    let list =
        json!([7, good, null, { "resourceId": 7 }, { "resourceType": "without an id" }, { "resourceId": "/r/2" }]);
    let alert = read(&with("affectedResources", list)).unwrap();
    let ids: Vec<_> = alert.affected_resources.iter().map(|resource| resource.resource_id.as_str()).collect();
    assert_eq!(ids, ["/r/1", "/r/2"]);

    let list = json!([{ "statusTo": 7 }, { "statusTo": "resolved", "updatedDateTime": "never" }, "text"]);
    let alert = read(&with("activityLogs", list)).unwrap();
    assert_eq!(alert.activity.len(), 1);
    assert_eq!((&alert.activity[0].status_to, alert.activity[0].updated), (&Some(Status::Resolved), None));
}

#[test]
fn an_entry_in_which_a_name_comes_twice_counts_as_said_last() {
    let twice = ONE.replacen(r#""resourceType": "AzureResource""#, r#""resourceType": "x", "resourceType": "y""#, 1);
    assert_ne!(twice, ONE);
    let alert = read_alert(twice.as_bytes()).unwrap();
    assert_eq!(alert.affected_resources[0].resource_type.as_deref(), Some("y"));
}

#[test]
fn an_alert_without_a_date_cannot_be_filed() {
    let error = read(&without(&["detectedDateTime", "firstObservedDateTime", "lastObservedDateTime"])).unwrap_err();
    assert_eq!(error.problem, "it has no date");
    assert_eq!(error.id, mining().id);
    let mut odd = without(&["firstObservedDateTime", "lastObservedDateTime"]);
    odd["detectedDateTime"] = json!("canary-value");
    assert_eq!(
        read(&odd).unwrap_err().to_string(),
        format!("an alert (id {}) can't be read: it has no date", mining().id)
    );
}

#[test]
fn an_alert_without_an_id_that_can_be_kept_has_one_of_its_bytes() {
    let too_long = json!("canary-value".repeat(30));
    let values = [json!(""), json!(271_828), json!(["canary-value"]), Value::Null, json!("canary\nvalue"), too_long];
    for alert in values.into_iter().map(|value| with("id", value)).chain([without(&["id"])]) {
        let error = read(&alert).unwrap_err();
        assert_eq!(error.id, models::AlertId::of_bytes(alert.to_string().as_bytes()));
        assert_eq!(error.body.bytes(), alert.to_string().as_bytes());
        let words = format!("{error} {error:?}");
        assert!(!words.contains("canary") && !words.contains("271828"), "{words}");
    }
}

#[test]
fn what_is_no_alert_at_all_is_kept_with_its_bytes_as_far_as_there_is_room() {
    let (doubled, cut_off) = (r#"{"id":"canary-1","id":"canary-2"}"#, &ONE[..200]);
    let deep = format!(r#"{{"id":"canary","additionalDetails":{{"a":{}"#, "[".repeat(100_000));
    let not_utf8 = b"{\"id\":\"canary\xff\"}";
    let texts = ["", "null", "[]", "7", r#""canary""#, "{}", doubled, cut_off, &deep, "{\"id\":\"\\ud800\"}"];
    for json in texts.into_iter().map(str::as_bytes).chain([not_utf8.as_slice()]) {
        let error = read_alert(json).unwrap_err();
        let words = format!("{error} {error:?}");
        assert_eq!(error.id, models::AlertId::of_bytes(json), "{words}");
        assert!(!words.contains("canary"), "{words}");
        assert_eq!((error.body.bytes(), error.body.whole()), (&json[..json.len().min(64_000)], json.len()));
    }
}

// ---- sizes ---------------------------------------------------------------------------------------------------------------

/// What is stored of an alert's long members, in bytes; an item takes 409,600 with everything.
fn bytes(alert: &Alert) -> usize {
    let resources = alert.affected_resources.iter();
    let resources: usize = resources
        .map(|resource| 40 + resource.resource_id.len() + resource.resource_type.as_ref().map_or(0, String::len))
        .sum();
    let activity: usize = alert
        .activity
        .iter()
        .map(|entry| {
            let statuses = [&entry.status_from, &entry.status_to].into_iter().flatten();
            let statuses: usize = statuses.map(|status| status.as_str().len()).sum();
            80 + statuses + entry.updated_by.as_ref().map_or(0, String::len)
        })
        .sum();
    let details = serde_json::to_string(&alert.additional_details).unwrap().len();
    resources + activity + details + alert.description.as_ref().map_or(0, String::len) + alert.display_name.len()
}

#[test]
fn long_texts_are_cut_between_characters_and_marked() {
    let alert = read(&with("description", json!("ä".repeat(500_000)))).unwrap();
    let description = alert.description.unwrap();
    assert_eq!(description, "ä".repeat(32_000) + "…");
    let alert = read(&with("displayName", json!("\u{1f4a3}".repeat(10_000)))).unwrap();
    assert_eq!(alert.display_name, "\u{1f4a3}".repeat(250) + "…");
    let alert = read(&with("alertType", json!("t".repeat(1_001)))).unwrap();
    assert_eq!(alert.alert_type.0, "t".repeat(1_000) + "…");
    let alert = read(&with("alertType", json!("t".repeat(1_000)))).unwrap();
    assert_eq!(alert.alert_type.0, "t".repeat(1_000));
}

#[test]
fn of_five_thousand_resources_the_first_that_have_room_are_kept() {
    let resource = |number: u32| json!({ "resourceId": format!("/r/{number:05}{}", "x".repeat(92)), "resourceType": "AzureResource" });
    let alert = read(&with("affectedResources", (0..5_000).map(resource).collect())).unwrap();
    // Each weighs 80 + 100 + 13 of 96,000 bytes.
    assert_eq!(alert.affected_resources.len(), 497);
    for (number, kept) in (0..).zip(&alert.affected_resources) {
        assert!(kept.resource_id.starts_with(&format!("/r/{number:05}x")));
    }
    let empty = json!({ "resourceId": "", "resourceType": "" });
    let alert = read(&with("affectedResources", json!(vec![empty; 5_000]))).unwrap();
    assert_eq!(alert.affected_resources.len(), 1_200);
}

#[test]
fn of_many_changes_the_latest_that_have_room_are_kept_in_order() {
    let entry = |second: u32| {
        json!({ "statusFrom": "active", "statusTo": "resolved", "updatedBy": "a@b.example",
                "updatedDateTime": format!("2026-03-02T00:{:02}:{:02}Z", second / 60, second % 60) })
    };
    let alert = read(&with("activityLogs", (0..3_600).map(entry).collect())).unwrap();
    // Each weighs 80 + 6 + 8 + 11 of 64,000 bytes.
    assert_eq!(alert.activity.len(), 609);
    assert!(alert.activity.is_sorted_by_key(|entry| entry.updated));
    assert_eq!(alert.activity.last().unwrap().updated, Some(moment("2026-03-02T00:59:59Z")));
}

#[test]
fn details_that_are_too_long_are_left_out_and_say_so() {
    let alert = read(&with("additionalDetails", json!({ "a": "x".repeat(63_992) }))).unwrap();
    assert_eq!(alert.additional_details.keys().collect::<Vec<_>>(), ["a"]);
    let alert = read(&with("additionalDetails", json!({ "a": "x".repeat(63_993) }))).unwrap();
    assert_eq!(json!(alert.additional_details), json!({ "partnerAlertsLeftOut": "64001 bytes, too many to keep" }));
}

#[test]
fn enormous_numbers_are_kept_and_impossible_ones_make_the_alert_unreadable() {
    let alert = read(&with("additionalDetails", json!({ "a": 1e300, "b": -1e-300, "c": u64::MAX }))).unwrap();
    assert_eq!(json!(alert.additional_details), json!({ "a": 1e300, "b": -1e-300, "c": u64::MAX }));

    let beyond = ONE.replace(r#""ConnectionCount": "4""#, r#""ConnectionCount": 1e400"#);
    assert_ne!(beyond, ONE);
    assert!(read_alert(beyond.as_bytes()).unwrap_err().problem.starts_with("Syntax error at line "));
}

#[test]
fn an_alert_with_everything_too_long_stays_far_below_what_an_item_holds() {
    let long = "\u{1f4a3}".repeat(100_000);
    let entry = json!({ "statusFrom": long, "statusTo": long, "updatedBy": long });
    let mut alert = with("affectedResources", json!(vec![json!({ "resourceId": long, "resourceType": long }); 20]));
    for name in ["description", "displayName", "alertType", "status", "severity", "confidenceLevel", "resolvedReason"] {
        alert[name] = json!(long);
    }
    for name in ["valueAddedResellerTenantId", "catalogOfferId", "resolvedBy"] {
        alert[name] = json!(long);
    }
    alert["activityLogs"] = json!(vec![entry; 10]);
    alert["additionalDetails"] = json!({ "a": "x".repeat(63_000) });

    let alert = read(&alert).unwrap();

    assert!((200_000..300_000).contains(&bytes(&alert)), "{}", bytes(&alert));
    let empty = json!(vec![json!({ "resourceId": "" }); 60_000]);
    assert!(bytes(&read(&with("affectedResources", empty)).unwrap()) < 100_000);
    let empty = json!(vec![json!({}); 60_000]);
    assert!(bytes(&read(&with("activityLogs", empty)).unwrap()) < 100_000);
}
