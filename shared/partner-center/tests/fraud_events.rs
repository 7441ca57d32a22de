//! What fraudEvents says of an alert, read: the samples of both models in every field, and the quirks of the documents.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

use std::collections::BTreeMap;

use jiff::Timestamp;
use models::{
    ActivityEntry, AffectedResource, Alert, AlertKind, AlertType, Confidence, FraudThreshold, Resolution,
    ResolvedReason, Severity, Status,
};
use partner_center::{UnreadableAlert, read_alert, read_fraud_event};
use serde_json::{Value, json};

const NEW: &str = include_str!("data/fraudevents-list-new-model.json");
const OLD: &str = include_str!("data/fraudevents-list-old-model.json");
const CHANGED: &str = include_str!("data/fraudevents-status-update-response.json");
const GRAPH: &str = include_str!("data/graph-securityalert-get.json");

const MACHINE: &str = "/subscriptions/6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381/resourceGroups/rg-build/providers/Microsoft.Compute/virtualMachines/vm-build-07";

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn read(event: &Value) -> Result<Alert, UnreadableAlert> {
    read_fraud_event(event.to_string().as_bytes())
}

fn of_list(text: &str) -> Vec<Alert> {
    parsed(text).as_array().unwrap().iter().map(|event| read(event).unwrap()).collect()
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn details(value: Value) -> BTreeMap<String, Value> {
    serde_json::from_value(value).unwrap()
}

/// The first sample of the new model with this member in place of its own.
fn with(name: &str, value: Value) -> Value {
    let mut event = parsed(NEW)[0].clone();
    event[name] = value;
    event
}

fn without(names: &[&str]) -> Value {
    let mut event = parsed(NEW)[0].clone();
    for name in names {
        event.as_object_mut().unwrap().remove(*name).unwrap();
    }
    event
}

// ---- the samples ---------------------------------------------------------------------------------------------------------

#[test]
fn an_event_of_the_new_model_reads_into_every_field_and_what_has_none_is_kept_beside_them() {
    let expected = Alert {
        id: "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381_70d3b5f9-1c84-4e6a-a25b-09f7d1c3e862".parse().unwrap(),
        display_name: "Connections to known mining pools".to_owned(),
        description: Some(
            "A virtual machine in the subscription reached an address that belongs to a known mining pool.".to_owned(),
        ),
        alert_type: AlertType("networkConnectionsToCryptoMiningPools".to_owned()),
        status: Status::Active,
        severity: Severity::High,
        confidence: Some(Confidence::High),
        customer_id: Some("4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3".parse().unwrap()),
        subscription_id: Some("6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381".parse().unwrap()),
        reseller_id: Some("2f7d90b6-c1e8-4a53-9b04-d86f3e5a7c12".to_owned()),
        catalog_offer_id: Some("ms-azr-17g".to_owned()),
        detected: moment("2026-03-02T06:10:00Z"),
        first_observed: moment("2026-03-02T06:10:00Z"),
        last_observed: moment("2026-03-02T06:10:00Z"),
        resolution: Resolution::default(),
        is_test: false,
        affected_resources: vec![AffectedResource {
            resource_id: MACHINE.to_owned(),
            resource_type: Some("Virtual Machine".to_owned()),
        }],
        activity: vec![ActivityEntry {
            status_from: Some(Status::Active),
            status_to: Some(Status::Investigating),
            updated_by: Some("adele@fabrikam.example".to_owned()),
            updated: Some(moment("2026-03-02T07:05:41Z")),
        }],
        additional_details: details(json!({
            "connectionCount": "4",
            "country": "US",
            "cryptoCurrencyMiningPoolDomainName": "pool.example.net",
            "customerFriendlyName": "Contoso Ltd",
            "entityId": "70d3b5f9-1c84-4e6a-a25b-09f7d1c3e862",
            "entityName": "sampleentity",
            "entityUrl": "/subscriptions/6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381",
            "firstOccurrence": "2026-03-02T06:10:00.0000000",
            "hitCount": "10",
            "lastOccurrence": "2026-03-02T06:10:00.0000000",
            "miningPool_IP": "[\r\n  \"198.51.100.9\"\r\n]",
            "partnerFriendlyName": "Fabrikam Distribution",
            "partnerTenantId": "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10",
            "resourceGroupName": "rg-build",
            "resourceName": "vm-build-07",
            "resourceid": MACHINE,
            "resourcetype": "Virtual Machine",
            "serviceName": "sampleservice",
            "subscriptionName": "Production",
            "subscriptionType": "modern",
            "vM_IP": "[\r\n  \"10.20.0.7\",\r\n  \"203.0.113.44\"\r\n]",
            "valueAddedResellerFriendlyName": "Adventure Works Reseller",
        })),
    };
    assert_eq!(of_list(NEW)[0], expected);
}

#[test]
fn the_other_events_of_the_new_model_are_a_resolved_one_with_a_log_that_is_a_list_and_a_test() {
    let events = of_list(NEW);
    assert_eq!(events.len(), 3);
    let [_, resolved, test] = events.as_slice() else { unreachable!("three") };
    let resolution = Resolution {
        reason: Some(ResolvedReason::Fraud),
        on: Some(moment("2026-03-01T23:01:12Z")),
        by: Some("alex@fabrikam.example".to_owned()),
    };
    assert_eq!((&resolved.status, &resolved.resolution), (&Status::Resolved, &resolution));
    assert_eq!(resolved.activity[0].status_to, Some(Status::Resolved));
    assert_eq!(resolved.detected, moment("2026-03-01T22:30:00.69Z"));
    assert_eq!((&resolved.reseller_id, resolved.is_test), (&None, false));
    assert!(!resolved.additional_details.contains_key("valueAddedResellerFriendlyName"), "it was null");
    assert_eq!((test.is_test, test.alert_type.kind()), (true, AlertKind::Advisory));
    assert_eq!((&test.severity, test.activity.len()), (&Severity::Low, 0));
}

#[test]
fn an_event_of_the_old_model_has_no_severity_and_thereby_the_highest() {
    let events = of_list(OLD);
    assert_eq!(events.len(), 2);
    let open = &events[0];
    assert_eq!(open.severity, Severity::Unknown("unknown".to_owned()));
    assert!(FraudThreshold::High.includes(open));
    assert_eq!((&open.alert_type.0[..], open.alert_type.kind()), ("unknown", AlertKind::Other));
    assert_eq!((&open.display_name[..], &open.description, &open.confidence), ("Security alert", &None, &None));
    assert_eq!(open.detected, moment("2026-03-02T08:41:17.55Z"));
    assert_eq!(
        (open.first_observed, open.last_observed),
        (moment("2026-03-02T06:10:00Z"), moment("2026-03-02T08:35:00.1Z"))
    );
    assert_eq!((&open.status, &open.resolution), (&Status::Active, &Resolution::default()));
    assert_eq!(open.additional_details["customerFriendlyName"], "Contoso Ltd");
    let set_aside = &events[1];
    assert_eq!(set_aside.resolution.reason, Some(ResolvedReason::Ignore));
    assert_eq!(set_aside.resolution.on, Some(moment("2026-02-20T15:22:09.44Z")));
}

#[test]
fn the_answer_to_a_change_of_state_reads_as_an_event() {
    let changed = of_list(CHANGED);
    assert_eq!(
        (&changed[0].status, changed[0].resolution.reason.clone()),
        (&Status::Resolved, Some(ResolvedReason::Fraud))
    );
}

#[test]
fn one_alert_is_of_one_kind_and_severity_whichever_source_tells_it() {
    let (event, alert) = (of_list(NEW).remove(0), read_alert(GRAPH.as_bytes()).unwrap());
    assert_ne!(event.id, alert.id, "each source has ids of its own");
    assert_eq!(event.alert_type.kind(), alert.alert_type.kind());
    let told = |alert: &Alert| {
        (alert.severity.clone(), alert.status.clone(), alert.customer_id.clone(), alert.subscription_id.clone())
    };
    assert_eq!(told(&event), told(&alert));
    assert_eq!(event.affected_resources[0].resource_id, alert.affected_resources[0].resource_id);
}

// ---- quirks --------------------------------------------------------------------------------------------------------------

#[test]
fn a_test_is_one_in_either_spelling_by_boolean_or_by_text_and_never_by_half() {
    for (small, capital, expected) in [
        (Some(json!("true")), None, true),
        (None, Some(json!("True")), true),
        (None, Some(json!(true)), true),
        (Some(json!(true)), Some(json!("true")), true),
        (Some(json!(true)), Some(json!("false")), false),
        (Some(json!("false")), Some(json!(true)), false),
        (None, None, false),
        (Some(json!(1)), None, false),
    ] {
        let mut event = without(&["IsTest"]);
        for (name, value) in [("isTest", &small), ("IsTest", &capital)] {
            if let Some(value) = value {
                event[name] = value.clone();
            }
        }
        assert_eq!(read(&event).unwrap().is_test, expected, "{small:?} {capital:?}");
    }
}

#[test]
fn a_change_log_is_a_list_or_the_json_of_one_and_anything_else_is_none() {
    let entry = json!({ "statusTo": "Resolved", "dateTime": "2026-03-02T09:05:41.0000000+02:00" });
    for log in [json!([entry]), json!(json!([entry, 7]).to_string())] {
        let activity = read(&with("activityLogs", log.clone())).unwrap().activity;
        assert_eq!(activity.len(), 1, "{log}");
        assert_eq!(
            (&activity[0].status_to, activity[0].updated),
            (&Some(Status::Resolved), Some(moment("2026-03-02T07:05:41Z")))
        );
    }
    for odd in [json!(""), json!("[{"), json!("{}"), json!(7), json!({}), Value::Null] {
        assert_eq!(read(&with("activityLogs", odd.clone())).unwrap().activity, [], "{odd}");
    }
}

#[test]
fn occurrence_stands_for_observation_where_that_is_absent_and_either_dates_an_event() {
    let mut event = without(&["firstObserved", "lastObserved"]);
    event["firstOccurrence"] = json!("2026-03-01T01:00:00");
    event["lastOccurrence"] = json!("2026-03-01T02:00:00");
    let alert = read(&event).unwrap();
    assert_eq!(
        (alert.first_observed, alert.last_observed),
        (moment("2026-03-01T01:00:00Z"), moment("2026-03-01T02:00:00Z"))
    );
    event.as_object_mut().unwrap().remove("eventTime");
    assert_eq!(read(&event).unwrap().detected, moment("2026-03-01T01:00:00Z"));
    for name in ["firstOccurrence", "lastOccurrence"] {
        event[name] = json!("9999-12-31T23:59:59.9970000");
    }
    let error = read(&event).unwrap_err();
    assert_eq!(error.problem, "it has no date");
    assert_eq!(error.id, of_list(NEW)[0].id);
    assert_eq!(error.body.bytes(), event.to_string().as_bytes());
}

#[test]
fn never_and_none_are_absent_and_so_is_what_is_empty() {
    let mut event = with("resolvedOn", json!("9999-12-31T23:59:59.9970000Z"));
    event["resolvedReason"] = json!("none");
    event["valueAddedResellerTenantId"] = json!("");
    let alert = read(&event).unwrap();
    assert_eq!((alert.resolution, alert.reseller_id), (Resolution::default(), None));
    // Of that last year a timestamp can hold all but the last day.
    assert_eq!(read(&with("resolvedOn", json!("9999-12-30T00:00:00"))).unwrap().resolution.on, None);
    let odd = read(&with("resolvedReason", json!("Escalated"))).unwrap();
    assert_eq!(odd.resolution.reason, Some(ResolvedReason::Unknown("Escalated".to_owned())));
}

#[test]
fn an_unknown_type_is_kept_and_an_unknown_severity_is_the_highest() {
    let alert = read(&with("eventType", json!("SomethingNewIn2027"))).unwrap();
    assert_eq!(alert.alert_type, AlertType("SomethingNewIn2027".to_owned()));
    let alert = read(&with("severity", json!("Critical"))).unwrap();
    assert_eq!(alert.severity, Severity::Unknown("Critical".to_owned()));
    assert!(FraudThreshold::High.includes(&alert));
}

#[test]
fn members_that_come_later_are_kept_and_win_over_the_bag_of_details() {
    let mut event = with("comesLater", json!({ "any": ["thing"] }));
    event["shared"] = json!("outside");
    event["additionalDetails"]["shared"] = json!("inside");
    let details = read(&event).unwrap().additional_details;
    assert_eq!((&details["comesLater"], &details["shared"]), (&json!({ "any": ["thing"] }), &json!("outside")));
    assert_eq!(details["additionalDetails.shared"], "inside");
}

#[test]
fn of_details_whose_names_collide_none_is_dropped() {
    let mut event = with("additionalDetails", json!({ "additionalDetails.shared": "named so", "shared": "inside" }));
    event["shared"] = json!("outside");
    let details = read(&event).unwrap().additional_details;
    let named = |name: &str| details.get(name).and_then(Value::as_str);
    assert_eq!(named("shared"), Some("outside"));
    assert_eq!(named("additionalDetails.shared"), Some("named so"));
    assert_eq!(named("additionalDetails.additionalDetails.shared"), Some("inside"));
}

#[test]
fn no_detail_passes_for_a_documented_member_be_that_there_or_not() {
    let said = of_list(NEW).remove(0).additional_details;
    let documented = said.keys().filter(|name| !parsed(NEW)[0]["additionalDetails"][name.as_str()].is_string());
    let documented: Vec<_> = documented.cloned().collect();
    assert_eq!(documented.len(), 16, "{documented:?}");
    for name in documented {
        let bag = json!({ &name: "odd" });
        for (member, expected) in [(said.get(&name), said.get(&name)), (Some(&Value::Null), None), (None, None)] {
            let mut event = with("additionalDetails", bag.clone());
            event.as_object_mut().unwrap().remove(&name);
            if let Some(member) = member {
                event[&name] = member.clone();
            }
            let details = read(&event).unwrap().additional_details;
            assert_eq!(details.get(&name), expected, "{name}: {member:?}");
            assert_eq!(details[&format!("additionalDetails.{name}")], "odd");
        }
    }
}
